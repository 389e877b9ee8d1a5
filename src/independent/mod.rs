//! Jobs whose processes take their checkpoints without coordination, carried through a failure: what barriers are
//! compared with.
//!
//! A [`Shape`] says which processes there are, [`Settings`] how they take
//! checkpoints and when one fails; the [`kernel`] carries it out in virtual time, with logs at the senders, a
//! recovery line and a replay; the [`judge`] holds the result against the definitions and against a
//! [reference](mod@reference) that shares nothing with the kernel. [`run`] does all of it for one seed and
//! [measures](Measured) it.
//!
//! After CheckMate (Siachamis et al., ICDE 2024), whose jobs these are in shape: a pipeline, and one with a loop.

pub mod comparison;
pub mod judge;
pub mod kernel;
pub mod measured;
mod process;
pub mod reference;
pub mod settings;
pub mod shape;

pub use judge::Violation;
pub use measured::Measured;
pub use settings::{Pace, Settings};
pub use shape::Shape;

use kernel::Kernel;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was counted.
    pub measured: Measured,
    /// What is wrong; nothing in a run that holds.
    pub violations: Vec<Violation>,
}

/// Carries one run out, and judges it.
#[must_use]
pub fn run(settings: &Settings) -> Outcome {
    let mut kernel = Kernel::new(settings);
    kernel.run();
    judge::conclude(&kernel)
}

#[cfg(test)]
mod tests;
