//! An event in words, with the job's own names.

mod faults;
mod splits;

use crate::protocol::{
    Attempt, ChannelId, ObjectKey, OperatorId, SubtaskId, Topology, TransactionId,
};
use crate::trace::{Event, Family, InFlight, Point};

/// What one event says: who did what, and to what.
///
/// The parts are apart so that neighbours which differ in one of them can be told together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// The subtask, where one acts; empty where the process itself does.
    pub subject: String,
    /// What it does.
    pub verb: String,
    /// To what; empty where the verb says it all.
    pub object: String,
}

impl Clause {
    fn new(subject: impl Into<String>, verb: impl Into<String>, object: impl Into<String>) -> Self {
        Self { subject: subject.into(), verb: verb.into(), object: object.into() }
    }

    /// What a process does.
    fn act(verb: impl Into<String>) -> Self {
        Self::new("", verb, "")
    }

    /// The clause as one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { subject, verb, object } = self;
        let subject = if subject.is_empty() { String::new() } else { format!("{subject} ") };
        let object = if object.is_empty() { String::new() } else { format!(" {object}") };
        format!("{subject}{verb}{object}")
    }
}

/// An event in words. One that has none of its own is called by its name.
#[must_use]
pub fn clause(topology: &Topology, event: &Event) -> Clause {
    let (names, point) = (Names { topology }, Point::from(event));
    let clause = match point.family() {
        Family::Run => Some(Clause::act("the run begins")),
        Family::Fault => names.of_fault(event),
        Family::Channel => names.in_channel(event),
        Family::Subtask => names.at_subtask(event).or_else(|| names.of_channel_state(event)),
        Family::Time => names.in_time(event),
        Family::Coordinator => names.at_coordinator(event),
        Family::Enumerator => names.of_enumerator(event),
        Family::Store => names.at_store(event),
        Family::Sink => names.at_sink(event),
    };
    clause.unwrap_or_else(|| Clause::act(point.to_string()))
}

/// How many subtasks there are, and which operators have the uid of another name.
fn shape(topology: &Topology) -> String {
    let renamed = topology.operators.iter().filter_map(|operator| {
        operator.uid.as_ref().map(|uid| format!("; {} is `{uid}`", operator.name))
    });
    let renamed: String = renamed.collect();
    format!("{} subtasks{renamed}", topology.subtasks.len())
}

struct Names<'a> {
    topology: &'a Topology,
}

