//! The processes of the cluster, each a plain state machine: one input in, one ordered outbox out.
//!
//! A world owns time, links and crashes; nothing here knows which world it runs in.

pub mod buffers;
pub mod coordinator;
pub mod io;
pub mod message;
pub mod meta_store;
pub mod object_store;
mod payload;
pub mod process;
pub mod requests;
mod route;
mod savepoint_record;
pub mod settings;
pub mod sink_target;
pub mod source_log;
pub mod store_health;
pub mod task;
pub mod trouble;
pub mod worker;

pub use buffers::{Buffer, Parcel};
pub use io::{
    CoordinatorWakeUp, Delay, Input, Outbox, Output, QueuedOutbox, SinkTimer, TaskTimer, Timer,
};
pub use message::{Message, RequestId};
pub use process::{Cluster, Process};
pub use settings::{BufferSettings, ClusterSettings, CostModel, DiscoverySettings, StoreSettings};
pub use trouble::{SinkFault, StoreFault, Trouble};
