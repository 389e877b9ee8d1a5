//! The scenario as it is written: its ranges, its classes of faults, its shares.

use super::{Strategy, StrategyName};
use crate::explore::Experiments;
use crate::plan::{Plan, Scenario};
use crate::protocol::DefectSet;
use crate::workload::WorkloadError;

/// Draws what the scenario file says, and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct Random;

impl Strategy for Random {
    fn name(&self) -> StrategyName {
        StrategyName::Random
    }

    fn plan(
        &self,
        scenario: &Scenario,
        seed: u64,
        defects: DefectSet,
        experiments: &Experiments,
    ) -> Result<Option<Plan>, WorkloadError> {
        experiments.draw(scenario, seed, defects).map(Some)
    }
}
