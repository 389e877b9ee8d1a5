//! cutwater: deterministic simulation and testing of asynchronous barrier snapshots.

pub mod dataflow;
pub mod oracle;
pub mod protocol;
pub mod trace;
