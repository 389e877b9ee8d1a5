//! A small job, run by hand: makes traces that hold, for tests to break.
//!
//! `a/0` and `b/0` read a split each and send to `sum/0`, which sends to the sink `out/0`.

use std::sync::Arc;
use std::time::Duration;

use super::{End, Judge, Reference, Verdict};
use crate::protocol::{
    AbortReason, Attempt, ChannelId, ChannelShape, CheckpointId, Digest, LineageId, ObjectKey,
    OperatorId, OperatorRole, OperatorShape, ProcessId, Protocol, SplitId, SubtaskId, SubtaskShape,
    Term, Topology, TransactionId, VirtualTime,
};
use crate::trace::{
    ChannelCut, Event, OutputRecord, Ownership, Restored, RunStarted, SnapshotTaken, SplitPosition,
    Stamp,
};

/// How many entries each split holds.
pub const ENTRIES: u64 = 4;
/// The subtasks.
pub const SOURCES: [SubtaskId; 2] = [SubtaskId(0), SubtaskId(1)];
/// The operator.
pub const SUM: SubtaskId = SubtaskId(2);
/// The sink.
pub const OUT: SubtaskId = SubtaskId(3);
/// From the operator to the sink.
pub const LAST: ChannelId = ChannelId(2);

/// The description of the job's run; the sink writes outside transactions where `role` says so.
pub fn run(role: OperatorRole) -> RunStarted {
    let operator = |name: &str, role| OperatorShape::new(name, role, 1);
    let channel = |from, to, input| ChannelShape { from, to, input, edge: 0 };
    RunStarted {
        topology: Topology {
            operators: vec![
                operator("a", OperatorRole::Source),
                operator("b", OperatorRole::Source),
                operator("sum", OperatorRole::Operator),
                operator("out", role),
            ],
            subtasks: (0..4).map(|n| SubtaskShape { operator: OperatorId(n), index: 0 }).collect(),
            channels: vec![
                channel(SOURCES[0], SUM, 0),
                channel(SOURCES[1], SUM, 1),
                channel(SUM, OUT, 0),
            ],
        },
        split_lengths: vec![ENTRIES, ENTRIES],
        retained: 1,
        liveness_bound_ms: 1000,
        concurrent_max: 1,
        protocol: Protocol::Aligned,
    }
}

/// What a subtask froze.
type State = (SubtaskId, Digest, Vec<SplitPosition>);

/// The job in action. Every step appends the events that a right system would give.
#[derive(Clone)]
pub struct Script {
    /// What happened.
    pub events: Vec<Event>,
    attempt: Attempt,
    version: u64,
    next: [u64; 2],
    sent: [ChannelCut; 3],
    received: [ChannelCut; 3],
    queued: [Vec<LineageId>; 3],
    open: (u32, Vec<LineageId>),
    prepared: Vec<(CheckpointId, TransactionId, Vec<LineageId>)>,
    states: Vec<State>,
    durable: Vec<State>,
    completed: Option<CheckpointId>,
    /// In which attempt it was taken.
    completed_in: Attempt,
}

/// The digest of the output record with this lineage.
pub fn content(lineage: LineageId) -> Digest {
    Digest(lineage.0.rotate_left(7))
}

/// What `sum/0` emits for an entry.
pub fn output_of(split: u16, offset: u64) -> LineageId {
    LineageId::of_entry(SplitId(split), offset).child(OperatorId(2), 0)
}

/// The output that the job must have.
pub fn reference() -> Arc<Reference> {
    let entries = (0..2).flat_map(|split| (0..ENTRIES).map(move |offset| (split, offset)));
    let digests = entries.map(|(split, offset)| content(output_of(split, offset)));
    Arc::new(Reference::of_digests(digests))
}

/// The snapshot's key.
pub fn key(checkpoint: CheckpointId, attempt: Attempt, subtask: SubtaskId) -> ObjectKey {
    ObjectKey::Snapshot { checkpoint, attempt, subtask }
}

impl Script {
    /// The run starts.
    pub fn new() -> Self {
        let started = Event::RunStarted(Box::new(run(OperatorRole::TransactionalSink)));
        let term = Term(1);
        let cut = |n| ChannelCut { channel: ChannelId(n), records: 0, digest: Digest::default() };
        let cuts = [cut(0), cut(1), cut(2)];
        Self {
            events: vec![
                started,
                Event::RecordWritten { version: 1, term, retained: Vec::new() },
                Event::LeadershipTaken { term },
            ],
            attempt: Attempt(0),
            version: 1,
            next: [0; 2],
            sent: cuts,
            received: cuts,
            queued: Default::default(),
            open: (0, Vec::new()),
            prepared: Vec::new(),
            states: Vec::new(),
            durable: Vec::new(),
            completed: None,
            completed_in: Attempt(0),
        }
    }

