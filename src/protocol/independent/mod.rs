//! Checkpoints that processes take each for itself, without markers: what coordinated ones are compared with.
//!
//! *Uncoordinated*: a process takes a checkpoint whenever it likes, and logs what it sends. After a failure the
//! [recovery line](mod@line) is searched among the checkpoints that there are. Where processes depend on one another
//! in a cycle, each orphan may cause the next, back to the beginning: the domino effect (Randell 1975).
//!
//! *Induced by communication*: a message carries what its sender knows of checkpoints, and its receiver takes a
//! *forced* one before it processes a message that would make one useless. A checkpoint is useless if no
//! consistent cut has it, that is if it lies on a [`zigzag`] cycle (Netzer and Xu 1995).
//!
//! Processes are dense indices here, channels lead from one to another, and counts are by channel: what a
//! process is, and what its messages mean, is no concern of this module.

mod bcs;
pub mod defect;
mod hmnr;
pub mod inducer;
pub mod line;
pub mod zigzag;

pub use defect::{IndependentDefect, IndependentDefectSet};
pub use inducer::{CheckpointInducer, Piggyback, Receipt, Scheme};
pub use line::{ChannelCounts, Edge, Lookup, recovery_line, recovery_line_from};
pub use zigzag::useless;

#[cfg(test)]
mod tests;
