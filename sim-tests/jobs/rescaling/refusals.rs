//! What cannot be is refused with a reason, and the job goes on as it was.

use cutwater::explore::Experiments;

use super::bench::{at_ms, hold, plan};

fn refusal(parallelism: u16, slots: u16) -> String {
    refusal_in("word-count", parallelism, slots, true)
}

fn refusal_in(scenario: &str, parallelism: u16, slots: u16, checkpoint_first: bool) -> String {
    let experiments = Experiments::new();
    let mut plan = plan(&experiments, scenario, 3, 2, false);
    plan.job.splits = if plan.job.splits > 1 { 4 } else { 1 };
    plan.cluster.slots = slots;
    plan.rescales = vec![at_ms(60, parallelism, checkpoint_first)];
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

#[test]
fn more_subtasks_than_key_groups_are_refused() {
    let refusal = refusal_in("flights", 129, 1_000, true);
    assert_eq!(refusal, "`hours` has 129 subtasks, but keyed state is spread over 128 key groups");
}

#[test]
fn what_was_in_flight_must_have_somewhere_to_go() {
    assert_eq!(
        refusal_in("unaligned", 3, 64, false),
        "`events` sends to `bids`, and what was in flight on a forward edge cannot be dealt out to other \
         subtasks: an aligned checkpoint must come first"
    );
    // The log of a loop is there in any checkpoint.
    for checkpoint_first in [false, true] {
        assert_eq!(
            refusal_in("collatz", 3, 64, checkpoint_first),
            "`halve` sends to `inner`, and what was in flight on a forward edge cannot be dealt out to \
             other subtasks"
        );
    }
}