    /// The next attempt starts, from the newest completed checkpoint.
    pub fn start(&mut self) {
        self.attempt = self.attempt.next();
        let (attempt, restored) = (self.attempt, self.completed);
        self.events.push(Event::AttemptStarted { attempt, term: Term(1), restored });
        for cut in self.sent.iter_mut().chain(&mut self.received) {
            (cut.records, cut.digest) = (0, Digest::default());
        }
        self.queued = Default::default();
        self.next = [0; 2];
        self.open = (0, Vec::new());
        for subtask in (0..4).map(SubtaskId) {
            self.restore(subtask, restored);
        }
        self.events.push(Event::ProducersFenced { sink: OUT, attempt });
        for (_, transaction, _) in std::mem::take(&mut self.prepared) {
            self.events.push(Event::TransactionAborted { transaction });
        }
    }

    fn restore(&mut self, subtask: SubtaskId, checkpoint: Option<CheckpointId>) {
        let known = self.durable.iter().find(|(id, _, _)| *id == subtask);
        let split = SplitId(subtask.0);
        let initial = SplitPosition { split, offset: 0 };
        let (state, positions) = match known {
            Some((_, state, positions)) => (*state, positions.clone()),
            None if subtask.0 < 2 => (Digest::default(), vec![initial]),
            None => (Digest::default(), Vec::new()),
        };
        for position in &positions {
            self.next[position.split.index()] = position.offset;
        }
        let attempt = self.attempt;
        let ownership = Ownership::default();
        let restored = Restored { subtask, attempt, checkpoint, state, positions, ownership };
        self.events.push(Event::Restored(Box::new(restored)));
    }

    /// A source reads an entry and sends it.
    pub fn read(&mut self, source: usize) {
        let (subtask, attempt) = (SOURCES[source], self.attempt);
        let (split, offset) = (SplitId(subtask.0), self.next[source]);
        let lineage = LineageId::of_entry(split, offset);
        self.next[source] += 1;
        self.events.push(Event::Read { subtask, attempt, split, offset, lineage });
        self.send(source, lineage);
    }

    fn send(&mut self, channel: usize, lineage: LineageId) {
        let cut = &mut self.sent[channel];
        let (sequence, attempt) = (cut.records, self.attempt);
        self.events.push(Event::Sent {
            channel: cut.channel,
            attempt,
            sequence,
            lineage,
            bytes: None,
        });
        cut.records += 1;
        cut.digest.push(lineage.0);
        self.queued[channel].push(lineage);
    }

    /// The next record leaves a channel.
    pub fn receive(&mut self, channel: usize) {
        let lineage = self.queued[channel].remove(0);
        let cut = &mut self.received[channel];
        let (sequence, attempt) = (cut.records, self.attempt);
        self.events.push(Event::Received { channel: cut.channel, attempt, sequence, lineage });
        cut.records += 1;
        cut.digest.push(lineage.0);
        if channel == 2 {
            self.open.1.push(lineage);
        } else {
            self.send(2, lineage.child(OperatorId(2), 0));
        }
    }

    /// A record of each source goes all the way.
    pub fn pass(&mut self) {
        for source in 0..2 {
            self.read(source);
            self.receive(source);
            self.receive(2);
        }
    }

    /// A barrier goes through the whole job; every subtask snapshots.
    pub fn snapshot(&mut self, checkpoint: CheckpointId) {
        let attempt = self.attempt;
        self.events.push(Event::Triggered { attempt, checkpoint });
        self.states.clear();
        for (channel, source) in SOURCES.into_iter().enumerate() {
            self.barrier_sent(channel, checkpoint);
            self.freeze(source, checkpoint);
        }
        let subtask = SUM;
        self.events.push(Event::AlignmentStarted { subtask, attempt, checkpoint });
        for channel in 0..2 {
            self.barrier_received(channel, checkpoint);
        }
        self.events.push(Event::AlignmentCompleted { subtask, attempt, checkpoint });
        self.barrier_sent(2, checkpoint);
        self.freeze(SUM, checkpoint);
        for channel in (0..2).map(ChannelId) {
            self.events.push(Event::ChannelUnblocked { channel, attempt, checkpoint });
        }
        self.barrier_received(2, checkpoint);
        let transaction = TransactionId { sink: OUT, attempt, number: self.open.0 };
        self.prepared.push((checkpoint, transaction, std::mem::take(&mut self.open.1)));
        self.open.0 += 1;
        self.freeze(OUT, checkpoint);
    }

    /// A barrier enters a channel.
    pub fn barrier_sent(&mut self, channel: usize, checkpoint: CheckpointId) {
        let ChannelCut { channel, records: sequence, .. } = self.sent[channel];
        let attempt = self.attempt;
        self.events.push(Event::BarrierSent { channel, attempt, checkpoint, sequence });
    }

