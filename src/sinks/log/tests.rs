use super::super::testing::{Bench, opening, row};
use super::*;
use crate::external::ExternalSystem as _;
use crate::external::transactional_log::TransactionalLog;
use crate::protocol::{Attempt, SubtaskId, TransactionId};

type Subtask = Bench<LogSink<u64>>;

fn opened(log: &mut TransactionalLog, opening: Opening<LogState, LogCommittable>) -> Subtask {
    let mut subtask = Bench::new(LogSink::new(1));
    subtask.call(log, |sink, out| sink.open(opening, out));
    assert!(subtask.is_open);
    subtask
}

/// Writes a row and takes a cut: what is promised then.
fn promise(subtask: &mut Subtask, log: &mut TransactionalLog, cut: u64) -> Vec<LogCommittable> {
    subtask.call(log, |sink, out| sink.write(cut, row(cut), out));
    let promised = subtask.call(log, |sink, out| sink.pre_commit(CheckpointId(cut), out));
    assert!(subtask.prepared.contains(&CheckpointId(cut)), "{:?}", subtask.failed);
    promised
}

fn commit(subtask: &mut Subtask, log: &mut TransactionalLog, promised: LogCommittable) {
    let (sink, attempt) = (SubtaskId(0), Attempt(1));
    let transaction = TransactionId { sink, attempt, number: 0 };
    let parts = vec![(CommittableId { transaction, index: 0 }, promised)];
    let batch = Batch { checkpoint: CheckpointId(1), parts };
    subtask.call(log, |sink, out| sink.commit(batch, out));
}

fn stands(subtask: &Subtask) -> usize {
    subtask.sink.ids.len()
}

/// At a rescale another subtask may be given what this one has promised.
#[test]
fn ids_whose_committables_fall_to_others_are_replaced() {
    let mut log = TransactionalLog::new(Duration::from_secs(900));
    let mut states = Vec::new();
    for checkpoint in 0..4 * u64::from(IDS) {
        let mut subtask = opened(&mut log, opening(1, checkpoint, states, Vec::new()));
        for cut in 1..u64::from(IDS) {
            let promised = promise(&mut subtask, &mut log, checkpoint + cut);
            assert_eq!(promised.len(), 1, "cut {cut} from {checkpoint}: no id is free");
        }
        states = subtask.sink.freeze();
    }
}

#[test]
fn whoever_commits_an_id_has_it_and_begins_it_again() {
    let mut log = TransactionalLog::new(Duration::from_secs(900));
    let mut first = opened(&mut log, opening(1, 0, Vec::new(), Vec::new()));
    let promised = promise(&mut first, &mut log, 1).remove(0);
    let mut second = opened(&mut log, opening(2, 1, Vec::new(), vec![promised.clone()]));
    assert_eq!(second.sink.stand(promised.id).copied(), Some(Stand::Promised));
    commit(&mut second, &mut log, promised.clone());
    assert_eq!((second.committed, second.failed.as_deref()), (1, None));
    promise(&mut second, &mut log, 2);
    let completed = CheckpointOutcome::Completed;
    second.call(&mut log, |sink, out| sink.handle_outcome(CheckpointId(2), completed, out));
    let is_free = matches!(second.sink.stand(promised.id), Some(Stand::Free(_)));
    assert!(is_free, "{:?}", second.sink.ids);
}

#[test]
fn ids_of_many_subtasks_are_let_go_of_by_one() {
    let mut log = TransactionalLog::new(Duration::from_secs(900));
    let pool = |index| PoolId { checkpoint: 0, index };
    let id = |index, number| LogState::Unpromised(PooledId { pool: pool(index), number });
    let states = (0..4).flat_map(|index| (0..IDS).map(move |number| id(index, number)));
    let subtask = opened(&mut log, opening(1, 1, states.collect(), Vec::new()));
    assert_eq!(stands(&subtask), usize::from(IDS));
}

/// Its rows may be on their way when its successor lists what is open; behind them no reader would see anything.
#[test]
fn a_subtask_that_is_gone_cannot_write_though_it_had_not() {
    let mut log = TransactionalLog::new(Duration::from_secs(900));
    let of_two = |index| Opening { index, parallelism: 2, ..opening(1, 0, Vec::new(), Vec::new()) };
    opened(&mut log, of_two(0));
    let mut gone = opened(&mut log, of_two(1));
    let mut left = opened(&mut log, opening(2, 0, Vec::new(), Vec::new()));
    gone.call(&mut log, |sink, out| sink.write(7, row(7), out));
    let promised = promise(&mut left, &mut log, 1).remove(0);
    commit(&mut left, &mut log, promised);
    assert_eq!((left.committed, left.failed.as_deref()), (1, None));
    assert_eq!(log.held().len(), 0);
}
