mod outside;

use std::collections::BTreeSet;

use super::checkpoints::End;
use super::cut::Flow;
use super::shades::Kind;
use super::wording::Class;
use super::{Finding, Subject, View, causality};
use crate::protocol::{
    Attempt, ChannelId, ChannelShape, CheckpointId, Digest, LineageId, ObjectKey, OperatorId,
    OperatorRole, OperatorShape, ProcessId, Protocol, SplitId, SubtaskId, SubtaskShape, Term,
    Topology, TransactionId, VirtualTime,
};
use crate::trace::{
    ChannelCut, ChannelStateCaptured, Event, InFlight, Ownership, RunStarted, SnapshotTaken, Stamp,
};

const A: SubtaskId = SubtaskId(0);
const B: SubtaskId = SubtaskId(1);
const SUM: SubtaskId = SubtaskId(2);
const ONE: Attempt = Attempt(1);
const CKPT: CheckpointId = CheckpointId(1);

/// Two sources, and who sums them: `a/0->sum/0` is channel 0, `b/0->sum/0` channel 1.
fn topology() -> Topology {
    let operator = |name: &str, role| OperatorShape::new(name, role, 1);
    let subtask = |operator| SubtaskShape { operator: OperatorId(operator), index: 0 };
    let channel = |from| ChannelShape { from: SubtaskId(from), to: SUM, input: 0, edge: 0 };
    let (source, sink) = (OperatorRole::Source, OperatorRole::TransactionalSink);
    Topology {
        operators: vec![operator("a", source), operator("b", source), operator("sum", sink)],
        subtasks: vec![subtask(0), subtask(1), subtask(2)],
        channels: vec![channel(0), channel(1)],
    }
}

/// A trace that grows by one event at a time.
#[derive(Default)]
struct Tape {
    events: Vec<(Stamp, Event)>,
    next: u64,
}

impl Tape {
    fn new() -> Self {
        Self::of(topology())
    }

    fn of(topology: Topology) -> Self {
        let mut tape = Self::default();
        let protocol = Protocol::Unaligned;
        let (split_lengths, retained) = (vec![9, 9], 1);
        let run = RunStarted {
            topology,
            split_lengths,
            retained,
            liveness_bound_ms: 1,
            concurrent_max: 1,
            protocol,
        };
        tape.at(ProcessId::Coordinator, Event::RunStarted(Box::new(run)));
        tape.at(
            ProcessId::Coordinator,
            Event::AttemptStarted { attempt: ONE, term: Term(1), restored: None },
        );
        tape
    }

    /// Adds an event, and tells its place in the trace.
    fn at(&mut self, process: ProcessId, event: Event) -> usize {
        let at = VirtualTime::from_ms(self.next);
        self.events.push((Stamp { number: self.next, at, process }, event));
        self.next += 1;
        self.events.len() - 1
    }

    fn on(&mut self, worker: u16, event: Event) -> usize {
        self.at(ProcessId::Worker(worker), event)
    }

    fn sent(&mut self, channel: u16, sequence: u64) -> usize {
        let lineage = lineage(channel, sequence);
        self.on(
            0,
            Event::Sent {
                channel: ChannelId(channel),
                attempt: ONE,
                sequence,
                lineage,
                bytes: Some(5),
            },
        )
    }

    fn received(&mut self, channel: u16, sequence: u64) -> usize {
        let lineage = lineage(channel, sequence);
        self.on(1, Event::Received { channel: ChannelId(channel), attempt: ONE, sequence, lineage })
    }

    fn trigger(&mut self) -> usize {
        self.at(ProcessId::Coordinator, Event::Triggered { attempt: ONE, checkpoint: CKPT })
    }

    fn completed(&mut self) -> usize {
        self.at(ProcessId::Coordinator, Event::Completed { attempt: ONE, checkpoint: CKPT })
    }

    /// A source snapshots after so many records.
    fn source_snapshot(&mut self, source: SubtaskId, records: u64) -> usize {
        let sent = vec![claim(source.0, records)];
        self.on(0, snapshot(source, Vec::new(), sent))
    }

    fn sum_snapshot(&mut self, from_a: u64, from_b: u64) -> usize {
        self.on(1, snapshot(SUM, vec![claim(0, from_a), claim(1, from_b)], Vec::new()))
    }

