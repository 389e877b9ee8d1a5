//! A walk-through in brief: what subtasks, coordinator and target do for a checkpoint, in few words, with the values
//! of the toy job. What belongs to leadership, deployment and storing is left out.

use std::collections::{BTreeMap, BTreeSet};

use cutwater::cluster::message::{
    MetaOperation, ObjectOperation, SinkOperation, ToSinkTarget, ToWorker,
};
use cutwater::cluster::task::StoredSnapshot;
use cutwater::cluster::{Message, RequestId};
use cutwater::protocol::{
    ChannelId, CheckpointId, LineageId, ObjectKey, OperatorRole, ProcessId, SplitId, SubtaskId,
    TransactionId,
};
use cutwater::trace::{Event, InFlight, SnapshotTaken};

use super::names::Names;

/// What a walk-through in brief remembers, to say what the events alone do not.
#[derive(Debug, Default)]
pub struct Brief {
    /// By subtask, what has been added up, how far a source has read, what a sink holds prepared.
    sums: BTreeMap<SubtaskId, i64>,
    positions: BTreeMap<SubtaskId, u64>,
    prepared: BTreeMap<SubtaskId, Vec<TransactionId>>,
    /// What was written into transactions, and what is visible.
    written: BTreeMap<TransactionId, Vec<i64>>,
    visible: Vec<i64>,
    /// Acknowledgements counted for each checkpoint.
    counted: BTreeMap<CheckpointId, usize>,
    savepoints: BTreeSet<CheckpointId>,
    /// What records hold that were emitted, and may wait at their sender.
    emitted: BTreeMap<LineageId, i64>,
    /// What was read last.
    latest: i64,
    /// What is in the logs of sources, and whether one is just being given an entry.
    logs: BTreeMap<(SplitId, u64), i64>,
    emits: bool,
    /// By channel, what was delivered to the gate and has not left it; and what of that before the last command.
    in_gate: BTreeMap<ChannelId, usize>,
    kept: BTreeMap<ChannelId, usize>,
    /// What was put back into the channels of a subtask.
    put_back: BTreeMap<SubtaskId, String>,
    /// What the record retains, and how many savepoints it lists.
    retained: Vec<CheckpointId>,
    noted: usize,
    /// Which transaction a request is to commit, and those that are visible.
    commits: BTreeMap<RequestId, TransactionId>,
    committed: BTreeSet<TransactionId>,
}

/// A list of values, as walk-throughs show it.
fn list<T: ToString>(values: &[T]) -> String {
    let shown: Vec<_> = values.iter().map(ToString::to_string).collect();
    format!("[{}]", shown.join(", "))
}

impl Brief {
    /// A source's log has this entry.
    pub fn log(&mut self, split: SplitId, offset: u64, value: i64) {
        self.logs.insert((split, offset), value);
    }

    /// A source is given an entry by a command: how far it has read.
    pub fn emit(&mut self, split: SplitId) -> u64 {
        self.emits = true;
        self.positions.get(&SubtaskId(split.0)).copied().unwrap_or(0)
    }

    /// It has read it, or has not.
    pub fn emitted(&mut self) {
        self.emits = false;
    }

    /// Which transaction this answer confirms, if it confirms a commit.
    pub fn confirms(&self, request: RequestId) -> Option<TransactionId> {
        self.commits.get(&request).copied()
    }

    /// An element is delivered to a gate. How much of its channel was kept there before.
    pub fn deliver(&mut self, channel: ChannelId) -> usize {
        *self.in_gate.entry(channel).or_default() += 1;
        self.kept.get(&channel).copied().unwrap_or(0)
    }

    /// A command has been carried out. How much of a channel is kept in its gate.
    pub fn settle(&mut self) {
        self.kept.clone_from(&self.in_gate);
    }

    /// How much of this channel is kept in its gate.
    pub fn kept(&self, channel: ChannelId) -> usize {
        self.kept.get(&channel).copied().unwrap_or(0)
    }

