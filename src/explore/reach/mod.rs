//! Reach: which protocol points a run passed, and at which of them, in which phase, faults struck.
//!
//! A green sweep says little unless it shows what it reached. [`Reach`] is what one run reached, or
//! many; [`Matrix`] lays it out as protocol point × fault class, beside what cannot be reached and why.

pub mod cell;
mod codec;
pub mod counts;
pub mod impossible;
pub mod lives;
pub mod matrix;
pub mod phase;
pub mod plateau;
mod situations;
pub mod summary;
pub mod tracker;

pub use cell::Cell;
pub use counts::Reach;
pub use impossible::Rule;
pub use matrix::{Coverage, Matrix};
pub use phase::Phase;
pub use plateau::Plateau;
pub use summary::{ReachDocument, SweepReach};
pub use tracker::ReachTracker;

#[cfg(test)]
mod tests;
