//! Where protocol points lie.

use cutwater::plan::When;
use cutwater::trace::Point;

/// Whether the point lies in a process that may crash and keeps nothing: stores, the log and the target
/// keep what they acknowledged, and the run itself is no process.
pub fn is_mortal(when: &When) -> bool {
    let When::Point { point, .. } = when else { return false };
    matches!(
        point,
        Point::Read
            | Point::Sent
            | Point::Received
            | Point::BarrierSent
            | Point::BarrierReceived
            | Point::CancelSent
            | Point::CancelReceived
            | Point::EndSent
            | Point::EndReceived
            | Point::ChannelBlocked
            | Point::ChannelUnblocked
            | Point::Restored
            | Point::AlignmentStarted
            | Point::AlignmentCompleted
            | Point::AlignmentAborted
            | Point::SnapshotTaken
            | Point::SnapshotDurable
            | Point::Acknowledged
            | Point::Declined
            | Point::CompletionLearned
            | Point::AbortLearned
            | Point::SubtaskEnded
            | Point::SubtaskFailed
            | Point::CommitRequested
            | Point::LeadershipTaken
            | Point::AttemptStarted
            | Point::AttemptRunning
            | Point::AttemptFailed
            | Point::Triggered
            | Point::AcknowledgementCounted
            | Point::AcknowledgementIgnored
            | Point::Assembled
            | Point::Completed
            | Point::CompletionNotified
            | Point::Aborted
            | Point::Discarded
            | Point::JobFinished
    )
}
