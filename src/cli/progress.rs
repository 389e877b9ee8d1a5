//! Progress on standard error; nothing where that is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::clock::Stopwatch;
use super::console::Console;
use super::table::{count, whole};

/// The progress of many runs.
pub struct Progress {
    bar: ProgressBar,
    clock: Stopwatch,
    /// When the message was last written.
    written: Duration,
    /// Runs that had been done before.
    before: u64,
    runs: u64,
    virtual_ns: u64,
    failures: u64,
    workers: usize,
}

/// No more often than this.
const PERIOD: Duration = Duration::from_millis(100);

impl Progress {
    /// Of `total` so many were done `before`; the rest is done by so many `workers`.
    pub fn new(total: u64, before: u64, workers: usize) -> Self {
        let bar =
            if Console::is_watched() { ProgressBar::new(total) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self {
            bar,
            clock: Stopwatch::start(),
            written: Duration::ZERO,
            before,
            runs: 0,
            virtual_ns: 0,
            failures: 0,
            workers,
        }
    }

    /// A run is done.
    pub fn add(&mut self, virtual_ns: u64, has_held: bool) {
        self.runs += 1;
        self.virtual_ns += virtual_ns;
        self.failures += u64::from(!has_held);
        let now = self.clock.elapsed();
        if now >= self.written + PERIOD {
            self.written = now;
            self.bar.set_position(self.before + self.runs);
            self.bar.set_message(self.message(now));
        }
    }

    fn message(&self, elapsed: Duration) -> String {
        let rate = rate(self.runs, elapsed);
        let ratio = ratio(self.virtual_ns, elapsed);
        let failures = match self.failures {
            0 => String::new(),
            failures => format!("  {} failed", count(failures)),
        };
        let workers = self.workers;
        format!("{rate} seeds/s  {workers} workers  simulated : wall {ratio} : 1{failures}")
    }

    /// Everything is done, or nothing more will be. Returns how long it took.
    pub fn finish(&self) -> Duration {
        self.bar.finish_and_clear();
        self.clock.elapsed()
    }
}

/// How many a second.
pub fn rate(number: u64, elapsed: Duration) -> String {
    count(whole(number as f64 / elapsed.as_secs_f64().max(1e-9)))
}

/// How much faster than real time virtual time passed.
pub fn ratio(virtual_ns: u64, elapsed: Duration) -> String {
    rate(virtual_ns, elapsed * 1_000_000_000)
}
