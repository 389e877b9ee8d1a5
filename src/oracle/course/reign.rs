//! Who reigns, and which attempt counts.

use super::lives::Lives;
use crate::protocol::{Attempt, ProcessId, Term, Topology};
use crate::trace::Event;

/// Coordinators, and the attempts that they start.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Reign {
    /// The attempt whose events count.
    attempt: Option<Attempt>,
    /// The newest attempt started by a coordinator that had been deposed: nothing runs in it, but what is deployed for it
    /// is heard of.
    deposed: Option<Attempt>,
    /// Under which the newest coordinator reigns.
    term: Option<Term>,
    /// How many replaced coordinators go on.
    zombies: u32,
    /// The coordinator that started the attempt has been deposed.
    is_orphaned: bool,
    /// The shape of the attempt that is about to start.
    reshaped: Option<(Attempt, Box<Topology>)>,
}

impl Reign {
    /// Selects who comes and goes.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Zombified { process: ProcessId::Coordinator, .. } => self.zombies += 1,
            Event::ZombieEnded { process: ProcessId::Coordinator, .. } => {
                self.zombies = self.zombies.saturating_sub(1);
            }
            Event::LeadershipTaken { term } => {
                self.term = self.term.max(Some(*term));
                self.is_orphaned = true;
            }
            Event::Reshaped { attempt, topology, .. } => {
                self.reshaped = Some((*attempt, topology.clone()));
            }
            _ => {}
        }
    }

    /// The attempt whose events count.
    #[inline]
    pub fn attempt(&self) -> Option<Attempt> {
        self.attempt
    }

    /// The newest attempt that was started, by whomever.
    pub fn newest_started(&self) -> Option<Attempt> {
        self.attempt.max(self.deposed)
    }

    /// An attempt begins. Where it is new: the shape that it was said to have, if any was told of.
    pub fn start_attempt(&mut self, attempt: Attempt) -> Option<Option<Box<Topology>>> {
        if self.attempt.is_some_and(|last| attempt <= last) {
            return None;
        }
        self.attempt = Some(attempt);
        self.is_orphaned = false;
        let reshaped = self.reshaped.take().filter(|(of, _)| *of == attempt);
        Some(reshaped.map(|(_, topology)| topology))
    }

    /// A deposed coordinator starts an attempt.
    pub fn start_in_vain(&mut self, attempt: Attempt) {
        self.deposed = self.deposed.max(Some(attempt));
    }

    /// Whether this may be said by somebody whom it is vain to listen to.
    #[inline]
    pub fn has_zombies(&self) -> bool {
        self.zombies > 0
    }

    /// Whether this is said by a coordinator that was replaced, goes on, and does not know that it has
    /// been deposed: of an attempt that is over, or that its successor has yet to replace. What it says
    /// binds nobody: it is not what the job does.
    pub fn is_of_deposed(&self, lives: &Lives, event: &Event) -> bool {
        let is_deposed = |term: Term| self.term.is_some_and(|reigning| term < reigning);
        let is_over = |attempt: Attempt| {
            Some(attempt) < self.attempt || (Some(attempt) == self.attempt && self.is_orphaned)
        };
        match event {
            Event::LeadershipTaken { term }
            | Event::Reshaped { term, .. }
            | Event::JobStopped { term, .. }
            | Event::AttemptStarted { term, .. } => is_deposed(*term),
            Event::Triggered { attempt, .. }
            | Event::EnumeratorSnapshot { attempt, .. }
            | Event::SplitsKnown { attempt, .. }
            | Event::SavepointTriggered { attempt, .. }
            | Event::AttemptFailed { attempt, .. }
            | Event::RescaleRequested { attempt, .. }
            | Event::RescaleStarted { attempt, .. } => is_over(*attempt),
            Event::AcknowledgementCounted { from_attempt, .. } => is_over(*from_attempt),
            Event::Assembled { checkpoint, .. } => lives.is_abandoned(*checkpoint),
            _ => false,
        }
    }
}
