//! Another version of a job goes on from the snapshots of the last: state is found by uid.

use std::collections::VecDeque;

use cutwater::dataflow::{
    EncodedSink, Entry, Input, Item, Job, JobBuilder, MigrationError, Outputs, Replay, Source,
    SourceCollector, Subtask, SubtaskState, Windows,
};
use cutwater::protocol::{DefectSet, SplitId, SubtaskId};

use super::harness::subtask_id;

/// A key, and an amount.
type Payment = (u8, u64);

/// The job as it was: totals by key.
fn first_version() -> Job {
    let job = JobBuilder::new("totals");
    job.source("payments", Replay::<Payment>::new(), 1, 2)
        .key_by(|(account, _)| *account)
        .reduce("sum", 2, |(account, one), (_, other)| (account, one + other))
        .uid("totals")
        .rebalance()
        .transactional_sink("out", 1, EncodedSink::new());
    job.build().unwrap()
}

/// A source and an operator more, ahead of the others; the totals have another name and parallelism.
fn second_version(uid: &str) -> Job {
    let job = JobBuilder::new("totals");
    let corrections = job.source("corrections", Replay::<Payment>::new(), 1, 1);
    job.source("payments", Replay::<Payment>::new(), 1, 2)
        .map("checked", 1, |payment| payment)
        .union("all", 1, &[&corrections])
        .key_by(|(account, _)| *account)
        .reduce("total-by-account", 3, |(account, one), (_, other)| (account, one + other))
        .uid(uid)
        .rebalance()
        .transactional_sink("out", 1, EncodedSink::new());
    job.build().unwrap()
}

/// All subtasks of a job; what one emits is processed at once.
struct Run {
    job: Job,
    subtasks: Vec<Subtask>,
    written: Vec<Payment>,
}

impl Run {
    fn new(job: &Job, starts: Vec<Option<SubtaskState>>) -> Self {
        let mut subtasks: Vec<Subtask> =
            job.topology().subtask_ids().map(|id| job.subtask(id, DefectSet::NONE)).collect();
        for (subtask, start) in subtasks.iter_mut().zip(starts) {
            if let Some(start) = start {
                subtask.restore(&start).unwrap();
                subtask.open();
            }
        }
        Self { job: job.clone(), subtasks, written: Vec::new() }
    }

    /// Reads so many entries of each split of a source, or all that are left.
    fn read(&mut self, source: &str, input: &Input, entries: usize) {
        let id = subtask_id(&self.job, source);
        for split in self.subtasks[id.index()].splits().to_vec() {
            let left = split.offset..input.len(split.split);
            for offset in left.take(entries) {
                let entry = input.entry(split.split, offset).unwrap();
                let mut out = Outputs::default();
                self.subtasks[id.index()].read(split.split, offset, entry, &mut out);
                self.deliver(id, out);
            }
        }
    }

    fn deliver(&mut self, from: SubtaskId, out: Outputs) {
        let mut produced = VecDeque::from([(from, out)]);
        while let Some((from, out)) = produced.pop_front() {
            let written =
                out.written.iter().map(|record| postcard::from_bytes::<Payment>(&record.payload));
            self.written.extend(written.map(|record| record.unwrap()));
            for (output, item) in out.items {
                produced.push_back(self.hand_over(from, output, item));
            }
        }
    }

    fn hand_over(&mut self, from: SubtaskId, output: u16, item: Item) -> (SubtaskId, Outputs) {
        let topology = self.job.topology();
        let channel = topology.outputs(from).nth(usize::from(output)).unwrap();
        let to = topology.channels[channel.index()].to;
        let index = topology.inputs(to).position(|input| input == channel).unwrap();
        let mut out = Outputs::default();
        self.subtasks[to.index()].process(index, item, &mut out);
        (to, out)
    }

    fn freeze(&self) -> Vec<SubtaskState> {
        self.subtasks.iter().map(Subtask::freeze).collect()
    }
}

fn entries(payments: &[Payment]) -> Vec<Vec<u8>> {
    payments.iter().map(Replay::entry).collect()
}

fn payments() -> Vec<Vec<u8>> {
    entries(&[(1, 10), (2, 20), (3, 30), (1, 1), (2, 2), (3, 3)])
}

/// The first version, stopped in the middle of its splits.
fn stopped() -> Vec<SubtaskState> {
    let mut run = Run::new(&first_version(), Vec::new());
    run.read("payments/0", &Input::new(vec![payments(), entries(&[(9, 5), (9, 6)])]), 3);
    run.freeze()
}

#[test]
fn state_and_positions_are_found_by_uid_whatever_has_changed_around_them() {
    let job = second_version("totals");
    let starts = job.starts_from(&first_version(), &stopped(), &[]).unwrap();
    let mut run = Run::new(&job, starts);
    let corrections = entries(&[(2, 100)]);
    let input = Input::new(vec![corrections, payments(), entries(&[(9, 5), (9, 6)])]);
    run.read("corrections/0", &input, 10);
    run.read("payments/0", &input, 10);
    assert_eq!(run.written, [(2, 120), (1, 11), (2, 122), (3, 33)]);
    let positions = run.subtasks[subtask_id(&job, "payments/0").index()].splits().to_vec();
    let positions: Vec<_> = positions.iter().map(|held| (held.split, held.offset)).collect();
    assert_eq!(positions, [(SplitId(1), 6), (SplitId(2), 2)]);
}