    /// The channel state of `a/0->sum/0`.
    fn captured(&mut self, records: Vec<LineageId>, restored: u64) -> usize {
        let inputs = vec![InFlight { channel: ChannelId(0), restored, records }];
        let (subtask, attempt, checkpoint, state) = (SUM, ONE, CKPT, Digest(0));
        let outputs = Vec::new();
        self.on(
            1,
            Event::ChannelStateCaptured(Box::new(ChannelStateCaptured {
                subtask,
                attempt,
                checkpoint,
                inputs,
                outputs,
                state,
            })),
        )
    }

    fn view(&self) -> View {
        View::new(&self.events, Subject::default())
    }
}

fn lineage(channel: u16, sequence: u64) -> LineageId {
    LineageId::of_entry(SplitId(channel), sequence)
}

fn claim(channel: u16, records: u64) -> ChannelCut {
    let mut digest = Digest::default();
    (0..records).for_each(|sequence| digest.push(lineage(channel, sequence).0));
    ChannelCut { channel: ChannelId(channel), records, digest }
}

fn snapshot(subtask: SubtaskId, received: Vec<ChannelCut>, sent: Vec<ChannelCut>) -> Event {
    Event::SnapshotTaken(Box::new(SnapshotTaken {
        subtask,
        attempt: ONE,
        checkpoint: CKPT,
        received,
        sent,
        positions: Vec::new(),
        state: Digest(7),
        tokens: None,
        transactions: Vec::new(),
        ended: false,
        ownership: Ownership::default(),
    }))
}

/// `a` sends three records, of which one is processed before the cut.
fn overtaken() -> Tape {
    let mut tape = Tape::new();
    (0..3).for_each(|sequence| {
        tape.sent(0, sequence);
    });
    tape.received(0, 0);
    tape.trigger();
    tape.source_snapshot(A, 3);
    tape.source_snapshot(B, 0);
    tape.sum_snapshot(1, 0);
    tape
}

fn flow(tape: &Tape) -> Flow {
    tape.view().checkpoints[0].channels[0].flow
}

#[test]
fn a_cut_tells_what_was_in_flight_over_it() {
    let mut tape = overtaken();
    assert_eq!(flow(&tape), Flow::Overtaken { records: 2 }, "nothing is captured yet");
    let late = tape.received(0, 1);
    tape.captured(vec![lineage(0, 1), lineage(0, 2)], 0);
    assert_eq!(flow(&tape), Flow::Captured { records: 2 });
    tape.completed();
    let view = tape.view();
    let own = &view.checkpoints[0];
    assert_eq!(own.end, End::Completed(tape.events.len() - 1));
    assert_eq!(own.channels[0].arrows, [(3, Some(late)), (4, None)], "one arrives, one never does");
    assert_eq!(own.channels[0].state, [lineage(0, 1), lineage(0, 2)]);
    assert_eq!(own.channels[0].bytes, Some(10), "two records of five bytes");
    assert_eq!(own.channels[1].flow, Flow::Empty);
    assert!(!own.is_broken());
}

#[test]
fn what_is_in_no_channel_state_is_lost() {
    let mut tape = overtaken();
    tape.captured(vec![lineage(0, 1)], 0);
    assert_eq!(flow(&tape), Flow::Lost { records: 1 }, "its receiver has told all that it has");
    let mut tape = overtaken();
    tape.completed();
    assert_eq!(flow(&tape), Flow::Lost { records: 2 });
    assert!(tape.view().checkpoints[0].is_broken());
}

#[test]
fn what_a_restore_put_back_counts_at_neither_end() {
    let mut tape = overtaken();
    tape.captured(vec![LineageId(99), lineage(0, 1), lineage(0, 2)], 1);
    let view = tape.view();
    let channel = &view.checkpoints[0].channels[0];
    assert_eq!((channel.flow, channel.put_back), (Flow::Captured { records: 2 }, 1));
    let mut tape = overtaken();
    tape.captured(vec![LineageId(99), lineage(0, 1), lineage(0, 2)], 0);
    assert_eq!(flow(&tape), Flow::Doubled { records: 1 });
    let mut tape = overtaken();
    tape.captured(vec![lineage(0, 2), lineage(0, 1)], 0);
    assert_eq!(flow(&tape), Flow::Others, "in another order they are not the same");
}

#[test]
fn an_orphan_is_processed_before_the_cut_and_emitted_after_it() {
    let mut tape = Tape::new();
    tape.source_snapshot(A, 0);
    let sent = tape.sent(0, 0);
    let received = tape.received(0, 0);
    tape.sum_snapshot(1, 0);
    let view = tape.view();
    let channels = &view.checkpoints[0].channels;
    assert_eq!(channels[0].flow, Flow::Orphan { records: 1 });
    assert_eq!(channels[0].arrows, [(sent, Some(received))]);
    assert_eq!(channels[1].flow, Flow::Open, "its sender has no cut");
}

