//! Union lists: everybody has all of them, in the order of the subtasks.

use super::super::testing::SUM;
use super::*;
use crate::protocol::{Attempt, Digest};
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

#[test]
fn in_the_order_of_the_subtasks() {
    let words = "subtask 0 has the union `notes` in another order than that of the subtasks";
    breaks(OracleName::Ownership, words, restored_with(&[2, 1]));
}
