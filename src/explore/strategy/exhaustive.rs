//! Bounded exhaustive: every single fault at every place of a recorded run, then every pair.
//!
//! The recorded run is that of the scenario's seed 0, without faults. A place is one of the first
//! [`OCCURRENCES_MAX`] occurrences of a protocol point in a subtask, or of a point that is nobody's. Plan
//! number n has seed 0's shape and one fault of one class at one place, with a crash before it where it
//! needs a restart; beyond the last of these, two.
//! The order is one of the scenario's own, so that the beginning of the enumeration is a fair sample.

use super::cells::{classes, shuffled};
use super::profile::Profile;
use super::{Strategy, StrategyName};
use crate::explore::Experiments;
use crate::plan::draw::aim::{Aim, can_aim, points};
use crate::plan::draw::repertoire::Repertoire;
use crate::plan::draw::{FaultDraw, Targets};
use crate::plan::{Concern, FaultClass, Plan, Scenario, Stream};
use crate::protocol::DefectSet;
use crate::workload::WorkloadError;

/// Enumerates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exhaustive;

/// The bound: how many occurrences of a point in a subtask are places of their own.
pub const OCCURRENCES_MAX: u32 = 2;

/// A class of faults at a place.
type Single = (Aim, FaultClass);

impl Exhaustive {
    /// How many plans there are: all singles, and all pairs of them.
    ///
    /// # Errors
    ///
    /// When the scenario's workload does not exist, or not with what seed 0 draws.
    pub fn count(
        &self,
        scenario: &Scenario,
        experiments: &Experiments,
    ) -> Result<u64, WorkloadError> {
        let profile = experiments.profiles.of(scenario, experiments)?;
        let singles = singles(scenario, &profile.calm).len() as u64;
        Ok(singles + singles * singles.saturating_sub(1) / 2)
    }
}

impl Strategy for Exhaustive {
    fn name(&self) -> StrategyName {
        StrategyName::Exhaustive
    }

    fn plan(
        &self,
        scenario: &Scenario,
        seed: u64,
        defects: DefectSet,
        experiments: &Experiments,
    ) -> Result<Option<Plan>, WorkloadError> {
        let profile = experiments.profiles.of(scenario, experiments)?;
        let singles = singles(scenario, &profile.calm);
        let Some(chosen) = decode(seed, singles.len() as u64) else { return Ok(None) };
        let mut calm = scenario.clone();
        calm.faults.clear();
        let mut plan = experiments.draw(&calm, 0, defects)?;
        // Delays are drawn anew for each number: the first occurrences of a point are there all the same.
        plan.seed = seed;
        let prepared = experiments.prepare(&plan.job)?;
        let topology = prepared.experiment.job.topology();
        let targets = Targets::of(topology, &plan);
        for number in chosen {
            let (aim, class) = singles[usize::try_from(number).unwrap_or(0)];
            let draw = |entity| {
                let stream = Stream::new(0, Concern::Aim, entity | number);
                FaultDraw::new(&scenario.nemesis, targets, stream)
            };
            plan.faults.extend(draw(EXHAUSTIVE_ENTITY).fault(class, Some(aim)));
            if matches!(class, FaultClass::CrashAgain | FaultClass::CrashInRecovery) {
                plan.faults.extend(draw(RESTART_ENTITY).fault(FaultClass::CrashWorker, None));
            }
        }
        Ok(Some(plan))
    }
}

/// Streams of the exhaustive strategy; those of the aimed one have small numbers.
const EXHAUSTIVE_ENTITY: u64 = 1 << 40;

/// Streams of the crashes that come before a crash in recovery or a second one.
const RESTART_ENTITY: u64 = 1 << 41;

/// Everything that one fault can be.
fn singles(scenario: &Scenario, calm: &Profile) -> Vec<Single> {
    let classes: Vec<FaultClass> = classes(scenario).collect();
    let mut singles = Vec::new();
    for aim in points(Repertoire::ALL).flat_map(|point| places(calm, point)) {
        let possible = classes.iter().filter(|class| can_aim(**class, aim.point));
        singles.extend(possible.map(|class| (aim, *class)));
    }
    shuffled(singles, scenario)
}

/// The places of a point: its first occurrences in each subtask; in the run, if it is no subtask's.
fn places(calm: &Profile, point: crate::trace::Point) -> Vec<Aim> {
    let mut subtasks: Vec<_> = calm.subtasks(point).map(Some).collect();
    if subtasks.is_empty() {
        subtasks.push(None);
    }
    let of_subtask = |subtask| {
        let last = calm.count(point, subtask).min(OCCURRENCES_MAX);
        (1..=last).map(move |occurrence| Aim { point, subtask, occurrence })
    };
    subtasks.into_iter().flat_map(of_subtask).collect()
}

/// The singles of plan number `number`, of `singles` that there are: one, or a pair; none beyond the last.
fn decode(number: u64, singles: u64) -> Option<Vec<u64>> {
    if number < singles {
        return Some(vec![number]);
    }
    let pair = number - singles;
    // The pairs (0, 1), (0, 2), (1, 2), (0, 3), …: those below `high` are high * (high - 1) / 2.
    let mut high = pair.saturating_mul(2).isqrt() + 1;
    while high * (high - 1) / 2 > pair {
        high -= 1;
    }
    let low = pair - high * (high - 1) / 2;
    (high < singles).then(|| vec![low, high])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_single_and_every_pair_has_one_number() {
        for singles in 0..30 {
            let mut seen = BTreeSet::new();
            let mut number = 0;
            while let Some(chosen) = decode(number, singles) {
                assert!(chosen.iter().all(|single| *single < singles));
                assert!(chosen.len() == 1 || chosen[0] < chosen[1], "{chosen:?}");
                assert!(
                    seen.insert(chosen),
                    "number {number} of {singles} singles is a repetition"
                );
                number += 1;
            }
            assert_eq!(number, singles + singles * singles.saturating_sub(1) / 2);
            assert_eq!(decode(number + 1, singles), None);
        }
    }

    #[test]
    fn pairs_of_many_singles_are_decoded_without_gaps() {
        let singles = 50_000;
        let last = singles + singles * (singles - 1) / 2 - 1;
        assert_eq!(decode(last, singles), Some(vec![singles - 2, singles - 1]));
        assert_eq!(decode(last + 1, singles), None);
        for number in [singles + 1_000_000, last / 2] {
            let (one, next) = (decode(number, singles), decode(number + 1, singles));
            assert!(one.is_some() && one != next);
        }
    }
}
