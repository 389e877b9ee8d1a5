//! Who watches a run.

use std::ops::ControlFlow;

use crate::trace::{Event, Stamp};

/// Sees every event of a run, in order, as it happens. It cannot change anything but end the run.
pub trait Observer {
    /// Sees one event; `Break` ends the run after it.
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()>;
}

/// Sees nothing.
impl Observer for () {
    fn observe(&mut self, _: Stamp, _: &Event) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<O: Observer + ?Sized> Observer for &mut O {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        (**self).observe(stamp, event)
    }
}

/// Both see it.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        let first = self.0.observe(stamp, event);
        let second = self.1.observe(stamp, event);
        if first.is_break() { first } else { second }
    }
}