    fn barrier_received(&mut self, channel: usize, checkpoint: CheckpointId) {
        let ChannelCut { channel, records: sequence, .. } = self.received[channel];
        let attempt = self.attempt;
        self.events.push(Event::BarrierReceived { channel, attempt, checkpoint, sequence });
        if channel != LAST {
            self.events.push(Event::ChannelBlocked { channel, attempt, checkpoint });
        }
    }

    /// A subtask freezes its state.
    pub fn freeze(&mut self, subtask: SubtaskId, checkpoint: CheckpointId) {
        let (received, sent) = match subtask.0 {
            0 => (vec![], vec![self.sent[0]]),
            1 => (vec![], vec![self.sent[1]]),
            2 => (vec![self.received[0], self.received[1]], vec![self.sent[2]]),
            _ => (vec![self.received[2]], vec![]),
        };
        let split = SplitId(subtask.0);
        let positions: Vec<_> = self
            .next
            .get(subtask.index())
            .map(|offset| SplitPosition { split, offset: *offset })
            .into_iter()
            .collect();
        let state = Digest(checkpoint.0 * 100 + u64::from(subtask.0));
        self.states.push((subtask, state, positions.clone()));
        let prepared = self.prepared.iter().filter(|_| subtask == OUT);
        let snapshot = SnapshotTaken {
            subtask,
            attempt: self.attempt,
            checkpoint,
            received,
            sent,
            positions,
            state,
            tokens: (subtask == SUM).then_some(0),
            transactions: prepared.map(|(ckpt, id, _)| (*ckpt, *id)).collect(),
            ended: false,
            ownership: Ownership::default(),
        };
        self.events.push(Event::SnapshotTaken(Box::new(snapshot)));
    }

    /// Everything that was snapshotted becomes durable, and is acknowledged and counted.
    pub fn acknowledge(&mut self, checkpoint: CheckpointId) {
        let attempt = self.attempt;
        if let Some((_, transaction, records)) = self.prepared.last() {
            let (transaction, records) = (*transaction, records.len() as u64);
            self.events.push(Event::TransactionPrepared { transaction, records });
        }
        for (subtask, digest, _) in self.states.clone() {
            let key = key(checkpoint, attempt, subtask);
            self.events.extend([
                Event::ObjectStored { key, digest, bytes: 10 },
                Event::SnapshotDurable { subtask, attempt, checkpoint },
                Event::Acknowledged { subtask, attempt, checkpoint },
                Event::AcknowledgementCounted { subtask, from_attempt: attempt, checkpoint },
            ]);
        }
    }

    /// The checkpoint is assembled and its metadata written.
    pub fn assemble(&mut self, checkpoint: CheckpointId) {
        let attempt = self.attempt;
        let snapshots = (0..4).map(SubtaskId).map(|id| (id, key(checkpoint, attempt, id)));
        let metadata = ObjectKey::Metadata { checkpoint };
        self.version += 1;
        self.events.extend([
            Event::Assembled { checkpoint, snapshots: snapshots.collect() },
            Event::ObjectStored { key: metadata, digest: Digest(1), bytes: 10 },
            Event::RecordWritten {
                version: self.version,
                term: Term(1),
                retained: vec![checkpoint],
            },
        ]);
    }

    /// The checkpoint completes, and what it holds is committed.
    pub fn complete(&mut self, checkpoint: CheckpointId) {
        let attempt = self.attempt;
        self.durable.clone_from(&self.states);
        self.events.push(Event::Completed { attempt, checkpoint });
        if let Some(old) = self.completed.replace(checkpoint) {
            self.events.push(Event::Discarded { checkpoint: old });
            self.events.push(Event::ObjectDeleted { key: ObjectKey::Metadata { checkpoint: old } });
            self.delete_snapshots(old, self.completed_in);
        }
        self.completed_in = attempt;
        self.events.push(Event::CompletionNotified { attempt, checkpoint });
        for split in (0..2).map(SplitId) {
            let offset = self.states[split.index()].2[0].offset;
            self.events.push(Event::OffsetCommitted { split, offset });
        }
        let sent_to = attempt;
        self.events.push(Event::CompletionLearned { subtask: OUT, attempt, checkpoint, sent_to });
        for (checkpoint, transaction, records) in std::mem::take(&mut self.prepared) {
            let record = |lineage| OutputRecord { lineage, digest: content(lineage) };
            let records = records.into_iter().map(record).collect();
            self.events.push(Event::CommitRequested { transaction, checkpoint });
            self.events.push(Event::TransactionCommitted { transaction, records });
        }
    }

    /// A checkpoint from its trigger to its commit.
    pub fn checkpoint(&mut self, number: u64) {
        let checkpoint = CheckpointId(number);
        self.snapshot(checkpoint);
        self.acknowledge(checkpoint);
        self.assemble(checkpoint);
        self.complete(checkpoint);
    }

