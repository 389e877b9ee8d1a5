//! The clock of a driver: virtual time, as its runtime tells it.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{self, Instant};

use crate::protocol::VirtualTime;

/// Tells the time since the run's start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { start: instant() }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> VirtualTime {
        VirtualTime::ZERO + (instant() - self.start)
    }

    /// Waits until `at`.
    ///
    /// Set anew, a sleep may be shorter than the millisecond that a simulated one takes at least.
    pub async fn sleep_until(&self, at: VirtualTime) {
        let at = self.start + Duration::from_nanos(at.0);
        let mut sleep = pin!(time::sleep_until(at));
        sleep.as_mut().reset(at);
        sleep.await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the runtime's clock: virtual where it is simulated")]
fn instant() -> Instant {
    Instant::now()
}
