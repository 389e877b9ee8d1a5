//! cutwater: deterministic simulation and testing of asynchronous barrier snapshots, the checkpoints of
//! Apache Flink and its relatives.
//!
//! A [`Plan`](plan::Plan) decides a run: job, settings, faults. A [world] carries the
//! [processes](cluster) of a simulated cluster through it, and [oracles](oracle) judge the
//! [trace] while it happens. [`explore`] does so for many seeds; [`explore::Check`] does it for a
//! job of your own, written against [`dataflow`]. The protocol itself is in [`protocol`], as plain values.

pub mod classic;
#[cfg(feature = "cli")]
pub mod cli;
pub mod cluster;
pub mod dataflow;
pub mod explore;
pub mod external;
pub mod independent;
pub mod lab;
pub mod oracle;
pub mod plan;
pub mod render;
pub mod sinks;
pub mod view;
pub mod workload;
pub mod world;

#[doc(inline)]
pub use cutwater_protocol as protocol;
#[doc(inline)]
pub use cutwater_trace as trace;

/// The examples of the page on jobs of one's own, compiled and run.
#[cfg(all(doctest, feature = "cli"))]
#[doc = include_str!("../docs/YOUR_JOB.md")]
pub struct YourJob;

/// The example of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// The engine of `docs/EMBEDDING.md`, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/EMBEDDING.md")]
pub struct Embedding;

/// The examples of `docs/SOURCES.md`, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/SOURCES.md")]
pub struct Sources;

/// The examples of the pages on sinks and external systems, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/SINKS.md")]
#[doc = include_str!("../docs/EXTERNAL_SYSTEMS.md")]
pub struct Pages;

/// The example of docs/OVERHEAD.md, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/OVERHEAD.md")]
pub struct OverheadPage;
