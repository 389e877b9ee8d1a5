//! Swarm: each seed draws which classes of faults there are, how many and how they strike, and the shape
//! of links, buffers, checkpoints, processes and job (Groce and others, "Swarm Testing", ISSTA 2012).
//!
//! Runs in which everything happens a little are all alike: what one fault would show, another hides. A
//! seed that leaves most classes out, and draws an extreme shape, reaches what the average never does.
//!
//! Every setting has a stream of its own, and is left as the scenario has it by half of the seeds. A
//! scenario's `[swarm]` table says what must, and must not, be varied ([`SwarmScenario`]).
//!
//! [`SwarmScenario`]: crate::plan::SwarmScenario

mod faults;
mod patience;
mod settings;

use super::{Strategy, StrategyName};
use crate::explore::Experiments;
use crate::plan::{Concern, Plan, Scenario, Setting, Stream};
use crate::protocol::DefectSet;
use crate::workload::{Workload, WorkloadError};

/// Varies the scenario, and draws from what comes of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Swarm;

impl Strategy for Swarm {
    fn name(&self) -> StrategyName {
        StrategyName::Swarm
    }

    fn plan(
        &self,
        scenario: &Scenario,
        seed: u64,
        defects: DefectSet,
        experiments: &Experiments,
    ) -> Result<Option<Plan>, WorkloadError> {
        let varied = vary(scenario, seed, experiments.registry().workload(&scenario.job.workload)?);
        experiments.draw(&varied, seed, defects).map(Some)
    }
}

/// The scenario of this workload as `seed` varies it: still a scenario, whose ranges are mostly narrower.
#[must_use]
pub fn vary(scenario: &Scenario, seed: u64, workload: &Workload) -> Scenario {
    let mut variation = Variation { varied: scenario.clone(), root: scenario.root(seed) };
    variation.job(workload);
    variation.cluster();
    variation.checkpoints();
    variation.links();
    variation.nemesis();
    variation.faults();
    let mut varied = variation.varied;
    patience::grant(&mut varied, scenario);
    varied
}

/// The scenario of this workload as `seed` varies it, but for which faults there are.
#[must_use]
pub fn shape(scenario: &Scenario, seed: u64, workload: &Workload) -> Scenario {
    let mut varied = vary(scenario, seed, workload);
    varied.faults.clone_from(&scenario.faults);
    varied.nemesis.clone_from(&scenario.nemesis);
    varied
}

/// A scenario being varied.
struct Variation {
    varied: Scenario,
    /// What its streams come from.
    root: u64,
}

impl Variation {
    /// What decides a setting; none where it stays as it is.
    fn dice(&self, setting: Setting) -> Option<Stream> {
        const VARIED_PERCENT: u8 = 50;
        if self.varied.swarm.is_pinned(setting) {
            return None;
        }
        let mut stream = Stream::new(self.root, Concern::Swarm, setting as u64);
        stream.chance(VARIED_PERCENT).then_some(stream)
    }

    /// One of these; none where the setting stays as it is.
    fn pick<T: Copy>(&self, setting: Setting, choices: &[T]) -> Option<T> {
        self.dice(setting)?.pick(choices).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::scenario::all;
    use crate::workload;

    fn varied(scenario: &Scenario, seed: u64) -> Scenario {
        vary(scenario, seed, workload::named(&scenario.job.workload).expect("its workload exists"))
    }

    #[test]
    fn what_is_pinned_stays_and_what_is_not_is_varied() {
        for scenario in all() {
            let mut pinned = scenario.clone();
            pinned.swarm.pinned = [
                Setting::Job,
                Setting::Cluster,
                Setting::Checkpoints,
                Setting::Links,
                Setting::Nemesis,
                Setting::Faults,
            ]
            .into();
            let is_free = scenario.swarm.pinned.is_empty();
            let mut differ = 0;
            for seed in 0..20 {
                let found = varied(&pinned, seed);
                assert_eq!(found, pinned, "seed {seed}");
                let found = varied(&scenario, seed);
                differ += u32::from(found != scenario);
            }
            assert!(!is_free || differ >= 19, "{}: {differ} of 20 differ", scenario.name);
        }
    }

    #[test]
    fn some_seeds_have_slow_control_links_and_the_patience_for_them() {
        let scenario = all().remove(1);
        let mut slow = 0;
        for seed in 0..100 {
            let found = varied(&scenario, seed);
            if found.links.slow_control.max > 0 {
                slow += 1;
                assert!(found.cluster.heartbeat_timeout_ms.min >= 100, "seed {seed}");
                assert!(found.cluster.request_retry_ms.min >= 200, "seed {seed}");
            }
        }
        assert!((20..50).contains(&slow), "{slow} of 100");
    }

    #[test]
    fn mandatory_classes_are_drawn_and_suppressed_ones_are_not() {
        use crate::plan::FaultClass::{ClockDrift, CrashWorker, DestroyedStore, LossyReconnect};
        let mut scenario = all().remove(1);
        scenario.swarm.mandatory = [ClockDrift].into();
        scenario.swarm.suppressed = [CrashWorker].into();
        let mut has_lossy = false;
        for seed in 0..200 {
            let faults = varied(&scenario, seed).faults;
            assert!(faults[&ClockDrift].min >= 1);
            assert!(!faults.contains_key(&CrashWorker));
            assert!(!faults.contains_key(&DestroyedStore), "it is named by no scenario but one");
            has_lossy |= faults.contains_key(&LossyReconnect);
        }
        assert!(has_lossy, "classes that the scenario does not name are drawn as well");
    }
}
