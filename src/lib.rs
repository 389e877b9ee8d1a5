//! cutwater: deterministic simulation and testing of asynchronous barrier snapshots.

pub mod cluster;
pub mod dataflow;
pub mod explore;
pub mod oracle;
pub mod plan;
pub mod protocol;
pub mod trace;
pub mod workload;
pub mod world;

/// The example of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
