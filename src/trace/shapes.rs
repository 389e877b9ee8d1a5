//! Which shape the job had in which attempt, as a trace tells it.

use super::event::{Event, Stamp};
use crate::protocol::{Attempt, ObjectKey, Topology};

/// The shapes of a job, in order.
#[derive(Clone, Debug)]
pub struct Shapes {
    /// Before anything was told: the shape that the run began with, or one in which things have no names.
    first: Topology,
    /// Each with the number of the event that told it, and the first attempt that had it.
    later: Vec<(u64, Attempt, Topology)>,
}

impl Shapes {
    /// Those that a trace tells of; it may lack events.
    #[must_use]
    pub fn of(trace: &[(Stamp, Event)]) -> Self {
        let mut shapes = Self { first: Topology::default(), later: Vec::new() };
        for (stamp, event) in trace {
            match event {
                Event::RunStarted(run) => shapes.first = run.topology.clone(),
                Event::Reshaped { attempt, topology, .. }
                    if shapes.at(stamp.number) != &**topology =>
                {
                    shapes.later.push((stamp.number, *attempt, (**topology).clone()));
                }
                _ => {}
            }
        }
        shapes
    }

    /// The shape of the job in `attempt`.
    #[must_use]
    pub fn in_attempt(&self, attempt: Attempt) -> &Topology {
        self.newest(|(_, first, _)| *first <= attempt)
    }

    /// The shape of the job when the event with this number happened.
    #[must_use]
    pub fn at(&self, number: u64) -> &Topology {
        self.newest(|(told, _, _)| *told <= number)
    }

    /// The shape that an event speaks of: of its attempt, or of the time at which it happened.
    #[must_use]
    pub fn around(&self, stamp: Stamp, event: &Event) -> &Topology {
        event.attempt().map_or_else(|| self.at(stamp.number), |attempt| self.in_attempt(attempt))
    }

    fn newest(&self, is_due: impl Fn(&(u64, Attempt, Topology)) -> bool) -> &Topology {
        let due = self.later.iter().rev().find(|shape| is_due(shape));
        due.map_or(&self.first, |(_, _, topology)| topology)
    }
}

impl Event {
    /// In which attempt it happened, where it says so.
    #[must_use]
    pub fn attempt(&self) -> Option<Attempt> {
        self.attempt_in_channel()
            .or_else(|| self.attempt_of_subtask())
            .or_else(|| self.attempt_elsewhere())
    }

    fn attempt_in_channel(&self) -> Option<Attempt> {
        match self {
            Event::Sent { attempt, .. }
            | Event::Received { attempt, .. }
            | Event::BarrierSent { attempt, .. }
            | Event::BarrierReceived { attempt, .. }
            | Event::BarrierOvertook { attempt, .. }
            | Event::Replayed { attempt, .. }
            | Event::CancelSent { attempt, .. }
            | Event::CancelReceived { attempt, .. }
            | Event::EndSent { attempt, .. }
            | Event::EndReceived { attempt, .. }
            | Event::ChannelBlocked { attempt, .. }
            | Event::ChannelUnblocked { attempt, .. }
            | Event::WatermarkSent { attempt, .. }
            | Event::WatermarkReceived { attempt, .. } => Some(*attempt),
            _ => None,
        }
    }

    fn attempt_of_subtask(&self) -> Option<Attempt> {
        match self {
            Event::Read { attempt, .. }
            | Event::AlignmentStarted { attempt, .. }
            | Event::AlignmentCompleted { attempt, .. }
            | Event::AlignmentOvertaken { attempt, .. }
            | Event::AlignmentAborted { attempt, .. }
            | Event::SnapshotDurable { attempt, .. }
            | Event::Acknowledged { attempt, .. }
            | Event::Declined { attempt, .. }
            | Event::CompletionLearned { attempt, .. }
            | Event::AbortLearned { attempt, .. }
            | Event::SubtaskEnded { attempt, .. }
            | Event::SubtaskFailed { attempt, .. }
            | Event::TimeRestored { attempt, .. }
            | Event::WatermarkAdvanced { attempt, .. }
            | Event::TimerRegistered { attempt, .. }
            | Event::TimerDeleted { attempt, .. }
            | Event::TimerFired { attempt, .. }
            | Event::DroppedLate { attempt, .. } => Some(*attempt),
            Event::Restored(restored) => Some(restored.attempt),
            Event::SnapshotTaken(taken) => Some(taken.attempt),
            Event::ChannelStateCaptured(captured) => Some(captured.attempt),
            Event::ChannelStateDealt(dealt) => Some(dealt.attempt),
            Event::ChannelStateRestored(restored) => Some(restored.attempt),
            _ => None,
        }
    }