#[test]
fn state_that_nobody_takes_over_is_refused_unless_it_is_dropped() {
    let (before, snapshots) = (first_version(), stopped());
    let renamed = second_version("sums");
    let left = MigrationError::LeftBehind { uid: "totals".to_owned() };
    assert_eq!(renamed.starts_from(&before, &snapshots, &[]), Err(left));
    let starts = renamed.starts_from(&before, &snapshots, &["totals"]).unwrap();
    let totals = subtask_id(&renamed, "total-by-account/0");
    assert_eq!(starts[totals.index()], None, "it starts anew");
    let unknown = MigrationError::NothingToDrop { uid: "total".to_owned() };
    assert_eq!(renamed.starts_from(&before, &snapshots, &["totals", "total"]), Err(unknown));
    let few = MigrationError::OtherSubtasks { found: 1, expected: 4 };
    assert_eq!(renamed.starts_from(&before, &snapshots[..1], &[]), Err(few));
}

/// The first version with fewer splits.
fn narrowed() -> Job {
    let job = JobBuilder::new("totals");
    job.source("payments", Replay::<Payment>::new(), 1, 1)
        .key_by(|(account, _)| *account)
        .reduce("sum", 2, |(account, one), (_, other)| (account, one + other))
        .uid("totals")
        .rebalance()
        .transactional_sink("out", 1, EncodedSink::new());
    job.build().unwrap()
}

#[test]
fn a_split_that_is_gone_is_named_unless_it_was_read_to_its_end() {
    let (job, before) = (narrowed(), first_version());
    let error = job.starts_from(&before, &stopped(), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`payments` had 2 splits and takes over 1: nobody would read on in number 1; give it as many, let them end \
         before, or say that its state is dropped"
    );
    let source = subtask_id(&job, "payments/0");
    let anew = job.starts_from(&before, &stopped(), &["payments"]).unwrap();
    assert_eq!(anew[source.index()], None);

    let mut run = Run::new(&before, before_the_end());
    let source = subtask_id(&before, "payments/0");
    run.subtasks[source.index()].end_split(SplitId(1), &mut Outputs::default());
    let starts = job.starts_from(&before, &run.freeze(), &[]).unwrap();
    let held = &starts[subtask_id(&job, "payments/0").index()].as_ref().unwrap().positions;
    assert_eq!(
        held.reading().iter().map(|at| (at.split, at.offset)).collect::<Vec<_>>(),
        [(SplitId(0), 3)]
    );
}

/// Reads each entry in two parts, the payment and the same once more.
#[derive(Clone)]
struct Halved;

impl Source for Halved {
    type Out = Payment;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Payment>) {
        out.emit(0, postcard::from_bytes(entry.bytes).unwrap());
        if out.emitted() == 1 {
            out.pause();
        }
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

#[test]
fn a_split_that_is_gone_in_the_midst_of_an_entry_is_named_once() {
    let halved = |splits| {
        let job = JobBuilder::new("halved");
        job.source("payments", Halved, 1, splits).transactional_sink("out", 1, EncodedSink::new());
        job.build().unwrap()
    };
    let (before, job) = (halved(2), halved(1));
    let mut run = Run::new(&before, Vec::new());
    let (source, payment) = (subtask_id(&before, "payments/0"), &payments()[0]);
    let source = &mut run.subtasks[source.index()];
    assert!(!source.read_part(SplitId(1), 0, payment, &mut Outputs::default()));
    let places = match job.starts_from(&before, &run.freeze(), &[]) {
        Err(MigrationError::SplitsLeftBehind { places, .. }) => places,
        other => panic!("{other:?}"),
    };
    assert_eq!(places, [1]);
}

/// The first version, stopped, as what its subtasks start from.
fn before_the_end() -> Vec<Option<SubtaskState>> {
    stopped().into_iter().map(Some).collect()
}

/// The mistake that uids prevent: state that is found by the place of its operator.
#[test]
fn what_is_found_by_its_place_is_other_state() {
    let job = second_version("totals");
    let starts = job.starts_from(&first_version(), &stopped(), &[]).unwrap();
    let by_place = stopped();
    let subtasks = job.topology().subtask_ids();
    let differ = subtasks.zip(&by_place).filter(|(id, state)| {
        let mut subtask = job.subtask(*id, DefectSet::NONE);
        subtask.restore(state).is_err() || starts[id.index()].as_ref() != Some(state)
    });
    assert_eq!(differ.count(), by_place.len());
}

#[test]
fn another_operator_s_state_is_refused_with_the_uid() {
    let job = JobBuilder::new("totals");
    job.source("payments", Replay::<Payment>::new(), 1, 2)
        .key_by(|(account, _)| *account)
        .window(Windows::tumbling(10))
        .reduce("windows", 2, |one, _| one)
        .uid("totals")
        .rebalance()
        .transactional_sink("out", 1, EncodedSink::new());
    let job = job.build().unwrap();
    let starts = job.starts_from(&first_version(), &stopped(), &[]).unwrap();
    let id = subtask_id(&job, "windows/0");
    let start = starts[id.index()].as_ref().unwrap();
    let error = job.subtask(id, DefectSet::NONE).restore(start).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the snapshot holds the states [\"reduced\"], the operator declares [\"windows\"]"
    );
}
