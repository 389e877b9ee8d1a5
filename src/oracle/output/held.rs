//! What an external system still holds when the job has finished, and no reader sees.
//!
//! A job that fails leaves behind what it has not committed. What its clients are to end (a transaction that is open, a
//! branch that is prepared, an upload) its next attempt ends before it writes: whoever maintains the system cannot tell
//! it from what is in use. So at the end of the job nothing is there that the first attempt left when the second
//! began. What came later may be of a worker that had not heard that its attempt was over, while its successors were
//! at work already: they cannot tell it from what they hold themselves. What those who maintain the system see to,
//! files that no snapshot names, needs an attempt that failed.

use super::super::kind::Kind;
use super::super::shape::Scene;
use super::super::verdict::Violation;
use crate::protocol::VirtualTime;
use crate::trace::{OutputHeld, Upkeep};

/// Judges what is left.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldOutput {
    attempts: Attempts,
    is_finished: bool,
    /// What the system calls now is not virtual time.
    is_misdated: bool,
}

/// How many attempts have begun.
#[derive(Clone, Copy, Debug, Default)]
enum Attempts {
    #[default]
    None,
    One,
    /// The second of them began then.
    Several(VirtualTime),
}

impl HeldOutput {
    /// An attempt begins.
    pub fn handle_attempt_started(&mut self, at: VirtualTime) {
        self.attempts = match self.attempts {
            Attempts::None => Attempts::One,
            Attempts::One => Attempts::Several(at),
            Attempts::Several(second) => Attempts::Several(second),
        };
    }

    /// The clock of the system changed.
    pub fn handle_clock_changed(&mut self) {
        self.is_misdated = true;
    }

    /// The job finished.
    pub fn handle_finished(&mut self) {
        self.is_finished = true;
    }

    /// This is left.
    pub fn judge(&self, scene: &mut Scene, held: &OutputHeld) {
        let Some(why) = self.fault_of(held).filter(|_| self.is_finished) else { return };
        let (name, operator) = (&held.name, scene.shape.operator_name(held.operator));
        let records = held.records.len();
        let text = format!(
            "the job finished, and the external system still holds {name} of {operator}, {records} records in it, \
             {why}"
        );
        let violation = Violation::new(Kind::LeftOutput, text);
        scene.report(match held.records.first() {
            Some(record) => violation.with(record.lineage),
            None => violation,
        });
    }

    /// Why it must not be there, if it must not.
    fn fault_of(&self, held: &OutputHeld) -> Option<String> {
        match (self.attempts, held.upkeep) {
            (Attempts::None | Attempts::One, Upkeep::Client | Upkeep::Maintenance) => {
                Some("though no attempt has failed that could have left it".to_owned())
            }
            (Attempts::Several(second), Upkeep::Client)
                if held.since < second && !self.is_misdated =>
            {
                Some(format!("though it was there when the second attempt began, at {second}"))
            }
            (Attempts::Several(_), Upkeep::Client | Upkeep::Maintenance) => None,
        }
    }
}
