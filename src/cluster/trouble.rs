//! What a world tells the stores, the sink target and the source log of their health.

use crate::protocol::SplitId;
pub use crate::trace::{SinkFault, StoreFault};

/// What a world tells a service about its own health, from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The object store or the meta store; none where nothing is wrong.
    Store(Option<StoreFault>),
    /// The sink target; none where nothing is wrong.
    Sink(Option<SinkFault>),
    /// The source log: this split has nothing new to give, or goes on.
    Split {
        /// Which split.
        split: SplitId,
        /// Whether it has nothing to give.
        is_idle: bool,
    },
}
