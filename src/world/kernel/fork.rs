//! Forks: a run that is stopped between two inputs, cloned, and given other chances from there on.

use super::Kernel;
use crate::plan::{Concern, Stream};
use crate::protocol::VirtualTime;
use crate::world::faults::Nemesis;
use crate::world::observer::Observer;
use crate::world::{Ending, RunEnd};

impl<'a, O: Observer> Kernel<'a, O> {
    /// Begins the run, and stops before the first thing that is due. Call it once, before any other
    /// method of this file.
    #[must_use]
    pub fn begun(mut self) -> Self {
        self.begin();
        self
    }

    /// Goes on until the trace has at least so many events, or the run is over.
    ///
    /// It stops between two inputs, never within an outbox: with the events of one input come all that
    /// follow from it at once. So the trace may have more events than were asked for.
    pub fn advance(&mut self, events: u64) {
        let limit = VirtualTime::ZERO + self.core.plan.limit();
        while self.core.ending.is_none() && self.events() < events {
            self.step(limit);
            self.give_up_late();
        }
    }

    /// How many events the trace has.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.core.moment().events
    }

    /// Whether the run is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.core.ending.is_some()
    }

    /// Who watches.
    #[must_use]
    pub fn observer(&self) -> &O {
        &self.core.observer
    }

    /// Draws all that is still to be drawn from other streams: the delays of links, of control messages
    /// and of mailboxes. The plan's faults stay as they are planned, and what is under way arrives when
    /// it would have.
    #[must_use]
    pub fn reseeded(mut self, seed: u64) -> Self {
        self.core.links.reseed(seed);
        for (index, slot) in self.core.slots.iter_mut().enumerate() {
            slot.mailbox = Stream::new(seed, Concern::Mailbox, index as u64);
        }
        self
    }

    /// Runs a run that has begun to its end.
    pub fn finish(mut self) -> (RunEnd, Nemesis, O) {
        self.advance(u64::MAX);
        self.core.into_end()
    }

    fn give_up_late(&mut self) {
        if self.core.steps >= self.steps_max {
            self.core.ending.get_or_insert(Ending::StepLimit);
        }
    }
}
