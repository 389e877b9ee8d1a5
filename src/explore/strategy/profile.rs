//! How often a scenario's runs reach each protocol point: what an aim must know to hit.
//!
//! A profile is recorded once for a scenario and kept, since to record one for each seed would double
//! what a seed costs. Seeds of one scenario differ in length by a small factor, and aims prefer early
//! occurrences, so that most of them are there in any run.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::explore::run::{WorldKind, run_plan};
use crate::explore::{Experiments, Prepared};
use crate::plan::{Plan, Scenario};
use crate::protocol::ordered::VecMap;
use crate::protocol::{DefectSet, SubtaskId};
use crate::trace::{Event, Point, Stamp};
use crate::workload::WorkloadError;
use crate::world::Observer;

/// How often points are reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    counts: VecMap<(Point, Option<SubtaskId>), u32>,
}

impl Profile {
    /// How often a point is reached, in this subtask or in all of them.
    #[must_use]
    pub fn count(&self, point: Point, subtask: Option<SubtaskId>) -> u32 {
        self.counts.get(&(point, subtask)).copied().unwrap_or(0)
    }

    /// The subtasks in which a point is reached, in order; none for a point that is nobody's.
    pub fn subtasks(&self, point: Point) -> impl Iterator<Item = SubtaskId> + '_ {
        let of_point = self.counts.range((point, None)..);
        let of_point = of_point.take_while(move |((other, _), _)| *other == point);
        of_point.filter_map(|((_, subtask), _)| *subtask)
    }

    fn add(&mut self, event: &Event) {
        let (point, subtask) = (Point::from(event), event.subtask());
        *self.counts.entry((point, None)).or_insert(0) += 1;
        if subtask.is_some() {
            *self.counts.entry((point, subtask)).or_insert(0) += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        for (place, count) in &other.counts {
            let mine = self.counts.entry(*place).or_insert(0);
            *mine = (*mine).max(*count);
        }
    }
}

impl Observer for Profile {
    fn observe(&mut self, _: Stamp, event: &Event) -> ControlFlow<()> {
        self.add(event);
        ControlFlow::Continue(())
    }
}

/// What the runs of a scenario reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScenarioProfile {
    /// The run of seed 0, without its faults.
    pub calm: Profile,
    /// The first few seeds, with their faults: the most that any of them reached.
    pub troubled: Profile,
}

/// How many seeds are run for what faults make a scenario reach.
const TROUBLED_SEEDS: u64 = 8;

/// The profiles that were asked for before.
#[derive(Debug, Default)]
pub struct Profiles {
    made: Mutex<Vec<(Scenario, Arc<ScenarioProfile>)>>,
}

/// How many profiles are kept at most.
const KEPT_MAX: usize = 64;

impl Profiles {
    /// The profile of a scenario: a pure function of it, kept once made.
    ///
    /// # Errors
    ///
    /// When the scenario's workload does not exist, or not with what was drawn.
    pub fn of(
        &self,
        scenario: &Scenario,
        experiments: &Experiments,
    ) -> Result<Arc<ScenarioProfile>, WorkloadError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, profile)) = made.iter().find(|(known, _)| known == scenario) {
            return Ok(Arc::clone(profile));
        }
        let profile = Arc::new(record(scenario, experiments)?);
        if made.len() >= KEPT_MAX {
            made.clear();
        }
        made.push((scenario.clone(), Arc::clone(&profile)));
        Ok(profile)
    }
}

fn record(
    scenario: &Scenario,
    experiments: &Experiments,
) -> Result<ScenarioProfile, WorkloadError> {
    let mut profile = ScenarioProfile::default();
    for seed in 0..TROUBLED_SEEDS {
        let plan = experiments.draw(scenario, seed, DefectSet::NONE)?;
        let prepared = experiments.prepare(&plan.job)?;
        profile.troubled.merge(&reached(&plan, &prepared));
        if seed == 0 {
            let calm = Plan { faults: Vec::new(), lost: Vec::new(), ..plan };
            profile.calm = reached(&calm, &prepared);
        }
    }
    Ok(profile)
}

/// What a run reaches; nothing where it panics, which is not for a profile to report.
fn reached(plan: &Plan, prepared: &Prepared) -> Profile {
    run_plan(plan, prepared, WorldKind::Kernel, Profile::default()).1.unwrap_or_default()
}