impl Names<'_> {
    fn subtask(&self, subtask: SubtaskId) -> String {
        self.topology.name(subtask)
    }

    fn operator(&self, operator: OperatorId) -> String {
        let shape = self.topology.operators.get(operator.index());
        shape.map_or_else(|| operator.to_string(), |shape| shape.name.clone())
    }

    fn channel(&self, channel: ChannelId) -> String {
        self.topology.channel_name(channel)
    }

    /// The sending and the receiving end.
    fn ends(&self, channel: ChannelId) -> (String, String) {
        match self.topology.channels.get(channel.index()) {
            Some(shape) => (self.subtask(shape.from), self.subtask(shape.to)),
            None => (channel.to_string(), channel.to_string()),
        }
    }

    fn sends(&self, channel: ChannelId, what: &str) -> Clause {
        let (from, to) = self.ends(channel);
        Clause::new(from, format!("sends {what} to"), to)
    }

    fn receives(&self, channel: ChannelId, what: &str) -> Clause {
        let (from, to) = self.ends(channel);
        Clause::new(to, format!("receives {what} from"), from)
    }

    fn in_channel(&self, event: &Event) -> Option<Clause> {
        Some(match event {
            Event::Sent { channel, lineage, .. } => {
                self.sends(*channel, &format!("record {lineage}"))
            }
            Event::Received { channel, lineage, .. } => {
                self.receives(*channel, &format!("record {lineage}"))
            }
            Event::BarrierSent { channel, checkpoint, .. } => {
                self.sends(*channel, &format!("|{checkpoint}"))
            }
            Event::BarrierReceived { channel, checkpoint, .. } => {
                self.receives(*channel, &format!("|{checkpoint}"))
            }
            Event::BarrierOvertook { channel, checkpoint, .. } => {
                self.receives(*channel, &format!("|{checkpoint}, ahead of what waits,"))
            }
            Event::Replayed { channel, lineage, .. } => {
                self.receives(*channel, &format!("record {lineage}, put back,"))
            }
            Event::RecordCut { channel, checkpoint, .. } => self.receives(
                *channel,
                &format!("the beginning of a record, and {checkpoint} its end elsewhere"),
            ),
            Event::CancelSent { channel, checkpoint, .. } => {
                self.sends(*channel, &format!("cancel of {checkpoint}"))
            }
            Event::CancelReceived { channel, checkpoint, .. } => {
                self.receives(*channel, &format!("cancel of {checkpoint}"))
            }
            Event::EndSent { channel, .. } => self.sends(*channel, "end of input"),
            Event::EndReceived { channel, .. } => self.receives(*channel, "end of input"),
            Event::ChannelBlocked { channel, .. } => {
                let (from, to) = self.ends(*channel);
                Clause::new(to, "blocks", from)
            }
            Event::ChannelUnblocked { channel, .. } => {
                let (from, to) = self.ends(*channel);
                Clause::new(to, "unblocks", from)
            }
            _ => return None,
        })
    }

    fn of_channel_state(&self, event: &Event) -> Option<Clause> {
        let count = |in_flight: &[InFlight]| -> usize {
            in_flight.iter().map(|one| one.records.len()).sum()
        };
        let (subtask, verb) = match event {
            Event::AlignmentOvertaken { subtask, checkpoint, .. } => {
                (*subtask, format!("lets {checkpoint} overtake"))
            }
            Event::ChannelStateCaptured(captured) => {
                let records = count(&captured.inputs) + count(&captured.outputs);
                let checkpoint = captured.checkpoint;
                (captured.subtask, format!("captures {records} records for {checkpoint}"))
            }
            Event::ChannelStateDealt(dealt) => {
                let records: usize = dealt.dealt.iter().map(|one| one.records.len()).sum();
                let (channels, checkpoint) = (dealt.dealt.len(), dealt.checkpoint);
                let verb =
                    format!("takes {records} records of {channels} old channels from {checkpoint}");
                (dealt.subtask, verb)
            }
            Event::ChannelStateRestored(restored) => {
                let records = count(&restored.inputs) + count(&restored.outputs);
                let checkpoint = restored.checkpoint;
                (restored.subtask, format!("puts {records} records back from {checkpoint}"))
            }
            _ => return None,
        };
        Some(Clause::new(self.subtask(subtask), verb, ""))
    }

    fn at_subtask(&self, event: &Event) -> Option<Clause> {
        let by = |subtask: &SubtaskId, verb: String| Clause::new(self.subtask(*subtask), verb, "");
        Some(match event {
            Event::Read { subtask, split, offset, lineage, .. } => {
                let verb = format!("reads record {lineage}");
                Clause::new(self.subtask(*subtask), verb, format!("at offset {offset} of {split}"))
            }
            Event::Restored(restored) => match restored.checkpoint {
                Some(checkpoint) => by(&restored.subtask, format!("restored from {checkpoint}")),
                None => by(&restored.subtask, "begins with empty state".to_owned()),
            },
            Event::AlignmentStarted { subtask, checkpoint, .. } => {
                by(subtask, format!("begins to align {checkpoint}"))
            }
            Event::AlignmentCompleted { subtask, checkpoint, .. } => {
                by(subtask, format!("has aligned {checkpoint}"))
            }
            Event::AlignmentAborted { subtask, checkpoint, .. } => {
                by(subtask, format!("gives up aligning {checkpoint}"))
            }
            Event::SnapshotTaken(taken) => {
                by(&taken.subtask, format!("snapshots for {}", taken.checkpoint))
            }
            Event::SnapshotDurable { subtask, checkpoint, .. } => {
                by(subtask, format!("knows its snapshot for {checkpoint} durable"))
            }
            Event::Acknowledged { subtask, checkpoint, .. } => {
                by(subtask, format!("acknowledges {checkpoint}"))
            }
            Event::Declined { subtask, checkpoint, .. } => {
                by(subtask, format!("declines {checkpoint}"))
            }
            Event::CompletionLearned { subtask, checkpoint, .. } => {
                by(subtask, format!("learns: {checkpoint} completed"))
            }
            Event::AbortLearned { subtask, checkpoint, .. } => {
                by(subtask, format!("learns: {checkpoint} aborted"))
            }
            Event::SubtaskEnded { subtask, .. } => by(subtask, "has ended".to_owned()),
            Event::SubtaskFailed { subtask, reason, .. } => by(subtask, format!("fails: {reason}")),
            _ => return None,
        })
    }

    fn in_time(&self, event: &Event) -> Option<Clause> {
        let by = |subtask: &SubtaskId, verb: String| Clause::new(self.subtask(*subtask), verb, "");
        Some(match event {
            Event::TimeRestored { subtask, watermark, timers, .. } => {
                let watermark = watermark.map_or("no watermark".to_owned(), watermark_word);
                by(subtask, format!("begins with {watermark} and {timers} timers"))
            }
            Event::WatermarkAdvanced { subtask, watermark, .. } => {
                by(subtask, format!("has come to {}", watermark_word(*watermark)))
            }
            Event::WatermarkSent { channel, watermark, .. } => {
                self.sends(*channel, &watermark_word(*watermark))
            }
            Event::WatermarkReceived { channel, watermark, .. } => {
                self.receives(*channel, &watermark_word(*watermark))
            }
            Event::TimerRegistered { subtask, key, timestamp, .. } => {
                by(subtask, format!("registers a timer of {key} for {timestamp}"))
            }
            Event::TimerDeleted { subtask, key, timestamp, .. } => {
                by(subtask, format!("takes back the timer of {key} for {timestamp}"))
            }
            Event::TimerFired { subtask, key, timestamp, .. } => {
                by(subtask, format!("fires the timer of {key} for {timestamp}"))
            }
            Event::DroppedLate { subtask, lineage, timestamp, .. } => {
                by(subtask, format!("drops {lineage} of {timestamp} as late"))
            }
            _ => return None,
        })
    }

    fn at_coordinator(&self, event: &Event) -> Option<Clause> {
        let by_attempt = |attempt: &Attempt, verb: String| Clause::act(format!("{attempt} {verb}"));
        let by_job = |verb: String| Clause::act(format!("the job {verb}"));
        Some(match event {
            Event::LeadershipTaken { term } => Clause::act(format!("takes the lead, {term}")),
            Event::AttemptStarted { attempt, restored: Some(checkpoint), .. } => {
                by_attempt(attempt, format!("is deployed from {checkpoint}"))
            }
            Event::AttemptStarted { attempt, restored: None, .. } => {
                by_attempt(attempt, "is deployed from the beginning".to_owned())
            }
            Event::RescaleRequested { parallelism, .. } => {
                Clause::act(format!("is asked for parallelism {parallelism}"))
            }
            Event::RescaleRefused { parallelism, reason } => {
                Clause::act(format!("refuses parallelism {parallelism}: {reason}"))
            }
            Event::RescaleStarted { attempt, parallelism, .. } => {
                Clause::act(format!("ends {attempt} for parallelism {parallelism}"))
            }
            Event::Reshaped { attempt, topology, .. } => {
                by_attempt(attempt, format!("has {}", shape(topology)))
            }
            Event::AttemptRunning { attempt } => by_attempt(attempt, "runs".to_owned()),
            Event::AttemptFailed { attempt, reason } => {
                by_attempt(attempt, format!("fails: {reason}"))
            }
            Event::Triggered { checkpoint, .. } => Clause::act(format!("triggers {checkpoint}")),
            Event::AcknowledgementCounted { subtask, checkpoint, from_attempt } => {
                let who = self.of_attempt(*subtask, *from_attempt);
                Clause::act(format!("counts {who} for {checkpoint}"))
            }
            Event::AcknowledgementIgnored { subtask, checkpoint, from_attempt } => {
                let who = self.of_attempt(*subtask, *from_attempt);
                Clause::act(format!("ignores {who} for {checkpoint}"))
            }
            Event::Assembled { checkpoint, snapshots } => {
                Clause::act(format!("has all {} snapshots of {checkpoint}", snapshots.len()))
            }
            Event::Completed { checkpoint, .. } => Clause::act(format!("completes {checkpoint}")),
            Event::CompletionNotified { checkpoint, .. } => {
                Clause::act(format!("tells all: {checkpoint} completed"))
            }
            Event::Aborted { checkpoint, reason, .. } => {
                Clause::act(format!("aborts {checkpoint}: {reason}"))
            }
            Event::SavepointTriggered { checkpoint, mode, .. } => {
                Clause::act(format!("triggers {checkpoint}, a savepoint: {mode}"))
            }
            Event::SavepointCompleted { checkpoint, mode, .. } => {
                Clause::act(format!("completes {checkpoint}, a savepoint: {mode}"))
            }
            Event::JobStopped { checkpoint, clean: true, .. } => {
                by_job(format!("is stopped at {checkpoint}"))
            }
            Event::JobStopped { checkpoint, clean: false, .. } => by_job(format!(
                "is stopped at {checkpoint}, and what it holds may not be committed"
            )),
            Event::JobResumed { checkpoint } => by_job(format!("is resumed from {checkpoint}")),
            Event::RequestRefused { reason } => Clause::act(format!("refuses a request: {reason}")),
            Event::Discarded { checkpoint } => Clause::act(format!("discards {checkpoint}")),
            Event::JobFinished { attempt } => by_job(format!("has finished, in {attempt}")),
            _ => return None,
        })
    }

    fn of_attempt(&self, subtask: SubtaskId, attempt: Attempt) -> String {
        format!("{} of {attempt}", self.subtask(subtask))
    }

    fn at_store(&self, event: &Event) -> Option<Clause> {
        Some(match event {
            Event::ObjectStored { key, .. } => Clause::act(format!("stores {}", self.object(key))),
            Event::ObjectRefused { key } => Clause::act(format!("refuses {}", self.object(key))),
            Event::ObjectDeleted { key } => Clause::act(format!("deletes {}", self.object(key))),
            Event::RecordWritten { version, term, .. } => {
                Clause::act(format!("writes version {version} of the job, for {term}"))
            }
            Event::RecordRefused { version, term } => {
                Clause::act(format!("refuses version {version} of the job, for {term}"))
            }
            Event::MessageRedelivered { message, consumer, number } => {
                Clause::act(format!("gives {message} again, to {consumer} as its number {number}"))
            }
            Event::OffsetCommitted { split, offset } => {
                Clause::act(format!("lets go of {split} before offset {offset}"))
            }
            _ => return None,
        })
    }

    fn at_sink(&self, event: &Event) -> Option<Clause> {
        let txn = |transaction: &TransactionId, does: &str| {
            let transaction = self.transaction(*transaction);
            Clause::act(format!("{transaction} {does}"))
        };
        Some(match event {
            Event::ProducersFenced { sink, attempt } => {
                Clause::act(format!("fences {} before {attempt}", self.subtask(*sink)))
            }
            Event::ProducerRefused { transaction } => {
                txn(transaction, "is refused: its producer is fenced")
            }
            Event::TransactionOpened { transaction } => txn(transaction, "opens"),
            Event::TransactionPrepared { transaction, records } => {
                txn(transaction, &format!("is prepared, {records} records"))
            }
            Event::CommitRequested { transaction, checkpoint } => Clause::new(
                self.subtask(transaction.sink),
                format!("asks to commit {transaction} for {checkpoint}"),
                "",
            ),
            Event::TransactionCommitted { transaction, records } => {
                txn(transaction, &format!("is committed: {} records visible", records.len()))
            }
            Event::TransactionAborted { transaction } => txn(transaction, "is aborted"),
            Event::OutputWritten { sink, records } => {
                let records = records.len();
                Clause::act(format!("{records} records of {} visible", self.subtask(*sink)))
            }
            Event::OutputShown { operator, records } => {
                Clause::act(self.of_operator(records.len(), *operator, "visible to readers"))
            }
            Event::OutputHidden { operator, records } => {
                Clause::act(self.of_operator(records.len(), *operator, "hidden from readers"))
            }
            Event::OutputExpired { operator, records } => {
                Clause::act(self.of_operator(records.len(), *operator, "let go of, unseen"))
            }
            Event::OutputHeld(held) => {
                let what = format!("still held in {}, unseen", held.name);
                Clause::act(self.of_operator(held.records.len(), held.operator, &what))
            }
            _ => return None,
        })
    }

    fn of_operator(&self, records: usize, operator: OperatorId, what: &str) -> String {
        format!("{records} records of {} {what}", self.operator(operator))
    }

    fn transaction(&self, transaction: TransactionId) -> String {
        format!("{transaction} of {}", self.subtask(transaction.sink))
    }

    fn object(&self, key: &ObjectKey) -> String {
        match key {
            ObjectKey::Snapshot { checkpoint, attempt, subtask } => {
                format!("the snapshot of {} for {checkpoint}, {attempt}", self.subtask(*subtask))
            }
            ObjectKey::Metadata { checkpoint } => {
                format!("the metadata of {checkpoint}")
            }
            ObjectKey::Savepoint { checkpoint } => {
                format!("the metadata of savepoint {checkpoint}")
            }
        }
    }
}

/// A watermark in words: the first and the last one have no number.
#[must_use]
pub fn watermark_word(watermark: i64) -> String {
    match watermark {
        i64::MIN => "no watermark yet".to_owned(),
        i64::MAX => "the last watermark".to_owned(),
        watermark => format!("watermark {watermark}"),
    }
}
