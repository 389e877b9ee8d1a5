//! What users write against: sources, operators, sinks, state, timers, and the typed job builder;
//! and the task side of subtasks, which a worker drives.
//!
//! Everything here is a plain value: no clock, no randomness, no I/O, no threads. Whatever a subtask owns
//! can be cloned, so that a whole process can be forked.
//!
//! ```
//! use cutwater::dataflow::{
//!     Collector, Context, EncodedSink, JobBuilder, Operator, Replay, StateDeclarations, ValueState,
//! };
//!
//! /// Counts the occurrences of each word.
//! #[derive(Clone)]
//! struct Count {
//!     seen: ValueState<u64>,
//! }
//!
//! impl Operator for Count {
//!     type In = String;
//!     type Out = (String, u64);
//!
//!     fn process(&mut self, word: String, ctx: &mut Context<'_>, out: &mut Collector<'_, Self::Out>) {
//!         let seen = ctx.value(&self.seen).update(|seen| seen.unwrap_or(0) + 1);
//!         out.emit((word, seen));
//!     }
//! }
//!
//! let job = JobBuilder::new("word-count");
//! job.source("lines", Replay::<String>::new(), 2, 4)
//!     .flat_map("words", 2, |line: String| {
//!         line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
//!     })
//!     .key_by(|word| word.clone())
//!     .process("count", 3, |states: &mut StateDeclarations| Count { seen: states.value("seen") })
//!     .conserving(|count, state| state.values(&count.seen).map(|seen| seen as i64).sum())
//!     .rebalance()
//!     .transactional_sink("counts", 1, EncodedSink::new());
//! let job = job.build()?;
//! assert_eq!(job.topology().subtasks.len(), 2 + 2 + 3 + 1);
//! # Ok::<(), cutwater::dataflow::BuildError>(())
//! ```

mod admission;
pub mod assignment;
mod async_queue;
mod async_task;
mod backend;
pub mod broadcast;
pub mod broadcast_state;
pub mod build_error;
pub mod builder;
mod channels;
pub mod collector;
pub mod committing_sink;
mod committing_task;
pub mod conformance;
pub mod context;
mod conversation;
pub mod data;
pub mod deal;
pub mod feedback;
mod graph;
pub mod in_flight;
pub mod input;
pub mod job;
mod keyed_store;
pub mod keyed_stream;
mod loop_check;
pub mod migration;
pub mod operator;
pub mod operators;
pub mod outside;
mod placement;
mod positions;
pub mod processed;
mod processing_timers;
pub mod record;
pub mod rehearsal;
pub mod replay;
pub mod rescale;
mod router;
pub mod side_output;
pub mod sink;
mod sink_task;
pub mod source;
mod source_task;
mod staging_task;
mod standing;
pub mod state;
pub mod state_access;
pub mod state_view;
mod stateful_logic;
pub mod stateful_task;
pub mod stream;
pub mod subtask;
pub mod subtask_context;
pub mod subtask_state;
mod task;
pub mod time;
mod timers;
mod transform_task;
mod versions;
mod watermark;
mod wiring;
pub mod witness;
mod witnessed;

pub use assignment::SplitAssignment;
pub use broadcast::{BroadcastConnectedStream, BroadcastContext, KeyedBroadcastOperator};
pub use broadcast_state::{BroadcastAccess, BroadcastState, BroadcastView};
pub use build_error::BuildError;
pub use builder::{CONSUMERS_MAX, JobBuilder, PARALLELISM_MAX};
pub use collector::Collector;
pub use committing_sink::{
    Batch, CheckpointOutcome, CommittableId, CommittingSink, NoAnswer, Opening, RowMaker,
    SinkOutputs, StagingWriter,
};
pub use context::Context;
pub use data::{Bytes, Data};
pub use deal::Deal;
pub use feedback::Feedback;
pub use in_flight::Share;
pub use input::Input;
pub use job::Job;
pub use keyed_stream::{ConnectedStreams, KeyedStream};
pub use migration::MigrationError;
pub use operator::{Operator, TwoInputOperator};
pub use operators::{
    Aggregate, Deduplicate, IntervalJoin, Reduce, TimeToLive, TimeWindow, WindowOperator,
    WindowResult, WindowedStream, Windows,
};
pub use outside::{Ask, Heard, OutsideTask, SinkStep};
pub use positions::Positions;
pub use processed::Processed;
pub use record::{Item, Outputs, Payload, Record};
pub use replay::Replay;
pub use rescale::Part;
pub use side_output::OutputTag;
pub use sink::{EncodedSink, Sink};
pub use source::{CompletedSource, Entry, Source, SourceCollector};
pub use state::{
    ListState, MapState, OperatorState, StateDeclarations, StateKind, StateShape, ValueState,
};
pub use state_access::{ListAccess, MapAccess, OperatorListAccess, ValueAccess};
pub use state_view::StateView;
pub use stateful_task::TIMER_CASCADE_MAX;
pub use stream::Stream;
pub use subtask::Subtask;
pub use subtask_context::SubtaskContext;
pub use subtask_state::{RestoreError, SubtaskState};
pub use time::{TimeStand, TimeStep, TimerId};
