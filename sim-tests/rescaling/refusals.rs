//! What cannot be is refused with a reason, and the job goes on as it was.

use cutwater::explore::Experiments;

use super::bench::{at_ms, hold, plan};

fn refusal(parallelism: u16, slots: u16) -> String {
    let experiments = Experiments::new();
    let mut plan = plan(&experiments, "word-count", 3, 2, false);
    plan.job.splits = 4;
    plan.cluster.slots = slots;
    plan.rescales = vec![at_ms(300, parallelism, true)];
    let (_, seen) = hold(&experiments, &plan);
    assert!(seen.shapes().is_empty(), "the job goes on at the old parallelism");
    seen.refusals().join("; ")
}

#[test]
fn more_subtasks_than_can_be_are_refused() {
    assert_eq!(
        refusal(5, 64),
        "`lines` has 5 subtasks for 4 splits: give it at least one split each"
    );
    assert_eq!(refusal(0, 64), "`lines` has parallelism 0");
    assert_eq!(refusal(2, 64), "the job runs at parallelism 2");
    assert!(refusal(4, 4).contains("16 subtasks need as many slots"), "{}", refusal(4, 4));
}