    /// An element left the gate: whether it had been kept there.
    fn took(&mut self, channel: ChannelId) -> bool {
        let left = self.in_gate.entry(channel).or_default();
        *left = left.saturating_sub(1);
        let kept = self.kept.entry(channel).or_default();
        let was_kept = *kept > 0;
        *kept = kept.saturating_sub(1);
        was_kept
    }

    /// What a subtask would freeze.
    pub fn state(&self, names: &Names, subtask: SubtaskId) -> String {
        match names.role(subtask) {
            OperatorRole::Source => {
                format!("position={}", self.positions.get(&subtask).copied().unwrap_or(0))
            }
            OperatorRole::Operator => {
                format!("sum={}", self.sums.get(&subtask).copied().unwrap_or(0))
            }
            OperatorRole::TransactionalSink
            | OperatorRole::AtLeastOnceSink
            | OperatorRole::CommittingSink
            | OperatorRole::ConvergingSink
            | OperatorRole::StagingWriter => {
                let prepared = self.prepared.get(&subtask).map_or(&[][..], Vec::as_slice);
                format!("prepared={}", list(prepared))
            }
        }
    }

    /// What the target shows.
    pub fn target(&self) -> String {
        let all = self.prepared.values().flatten();
        let unseen = all.filter_map(|it| Some((it, self.written.get(it)?)));
        let unseen: Vec<_> = unseen.map(|(it, records)| format!("{it} {records:?}")).collect();
        format!("visible {:?}, prepared [{}]", self.visible, unseen.join(", "))
    }

    /// What recovery would start from.
    pub fn retained(&self) -> String {
        self.retained.last().map_or_else(|| "nothing".to_owned(), ToString::to_string)
    }

    /// A subtask reads the snapshot that it starts from.
    pub fn read(&mut self, subtask: SubtaskId, bytes: &[u8]) {
        let Ok((stored, _)) = postcard::take_from_bytes::<StoredSnapshot>(bytes) else { return };
        let sums = stored.state.operator_lists.iter().flatten();
        let sum = sums.filter_map(|sum| postcard::from_bytes::<i64>(sum).ok()).sum();
        self.sums.insert(subtask, sum);
        let prepared = stored.transactions.iter().map(|(_, transaction)| *transaction);
        self.prepared.insert(subtask, prepared.collect());
    }

    /// A message is sent that something is to be said of.
    pub fn sent(&mut self, names: &Names, from: ProcessId, message: &Message) -> Option<String> {
        match message {
            Message::SinkTarget(ToSinkTarget::Write { transaction, records, .. }) => {
                let value = |bytes: &[u8]| postcard::from_bytes::<i64>(bytes).ok();
                let values: Vec<_> =
                    records.iter().filter_map(|record| value(&record.payload)).collect();
                let shown: Vec<_> = values.iter().map(ToString::to_string).collect();
                self.written.entry(*transaction).or_default().extend(values);
                let (name, shown) = (names.of_subtask(transaction.sink), shown.join(", "));
                Some(format!("{name}: write {shown} to {transaction}"))
            }
            Message::SinkTarget(ToSinkTarget::Operation {
                operation: SinkOperation::Prepare { transaction, .. },
                ..
            }) => {
                let records = self.written.entry(*transaction).or_default();
                let name = names.of_subtask(transaction.sink);
                Some(format!("{name}: pre-commit {transaction} {records:?}"))
            }
            Message::SinkTarget(ToSinkTarget::Operation {
                request,
                operation: SinkOperation::Commit { transaction },
            }) => {
                self.commits.insert(*request, *transaction);
                None
            }
            Message::ObjectStore { operation: ObjectOperation::Delete { key }, .. } => {
                let who = match from {
                    ProcessId::Coordinator => "coordinator",
                    worker => names.hosted(worker),
                };
                Some(format!("{who}: delete {}", object(names, key)))
            }
            Message::Worker(ToWorker::Stop { checkpoint, .. }) => {
                Some(format!("coordinator: stop: all commit what {checkpoint} holds, and finish"))
            }
            Message::MetaStore { operation: MetaOperation::Write { record, .. }, .. }
                if from == ProcessId::Coordinator =>
            {
                let told = if record.retained != self.retained {
                    let added = record.retained.last()?;
                    Some(format!("add {added} to the store, retain {}", list(&record.retained)))
                } else if record.savepoints.completed.len() > self.noted {
                    let added = record.savepoints.completed.last()?;
                    let stopped = record.savepoints.stopped.map_or("", |_| ", stopped at it");
                    Some(format!("record savepoint {added}{stopped}"))
                } else {
                    None
                };
                self.retained.clone_from(&record.retained);
                self.noted = record.savepoints.completed.len();
                told.map(|told| format!("coordinator: {told}"))
            }
            _ => None,
        }
    }

