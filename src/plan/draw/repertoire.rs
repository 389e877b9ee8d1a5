//! What a run must have for some protocol points to be reached in it.

use strum::{EnumCount, EnumIter, IntoEnumIterator as _, IntoStaticStr};

use crate::cluster::ClusterSettings;
use crate::dataflow::SplitAssignment;
use crate::plan::Plan;
use crate::protocol::{AtCut, OperatorRole, Topology};
use crate::trace::Point;

/// Something that not every job, with its settings and its plan, has.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumCount, EnumIter, IntoStaticStr,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Need {
    /// Barriers that overtake records.
    Overtaking,
    /// Buffers, within which they may overtake.
    Buffers,
    /// Something that may be in flight at a cut: what a barrier overtook, or what is on its way round a loop.
    InFlight,
    /// Channel state that is dealt out when the job goes on at another parallelism.
    Dealing,
    /// Enumerators that assign splits.
    Enumerating,
    /// Enumerators that discover splits.
    Discovering,
    /// A trace that tells of event time.
    Time,
    /// Somebody who asks for savepoints.
    Asking,
    /// Somebody who asks for another parallelism.
    Rescaling,
    /// Another parallelism that the job may go on at, with a rescale or from a savepoint.
    Reshaping,
    /// A sink that writes outside transactions.
    WritingAtOnce,
    /// A sink that writes in transactions.
    Committing,
    /// A sink that asks for something to be committed, whatever its protocol.
    AskingToCommit,
    /// An external system, with readers.
    Showing,
    /// An external system that takes back what readers have seen.
    Hiding,
    /// An input that is a queue, which gives again what nobody acknowledged.
    Redelivering,
}

impl Need {
    /// What `point` needs to be reached; nothing where every run may reach it.
    #[must_use]
    #[rustfmt::skip]
    pub fn of(point: Point) -> Option<Self> {
        use Point as P;
        match point {
            P::BarrierOvertook | P::AlignmentOvertaken => Some(Self::Overtaking),
            P::RecordCut => Some(Self::Buffers),
            P::Replayed | P::ChannelStateCaptured | P::ChannelStateRestored => Some(Self::InFlight),
            P::ChannelStateDealt => Some(Self::Dealing),
            P::SplitRequested | P::SplitAssigned | P::SplitAccepted | P::SplitsExhausted | P::SplitsReturned
            | P::EnumeratorSnapshot | P::EnumeratorRestored | P::GatewayClosed | P::GatewayReopened => {
                Some(Self::Enumerating)
            }
            P::SplitAppeared | P::SplitDiscovered | P::SplitsKnown | P::SplitReleased | P::SplitRemoved => {
                Some(Self::Discovering)
            }
            P::TimeRestored | P::WatermarkAdvanced | P::WatermarkSent | P::WatermarkReceived | P::TimerRegistered
            | P::TimerDeleted | P::TimerFired | P::DroppedLate => Some(Self::Time),
            P::SavepointTriggered | P::SavepointCompleted | P::JobStopped | P::JobResumed | P::RequestRefused => {
                Some(Self::Asking)
            }
            P::RescaleRequested | P::RescaleRefused | P::RescaleStarted => Some(Self::Rescaling),
            P::Reshaped => Some(Self::Reshaping),
            P::OutputWritten => Some(Self::WritingAtOnce),
            P::TransactionOpened | P::TransactionPrepared | P::TransactionCommitted
            | P::TransactionAborted => Some(Self::Committing),
            P::CommitRequested => Some(Self::AskingToCommit),
            P::OutputShown | P::OutputExpired | P::OutputHeld => Some(Self::Showing),
            P::OutputHidden => Some(Self::Hiding),
            P::MessageRedelivered => Some(Self::Redelivering),
            P::RunStarted | P::FaultsEnded | P::Crashed | P::Restarted | P::Paused | P::Resumed | P::Disconnected
            | P::Healed | P::MessageDropped | P::MessageDelayed | P::MessageDuplicated | P::MessageReordered
            | P::Zombified | P::ZombieEnded | P::Held | P::Released | P::HalfOpened | P::ConnectionReset
            | P::ElementLost | P::ClockChanged | P::StoreTroubled | P::StoreRecovered | P::ObjectDestroyed
            | P::SinkTroubled | P::SinkRecovered | P::SplitIdle | P::SplitResumed | P::Read | P::Sent | P::Received
            | P::BarrierSent | P::BarrierReceived | P::CancelSent | P::CancelReceived | P::EndSent | P::EndReceived
            | P::ChannelBlocked | P::ChannelUnblocked | P::Restored | P::AlignmentStarted | P::AlignmentCompleted
            | P::AlignmentAborted | P::SnapshotTaken | P::SnapshotDurable | P::Acknowledged | P::Declined
            | P::CompletionLearned | P::AbortLearned | P::SubtaskEnded | P::SubtaskFailed | P::LeadershipTaken
            | P::AttemptStarted | P::AttemptRunning | P::AttemptFailed | P::Triggered | P::AcknowledgementCounted
            | P::AcknowledgementIgnored | P::Assembled | P::Completed | P::CompletionNotified | P::Aborted
            | P::Discarded | P::JobFinished | P::ObjectStored | P::ObjectRefused | P::ObjectDeleted
            | P::RecordWritten | P::RecordRefused | P::OffsetCommitted | P::ProducersFenced
            | P::ProducerRefused => None,
        }
    }
}

