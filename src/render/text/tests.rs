//! Diagrams of traces written by hand.

use super::{Highlight, Options, WIDTH_MIN, diagram};
use crate::protocol::{
    AbortReason, Attempt, ChannelId, ChannelShape, CheckpointId, Digest, Incarnation, LineageId,
    OperatorId, OperatorRole, OperatorShape, ProcessId, Protocol, SplitId, SubtaskId, SubtaskShape,
    Term, Topology, VirtualTime,
};
use crate::trace::{Event, MessageKind, OutputRecord, RunStarted, SnapshotTaken, Stamp};

const COORDINATOR: ProcessId = ProcessId::Coordinator;
const FIRST: Attempt = Attempt(1);

fn worker(number: u16) -> ProcessId {
    ProcessId::Worker(number)
}

/// `numbers/0 -> sum/0`, and as many more sums as are asked for.
fn topology(sums: u16) -> Topology {
    let operator = OperatorShape::new;
    let subtask = |operator, index| SubtaskShape { operator: OperatorId(operator), index };
    let channel =
        |sum| ChannelShape { from: SubtaskId(0), to: SubtaskId(sum + 1), input: 0, edge: 0 };
    Topology {
        operators: vec![
            operator("numbers", OperatorRole::Source, 1),
            operator("sum", OperatorRole::Operator, sums),
        ],
        subtasks: std::iter::once(subtask(0, 0))
            .chain((0..sums).map(|sum| subtask(1, sum)))
            .collect(),
        channels: (0..sums).map(channel).collect(),
    }
}

/// A trace, an event a millisecond.
struct Script {
    trace: Vec<(Stamp, Event)>,
}

impl Script {
    fn new(topology: Topology) -> Self {
        let mut script = Self { trace: Vec::new() };
        let run = RunStarted {
            topology,
            split_lengths: vec![10],
            retained: 1,
            liveness_bound_ms: 1_000,
            concurrent_max: 1,
            protocol: Protocol::Aligned,
        };
        script.then(COORDINATOR, Event::RunStarted(Box::new(run)));
        script
    }

    fn then(&mut self, process: ProcessId, event: Event) {
        let number = self.trace.len() as u64;
        let at = VirtualTime::from_ms(number);
        self.trace.push((Stamp { number, at, process }, event));
    }

    /// At the same time as the event before.
    fn with(&mut self, process: ProcessId, event: Event) {
        self.then(process, event);
        let before = self.trace[self.trace.len() - 2].0.at;
        self.trace.last_mut().expect("there is one").0.at = before;
    }

    fn records(&mut self, records: u64) {
        for sequence in 0..records {
            let (channel, lineage) = (ChannelId(0), LineageId(1_000 + sequence));
            self.then(
                worker(0),
                Event::Sent { channel, attempt: FIRST, sequence, lineage, bytes: None },
            );
            self.then(worker(1), Event::Received { channel, attempt: FIRST, sequence, lineage });
        }
    }

    fn trigger(&mut self, checkpoint: CheckpointId) {
        self.then(COORDINATOR, Event::Triggered { attempt: FIRST, checkpoint });
    }

    fn barrier_sent(&mut self, channel: u16, checkpoint: CheckpointId) {
        let channel = ChannelId(channel);
        let sent = Event::BarrierSent { channel, attempt: FIRST, checkpoint, sequence: 0 };
        self.then(worker(0), sent);
    }

    fn barrier_received(&mut self, channel: u16, at: u16, checkpoint: CheckpointId) {
        let channel = ChannelId(channel);
        let received = Event::BarrierReceived { channel, attempt: FIRST, checkpoint, sequence: 0 };
        self.then(worker(at), received);
        let blocked = Event::ChannelBlocked { channel, attempt: FIRST, checkpoint };
        self.with(worker(at), blocked);
    }

    fn snapshot(&mut self, subtask: u16, at: u16, checkpoint: CheckpointId) {
        let taken = SnapshotTaken {
            subtask: SubtaskId(subtask),
            attempt: FIRST,
            checkpoint,
            received: Vec::new(),
            sent: Vec::new(),
            positions: Vec::new(),
            state: crate::protocol::Digest::default(),
            tokens: None,
            transactions: Vec::new(),
            ended: false,
            ownership: crate::trace::Ownership::default(),
        };
        self.with(worker(at), Event::SnapshotTaken(Box::new(taken)));
    }

    fn acknowledge(&mut self, subtask: u16, at: u16, checkpoint: CheckpointId) {
        let (subtask, attempt) = (SubtaskId(subtask), FIRST);
        self.then(worker(at), Event::Acknowledged { subtask, attempt, checkpoint });
    }

    fn count(&mut self, subtask: u16, checkpoint: CheckpointId) {
        let subtask = SubtaskId(subtask);
        let counted = Event::AcknowledgementCounted { subtask, from_attempt: FIRST, checkpoint };
        self.then(COORDINATOR, counted);
    }

