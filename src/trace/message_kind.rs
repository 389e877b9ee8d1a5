//! The kinds of messages that a plan can drop, delay or duplicate, and a trace can name.

use strum::{EnumCount, EnumIter, EnumString, IntoStaticStr, VariantNames};

use cutwater_protocol::serde_by_name;

/// The kind of a message on a control link. Channels carry none of these.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumCount,
    EnumIter,
    EnumString,
    IntoStaticStr,
    VariantNames,
    strum::Display,
)]
#[strum(serialize_all = "kebab-case")]
#[expect(missing_docs, reason = "each is named after its message")]
pub enum MessageKind {
    Heartbeat,
    Deploy,
    Ready,
    Run,
    Running,
    Cancel,
    Trigger,
    Acknowledge,
    Decline,
    NotifyComplete,
    NotifyAborted,
    SubtaskFailed,
    StoreRequest,
    StoreAnswer,
    LogRequest,
    LogAnswer,
    SinkRequest,
    SinkAnswer,
    RequestSplit,
    AssignSplit,
    NoMoreSplits,
    TakeSplit,
    Finished,
    Request,
}

serde_by_name!(MessageKind);