    /// Whether this write makes a checkpoint complete: such a write waits for a command.
    pub fn is_addition(&self, message: &Message) -> bool {
        let Message::MetaStore { operation: MetaOperation::Write { record, .. }, .. } = message
        else {
            return false;
        };
        record.retained != self.retained || record.savepoints.completed.len() > self.noted
    }

    /// Whether the target is asked to commit what is visible.
    pub fn is_visible(&self, message: &Message) -> Option<TransactionId> {
        let Message::SinkTarget(ToSinkTarget::Operation {
            operation: SinkOperation::Commit { transaction },
            ..
        }) = message
        else {
            return None;
        };
        self.committed.contains(transaction).then_some(*transaction)
    }

    /// The target confirmed a commit.
    pub fn confirm(&mut self, transaction: TransactionId) {
        if let Some(prepared) = self.prepared.get_mut(&transaction.sink) {
            prepared.retain(|other| *other != transaction);
        }
    }

    /// An event as a line.
    pub fn shown(&mut self, names: &Names, process: ProcessId, event: &Event) -> Option<String> {
        self.in_channel(names, event)
            .or_else(|| self.at_subtask(names, event))
            .or_else(|| self.at_coordinator(names, event))
            .or_else(|| self.at_target(names, process, event))
    }

    /// What goes into channels, and comes out of gates.
    fn in_channel(&mut self, names: &Names, event: &Event) -> Option<String> {
        let by = |subtask: SubtaskId, told: String| {
            Some(format!("{}: {told}", names.of_subtask(subtask)))
        };
        let at = |channel: ChannelId, told: String| by(names.receiver(channel), told);
        let via = |channel: ChannelId| names.of_channel(channel);
        match event {
            Event::Read { subtask, offset, split, .. } => {
                self.positions.insert(*subtask, offset + 1);
                let value = *self.logs.get(&(*split, *offset))?;
                self.latest = value;
                (!self.emits).then(|| by(*subtask, format!("read {value}")))?
            }
            Event::Sent { channel, lineage, .. } => {
                let from = names.sender(*channel);
                let sum = self.sums.get(&from).copied();
                self.emitted.insert(*lineage, sum.unwrap_or(self.latest));
                None
            }
            Event::Received { channel, lineage, .. } | Event::Replayed { channel, lineage, .. } => {
                self.took(*channel);
                let (to, value) = (names.receiver(*channel), names.value(*lineage));
                if names.role(to) != OperatorRole::Operator {
                    return None;
                }
                let sum = self.sums.entry(to).or_default();
                let Some(value) = names.counts(*channel, value) else {
                    return by(to, format!("pass over {value}, which is even"));
                };
                *sum += value;
                by(to, format!("process {value}, sum={sum}"))
            }
            Event::BarrierSent { channel, checkpoint, .. } => {
                by(names.sender(*channel), format!("forward {checkpoint}"))
            }
            Event::CancelSent { channel, checkpoint, .. } => {
                by(names.sender(*channel), format!("cancel {checkpoint}"))
            }
            Event::BarrierReceived { channel, checkpoint, .. } => self
                .took(*channel)
                .then(|| via(*channel))
                .and_then(|name| at(*channel, format!("take |{checkpoint}| kept from {name}"))),
            Event::BarrierOvertook { channel, checkpoint, .. } => self
                .took(*channel)
                .then(|| via(*channel))
                .and_then(|name| at(*channel, format!("take |{checkpoint}| ahead on {name}"))),
            Event::CancelReceived { channel, checkpoint, .. } => {
                self.took(*channel).then(|| via(*channel)).and_then(|name| {
                    at(*channel, format!("take |cancel {checkpoint}| kept from {name}"))
                })
            }
            Event::EndReceived { channel, .. } => self
                .took(*channel)
                .then(|| via(*channel))
                .and_then(|name| at(*channel, format!("take |end| kept from {name}"))),
            Event::ChannelBlocked { channel, .. } => {
                at(*channel, format!("block {}", via(*channel)))
            }
            Event::ChannelUnblocked { channel, .. } => {
                at(*channel, format!("unblock {}", via(*channel)))
            }
            _ => None,
        }
    }

