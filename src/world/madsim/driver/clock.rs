//! The clock of a driver: virtual time, as its runtime tells it.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{self, Instant};

use crate::protocol::VirtualTime;

/// Tells the time since the run's start.
#[derive(Clone)]
pub struct Clock {
    start: Instant,
    read: Arc<dyn Fn() -> Instant + Send + Sync>,
}

impl Clock {
    /// A clock that starts now; `read` reads the runtime's.
    #[must_use]
    pub fn start(read: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self { start: read(), read: Arc::new(read) }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> VirtualTime {
        VirtualTime::ZERO + ((self.read)() - self.start)
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
