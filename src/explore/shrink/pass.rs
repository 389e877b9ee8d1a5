//! What a pass of shrinking is: a list of proposals, each a list of plans that may do as well.

use super::runner::{Ran, Runner, Shape};
use crate::explore::signature::Signature;
use crate::oracle::OracleName;
use crate::plan::Plan;

/// The plan as it is now, with what is known of it.
pub struct Current<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Its job.
    pub shape: &'a Shape,
    /// What came of it.
    pub ran: &'a Ran,
    /// How it fails, and how every candidate must.
    pub target: &'a Signature,
    /// Whether candidates must hold without their defects.
    pub is_controlled: bool,
    /// For shapes of other jobs, and for the trace.
    pub runner: &'a dyn Runner,
}

impl Current<'_> {
    /// Whether it is an end that does not come, so that all of its run is needed.
    pub fn is_liveness(&self) -> bool {
        match self.target {
            Signature::Violation(kind) => kind.oracle() == OracleName::Liveness,
            Signature::Undecided | Signature::Hung => true,
            Signature::Panic(_) | Signature::NotDeterministic | Signature::Died(_) => false,
        }
    }
}

/// One kind of change.
///
/// A proposal lists plans, the boldest first; those that are not smaller than the current one are not
/// tried. It is made again for as long as one of its plans will do. It must depend on nothing but the
/// current plan and its run: else shrinking would not be idempotent.
pub trait Pass: Sync {
    /// What it makes less.
    fn name(&self) -> &'static str;

    /// How many proposals it has.
    fn proposals(&self) -> usize {
        1
    }

    /// The plans of one of them.
    fn propose(&self, proposal: usize, current: &Current) -> Vec<Plan>;
}
