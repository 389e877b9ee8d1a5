//! Checkpoints that are not of the job, or not of its key groups: an error that names the place.

use cutwater::dataflow::{
    Bytes, Collector, Context, EncodedSink, Job, JobBuilder, Operator, Part, Replay,
    StateDeclarations, SubtaskState, ValueState,
};
use cutwater::protocol::{
    Attempt, CheckpointId, CompletedCheckpoint, DefectSet, Digest, KeyGroup, ObjectKey,
    RestorePlan, SnapshotHandle, SubtaskId, Succession,
};

/// Keeps the last number of each key.
#[derive(Clone)]
struct Last {
    last: ValueState<u64>,
}

impl Operator for Last {
    type In = u64;
    type Out = u64;

    fn process(&mut self, number: u64, ctx: &mut Context<'_>, out: &mut Collector<'_, u64>) {
        ctx.value(&self.last).set(&number);
        out.emit(number);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, u64>) {}
}

fn job(keyed: &str, parallelism: u16) -> Job {
    let builder = JobBuilder::new("last");
    builder
        .source("numbers", Replay::<u64>::new(), 1, 1)
        .key_by(|number| *number)
        .process(keyed, parallelism, |states: &mut StateDeclarations| Last {
            last: states.value("last"),
        })
        .rebalance()
        .transactional_sink("out", 1, EncodedSink::new());
    builder.build().expect("it is well formed")
}

fn completed(job: &Job, left_out: usize) -> CompletedCheckpoint {
    let checkpoint = CheckpointId(7);
    let handle = |subtask| SnapshotHandle {
        subtask,
        key: ObjectKey::Snapshot { checkpoint, attempt: Attempt(1), subtask },
        digest: Digest::default(),
        bytes: 0,
    };
    let all = job.topology().subtask_ids().count() - left_out;
    let snapshots = job.topology().subtask_ids().take(all).map(handle).collect();
    let quiet = Vec::new();
    CompletedCheckpoint { checkpoint, attempt: Attempt(1), snapshots, terminal: false, quiet }
}

/// Why a checkpoint of one job cannot be restored into another; it is what it was.
fn refusal(old: &Job, new: &Job, left_out: usize) -> String {
    let completed = completed(old, left_out);
    let untouched = completed.clone();
    let (from, to) = (old.topology(), new.topology());
    let (ranges, left) = (new.snapshot_ranges(), &[][..]);
    let succession = Succession { old: from, new: to, ranges: &ranges, left };
    let plan = RestorePlan::rescaled(&completed, succession, DefectSet::NONE);
    assert_eq!(completed, untouched, "a refusal touches nothing");
    plan.expect_err("it is not of this job").to_string()
}

#[test]
fn an_operator_without_state_is_refused() {
    assert_eq!(
        refusal(&job("last", 2), &job("newest", 3), 0),
        "ckpt-7 holds state of the operator `last`, which the job does not have"
    );
    assert_eq!(
        refusal(&job("last", 2), &job("last", 3), 1),
        "ckpt-7 was taken with 3 subtasks, the job has 4"
    );
}

#[test]
fn an_unknown_operator_is_refused() {
    let wider = JobBuilder::new("last");
    wider
        .source("numbers", Replay::<u64>::new(), 1, 1)
        .map("same", 1, |number| number)
        .key_by(|number| *number)
        .process("last", 2, |states: &mut StateDeclarations| Last { last: states.value("last") })
        .rebalance()
        .transactional_sink("out", 1, EncodedSink::new());
    let wider = wider.build().expect("it is well formed");
    let refused = refusal(&job("last", 2), &wider, 0);
    assert_eq!(refused, "ckpt-7 holds no state of the operator `same`");
}

#[test]
fn key_groups_of_another_maximum_are_refused() {
    let (old, new) = (job("last", 2), job("last", 3));
    let state = SubtaskState {
        shapes: old.subtask(SubtaskId(1), DefectSet::NONE).freeze().shapes,
        key_groups: vec![(KeyGroup(90), Bytes::from(vec![0, 0]))],
        watermarks: vec![i64::MIN],
        ..SubtaskState::default()
    };
    let parts = [Part { subtask: SubtaskId(1), state }];
    let refused = new.redistribute(SubtaskId(1), &old, &parts, DefectSet::NONE);
    assert_eq!(
        refused.expect_err("it is of another maximum").to_string(),
        "the snapshot of last/0 holds kg-90, which is not its own of 128 key groups: it was taken with \
         another maximum parallelism"
    );
}
