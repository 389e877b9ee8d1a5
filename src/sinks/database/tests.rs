use super::super::testing::{Bench, opening, row};
use super::*;
use crate::external::ExternalSystem as _;
use crate::external::database::XaDatabase;

type Subtask = Bench<XaSink<u64>>;

fn opened(database: &mut XaDatabase, attempt: u32, checkpoint: u64) -> Subtask {
    let mut subtask = Bench::new(XaSink::new(1));
    let opening = opening(attempt, checkpoint, Vec::new(), Vec::new());
    subtask.call(database, |sink, out| sink.open(opening, out));
    assert!(subtask.is_open, "{:?}", subtask.failed);
    subtask
}

fn prepare(subtask: &mut Subtask, database: &mut XaDatabase, checkpoint: u64) {
    subtask.call(database, |sink, out| sink.write(checkpoint, row(checkpoint), out));
    subtask.call(database, |sink, out| sink.pre_commit(CheckpointId(checkpoint), out));
    assert!(subtask.prepared.contains(&CheckpointId(checkpoint)), "{:?}", subtask.failed);
}

fn names_held(database: &XaDatabase) -> Vec<String> {
    database.held().into_iter().map(|held| held.name).collect()
}

#[test]
fn what_was_prepared_behind_the_checkpoint_is_rolled_back_and_what_it_holds_is_not() {
    let mut database = XaDatabase::new();
    let mut first = opened(&mut database, 1, 0);
    prepare(&mut first, &mut database, 1);
    prepare(&mut first, &mut database, 2);
    assert_eq!(names_held(&database).len(), 2);
    opened(&mut database, 2, 1);
    assert_eq!(names_held(&database), ["0/0/0/1/0"], "what checkpoint 1 holds");
}

/// A worker that has not heard of its end looks at what its successor has prepared.
#[test]
fn an_attempt_that_is_over_leaves_its_successors_alone() {
    let mut database = XaDatabase::new();
    let mut successor = opened(&mut database, 2, 0);
    prepare(&mut successor, &mut database, 1);
    opened(&mut database, 1, 0);
    assert_eq!(names_held(&database).len(), 1);
}
