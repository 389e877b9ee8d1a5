//! cutwater: deterministic simulation and testing of asynchronous barrier snapshots.

pub mod dataflow;
pub mod protocol;
pub mod trace;
pub mod workload;
