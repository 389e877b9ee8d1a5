//! When a process must take a checkpoint, by what messages tell it.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::bcs::LogicalClock;
use super::defect::{IndependentDefect, IndependentDefectSet};
use super::hmnr::Knowledge;

/// How processes come to their checkpoints.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Scheme {
    /// Each whenever it likes.
    Uncoordinated,
    /// Forced by a logical clock (Briatico, Ciuffoletti and Simoncini 1984).
    Bcs,
    /// Forced by vectors of what is known (Hélary, Mostéfaoui, Netzer and Raynal 2000).
    Hmnr,
}

/// What a message carries for its receiver, beside its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piggyback {
    /// Nothing.
    Nothing,
    /// The sender's logical clock.
    Clock(u64),
    /// What the sender knows of the checkpoints of all.
    Knowledge(Box<Knowledge>),
}

impl Piggyback {
    /// How many bytes it takes, with eight a number and a bit a flag.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Clock(_) => 8,
            Self::Knowledge(knowledge) => knowledge.bytes(),
        }
    }
}

/// What a receiver must do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// Process it.
    Deliver,
    /// Take a checkpoint, then process it.
    CheckpointFirst,
    /// Process it, then take a checkpoint. Only a [defect](IndependentDefect::ForcedAfterDelivery) says so.
    CheckpointAfter,
}

/// The part of one process in checkpoints that communication induces.
///
/// The grammar: ask [`receipt`](Self::receipt) of a message that has arrived; do as it says, and tell of each
/// checkpoint by [`handle_checkpoint`](Self::handle_checkpoint) and of the processing by
/// [`handle_delivery`](Self::handle_delivery), in that order. A snapshot holds the inducer as it is after
/// [`handle_checkpoint`](Self::handle_checkpoint); a restored process goes on with that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointInducer {
    induction: Induction,
    defects: IndependentDefectSet,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Induction {
    Uncoordinated,
    Bcs(LogicalClock),
    Hmnr(Knowledge),
}

impl CheckpointInducer {
    /// The process with this index, of so many. Its initial state counts as its first checkpoint.
    ///
    /// # Panics
    ///
    /// When `process` is not below `processes`.
    #[must_use]
    pub fn new(
        scheme: Scheme,
        process: usize,
        processes: usize,
        defects: IndependentDefectSet,
    ) -> Self {
        assert!(process < processes, "process {process} of {processes}");
        let induction = match scheme {
            Scheme::Uncoordinated => Induction::Uncoordinated,
            Scheme::Bcs => Induction::Bcs(LogicalClock::default()),
            Scheme::Hmnr => Induction::Hmnr(Knowledge::new(process, processes)),
        };
        Self { induction, defects }
    }

    /// The process has taken a checkpoint, whether forced or not.
    pub fn handle_checkpoint(&mut self) {
        match &mut self.induction {
            Induction::Uncoordinated => {}
            Induction::Bcs(clock) => clock.tick(),
            Induction::Hmnr(knowledge) => knowledge.checkpoint(),
        }
    }

    /// The process sends a message to the process `to`: what it carries.
    pub fn handle_send(&mut self, to: usize) -> Piggyback {
        match &mut self.induction {
            Induction::Uncoordinated => Piggyback::Nothing,
            Induction::Bcs(clock) => Piggyback::Clock(clock.now()),
            Induction::Hmnr(knowledge) => Piggyback::Knowledge(Box::new(knowledge.tell(to))),
        }
    }

    /// What to do with a message that carries this.
    #[must_use]
    pub fn receipt(&self, carried: &Piggyback) -> Receipt {
        let is_forced = match (&self.induction, carried) {
            (Induction::Bcs(clock), Piggyback::Clock(time)) => clock.is_behind(*time),
            (Induction::Hmnr(knowledge), Piggyback::Knowledge(told)) => {
                knowledge.is_forced_by(told, self.defects)
            }
            (Induction::Uncoordinated | Induction::Bcs(_) | Induction::Hmnr(_), _) => false,
        };
        match (is_forced, self.defects.has(IndependentDefect::ForcedAfterDelivery)) {
            (false, _) => Receipt::Deliver,
            (true, false) => Receipt::CheckpointFirst,
            (true, true) => Receipt::CheckpointAfter,
        }
    }

    /// A message that carried this is processed.
    pub fn handle_delivery(&mut self, carried: &Piggyback) {
        match (&mut self.induction, carried) {
            (Induction::Bcs(clock), Piggyback::Clock(time)) => clock.catch_up(*time),
            (Induction::Hmnr(knowledge), Piggyback::Knowledge(told)) => {
                knowledge.learn(told, self.defects);
            }
            (Induction::Uncoordinated | Induction::Bcs(_) | Induction::Hmnr(_), _) => {}
        }
    }
}
