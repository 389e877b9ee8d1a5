//! Union lists: everybody has all of them, in the order of the subtasks.

use super::super::testing::{SUM, run};
use super::*;
use crate::protocol::{Attempt, Digest, OperatorRole, Term};
use crate::trace::{ListContent, ListMode, Ownership};

fn union_of(elements: &[u64]) -> Ownership {
    let elements = elements.iter().map(|element| Digest(*element)).collect();
    let list = ListContent { name: "notes".to_owned(), mode: ListMode::Union, elements };
    Ownership { lists: vec![list], ..Ownership::default() }
}

/// The healthy run, whose operator has a union of two elements in its first snapshot, and is restored with these.
fn restored_with(elements: &'static [u64]) -> impl FnOnce(&mut Vec<Event>) {
    move |events| {
        snapshot(events, |of| of.subtask == SUM && of.checkpoint == ONE).ownership =
            union_of(&[1, 2]);
        for event in events {
            if let Event::Restored(restored) = event
                && restored.subtask == SUM
                && restored.attempt == Attempt(2)
            {
                restored.ownership = union_of(elements);
            }
        }
    }
}

#[test]
fn a_union_that_is_whole_and_in_order_holds() {
    let mut events = healthy();
    restored_with(&[1, 2])(&mut events);
    let verdict = judged(&events, &End::Finished);
    assert_eq!(verdict, Verdict::Held, "{:#?}", verdict.violations());
}

#[test]
fn everybody_has_all_elements_of_a_union() {
    let words = "sum was restored from ckpt-1: subtask 0 has 1 elements of the union `notes` of 2";
    breaks(OracleName::Ownership, words, restored_with(&[1]));
    let words = "subtask 0 has 3 elements of the union `notes` of 2";
    breaks(OracleName::Ownership, words, restored_with(&[1, 2, 2]));
}

/// From its second attempt on the job is another version, in which the operator has another name and this uid.
fn as_another_version(
    uid: Option<&'static str>,
    elements: &'static [u64],
) -> impl FnOnce(&mut Vec<Event>) {
    move |events| {
        restored_with(elements)(events);
        let mut topology = run(OperatorRole::TransactionalSink).topology;
        let operator = topology.subtasks[SUM.index()].operator.index();
        topology.operators[operator].name = "total".to_owned();
        topology.operators[operator].uid = uid.map(str::to_owned);
        let (attempt, term) = (Attempt(2), Term(1));
        let is_second =
            |event: &Event| matches!(event, Event::AttemptStarted { attempt: Attempt(2), .. });
        let place = at(events, is_second);
        events.insert(place, Event::Reshaped { attempt, term, topology: Box::new(topology) });
    }
}

#[test]
fn state_is_that_of_the_uid() {
    let words =
        "total was restored from ckpt-1: subtask 0 has 1 elements of the union `notes` of 2";
    breaks(OracleName::Ownership, words, as_another_version(Some("sum"), &[1]));
    let mut events = healthy();
    as_another_version(Some("sum"), &[1, 2])(&mut events);
    let verdict = judged(&events, &End::Finished);
    assert_eq!(verdict, Verdict::Held, "{:#?}", verdict.violations());
}

#[test]
fn who_is_new_holds_nothing() {
    let words = "total was not there when ckpt-1 was taken, and subtask 0 of it starts with state";
    breaks(OracleName::Ownership, words, as_another_version(None, &[1]));
}

#[test]
fn in_the_order_of_the_subtasks() {
    let words = "subtask 0 has the union `notes` in another order than that of the subtasks";
    breaks(OracleName::Ownership, words, restored_with(&[2, 1]));
}