    /// A checkpoint is given up by the coordinator.
    pub fn abort(&mut self, number: u64) {
        let (attempt, checkpoint) = (self.attempt, CheckpointId(number));
        let reason = AbortReason::AttemptFailed;
        self.events.push(Event::Aborted { attempt, checkpoint, reason });
        self.delete_snapshots(checkpoint, attempt);
    }

    fn delete_snapshots(&mut self, checkpoint: CheckpointId, attempt: Attempt) {
        let keys = (0..4).map(|subtask| key(checkpoint, attempt, SubtaskId(subtask)));
        self.events.extend(keys.map(|key| Event::ObjectDeleted { key }));
    }

    /// The attempt fails.
    pub fn fail(&mut self) {
        let process = ProcessId::Worker(0);
        self.events.push(Event::Crashed { process });
        let reason = "worker-0 crashed".to_owned();
        self.events.push(Event::AttemptFailed { attempt: self.attempt, reason });
    }

    /// All input ends.
    pub fn end(&mut self) {
        let attempt = self.attempt;
        for channel in [0, 1, 2] {
            let ChannelCut { channel, records: sequence, .. } = self.sent[channel];
            self.events.push(Event::EndSent { channel, attempt, sequence });
            self.events.push(Event::EndReceived { channel, attempt, sequence });
        }
    }

    /// A barrier-less last checkpoint of ended subtasks, and the end of the job.
    pub fn finish(&mut self, number: u64) {
        let (attempt, checkpoint) = (self.attempt, CheckpointId(number));
        self.events.push(Event::Triggered { attempt, checkpoint });
        self.states.clear();
        for subtask in [SOURCES[0], SOURCES[1], SUM, OUT] {
            self.freeze(subtask, checkpoint);
        }
        self.acknowledge(checkpoint);
        self.assemble(checkpoint);
        self.complete(checkpoint);
        self.events.push(Event::JobFinished { attempt });
    }
}

/// A run with a checkpoint that completes, one that is lost with its attempt, a restore, and an end.
pub fn healthy() -> Vec<Event> {
    let mut script = Script::new();
    script.start();
    script.pass();
    script.checkpoint(1);
    script.pass();
    script.snapshot(CheckpointId(2));
    script.acknowledge(CheckpointId(2));
    script.abort(2);
    script.fail();
    script.start();
    script.pass();
    script.pass();
    script.checkpoint(3);
    script.events.push(Event::FaultsEnded);
    script.pass();
    script.end();
    let open = script.open.1.len();
    assert_eq!(open, 2, "one record of each source is left to commit");
    script.snapshot_ended(4);
    script.finish(5);
    script.events
}

impl Script {
    /// A checkpoint of ended subtasks that still commits the last transaction.
    pub fn snapshot_ended(&mut self, number: u64) {
        let (attempt, checkpoint) = (self.attempt, CheckpointId(number));
        self.events.push(Event::Triggered { attempt, checkpoint });
        self.states.clear();
        let transaction = TransactionId { sink: OUT, attempt, number: self.open.0 };
        self.prepared.push((checkpoint, transaction, std::mem::take(&mut self.open.1)));
        self.open.0 += 1;
        for subtask in [SOURCES[0], SOURCES[1], SUM, OUT] {
            self.freeze(subtask, checkpoint);
        }
        self.acknowledge(checkpoint);
        self.assemble(checkpoint);
        self.complete(checkpoint);
    }
}

/// One millisecond from event to event; what expires in a sink target, and the faults that wait for it, take no time.
pub fn stamped(events: &[Event]) -> impl Iterator<Item = (Stamp, &Event)> {
    let (mut now_ms, mut is_expiring) = (0, false);
    (0..).zip(events).map(move |(number, event)| {
        is_expiring = match event {
            Event::SinkTroubled { .. } => true,
            Event::TransactionAborted { .. } | Event::Crashed { .. } if is_expiring => {
                now_ms -= 1;
                true
            }
            _ => false,
        };
        let at = VirtualTime::from_ms(now_ms);
        now_ms += 1;
        (Stamp { number, at, process: ProcessId::Coordinator }, event)
    })
}

/// The judgement on these events, a millisecond apart.
pub fn judged(events: &[Event], end: &End) -> Verdict {
    judged_within(Duration::ZERO, events, end)
}

/// The verdict, where checkpoints expire after this.
pub fn judged_within(timeout: Duration, events: &[Event], end: &End) -> Verdict {
    let mut judge = Judge::new(reference()).expecting_checkpoints(true, timeout);
    for (stamp, event) in stamped(events) {
        judge.observe(stamp, event);
    }
    judge.finish(end)
}
