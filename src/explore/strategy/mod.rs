//! Strategies: how the plans of a scenario are chosen, one strategy a file.
//!
//! A strategy numbers plans. Its plan of a number is a pure function of the scenario, the number and the
//! defects, so that a sweep can be sharded, resumed and repeated, and one seed of it run alone.

mod aimed;
mod cells;
mod exhaustive;
mod pct;
pub mod profile;
mod random;
mod swarm;

#[cfg(test)]
mod tests;

pub use aimed::Aimed;
pub use exhaustive::Exhaustive;
pub use pct::Pct;
pub use random::Random;
pub use swarm::Swarm;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::experiments::Experiments;
use crate::plan::{Plan, Scenario};
use crate::protocol::DefectSet;
use crate::workload::WorkloadError;

/// The strategies.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum StrategyName {
    /// What the scenario says, and nothing else.
    Random,
    /// A random subset of all classes of faults, and a random shape.
    #[default]
    Swarm,
    /// One to three faults, each aimed at a protocol point: every class at every point in turn.
    Aimed,
    /// Processes that are slowed by priority, so that what they send comes in another order.
    Pct,
    /// Every single fault at every point of a recorded run, then every pair.
    Exhaustive,
}

/// Chooses plans.
pub trait Strategy: Send + Sync {
    /// How it is called on the command line.
    fn name(&self) -> StrategyName;

    /// The plan of a number, which every strategy but the exhaustive one takes for a seed; none where
    /// the strategy has no such plan, and none of a higher number either.
    ///
    /// A pure function of `scenario`, `seed` and `defects`: what `experiments` keeps only saves time.
    ///
    /// # Errors
    ///
    /// When the scenario's workload does not exist, or not with what was drawn.
    fn plan(
        &self,
        scenario: &Scenario,
        seed: u64,
        defects: DefectSet,
        experiments: &Experiments,
    ) -> Result<Option<Plan>, WorkloadError>;
}

/// The strategy of a name.
#[must_use]
pub fn strategy(name: StrategyName) -> &'static dyn Strategy {
    match name {
        StrategyName::Random => &Random,
        StrategyName::Swarm => &Swarm,
        StrategyName::Aimed => &Aimed,
        StrategyName::Pct => &Pct,
        StrategyName::Exhaustive => &Exhaustive,
    }
}
