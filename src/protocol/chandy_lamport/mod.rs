//! Chandy and Lamport, *Distributed Snapshots: Determining Global States of Distributed Systems* (1985):
//! the algorithm that all barrier snapshots descend from, on any graph of processes.
//!
//! A [`Process`] is one process of such a system, as a plain value: it owns its [`Application`], and whatever
//! it does leaves through one ordered queue. Nothing here knows operators, subtasks or a coordinator: any
//! process may start a snapshot, several may start the same one, and any number may be under way.

pub mod application;
pub mod defect;
pub mod error;
pub mod output;
pub mod process;
mod recording;

pub use application::{Application, Sends};
pub use defect::{MarkerDefect, MarkerDefectSet};
pub use error::MarkerError;
pub use output::Output;
pub use process::Process;

#[cfg(test)]
mod tests;