    /// The diagram, with its last event standing out.
    fn drawn(&self, options: Options) -> String {
        let highlight = Highlight {
            event: self.trace.len() as u64 - 1,
            what: "cut: it is wrong".to_owned(),
            checkpoint: Some(CheckpointId(2)),
            channel: None,
            record: None,
            subtask: None,
        };
        diagram(&self.trace, &Options { highlight: Some(highlight), ..options })
    }
}

/// A completed checkpoint, then one that a crash interrupts.
fn interrupted() -> Script {
    let (one, two) = (CheckpointId(1), CheckpointId(2));
    let mut script = Script::new(topology(1));
    let started = Event::AttemptStarted { attempt: FIRST, term: Term(1), restored: None };
    script.then(COORDINATOR, started);
    script.records(20);
    script.trigger(one);
    script.then(COORDINATOR, Event::Completed { attempt: FIRST, checkpoint: one });
    script.records(6);
    script.trigger(two);
    script.barrier_sent(0, two);
    script.snapshot(0, 0, two);
    script.barrier_received(0, 1, two);
    script.snapshot(1, 1, two);
    script.acknowledge(0, 0, two);
    let (from, to, message) = (worker(0), COORDINATOR, MessageKind::Acknowledge);
    script.with(worker(0), Event::MessageDropped { from, to, message });
    script.acknowledge(1, 1, two);
    script.count(1, two);
    script.then(worker(1), Event::Crashed { process: worker(1) });
    let reason = AbortReason::AttemptFailed;
    script.then(COORDINATOR, Event::Aborted { attempt: FIRST, checkpoint: two, reason });
    let incarnation = Incarnation(1);
    script.then(worker(1), Event::Restarted { process: worker(1), incarnation });
    script.count(0, two);
    script
}

#[test]
fn a_checkpoint_a_fault_and_a_violation() {
    let drawn = interrupted().drawn(Options::default());
    insta::assert_snapshot!(drawn);
}

#[test]
fn few_rows_keep_what_the_violation_is_about() {
    let drawn = interrupted().drawn(Options { rows_max: 5, ..Options::default() });
    insta::assert_snapshot!(drawn);
}

/// A barrier that comes ahead of four records, which are saved with the snapshot, and a restore that puts one of
/// them back.
fn overtaken() -> Script {
    let two = CheckpointId(2);
    let (channel, attempt) = (ChannelId(0), FIRST);
    let mut script = Script::new(topology(1));
    let started = Event::AttemptStarted { attempt, term: Term(1), restored: None };
    script.then(COORDINATOR, started);
    script.records(3);
    script.trigger(two);
    script.barrier_sent(0, two);
    script.snapshot(0, 0, two);
    let overtook = Event::BarrierOvertook { channel, attempt, checkpoint: two, sequence: 3 };
    script.then(worker(1), overtook);
    let ahead = Event::AlignmentOvertaken { subtask: SubtaskId(1), attempt, checkpoint: two };
    script.with(worker(1), ahead);
    script.snapshot(1, 1, two);
    script.then(worker(1), Event::RecordCut { channel, attempt, checkpoint: two });
    script.acknowledge(1, 1, two);
    script.count(1, two);
    script
}

#[test]
fn a_barrier_that_overtakes_has_its_arrow() {
    let drawn = overtaken().drawn(Options::default());
    insta::assert_snapshot!(drawn);
}

/// What happens at the channel that stands out is told even where there is little room.
#[test]
fn a_channel_that_stands_out_keeps_the_record_that_a_barrier_cut_in_it() {
    let script = overtaken();
    let highlight = |channel| Highlight {
        event: script.trace.len() as u64 - 1,
        what: "cut: it is wrong".to_owned(),
        checkpoint: Some(CheckpointId(2)),
        channel,
        record: None,
        subtask: None,
    };
    let drawn = |channel| {
        let highlight = Some(highlight(channel));
        diagram(&script.trace, &Options { highlight, rows_max: 4, ..Options::default() })
    };
    let told = drawn(Some(ChannelId(0)));
    assert!(told.contains("beginning of a"), "{told}");
    let untold = drawn(None);
    assert!(!untold.contains("beginning of a"), "nothing makes it stand out: {untold}");
}

