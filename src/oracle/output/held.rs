//! What an external system still holds when the job has finished, and no reader sees.
//!
//! A job that fails leaves behind what it has not committed. What its clients are to end (a transaction that is open, a
//! branch that is prepared, an upload) its next attempt ends before it writes: it cannot be told from what is in use by
//! whoever maintains the system. So at the end of the job nothing is there that was there when its last attempt
//! began. What came later may be of a worker that had not heard that its attempt was over; where the job had one
//! attempt there is none. What those who maintain the system see to, files that no snapshot names, needs an attempt
//! that failed.

use super::super::kind::Kind;
use super::super::shape::Scene;
use super::super::verdict::Violation;
use crate::protocol::ordered::VecMap;
use crate::protocol::{Attempt, VirtualTime};
use crate::trace::{OutputHeld, Upkeep};

/// Judges what is left.
#[derive(Clone, Debug, Default)]
pub(super) struct HeldOutput {
    /// When each attempt began.
    begun: VecMap<Attempt, VirtualTime>,
    /// The attempt in which the job finished, once it has.
    finished: Option<Attempt>,
    /// What the system calls now is not virtual time.
    is_misdated: bool,
}

impl HeldOutput {
    /// An attempt begins.
    pub fn handle_attempt_started(&mut self, attempt: Attempt, at: VirtualTime) {
        self.begun.insert(attempt, at);
    }

    /// The clock of the system changed.
    pub fn handle_clock_changed(&mut self) {
        self.is_misdated = true;
    }

    /// The job finished.
    pub fn handle_finished(&mut self, attempt: Attempt) {
        self.finished = Some(attempt);
    }

    /// This is left.
    pub fn judge(&self, scene: &mut Scene, held: &OutputHeld) {
        let Some(why) = self.fault_of(held) else { return };
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
        let begun = *self.begun.get(&self.finished?)?;
        if self.begun.len() == 1 {
            return Some("though no attempt has failed that could have left it".to_owned());
        }
        match held.upkeep {
            Upkeep::Client if held.since < begun && !self.is_misdated => Some(format!(
                "though it was there when the attempt began that finished, at {begun}"
            )),
            Upkeep::Client | Upkeep::Maintenance => None,
        }
    }
}
