use super::super::testing::{Bench, opening, row};
use super::*;
use crate::external::counter_store::CounterStore;

type Subtask = Bench<CounterSink>;

fn opened(store: &mut CounterStore, attempt: u32) -> Subtask {
    let mut subtask = Bench::new(CounterSink::new(1));
    subtask.call(store, |sink, out| sink.open(opening(attempt, 0, Vec::new(), Vec::new()), out));
    assert!(subtask.is_open, "{:?}", subtask.failed);
    subtask
}

fn add(subtask: &mut Subtask, store: &mut CounterStore, added: i64) {
    subtask.call(store, |sink, out| sink.write((7, added), row(0), out));
}

#[test]
fn a_sum_that_overflows_fails_the_sink_with_its_key() {
    let mut store = CounterStore::new();
    let mut subtask = opened(&mut store, 1);
    add(&mut subtask, &mut store, i64::MAX);
    add(&mut subtask, &mut store, 1);
    subtask.call(&mut store, |sink, out| sink.pre_commit(CheckpointId(1), out));
    assert_eq!(subtask.prepared, []);
    let why = subtask.failed.as_deref();
    assert!(why.is_some_and(|why| why.contains("Overflow { key: 7 }")), "{why:?}");
}

/// The sum of a writer may be beyond what the sum of the store ever was.
#[test]
fn what_is_undone_is_not_wrapped() {
    assert_eq!(inverse([(7, i64::MAX), (7, 1), (7, -2)].iter()), Ok(vec![(7, 1 - i64::MAX)]));
    assert_eq!(inverse([(7, i64::MIN)].iter()), Err(7));
    assert_eq!(inverse([(7, i64::MIN), (7, i64::MIN)].iter()), Err(7));
    assert_eq!(inverse([(7, 3), (8, 1), (7, -3)].iter()), Ok(vec![(8, -1)]));
}
