//! Whether an event counts: of whom it tells, and whether that one is of the job as it is.

use crate::oracle::kind::Kind;
use crate::oracle::shape::Scene;
use crate::oracle::verdict::Violation;
use crate::protocol::{Attempt, ChannelId, OperatorId, SubtaskId};
use crate::trace::Event;

/// How an event is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Hearing {
    /// It counts.
    Counts,
    /// It is of the past: its subtask is of an attempt that is over, a coordinator says it that has been deposed, so that
    /// it binds nobody, or it tells of a completion that is known.
    Past,
    /// Nobody hears of it.
    Nobody,
}

/// Of whom an event tells.
#[derive(Clone, Copy, Debug)]
enum Subject {
    /// A channel, in this attempt alone.
    Channel(ChannelId, Attempt),
    /// A subtask, in this attempt alone.
    Subtask(SubtaskId, Attempt),
    /// A subtask that the job has or has had, whatever the attempt.
    Anyone(SubtaskId),
    /// An operator, whatever the attempt.
    Operator(OperatorId),
    /// An enumerator, in this attempt alone. A coordinator that was deposed speaks to its readers until its successor
    /// gives them up, so that what it discovers and assigns counts in that attempt; cuts that it begins do not.
    Enumerator(Attempt),
    /// The job as a whole, its surroundings, or somebody of whom nothing is judged.
    Job,
}

/// Exhaustive, so that a new event must be thought of.
#[rustfmt::skip]
fn subject(event: &Event) -> Subject {
    use Event as E;
    match *event {
        E::Sent { channel, attempt, .. } | E::Received { channel, attempt, .. }
        | E::BarrierSent { channel, attempt, .. } | E::BarrierReceived { channel, attempt, .. }
        | E::CancelSent { channel, attempt, .. } | E::CancelReceived { channel, attempt, .. }
        | E::EndSent { channel, attempt, .. } | E::EndReceived { channel, attempt, .. }
        | E::BarrierOvertook { channel, attempt, .. } | E::Replayed { channel, attempt, .. }
        | E::ChannelBlocked { channel, attempt, .. } | E::ChannelUnblocked { channel, attempt, .. }
        | E::WatermarkSent { channel, attempt, .. } | E::WatermarkReceived { channel, attempt, .. } =>
            Subject::Channel(channel, attempt),
        E::Restored(ref own) => Subject::Subtask(own.subtask, own.attempt),
        E::SnapshotTaken(ref own) => Subject::Subtask(own.subtask, own.attempt),
        E::ChannelStateCaptured(ref own) => Subject::Subtask(own.subtask, own.attempt),
        E::ChannelStateDealt(ref own) => Subject::Subtask(own.subtask, own.attempt),
        E::ChannelStateRestored(ref own) => Subject::Subtask(own.subtask, own.attempt),
        E::Read { subtask, attempt, .. } | E::AlignmentStarted { subtask, attempt, .. }
        | E::AlignmentAborted { subtask, attempt, .. } | E::AlignmentOvertaken { subtask, attempt, .. }
        | E::SubtaskFailed { subtask, attempt, .. } | E::AbortLearned { subtask, attempt, .. }
        | E::TimeRestored { subtask, attempt, .. } | E::WatermarkAdvanced { subtask, attempt, .. }
        | E::TimerRegistered { subtask, attempt, .. } | E::TimerDeleted { subtask, attempt, .. }
        | E::TimerFired { subtask, attempt, .. } | E::DroppedLate { subtask, attempt, .. }
        | E::SplitReleased { subtask, attempt, .. } | E::SplitAssigned { subtask, attempt, .. }
        | E::SplitAccepted { subtask, attempt, .. } => Subject::Subtask(subtask, attempt),
        E::Acknowledged { subtask, .. } | E::CompletionLearned { subtask, .. }
        | E::AcknowledgementCounted { subtask, .. } | E::ProducersFenced { sink: subtask, .. }
        | E::OutputWritten { sink: subtask, .. } => Subject::Anyone(subtask),
        E::TransactionOpened { transaction } | E::TransactionPrepared { transaction, .. }
        | E::CommitRequested { transaction, .. } | E::TransactionCommitted { transaction, .. }
        | E::TransactionAborted { transaction } => Subject::Anyone(transaction.sink),
        E::OutputShown { operator, .. } | E::OutputHidden { operator, .. } | E::OutputExpired { operator, .. } =>
            Subject::Operator(operator),
        E::OutputHeld(ref held) => Subject::Operator(held.operator),
        E::SplitDiscovered { attempt, .. } | E::SplitsKnown { attempt, .. } | E::EnumeratorSnapshot { attempt, .. }
        | E::EnumeratorRestored { attempt, .. } => Subject::Enumerator(attempt),
        E::RunStarted(_) | E::FaultsEnded | E::Crashed { .. } | E::Restarted { .. } | E::Paused { .. } | E::Resumed { .. }
        | E::Disconnected { .. } | E::Healed { .. } | E::MessageDropped { .. } | E::MessageDelayed { .. }
        | E::MessageDuplicated { .. } | E::MessageReordered { .. } | E::Zombified { .. } | E::ZombieEnded { .. }
        | E::Held { .. } | E::Released { .. } | E::HalfOpened { .. } | E::ConnectionReset { .. } | E::ElementLost { .. }
        | E::ClockChanged { .. } | E::StoreTroubled { .. } | E::StoreRecovered { .. } | E::SinkTroubled { .. }
        | E::SinkRecovered | E::SplitIdle { .. } | E::SplitResumed { .. } | E::RecordCut { .. }
        | E::AlignmentCompleted { .. } | E::SnapshotDurable { .. } | E::Declined { .. } | E::SubtaskEnded { .. }
        | E::LeadershipTaken { .. } | E::RescaleRequested { .. } | E::RescaleRefused { .. } | E::RescaleStarted { .. }
        | E::Reshaped { .. } | E::AttemptStarted { .. } | E::AttemptRunning { .. } | E::AttemptFailed { .. }
        | E::Triggered { .. } | E::AcknowledgementIgnored { .. } | E::Assembled { .. } | E::Completed { .. }
        | E::CompletionNotified { .. } | E::Aborted { .. } | E::Discarded { .. } | E::JobFinished { .. }
        | E::SavepointTriggered { .. } | E::SavepointCompleted { .. } | E::JobStopped { .. } | E::JobResumed { .. }
        | E::RequestRefused { .. } | E::SplitAppeared { .. } | E::SplitRemoved { .. } | E::SplitRequested { .. }
        | E::SplitsExhausted { .. } | E::SplitsReturned { .. } | E::GatewayClosed { .. } | E::GatewayReopened { .. }
        | E::ObjectStored { .. } | E::ObjectRefused { .. } | E::ObjectDeleted { .. } | E::ObjectDestroyed { .. }
        | E::RecordWritten { .. } | E::RecordRefused { .. } | E::OffsetCommitted { .. } | E::MessageRedelivered { .. }
        | E::ProducerRefused { .. } =>
            Subject::Job,
    }
}

