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
    read: Arc<dyn Fn() -> VirtualTime + Send + Sync>,
}

impl Clock {
    /// A clock that started at `start`; `read` tells the time since.
    #[must_use]
    pub fn new(start: Instant, read: impl Fn() -> VirtualTime + Send + Sync + 'static) -> Self {
        Self { start, read: Arc::new(read) }
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> VirtualTime {
        (self.read)()
    }

    /// When a sleep until `at` ends. Set to it anew, a sleep may be shorter than the millisecond that
    /// a simulated one takes at least.
    #[must_use]
    pub fn instant(&self, at: VirtualTime) -> Instant {
        self.start + Duration::from_nanos(at.0)
    }

    /// Waits until `at`.
    pub async fn sleep_until(&self, at: VirtualTime) {
        let at = self.instant(at);
        let mut sleep = pin!(time::sleep_until(at));
        sleep.as_mut().reset(at);
        sleep.await;
    }
}
