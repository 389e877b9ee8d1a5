//! The last events of a run: what there is to see of a failure.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use cutwater::trace::{Event, Stamp};
use cutwater::world::Observer;

/// How many events are kept.
const EVENTS_MAX: usize = 200;

/// Keeps the last events. Its copies share them, so that they outlive a run that panics.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    events: Arc<Mutex<VecDeque<(Stamp, Event)>>>,
}

impl Tail {
    /// The last events so far, in order.
    pub fn events(&self) -> Vec<(Stamp, Event)> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().cloned().collect()
    }
}

impl Observer for Tail {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == EVENTS_MAX {
            events.pop_front();
        }
        events.push_back((stamp, event.clone()));
        ControlFlow::Continue(())
    }
}