    /// What a subtask does for a checkpoint.
    fn at_subtask(&mut self, names: &Names, event: &Event) -> Option<String> {
        let by = |subtask: SubtaskId, told: String| {
            Some(format!("{}: {told}", names.of_subtask(subtask)))
        };
        match event {
            Event::AlignmentStarted { subtask, checkpoint, .. } => {
                by(*subtask, format!("start to align {checkpoint}"))
            }
            Event::AlignmentCompleted { subtask, checkpoint, .. } => {
                by(*subtask, format!("align {checkpoint}"))
            }
            Event::AlignmentOvertaken { subtask, checkpoint, .. } => {
                by(*subtask, format!("let {checkpoint} overtake"))
            }
            Event::AlignmentAborted { subtask, checkpoint, .. } => {
                by(*subtask, format!("give up {checkpoint}"))
            }
            Event::SnapshotTaken(taken) => self.snapshot(names, taken),
            Event::ChannelStateCaptured(captured) => {
                let lanes = captured.inputs.iter().chain(&captured.outputs);
                let shown = self.in_flight(names, lanes)?;
                by(captured.subtask, format!("capture {}{shown}", captured.checkpoint))
            }
            Event::ChannelStateRestored(restored) => {
                for lane in &restored.inputs {
                    *self.in_gate.entry(lane.channel).or_default() += lane.records.len();
                }
                let lanes = restored.inputs.iter().chain(&restored.outputs);
                let shown = self.in_flight(names, lanes)?;
                self.put_back.insert(restored.subtask, shown);
                None
            }
            Event::Restored(restored) => {
                let subtask = restored.subtask;
                let position = restored.positions.iter().map(|position| position.offset).sum();
                self.positions.insert(subtask, position);
                let Some(checkpoint) = restored.checkpoint else {
                    self.sums.remove(&subtask);
                    self.prepared.remove(&subtask);
                    return None;
                };
                let state = self.state(names, subtask);
                let put_back = self.put_back.remove(&subtask).unwrap_or_default();
                by(subtask, format!("restore {checkpoint} {state}{put_back}"))
            }
            Event::Acknowledged { subtask, checkpoint, .. } => {
                by(*subtask, format!("acknowledge {checkpoint}"))
            }
            Event::Declined { subtask, checkpoint, .. } => {
                by(*subtask, format!("decline {checkpoint}"))
            }
            Event::SubtaskEnded { subtask, .. } => by(*subtask, "end".to_owned()),
            _ => None,
        }
    }

