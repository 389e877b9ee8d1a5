//! Which event sealed a violation: the run is forked after one event after another, each fork draws its
//! delays anew, and where the share of forks that are violated all the same leaps, there it was sealed.
//!
//! A fork happens between two inputs of processes, after the step in which an event happened: with it
//! happened all that followed from the same input. The plan's faults stay as they are planned, and what
//! was under way arrives when it would have; only what was not drawn yet is drawn from other streams.
//! A fault that is planned for a time may find another moment in a fork, so that the violation does not
//! come about: that is what the probability tells.

mod context;
mod forks;
mod refine;

use std::fmt;
use std::sync::atomic::AtomicBool;

use serde::Serialize;
use thiserror::Error;

use self::forks::Forks;
use self::refine::Estimates;
use super::experiments::Prepared;
use crate::oracle::{OracleName, Verdict, VerdictClass};
use crate::plan::Plan;

pub use self::context::ContextLine;
pub use self::refine::Estimate;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many places of the run are looked at first, spread evenly; at least 2.
    pub grid: u32,
    /// How many forks are made at each; at least 1. The places beside the three
    /// steepest steps get four times as many, of their own.
    pub forks: u32,
    /// On how many threads, at least 1; the result does not depend on it.
    pub jobs: usize,
}

/// Which violation it is: a fork is violated as the run was if it is the same.
///
/// The oracle decides that found it first, or the class of the verdict where none did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sameness {
    class: VerdictClass,
    oracle: Option<OracleName>,
}

impl Sameness {
    /// What is the same as this verdict.
    #[must_use]
    pub fn of(verdict: &Verdict) -> Self {
        Self { class: verdict.class(), oracle: verdict.fired().first().copied() }
    }
}

impl fmt::Display for Sameness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.oracle, self.class) {
            (Some(oracle), _) => write!(f, "{oracle} violated"),
            (None, VerdictClass::Panicked) => f.write_str("panicked"),
            (None, VerdictClass::Undecided) => f.write_str("liveness not shown"),
            (None, VerdictClass::Held) => f.write_str("held"),
            (None, VerdictClass::NotOwed) => f.write_str("not owed"),
            (None, VerdictClass::Safety | VerdictClass::Liveness) => f.write_str("violated"),
        }
    }
}

/// Where a violation was sealed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Localisation {
    /// The violation that is looked for.
    pub violation: Sameness,
    /// How many events the run has, up to the violation.
    pub events: u64,
    /// How many forks were run.
    pub forks: u64,
    /// How often forks were violated, by the place of the fork.
    pub estimates: Vec<Estimate>,
    /// The greatest leap.
    pub leap: Leap,
}

/// The greatest leap of the probability between two neighbouring places.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leap {
    /// The place before it.
    pub before: Estimate,
    /// The place after it.
    pub after: Estimate,
    /// The step that made the difference; none where the places are no neighbours.
    ///
    /// Its events are those numbered from `before.events` up to `after.events`, without it; there need
    /// not be any: a request that is sent is no event, and yet its delay is drawn.
    pub step: Option<Step>,
    /// Whether the confidence intervals of the two places lie apart, and they are neighbours. Where not,
    /// no single event sealed the violation.
    pub stands_out: bool,
    /// The events around it, in words.
    pub context: Vec<ContextLine>,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When, in nanoseconds of virtual time.
    pub at_ns: u64,
    /// Which process takes an input; none where a fault begins or ends.
    pub process: Option<String>,
    /// What it takes, in words.
    pub what: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.process {
            Some(process) => write!(f, "{process} takes an input: {}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

/// Why there is nothing to tell.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LocaliseError {
    /// The run is not violated.
    #[error("nothing to localise: the plan holds")]
    Held,
    /// The run is too long to be kept.
    #[error("the run has more than {STEPS_MAX} steps: shrink the plan first")]
    TooLong,
    /// It was stopped from outside.
    #[error("interrupted")]
    Stopped,
}

/// Longer runs are refused.
pub const STEPS_MAX: usize = 8_000_000;

/// Looks for the event that sealed the violation of a plan, in the kernel. `each` is told how many forks
/// have been run, from time to time.
///
/// The forks at a place draw from streams of (the plan's seed, the place, the number of the fork), so that
/// the same call gives the same result on any number of threads.
///
/// # Errors
///
/// When the plan holds, is too long, or `stop` was set.
pub fn localise(
    plan: &Plan,
    prepared: &Prepared,
    settings: &Settings,
    stop: &AtomicBool,
    each: impl Fn(u64),
) -> Result<Localisation, LocaliseError> {
    let forks = Forks::of(plan, prepared)?;
    let estimates = Estimates::gather(&forks, settings, stop, each)?;
    let leap = leap(&forks, &estimates);
    Ok(Localisation {
        violation: forks.violation(),
        events: forks.events(),
        forks: estimates.forks(),
        leap,
        estimates: estimates.into_all(),
    })
}

fn leap(forks: &Forks<'_>, estimates: &Estimates) -> Leap {
    let [(from, before), (to, after)] = estimates.greatest_rise();
    let is_one_step = to == from + 1;
    let step = is_one_step.then(|| forks.step_after(from)).flatten().map(|step| Step {
        at_ns: after.at_ns,
        process: step.process.map(|process| process.to_string()),
        what: step.what,
    });
    let context = context::around(forks.plan, forks.prepared, before.events..after.events);
    let stands_out = is_one_step && before.high < after.low;
    Leap { before, after, step, stands_out, context }
}
