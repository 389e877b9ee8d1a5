//! The source log: idle splits, and the shapes of inputs.

use std::collections::BTreeSet;

use cutwater::dataflow::Deal;
use cutwater::plan::{Fault, FaultClass, Scenario, scenario};
use cutwater::protocol::{ProcessId, SplitId};
use cutwater::trace::Event;

use super::harness::{SEEDS, Seen, Trial, at, built_in, crash};

#[test]
fn a_job_goes_on_with_other_splits_while_some_are_idle() {
    let trial = Trial::run("word-count", SEEDS, |seed| {
        let idle = |split| Fault::Idle { split: SplitId(split), for_us: 700_000 };
        (0..1 + seed as u16 % 3).map(|split| at(1 + seed % 200, idle(split))).collect()
    });
    trial.assert_struck(FaultClass::IdleSplit);
    trial.assert_all_held();
    let spans = |seen: &Seen| {
        let begins = |event: &Event| matches!(event, Event::SplitIdle { split } if split.0 == 0);
        let ends = |event: &Event| matches!(event, Event::SplitResumed { split } if split.0 == 0);
        seen.spans(begins, ends)
    };
    let of_split = |event: &Event, is_meant: fn(u16) -> bool| matches!(event, Event::Read { split, .. } if is_meant(split.0));
    let idle = trial.sum(|seen| seen.within(&spans(seen), |event| of_split(event, |id| id == 0)));
    let others = trial.sum(|seen| seen.within(&spans(seen), |event| of_split(event, |id| id != 0)));
    assert!(others > 2 * idle, "{idle} reads of the idle split, {others} of others");
    let completed = |event: &Event| matches!(event, Event::Completed { .. });
    assert!(trial.sum(|seen| seen.within(&spans(seen), completed)) > 0, "checkpoints go on");
}

#[test]
fn epochs_in_which_nothing_happens_are_checkpointed() {
    let trial = Trial::run_with(&built_in("sequence"), SEEDS, |seed, plan| {
        let splits = plan.job.splits;
        let idle = |split| Fault::Idle { split: SplitId(split), for_us: 600_000 };
        plan.faults.extend((0..splits).map(|split| at(5 + seed % 100, idle(split))));
        plan.faults.push(at(400, crash(ProcessId::Worker(0), 10)));
    });
    trial.assert_all_held();
    let mut quiet = 0;
    for (_, _, seen) in &trial.runs {
        let mut is_quiet = false;
        for (_, event) in &seen.0 {
            match event {
                Event::Completed { .. } => {
                    quiet += usize::from(std::mem::replace(&mut is_quiet, true))
                }
                Event::Read { .. } | Event::AttemptStarted { .. } => is_quiet = false,
                _ => {}
            }
        }
    }
    assert!(quiet > 0, "checkpoints complete with nothing read since the one before");
}

#[test]
fn every_scenario_holds_however_its_input_is_dealt() {
    let deals = [Deal::Uneven, Deal::Empty { splits: 1 }, Deal::Empty { splits: 2 }];
    let owed = |scenario: &Scenario| !scenario.faults.keys().any(|class| class.loses_for_good());
    for mut scenario in scenario::built_in().into_iter().filter(owed) {
        scenario.job.deal = deals.to_vec();
        let trial = Trial::run_with(&scenario, 12, |_, _| {});
        trial.assert_all_held();
        let shapes: BTreeSet<_> = trial.runs.iter().map(|(plan, _, _)| plan.job.deal).collect();
        let can_all = scenario.job.splits.min > 1;
        assert!(!can_all || shapes.len() > 1, "{} draws {shapes:?}", scenario.name);
    }
}