#[test]
fn a_member_has_the_row_of_each_step() {
    let mut tape = Tape::new();
    tape.trigger();
    let barrier =
        tape.on(1, Event::AlignmentStarted { subtask: SUM, attempt: ONE, checkpoint: CKPT });
    let taken = tape.sum_snapshot(0, 0);
    let key = ObjectKey::Snapshot { checkpoint: CKPT, attempt: ONE, subtask: SUM };
    let stored =
        tape.at(ProcessId::ObjectStore, Event::ObjectStored { key, digest: Digest(1), bytes: 77 });
    let durable =
        tape.on(1, Event::SnapshotDurable { subtask: SUM, attempt: ONE, checkpoint: CKPT });
    let told = tape.on(1, Event::Acknowledged { subtask: SUM, attempt: ONE, checkpoint: CKPT });
    let counted = tape.at(
        ProcessId::Coordinator,
        Event::AcknowledgementCounted { subtask: SUM, from_attempt: ONE, checkpoint: CKPT },
    );
    tape.on(1, Event::Acknowledged { subtask: SUM, attempt: ONE, checkpoint: CKPT });
    let view = tape.view();
    let lane =
        view.lanes.all.iter().position(|lane| lane.name == "sum/0").expect("it has a column");
    let own = view.checkpoints[0]
        .members
        .iter()
        .find(|member| member.lane == lane)
        .expect("it has a part");
    assert_eq!(
        (own.barrier, own.snapshot, own.stored, own.bytes),
        (Some(barrier), Some(taken), Some(stored), Some(77))
    );
    assert_eq!(
        (own.durable, own.acknowledged, own.counted),
        (Some(durable), Some(told), Some(counted))
    );
    assert_eq!(view.checkpoints[0].members.len(), 3, "who has done nothing has a part as well");
    let cause = |row: usize| view.rows.all[row].cause;
    assert_eq!([stored, durable, counted].map(cause), [Some(taken), Some(stored), Some(told)]);
}

#[test]
fn a_barrier_is_led_to_by_its_sending_and_the_first_by_the_trigger() {
    let mut tape = Tape::new();
    let trigger = tape.trigger();
    let barrier = |channel| Event::BarrierSent {
        channel: ChannelId(channel),
        attempt: ONE,
        checkpoint: CKPT,
        sequence: 0,
    };
    let sent = tape.on(0, barrier(0));
    let taken = tape.source_snapshot(A, 0);
    let came = tape.on(
        1,
        Event::BarrierReceived {
            channel: ChannelId(0),
            attempt: ONE,
            checkpoint: CKPT,
            sequence: 0,
        },
    );
    let view = tape.view();
    let cause = |row: usize| view.rows.all[row].cause;
    assert_eq!([sent, taken, came].map(cause), [Some(trigger), None, Some(sent)]);
}

/// What happened before a row, by asking for each event whether it leads there.
fn leads_to(view: &View, row: usize) -> BTreeSet<usize> {
    let rows = &view.rows.all;
    let mut found = BTreeSet::from([row]);
    loop {
        let before = found.len();
        for at in found.clone() {
            found.extend(rows[at].cause);
            found.extend((0..at).rev().find(|other| rows[*other].life == rows[at].life));
        }
        if found.len() == before {
            return found;
        }
    }
}

#[test]
fn past_and_future_are_those_of_the_whole_order() {
    let mut tape = overtaken();
    tape.received(0, 1);
    tape.sent(1, 0);
    tape.received(1, 0);
    let view = tape.view();
    let rows = &view.rows.all;
    for row in 0..rows.len() {
        let expected: Vec<usize> = leads_to(&view, row).into_iter().collect();
        assert_eq!(causality::past(rows, row), expected, "of row {row}");
        let after = (0..rows.len()).filter(|other| leads_to(&view, *other).contains(&row));
        assert_eq!(causality::future(rows, row), after.collect::<Vec<_>>(), "of row {row}");
    }
}

#[test]
fn what_was_not_kept_is_a_row_of_its_own() {
    let mut tape = Tape::new();
    tape.next = 10;
    tape.sent(0, 0);
    tape.events.remove(0);
    let view = tape.view();
    let told: Vec<_> =
        view.rows.all.iter().map(|row| (row.number, row.told, row.life.is_some())).collect();
    assert_eq!(told, [(0, Some(1), false), (1, None, true), (2, Some(8), false), (10, None, true)]);
    assert_eq!(view.rows.missing(), 9);
    assert_eq!(
        [1, 5, 10, 99].map(|number| view.rows.at(number)),
        [Some(1), Some(2), Some(3), Some(3)]
    );
    assert_eq!((view.sentence(2), view.class(2)), ("8 events are not kept".to_owned(), Class::Gap));
    assert_eq!(
        view.lanes.all[1].name, "worker-0",
        "without its topology nobody knows whose channel it is"
    );
}

