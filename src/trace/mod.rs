//! All that is observable of a run, in order.

pub mod about;
pub mod codec;
pub mod contents;
pub mod diff;
pub mod digest;
pub mod event;
pub mod message_kind;
pub mod ownership;
pub mod selections;
pub mod shapes;
pub mod tagged;
pub mod trouble;

pub use about::{About, Carried, Family, Place};
pub use codec::{TraceError, TraceReader, TraceWriter};
pub use contents::{
    ChannelCut, ChannelStateCaptured, ChannelStateDealt, ChannelStateRestored, Dealt, InFlight,
    OutputHeld, OutputRecord, Restored, RunStarted, SnapshotTaken, SplitPosition, Upkeep,
};
pub use diff::{Divergence, diff};
pub use digest::{DigestValue, TraceDigest};
pub use event::{Event, Point, SILENCE, Stamp};
pub use message_kind::MessageKind;
pub use ownership::{ListContent, ListMode, Ownership};
pub use selections::{Hindrance, Standing};
pub use shapes::Shapes;
pub use trouble::{SinkFault, SinkTrouble, StoreFault, StoreTrouble};
