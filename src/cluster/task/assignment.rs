//! A reader's side of a source with an enumerator: asks for splits, and takes what it is told.

use super::super::io::Outbox;
use super::super::message::{Message, ToCoordinator};
use super::{Env, Fetcher, Phase, SourceReader, Task};
use crate::protocol::{Defect, ProcessId, SplitEvent, SplitId};
use crate::trace::{Event, SplitPosition};

/// How a reader stands with its enumerator; `taken` counts the events of the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inquiry {
    /// It has something to read.
    Reading { taken: u32 },
    /// It has nothing left, and has asked.
    Asking { taken: u32 },
    /// It was told that there are no more, and has yet to act on it.
    Exhausted { taken: u32 },
    /// There is no enumerator, or nothing to be learned from it.
    Over,
}

impl Inquiry {
    fn taken(self) -> Option<u32> {
        match self {
            Inquiry::Reading { taken }
            | Inquiry::Asking { taken }
            | Inquiry::Exhausted { taken } => Some(taken),
            Inquiry::Over => None,
        }
    }

    fn after(taken: u32, event: SplitEvent) -> Self {
        match event {
            SplitEvent::Assign(_) => Inquiry::Reading { taken },
            SplitEvent::NoMore => Inquiry::Exhausted { taken },
        }
    }
}

impl Task {
    /// The enumerator says something, perhaps again. What is told out of order is told again later; what
    /// was taken is confirmed however often it comes, since the confirmation may have been lost.
    pub fn handle_split_event(&mut self, number: u32, event: SplitEvent, env: &mut Env<'_>) {
        let Some(inquiry) = self.side.source().map(SourceReader::inquiry) else { return };
        let taken = inquiry.taken().unwrap_or(number + 1);
        let is_next = number == taken || self.defects.has(Defect::RepeatedAssignmentTaken);
        let taken = if is_next && self.phase == Phase::Running {
            *inquiry = Inquiry::after(taken.max(number + 1), event);
            match event {
                SplitEvent::Assign(split) => self.accept_split(split, env),
                SplitEvent::NoMore => {}
            }
            taken.max(number + 1)
        } else {
            taken
        };
        let (subtask, attempt) = (self.id, self.attempt);
        env.outbox.send(
            ProcessId::Coordinator,
            Message::Coordinator(ToCoordinator::SplitTaken { attempt, subtask, taken }),
        );
        self.run(env);
    }

    /// From here on the split is in every snapshot of this subtask.
    fn accept_split(&mut self, split: SplitId, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        let position = SplitPosition { split, offset: 0 };
        self.subtask.add_split(split);
        let accepted = Event::SplitAccepted { subtask, attempt, split, offset: position.offset };
        env.outbox.event(accepted);
        if let Some(source) = self.side.source() {
            source.add(position, Fetcher { subtask, attempt }, env);
        }
    }

    /// Asks for a split when there is none left, and ends when there are no more.
    pub(super) fn ask_or_end(&mut self, env: &mut Env<'_>) {
        if self.phase != Phase::Running || !self.can_work() {
            return;
        }
        let Some(source) = self.side.source() else { return };
        let is_idle = source.is_idle();
        match *source.inquiry() {
            Inquiry::Reading { taken } if is_idle => {
                *source.inquiry() = Inquiry::Asking { taken };
                let (subtask, attempt) = (self.id, self.attempt);
                env.outbox.event(Event::SplitRequested { subtask, attempt });
                self.ask_again(env.outbox);
            }
            Inquiry::Exhausted { .. } => {
                *source.inquiry() = Inquiry::Over;
                let has_ended = self.subtask.end_assignment(&mut self.produced);
                self.deliver(env);
                if has_ended {
                    self.end(env);
                }
            }
            // Restored with nothing to read, and nothing to ask for.
            Inquiry::Over if is_idle => self.end(env),
            Inquiry::Reading { .. } | Inquiry::Asking { .. } | Inquiry::Over => {}
        }
    }

    /// The request may have been lost, or its answer.
    pub fn ask_again(&mut self, outbox: &mut dyn Outbox) {
        let Some(source) = self.side.source() else { return };
        match *source.inquiry() {
            Inquiry::Asking { taken } => {
                let (subtask, attempt) = (self.id, self.attempt);
                let message =
                    Message::Coordinator(ToCoordinator::RequestSplit { attempt, subtask, taken });
                outbox.send(ProcessId::Coordinator, message);
            }
            Inquiry::Reading { .. } | Inquiry::Exhausted { .. } | Inquiry::Over => {}
        }
    }
}
