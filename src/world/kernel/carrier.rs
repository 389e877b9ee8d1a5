//! Carries a process's consequences out as it gives them, in order.

use super::core::Core;
use crate::cluster::{Delay, Message, Outbox, Timer};
use crate::protocol::ProcessId;
use crate::trace::Event;
use crate::world::observer::Observer;

/// The outbox of one process while it handles one input.
///
/// Nothing waits: a message is on its way, an event seen, a fault aimed at it struck, before the
/// process goes on. Once it has crashed (or the run is over) what it still gives is dropped; its memory
/// is lost anyway.
pub(super) struct Carrier<'c, 'a, O> {
    core: &'c mut Core<'a, O>,
    slot: usize,
    is_cut_off: bool,
}

impl<'c, 'a, O: Observer> Carrier<'c, 'a, O> {
    pub fn new(core: &'c mut Core<'a, O>, slot: usize) -> Self {
        Self { core, slot, is_cut_off: false }
    }
}

impl<O: Observer> Outbox for Carrier<'_, '_, O> {
    #[inline]
    fn send(&mut self, to: ProcessId, message: Message) {
        if !self.is_cut_off {
            self.core.send(self.slot, to, message);
        }
    }

    #[inline]
    fn wake(&mut self, after: Delay, timer: Timer) {
        if !self.is_cut_off {
            self.core.set_timer(self.slot, after, timer);
        }
    }

    #[inline]
    fn event(&mut self, event: Event) {
        if !self.is_cut_off {
            self.is_cut_off = self.core.event(self.slot, &event).is_break();
        }
    }
}
