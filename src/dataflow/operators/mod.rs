//! The operators that everybody writes, made of keyed state and timers alone: each is an
//! [`Operator`](super::Operator) or a [`TwoInputOperator`](super::TwoInputOperator) as a user could write it,
//! and is declared by a method of [`KeyedStream`](super::KeyedStream).

pub mod aggregate;
pub mod deduplicate;
pub mod interval_join;
pub mod reduce;
pub mod window;
pub mod window_operator;
pub mod windowed_stream;
pub mod with_state;

pub use aggregate::{Aggregate, Aggregating};
pub use deduplicate::{Deduplicate, TimeToLive};
pub use interval_join::{IntervalJoin, JoinOperator};
pub use reduce::Reduce;
pub use window::{TimeWindow, Windows};
pub use window_operator::{WindowOperator, WindowResult};
pub use windowed_stream::{ReducedWindow, WindowedStream};
pub use with_state::WithState;