impl Scene<'_> {
    /// How an event is heard. What is of nobody that the job has or has had is told of, and heard by nobody.
    pub fn hearing(&mut self, event: &Event) -> Hearing {
        let course = self.course;
        let heard = |counts| if counts { Hearing::Counts } else { Hearing::Nobody };
        let is_vain =
            course.reign.has_zombies() && course.reign.is_of_deposed(&course.lives, event);
        match subject(event) {
            Subject::Enumerator(attempt) if course.attempt() != Some(attempt) => Hearing::Nobody,
            Subject::Enumerator(_) | Subject::Anyone(_) | Subject::Job if is_vain => Hearing::Past,
            Subject::Channel(channel, attempt) => heard(self.counts_on(channel, attempt)),
            Subject::Subtask(subtask, attempt) => match self.counts_in(subtask, attempt) {
                true => Hearing::Counts,
                false if self.shape.ever_had_subtask(subtask) => Hearing::Past,
                false => Hearing::Nobody,
            },
            Subject::Anyone(subtask) => heard(self.knows(subtask)),
            Subject::Operator(operator) => heard(self.knows_operator(operator)),
            Subject::Enumerator(_) => Hearing::Counts,
            Subject::Job if course.is_told_again(event) => Hearing::Past,
            Subject::Job => Hearing::Counts,
        }
    }

    /// Whether an event at a channel is of the attempt that counts.
    #[inline]
    pub fn counts_on(&mut self, channel: ChannelId, attempt: Attempt) -> bool {
        let is_current = self.course.attempt() == Some(attempt);
        if is_current && self.shape.has_channel(channel) {
            return true;
        }
        if is_current || !self.shape.ever_had_channel(channel) {
            self.report_unknown(format!("{channel}"));
        }
        self.judge_attempt(attempt);
        false
    }

    /// Whether an event at a subtask is of the attempt that counts.
    #[inline]
    pub fn counts_in(&mut self, subtask: SubtaskId, attempt: Attempt) -> bool {
        let is_current = self.course.attempt() == Some(attempt);
        if is_current && self.shape.has_subtask(subtask) {
            return true;
        }
        if is_current || !self.shape.ever_had_subtask(subtask) {
            self.report_unknown(format!("{subtask}"));
        }
        self.judge_attempt(attempt);
        false
    }

    /// Whether the job has, or has had, this subtask.
    fn knows(&mut self, subtask: SubtaskId) -> bool {
        let is_known = self.shape.ever_had_subtask(subtask);
        if !is_known {
            self.report_unknown(format!("{subtask}"));
        }
        is_known
    }

    /// Whether the job has this operator; a rescale changes none.
    fn knows_operator(&mut self, operator: OperatorId) -> bool {
        let is_known = operator.index() < self.shape.topology().operators.len();
        if !is_known {
            self.report_unknown(format!("{operator}"));
        }
        is_known
    }

    #[cold]
    fn report_unknown(&mut self, what: String) {
        self.report(Violation::new(Kind::UnknownEntity, format!("{what} is not in the topology")));
    }

    /// An attempt that is over is legal, one that has not started is not.
    #[cold]
    fn judge_attempt(&mut self, attempt: Attempt) {
        if self.course.reign.newest_started().is_none_or(|newest| attempt > newest) {
            let text = format!("something happened in {attempt}, which has not started");
            self.report(Violation::new(Kind::FromNowhere, text));
        }
    }
}