    fn attempt_elsewhere(&self) -> Option<Attempt> {
        match self {
            Event::AcknowledgementCounted { from_attempt, .. }
            | Event::AcknowledgementIgnored { from_attempt, .. } => Some(*from_attempt),
            Event::RescaleRequested { attempt, .. }
            | Event::RescaleStarted { attempt, .. }
            | Event::Reshaped { attempt, .. }
            | Event::AttemptStarted { attempt, .. }
            | Event::AttemptRunning { attempt }
            | Event::AttemptFailed { attempt, .. }
            | Event::Triggered { attempt, .. }
            | Event::Completed { attempt, .. }
            | Event::CompletionNotified { attempt, .. }
            | Event::Aborted { attempt, .. }
            | Event::JobFinished { attempt }
            | Event::SavepointTriggered { attempt, .. }
            | Event::SavepointCompleted { attempt, .. }
            | Event::JobStopped { attempt, .. }
            | Event::SplitRequested { attempt, .. }
            | Event::SplitAssigned { attempt, .. }
            | Event::SplitAccepted { attempt, .. }
            | Event::SplitsExhausted { attempt, .. }
            | Event::SplitsReturned { attempt, .. }
            | Event::EnumeratorSnapshot { attempt, .. }
            | Event::EnumeratorRestored { attempt, .. }
            | Event::GatewayClosed { attempt, .. }
            | Event::GatewayReopened { attempt, .. }
            | Event::ProducersFenced { attempt, .. } => Some(*attempt),
            Event::ProducerRefused { transaction }
            | Event::TransactionOpened { transaction }
            | Event::TransactionPrepared { transaction, .. }
            | Event::CommitRequested { transaction, .. }
            | Event::TransactionCommitted { transaction, .. }
            | Event::TransactionAborted { transaction } => Some(transaction.attempt),
            Event::ObjectStored { key, .. }
            | Event::ObjectRefused { key }
            | Event::ObjectDeleted { key }
            | Event::ObjectDestroyed { key } => match key {
                ObjectKey::Snapshot { attempt, .. } => Some(*attempt),
                ObjectKey::Metadata { .. } | ObjectKey::Savepoint { .. } => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ChannelId, CheckpointId, ProcessId, Term, VirtualTime};

    fn topology(parallelism: u16) -> Topology {
        use crate::protocol::{OperatorRole, OperatorShape};
        let (name, role) = ("count".to_owned(), OperatorRole::Operator);
        let operators = vec![OperatorShape { name, role, parallelism }];
        Topology { operators, ..Topology::default() }
    }

    #[test]
    fn an_event_speaks_of_the_shape_of_its_attempt() {
        let at = |number| Stamp { number, at: VirtualTime::ZERO, process: ProcessId::Coordinator };
        let reshaped = |attempt, parallelism| Event::Reshaped {
            attempt: Attempt(attempt),
            term: Term(1),
            topology: Box::new(topology(parallelism)),
        };
        let trace = [(at(5), reshaped(2, 3)), (at(9), reshaped(3, 3)), (at(20), reshaped(4, 1))];
        let shapes = Shapes::of(&trace);
        assert_eq!(shapes.in_attempt(Attempt(1)), &Topology::default(), "nothing was told");
        assert_eq!(shapes.in_attempt(Attempt(3)), &topology(3));
        let (attempt, checkpoint) = (Attempt(3), CheckpointId(1));
        let late = Event::ChannelBlocked { channel: ChannelId(0), attempt, checkpoint };
        assert_eq!(shapes.around(at(30), &late), &topology(3), "of an attempt that is over");
        assert_eq!(shapes.around(at(30), &Event::FaultsEnded), &topology(1));
        assert_eq!(shapes.at(4), &Topology::default());
    }
}
