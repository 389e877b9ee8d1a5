//! One run of the laboratory.

use std::sync::atomic::AtomicBool;

use super::meter::Meter;
use super::report::Report;
use super::settings::{Rate, Settings};
use super::world::World;

/// Many records that travel as one.
///
/// What differs from so many single records is smaller than what processing a batch takes: halving the number
/// must not change a result by more than that, which is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// How many.
    pub records: u32,
    /// How long they are together.
    pub bytes: u64,
    /// When they came, on average, in nanoseconds of virtual time.
    pub due: u64,
}

/// Runs, and measures.
///
/// # Panics
///
/// Never: nobody stops it.
#[must_use]
pub fn run(settings: &Settings) -> Report {
    run_until(settings, &AtomicBool::new(false)).expect("nobody stops it")
}

/// Runs, and measures, unless `stop` is set meanwhile: then it ends at once, with nothing measured.
#[must_use]
pub fn run_until(settings: &Settings, stop: &AtomicBool) -> Option<Report> {
    let mut world = World::new(settings);
    if !world.run(stop) {
        return None;
    }
    let (meter, facts) = world.finish();
    Some(Meter::report(meter, settings, &facts))
}

/// How many records a second a job takes at most, without checkpoints.
#[must_use]
pub fn saturation(settings: &Settings) -> f64 {
    let mut closed = settings.clone();
    closed.job.rate = Rate::Closed;
    closed.checkpoints.interval_ms = 0;
    closed.fail_at_ms = None;
    run(&closed).records_per_second
}