    /// What the coordinator decides.
    fn at_coordinator(&mut self, names: &Names, event: &Event) -> Option<String> {
        let coordinator = |told: String| Some(format!("coordinator: {told}"));
        match event {
            Event::AttemptStarted { .. } => {
                self.in_gate.clear();
                self.kept.clear();
                None
            }
            Event::AttemptFailed { reason, .. } if reason.contains("in a row") => {
                coordinator("fail the attempt".to_owned())
            }
            Event::Triggered { checkpoint, .. } => {
                self.counted.remove(checkpoint);
                coordinator(format!("trigger {checkpoint}"))
            }
            Event::SavepointTriggered { checkpoint, mode, .. } => {
                self.savepoints.insert(*checkpoint);
                coordinator(format!("trigger savepoint {checkpoint}, {mode}"))
            }
            Event::AcknowledgementCounted { checkpoint, .. } => {
                let counted = self.counted.entry(*checkpoint).or_default();
                *counted += 1;
                coordinator(format!("count {checkpoint} {counted}/{}", names.count()))
            }
            Event::AcknowledgementIgnored { subtask, checkpoint, .. } => {
                coordinator(format!("ignore {checkpoint} from {}", names.of_subtask(*subtask)))
            }
            Event::Assembled { checkpoint, .. } => {
                coordinator(match self.savepoints.contains(checkpoint) {
                    true => format!("write savepoint {checkpoint}"),
                    false => format!("write the metadata of {checkpoint}"),
                })
            }
            Event::Completed { checkpoint, .. } => coordinator(format!("complete {checkpoint}")),
            Event::SavepointCompleted { checkpoint, .. } => {
                coordinator(format!("complete savepoint {checkpoint}"))
            }
            Event::CompletionNotified { checkpoint, .. } => {
                coordinator(format!("notify: {checkpoint} completed"))
            }
            Event::Aborted { checkpoint, reason, .. } => {
                coordinator(format!("abort {checkpoint} ({reason})"))
            }
            Event::Discarded { checkpoint } => coordinator(format!("discard {checkpoint}")),
            Event::JobFinished { .. } => coordinator("nothing is left to do".to_owned()),
            Event::JobStopped { checkpoint, .. } => {
                coordinator(format!("the job is stopped at {checkpoint}"))
            }
            Event::RequestRefused { reason } => coordinator(format!("refuse: {reason}")),
            _ => None,
        }
    }

    /// What becomes of transactions.
    fn at_target(&mut self, names: &Names, process: ProcessId, event: &Event) -> Option<String> {
        let by = |subtask: SubtaskId, told: String| {
            Some(format!("{}: {told}", names.of_subtask(subtask)))
        };
        match event {
            Event::CommitRequested { transaction, .. } => {
                by(transaction.sink, format!("commit {transaction}"))
            }
            Event::TransactionCommitted { transaction, .. } => {
                let records = self.written.get(transaction).cloned().unwrap_or_default();
                let told = format!("target: make {transaction} {records:?} visible");
                self.visible.extend(records);
                self.committed.insert(*transaction);
                Some(told)
            }
            Event::TransactionAborted { transaction } => {
                Some(format!("target: abort {transaction}"))
            }
            Event::ProducerRefused { .. } | Event::SubtaskFailed { .. } => {
                names.shown(process, event).map(|line| line.trim_start().to_owned())
            }
            _ => None,
        }
    }

    /// ` in-flight={a->sum: [10]}`, if anything is.
    fn in_flight<'a>(
        &self,
        names: &Names,
        lanes: impl Iterator<Item = &'a InFlight>,
    ) -> Option<String> {
        let value = |lineage: &LineageId| self.emitted.get(lineage).copied().unwrap_or_default();
        let shown = |lane: &InFlight| {
            let values: Vec<_> = lane.records.iter().map(value).collect();
            format!("{}: {values:?}", names.of_channel(lane.channel))
        };
        let shown: Vec<_> = lanes.map(shown).collect();
        (!shown.is_empty()).then(|| format!(" in-flight={{{}}}", shown.join(", ")))
    }

    fn snapshot(&mut self, names: &Names, taken: &SnapshotTaken) -> Option<String> {
        let prepared = taken.transactions.iter().map(|(_, transaction)| *transaction);
        self.prepared.insert(taken.subtask, prepared.collect());
        let state = self.state(names, taken.subtask);
        let name = names.of_subtask(taken.subtask);
        Some(format!("{name}: snapshot {} {state}", taken.checkpoint))
    }
}

fn object(names: &Names, key: &ObjectKey) -> String {
    match key {
        ObjectKey::Snapshot { checkpoint, subtask, .. } => {
            format!("{checkpoint}/{}", names.of_subtask(*subtask))
        }
        ObjectKey::Metadata { checkpoint } => format!("{checkpoint}/metadata"),
        ObjectKey::Savepoint { checkpoint } => format!("{checkpoint}/savepoint"),
    }
}
