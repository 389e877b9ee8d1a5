//! Carries a process's consequences out as it gives them, in order.

use super::core::Core;
use crate::cluster::{Delay, Message, Outbox, Timer};
use crate::protocol::ProcessId;
use crate::trace::Event;
use crate::world::observer::Observer;

/// The outbox of one process while it handles one input.
///
/// Nothing waits: a message is on its way, an event seen, a fault aimed at it struck, before the
/// process goes on. Once the run is over, or the process has crashed, what it still gives is dropped: its memory
/// is lost anyway. A service keeps what it did: that is still told, and nobody is answered.
pub(super) struct Carrier<'c, 'a, O> {
    core: &'c mut Core<'a, O>,
    slot: usize,
    carries: Carries,
}

/// How much of what a process gives is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carries {
    All,
    Events,
    Nothing,
}

impl<'c, 'a, O: Observer> Carrier<'c, 'a, O> {
    pub fn new(core: &'c mut Core<'a, O>, slot: usize) -> Self {
        Self { core, slot, carries: Carries::All }
    }
}

impl<O: Observer> Outbox for Carrier<'_, '_, O> {
    #[inline]
    fn send(&mut self, to: ProcessId, message: Message) {
        if self.carries == Carries::All {
            self.core.send(self.slot, to, message);
        }
    }

    #[inline]
    fn wake(&mut self, after: Delay, timer: Timer) {
        if self.carries == Carries::All {
            self.core.set_timer(self.slot, after, timer);
        }
    }

    #[inline]
    fn event(&mut self, event: Event) {
        if self.carries != Carries::Nothing && self.core.event(self.slot, &event).is_break() {
            let goes_on = self.core.state.ending.is_none();
            let is_told = goes_on && self.core.slots[self.slot].id.is_durable();
            self.carries = if is_told { Carries::Events } else { Carries::Nothing };
        }
    }
}
