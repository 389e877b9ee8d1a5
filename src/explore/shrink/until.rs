//! The end of the time that there is for runs.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::trace::{Event, Stamp};
use crate::world::Observer;

/// Asks whether the time for runs is over. The clock is the caller's.
#[derive(Clone)]
pub struct Until {
    is_over: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Until {
    /// Until this says so.
    pub fn new(is_over: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { is_over: Arc::new(is_over) }
    }

    /// Whether the time is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        (self.is_over)()
    }

    /// Who breaks a run off when the time is over: what comes of such a run says nothing.
    #[must_use]
    pub fn watch(&self) -> impl Observer + Send + use<> {
        Watch { until: self.clone(), events: 0 }
    }
}

/// The time is never over.
impl Default for Until {
    fn default() -> Self {
        Self::new(|| false)
    }
}

impl fmt::Debug for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Until").field("is_over", &self.is_over()).finish()
    }
}

struct Watch {
    until: Until,
    events: u32,
}

/// How often the clock is looked at: once in so many events.
const PERIOD: u32 = 64;

impl Observer for Watch {
    fn observe(&mut self, _: Stamp, _: &Event) -> ControlFlow<()> {
        self.events = self.events.wrapping_add(1);
        let is_over = self.events.is_multiple_of(PERIOD) && self.until.is_over();
        if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
