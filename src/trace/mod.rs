//! All that is observable of a run, in order.

pub mod digest;
pub mod event;
pub mod message_kind;

pub use digest::{DigestValue, TraceDigest};
pub use event::{
    ChannelCut, Event, OutputRecord, Point, Restored, RunStarted, SnapshotTaken, SplitPosition,
    Stamp,
};
pub use message_kind::MessageKind;