/// What a run has, or what any of several has. Faults are aimed at points that can be reached, so that a plan of a
/// run without any of this does not depend on what else there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repertoire {
    met: [bool; Need::COUNT],
    /// Workers that say when all input has ended.
    pub finishing: bool,
}

impl Repertoire {
    /// Everything.
    pub const ALL: Self = Self { met: [true; Need::COUNT], finishing: true };

    /// What meets these needs.
    #[must_use]
    pub fn meeting(meets: impl Fn(Need) -> bool) -> Self {
        let mut repertoire = Self::default();
        for need in Need::iter() {
            repertoire.met[need as usize] = meets(need);
        }
        repertoire
    }

    /// What runs of this plan have; its faults do not matter.
    #[must_use]
    pub fn of(plan: &Plan, topology: &Topology) -> Self {
        let finishing = plan.cluster.final_at_once;
        Self { finishing, ..Self::meeting(|need| has(plan, topology, need)) }
    }

    /// The same, over an input that is a queue, or is none.
    #[must_use]
    pub fn over(mut self, is_queue: bool) -> Self {
        self.met[Need::Redelivering as usize] = is_queue;
        self
    }

    /// Whether it has this.
    #[must_use]
    pub fn meets(&self, need: Need) -> bool {
        self.met[need as usize]
    }

    /// Whether faults are aimed at `point`, as far as it depends on any of this. A write outside transactions is
    /// aimed at in every job, whose draws would be others without it.
    #[must_use]
    pub fn has(&self, point: Point) -> bool {
        Need::of(point).is_none_or(|need| need == Need::WritingAtOnce || self.meets(need))
    }
}

fn has(plan: &Plan, topology: &Topology, need: Need) -> bool {
    let overtakes = plan.cluster.checkpoints.protocol.may_overtake();
    let has_sink = |role| topology.operators.iter().any(|operator| operator.role == role);
    match need {
        Need::Overtaking => overtakes,
        Need::Buffers => overtakes && plan.cluster.buffers.is_some(),
        Need::InFlight => leaves_in_flight(&plan.cluster),
        Need::Dealing => leaves_in_flight(&plan.cluster) && plan.is_reshaped(),
        Need::Enumerating => !plan.job.assignment.is_static(),
        Need::Discovering => plan.job.assignment == SplitAssignment::Discovered,
        Need::Time => plan.cluster.observe_time,
        Need::Asking => !plan.requests.is_empty(),
        Need::Rescaling => !plan.rescales.is_empty(),
        Need::Reshaping => plan.is_reshaped(),
        Need::WritingAtOnce => has_sink(OperatorRole::AtLeastOnceSink),
        Need::Committing => has_sink(OperatorRole::TransactionalSink),
        Need::AskingToCommit => {
            has_sink(OperatorRole::TransactionalSink)
                || has_sink(OperatorRole::CommittingSink)
                || has_sink(OperatorRole::ConvergingSink)
        }
        Need::Showing => topology.operators.iter().any(|operator| operator.role.is_outside()),
        Need::Hiding => has_sink(OperatorRole::ConvergingSink),
        // Only who has the input knows.
        Need::Redelivering => false,
    }
}

/// Whether something may be in flight at a cut.
fn leaves_in_flight(cluster: &ClusterSettings) -> bool {
    match cluster.checkpoints.protocol.traits().at_cut {
        AtCut::ChannelState | AtCut::Logs => true,
        AtCut::Nothing | AtCut::Repeats => false,
    }
}
