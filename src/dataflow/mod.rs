//! What users write against: sources, operators, sinks, state, timers, and the typed job builder;
//! and the task side of subtasks, which a worker drives.
//!
//! Everything here is a plain value: no clock, no randomness, no I/O, no threads. Whatever a subtask owns
//! can be cloned, so that a whole process can be forked.

mod backend;
pub mod build_error;
pub mod builder;
mod channels;
pub mod collector;
pub mod conformance;
pub mod context;
pub mod data;
mod graph;
pub mod input;
pub mod job;
mod keyed_store;
pub mod keyed_stream;
pub mod operator;
mod placement;
pub mod processed;
pub mod record;
mod router;
pub mod sink;
mod sink_task;
pub mod source;
mod source_task;
pub mod state;
pub mod state_access;
pub mod state_view;
mod stateful_logic;
pub mod stateful_task;
pub mod stream;
pub mod subtask;
pub mod subtask_state;
mod task;
mod timers;
mod transform_task;
mod watermark;
mod wiring;

pub use build_error::BuildError;
pub use builder::{CONSUMERS_MAX, JobBuilder, PARALLELISM_MAX};
pub use collector::Collector;
pub use context::Context;
pub use data::{Bytes, Data};
pub use input::Input;
pub use job::Job;
pub use keyed_stream::{ConnectedStreams, KeyedStream};
pub use operator::{Operator, TwoInputOperator};
pub use processed::Processed;
pub use record::{Item, Outputs, Payload, Record};
pub use sink::{EncodedSink, Sink};
pub use source::{Entry, Source, SourceCollector};
pub use state::{
    ListState, MapState, OperatorState, StateDeclarations, StateKind, StateShape, ValueState,
};
pub use state_access::{ListAccess, MapAccess, OperatorListAccess, ValueAccess};
pub use state_view::StateView;
pub use stateful_task::TIMER_CASCADE_MAX;
pub use stream::Stream;
pub use subtask::Subtask;
pub use subtask_state::{RestoreError, SubtaskState};
