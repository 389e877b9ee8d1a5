use super::*;
use crate::explore::Experiments;
use crate::explore::report::headline;
use crate::plan::scenario::built_in;
use crate::protocol::{Defect, DefectSet};

/// The first seed of the scenario in which the defect loses output, with its verdict.
fn lost(scenario: &str, defect: Defect, complete: bool) -> Option<String> {
    let scenario = built_in().into_iter().find(|each| each.name.as_str() == scenario)?;
    let experiments = Experiments::new();
    (0..60).find_map(|seed| {
        let plan = experiments.draw(&scenario, seed, DefectSet::only(defect)).ok()?;
        let prepared = experiments.prepare(&plan.job).ok()?;
        let (mut outcome, _) = run_plan(&plan, &prepared, WorldKind::Kernel, ());
        if complete {
            name_lost(&plan, &prepared, WorldKind::Kernel, &mut outcome.verdict);
        }
        let first = outcome.verdict.violations().first()?;
        let is_loss = first.kind == Kind::MissingOutput;
        is_loss.then(|| headline(&outcome.verdict, &plan.scenario, seed))
    })
}

#[test]
fn a_lost_commit_is_told_with_its_record_its_transaction_and_its_checkpoint() {
    let told = lost("sink-refuses", Defect::RefusedCommitForgotten, true).expect("some is lost");
    for words in [
        "; record r-",
        " was last received by ",
        "; txn-",
        " had it, for ckpt-",
        "[record r-",
        ", subtask ",
    ] {
        assert!(told.contains(words), "{words:?} is not in: {told}");
    }
}

#[test]
fn without_completion_a_digest_is_all_that_is_known() {
    let told = lost("sink-refuses", Defect::RefusedCommitForgotten, false).expect("some is lost");
    assert!(told.contains("with digest") && !told.contains("[record"), "{told}");
}

#[test]
fn what_is_not_about_missing_output_stays_as_it_is() {
    let mut verdict = Verdict::Held;
    let scenario = built_in().remove(0);
    let experiments = Experiments::new();
    let plan = experiments.draw(&scenario, 0, DefectSet::NONE).expect("it can be drawn");
    let prepared = experiments.prepare(&plan.job).expect("it was drawn");
    name_lost(&plan, &prepared, WorldKind::Kernel, &mut verdict);
    assert_eq!(verdict, Verdict::Held);
}