#[test]
fn a_record_that_a_restore_put_back_is_followed_back_as_well() {
    let mut script = Script::new(topology(1));
    let entry = LineageId::of_entry(SplitId(0), 3);
    let record = entry.child(OperatorId(0), 0);
    let result = record.child(OperatorId(1), 0);
    let (channel, attempt, split) = (ChannelId(0), FIRST, SplitId(0));
    let subtask = SubtaskId(0);
    script.then(worker(0), Event::Read { subtask, attempt, split, offset: 3, lineage: entry });
    script.records(3);
    script.then(worker(1), Event::Replayed { channel, attempt: Attempt(2), lineage: record });
    let records = vec![OutputRecord { lineage: result, digest: Digest::default() }];
    script.then(ProcessId::SinkTarget, Event::OutputWritten { sink: SubtaskId(1), records });
    let highlight = Highlight {
        event: script.trace.len() as u64 - 1,
        what: "output: it is wrong".to_owned(),
        checkpoint: None,
        channel: None,
        record: Some(result),
        subtask: None,
    };
    let drawn =
        diagram(&script.trace, &Options { highlight: Some(highlight), ..Options::default() });
    for told in ["reads record", "put back"] {
        assert!(drawn.contains(told), "{told} is missing:\n{drawn}");
    }
}

#[test]
fn rows_are_bounded_and_lines_fit() {
    let mut script = Script::new(topology(12));
    for checkpoint in (1..200).map(CheckpointId) {
        script.trigger(checkpoint);
        for sum in 0..12 {
            script.barrier_sent(sum, checkpoint);
            script.barrier_received(sum, sum + 1, checkpoint);
            script.records(3);
        }
    }
    for (width, rows_max) in [(100, 48), (WIDTH_MIN, 10), (1, 1), (200, 300)] {
        let drawn = script.drawn(Options { width, rows_max, ..Options::default() });
        let widest = drawn.lines().map(|line| line.chars().count()).max();
        assert!(widest.is_some_and(|widest| widest <= width.max(WIDTH_MIN)), "{width}:\n{drawn}");
        let told = drawn.lines().filter(|line| line.contains('#')).count();
        assert!((1..=rows_max).contains(&told), "{told} rows, {rows_max} at most:\n{drawn}");
        assert!(drawn.contains("VIOLATED HERE"), "{drawn}");
        assert!(drawn.lines().all(|line| line == line.trim_end()), "{drawn}");
    }
    let narrow = script.drawn(Options { width: WIDTH_MIN, rows_max: 48, ..Options::default() });
    assert!(narrow.contains("no column for: worker-"), "{narrow}");
}

#[test]
fn a_record_is_followed_back_to_where_it_was_read() {
    let mut script = Script::new(topology(1));
    let entry = LineageId::of_entry(SplitId(0), 3);
    let record = entry.child(OperatorId(0), 0);
    let subtask = SubtaskId(0);
    let (channel, attempt, split) = (ChannelId(0), FIRST, SplitId(0));
    script.records(3);
    script.then(worker(0), Event::Read { subtask, attempt, split, offset: 3, lineage: entry });
    script.with(
        worker(0),
        Event::Sent { channel, attempt, sequence: 3, lineage: record, bytes: None },
    );
    script.records(3);
    script.then(worker(1), Event::Received { channel, attempt, sequence: 3, lineage: record });
    let highlight = Highlight {
        event: script.trace.len() as u64 - 1,
        what: "order: it is late".to_owned(),
        checkpoint: None,
        channel: Some(channel),
        record: Some(record),
        subtask: None,
    };
    let drawn =
        diagram(&script.trace, &Options { highlight: Some(highlight), ..Options::default() });
    insta::assert_snapshot!(drawn);
}

#[test]
fn nothing_gives_nothing() {
    assert_eq!(diagram(&[], &Options::default()), "");
    let crashed = Event::Crashed { process: worker(0) };
    let stamp = Stamp { number: 7, at: VirtualTime::ZERO, process: worker(0) };
    let alone = diagram(&[(stamp, crashed)], &Options::default());
    assert!(alone.contains("#7") && alone.contains("worker-0 crashes"), "{alone}");
}

#[test]
fn after_a_rescale_names_are_those_of_the_new_shape() {
    let mut script = Script::new(topology(1));
    let (second, two) = (Attempt(2), CheckpointId(2));
    let mut wider = topology(3);
    wider.operators[1].uid = Some("count".to_owned());
    let reshaped = Event::Reshaped { attempt: second, term: Term(1), topology: Box::new(wider) };
    script.then(COORDINATOR, reshaped);
    let started = Event::AttemptStarted { attempt: second, term: Term(1), restored: None };
    script.then(COORDINATOR, started);
    script.then(COORDINATOR, Event::Triggered { attempt: second, checkpoint: two });
    let acknowledged =
        |attempt| Event::Acknowledged { subtask: SubtaskId(3), attempt, checkpoint: two };
    script.then(worker(1), acknowledged(second));
    script.then(worker(0), acknowledged(FIRST));
    let drawn = script.drawn(Options::default());
    assert!(drawn.contains("sum/2 acknowledges"), "{drawn}");
    assert!(drawn.contains("4 subtasks; sum is `count`"), "{drawn}");
    assert!(
        drawn.contains("subtask-3 acknowledges"),
        "a name that attempt-1 did not have: {drawn}"
    );
}