#[test]
fn columns_stand_in_the_order_of_the_job() {
    let mut tape = overtaken();
    tape.at(ProcessId::ObjectStore, Event::StoreRecovered { process: ProcessId::ObjectStore });
    tape.on(1, Event::Crashed { process: ProcessId::Worker(1) });
    let view = tape.view();
    let names: Vec<&str> = view.lanes.all.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(names, ["coordinator", "a/0", "b/0", "sum/0", "object-store", "worker-1"]);
}

#[test]
fn shades_last_from_their_beginning_to_their_end() {
    let mut tape = Tape::new();
    let channel = ChannelId(1);
    let blocked = tape.on(1, Event::ChannelBlocked { channel, attempt: ONE, checkpoint: CKPT });
    let free = tape.on(1, Event::ChannelUnblocked { channel, attempt: ONE, checkpoint: CKPT });
    let crash = tape.on(1, Event::Crashed { process: ProcessId::Worker(1) });
    let view = tape.view();
    let sum = view.lanes.all.iter().position(|lane| lane.name == "sum/0");
    let told: Vec<_> =
        view.shades.iter().map(|it| (Some(it.lane), it.kind, it.from, it.to)).collect();
    let worker = view.lanes.all.iter().position(|lane| lane.name == "worker-1");
    let expected = [
        (sum, Kind::Blocked, blocked, Some(free)),
        (sum, Kind::Down, crash, None),
        (worker, Kind::Down, crash, None),
    ];
    assert_eq!(told, expected);
    assert_eq!(view.shades[0].about, "b/0->sum/0");
}

#[test]
fn a_view_opens_at_its_violation_or_at_the_cut_that_shows_most() {
    let mut tape = overtaken();
    tape.captured(vec![lineage(0, 1), lineage(0, 2)], 0);
    let last = tape.completed();
    assert_eq!(tape.view().opening(), (None, Some(0)));
    let finding = Finding {
        event: 3,
        headline: "wrong".to_owned(),
        explanation: Vec::new(),
        checkpoint: Some(CKPT),
        channel: None,
        record: None,
        subtask: None,
    };
    let open = |finding| {
        View::new(&tape.events, Subject { finding: Some(finding), ..Subject::default() }).opening()
    };
    assert_eq!(open(finding.clone()), (Some(3), Some(0)));
    assert_eq!(
        open(Finding { event: 99, checkpoint: Some(CheckpointId(9)), ..finding }),
        (Some(last), None)
    );
}

#[test]
fn metrics_count_what_waits_in_channels() {
    let view = overtaken().view();
    assert_eq!(view.metrics.waiting.iter().max(), Some(&3));
    assert_eq!(view.metrics.waiting.last(), Some(&2));
    assert_eq!(view.metrics.processed.iter().sum::<u64>(), 1);
    assert_eq!(view.metrics.events.iter().sum::<u64>(), view.rows.all.len() as u64);
}

#[test]
fn a_transaction_is_prepared_because_of_the_snapshot_that_lists_it() {
    let mut tape = Tape::new();
    let transaction = TransactionId { sink: SUM, attempt: ONE, number: 0 };
    let Event::SnapshotTaken(mut taken) = snapshot(SUM, Vec::new(), Vec::new()) else {
        unreachable!("it is one")
    };
    taken.transactions.push((CKPT, transaction));
    let taken = tape.on(1, Event::SnapshotTaken(taken));
    let prepared =
        tape.at(ProcessId::SinkTarget, Event::TransactionPrepared { transaction, records: 1 });
    let asked = tape.on(1, Event::CommitRequested { transaction, checkpoint: CKPT });
    let visible = tape.at(
        ProcessId::SinkTarget,
        Event::TransactionCommitted { transaction, records: Vec::new() },
    );
    let view = tape.view();
    assert_eq!(view.rows.all[prepared].cause, Some(taken));
    let lane = view.lanes.lives[view.rows.all[asked].life.expect("it is somebody's")].lane;
    assert_eq!(view.lanes.all[lane].name, "sum/0", "its sink asks for it");
    assert_eq!(view.rows.all[visible].cause, Some(asked));
}
