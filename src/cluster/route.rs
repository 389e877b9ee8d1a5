//! Which way each message takes.

use super::message::{Answer, Message, SinkOperation, ToCoordinator, ToSinkTarget, ToWorker};
use crate::protocol::{ChannelId, SplitEvent};
use crate::trace::MessageKind as Kind;

/// Which way a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A channel between subtasks, downstream.
    Channel(ChannelId),
    /// The same channel, upstream.
    Credit(ChannelId),
    /// The ordered, reliable stream between a sink and its target.
    Stream,
    /// Alone.
    Control(Kind),
}

impl Message {
    /// Which way it takes.
    #[must_use]
    pub fn route(&self) -> Route {
        match self {
            Message::Worker(message) => message.route(),
            Message::Coordinator(message) => Route::Control(message.kind()),
            Message::ObjectStore { .. } | Message::MetaStore { .. } => {
                Route::Control(Kind::StoreRequest)
            }
            Message::SourceLog(_) => Route::Control(Kind::LogRequest),
            Message::SinkTarget(message) => message.route(),
            Message::Answer(answer) => Route::Control(answer.kind()),
        }
    }
}

impl ToWorker {
    fn route(&self) -> Route {
        let kind = match self {
            ToWorker::Data { channel, .. } | ToWorker::Tally { channel, .. } => {
                return Route::Channel(*channel);
            }
            ToWorker::Credit { channel, .. } => return Route::Credit(*channel),
            ToWorker::HeartbeatSeen { .. } => Kind::Heartbeat,
            ToWorker::Deploy { .. } => Kind::Deploy,
            ToWorker::Run { .. } => Kind::Run,
            ToWorker::Cancel { .. } => Kind::Cancel,
            ToWorker::Trigger { .. } => Kind::Trigger,
            ToWorker::NotifyComplete { .. }
            | ToWorker::Stop { .. }
            | ToWorker::LoopsOver { .. } => Kind::NotifyComplete,
            ToWorker::NotifyAborted { .. } => Kind::NotifyAborted,
            ToWorker::TellReader { event: SplitEvent::Assign(_), .. } => Kind::AssignSplit,
            ToWorker::TellReader { event: SplitEvent::NoMore, .. } => Kind::NoMoreSplits,
        };
        Route::Control(kind)
    }
}

impl ToCoordinator {
    fn kind(&self) -> Kind {
        match self {
            ToCoordinator::Heartbeat(_) => Kind::Heartbeat,
            ToCoordinator::Ready(_) => Kind::Ready,
            ToCoordinator::Running(_) => Kind::Running,
            ToCoordinator::Ended(_) | ToCoordinator::Finished(_) => Kind::Finished,
            ToCoordinator::Request { .. } => Kind::Request,
            ToCoordinator::Acknowledge(_) => Kind::Acknowledge,
            ToCoordinator::Decline { .. } => Kind::Decline,
            ToCoordinator::SubtaskFailed { .. } => Kind::SubtaskFailed,
            ToCoordinator::RequestSplit { .. } => Kind::RequestSplit,
            ToCoordinator::SplitTaken { .. } => Kind::TakeSplit,
        }
    }
}

impl ToSinkTarget {
    fn route(&self) -> Route {
        match self {
            ToSinkTarget::Write { .. }
            | ToSinkTarget::Tell { .. }
            | ToSinkTarget::Ask { in_order: true, .. }
            | ToSinkTarget::Operation {
                operation: SinkOperation::Prepare { .. } | SinkOperation::Flush { .. },
                ..
            } => Route::Stream,
            ToSinkTarget::Ask { in_order: false, .. }
            | ToSinkTarget::Operation {
                operation: SinkOperation::Fence { .. } | SinkOperation::Commit { .. },
                ..
            } => Route::Control(Kind::SinkRequest),
        }
    }
}

impl Answer {
    fn kind(&self) -> Kind {
        match self {
            Answer::Object { .. } | Answer::Meta { .. } => Kind::StoreAnswer,
            Answer::Fetched(_) | Answer::SplitsListed { .. } => Kind::LogAnswer,
            Answer::Sink { .. } | Answer::System { .. } => Kind::SinkAnswer,
        }
    }
}
