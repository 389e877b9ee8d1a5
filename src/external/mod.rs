//! The systems that sinks write to, as they are seen from a job: requests go in, answers come out, and what a
//! *reader* of the system sees is told.
//!
//! A system is a plain value behind [`ExternalSystem`]: no clock, no randomness, no I/O. The sink target hosts it,
//! so that every fault of links and processes reaches it; `docs/EXTERNAL_SYSTEMS.md` says how to write one.

pub mod bucket;
pub mod counter_store;
pub mod database;
pub mod queue;
mod row;
mod system;
pub mod table;
#[cfg(test)]
mod testing;
pub mod transactional_log;
pub mod upsert_store;
mod whole;

pub use crate::trace::SinkFault;
pub use row::Row;
pub use system::{
    Caller, ExternalSystem, Held, Reply, Request, SystemOutput, SystemOutputs, without_transactions,
};
pub(crate) use whole::decode_whole;
