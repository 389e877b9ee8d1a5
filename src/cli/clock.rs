//! The wall clock: the one place that looks at it.

use std::time::{Duration, Instant};

use crate::explore::shrink::Until;

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: Instant,
}

impl Stopwatch {
    /// Starts.
    #[expect(clippy::disallowed_methods, reason = "progress and rates are about real time")]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// How long since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// When something has to be over, if it has to be.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    clock: Stopwatch,
    budget: Option<Duration>,
}

impl Deadline {
    /// So long from now on; none: never.
    pub fn after(budget: Option<Duration>) -> Self {
        Self { clock: Stopwatch::start(), budget }
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        self.is_over_since(Duration::ZERO)
    }

    /// Whether it has been over for so long.
    pub fn is_over_since(&self, grace: Duration) -> bool {
        self.budget.is_some_and(|budget| self.clock.elapsed() >= budget.saturating_add(grace))
    }

    /// Whether what takes so long, and begins now, is over within `grace` after it.
    pub fn allows(&self, cost: Duration, grace: Duration) -> bool {
        let end = self.clock.elapsed().saturating_add(cost);
        self.budget.is_none_or(|budget| end <= budget.saturating_add(grace))
    }

    /// For runs, which are broken off a moment after it.
    pub fn until(&self) -> Until {
        const MOMENT: Duration = Duration::from_millis(500);
        let deadline = *self;
        Until::new(move || deadline.is_over_since(MOMENT))
    }

    /// How much is left of `wanted`.
    pub fn left_of(&self, wanted: Duration) -> Duration {
        let left = |budget: Duration| budget.saturating_sub(self.clock.elapsed());
        self.budget.map_or(wanted, |budget| wanted.min(left(budget)))
    }
}
