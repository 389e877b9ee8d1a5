//! What does not go together in one run, and what no machine would come to the end of.

use super::error::LabError;
use super::factor::Factor;
use super::settings::{Rate, Settings, Shape};
use crate::protocol::independent::Scheme;

/// How many steps a run may take by an estimate made beforehand: some minutes of one core.
const STEPS_MAX: f64 = 4e8;

/// So many counters are copied in the time of a step.
const COPIED: f64 = 20.0;

/// So many subtasks a job has at most.
const SUBTASKS_MAX: usize = 10_000;

/// So many channels.
const CHANNELS_MAX: usize = 100_000;

/// What does not go together.
pub(super) fn check(settings: &Settings) -> Result<(), LabError> {
    let checkpoints = &settings.checkpoints;
    let is_loop = settings.job.shape == Shape::Loop;
    if is_loop != checkpoints.protocol.traits().has_loops && settings.independent.is_none() {
        let problem = match is_loop {
            true => format!("{} ends in no cut of a loop, expected cyclic", checkpoints.protocol),
            false => "cyclic is for jobs with a loop, expected shape loop".to_owned(),
        };
        return Err(LabError::value(Factor::Protocol, problem));
    }
    if is_loop && settings.job.exchanges < 2 {
        return Err(LabError::value(Factor::Exchanges, "expected at least 2 for a loop"));
    }
    if checkpoints.protocol.is_one_at_a_time() && checkpoints.concurrent_max > 1 {
        let (most, protocol) = (checkpoints.concurrent_max, checkpoints.protocol);
        let problem =
            format!("{most}, expected 1, since {protocol} takes one checkpoint at a time");
        return Err(LabError::value(Factor::Concurrency, problem));
    }
    if settings.measure_ms == 0 {
        return Err(LabError::value(Factor::Measure, "expected more than 0ms"));
    }
    if settings.fail_at_ms.is_some_and(|at| at >= settings.measure_ms) {
        let problem =
            format!("expected a time within what is measured, {} ms", settings.measure_ms);
        return Err(LabError::value(Factor::FailAt, problem));
    }
    let (subtasks, channels) = (settings.subtasks(), settings.channels());
    if subtasks > SUBTASKS_MAX || channels > CHANNELS_MAX {
        let problem = format!(
            "{subtasks} subtasks with {channels} channels, expected at most {SUBTASKS_MAX} and {CHANNELS_MAX}"
        );
        return Err(LabError::value(Factor::Parallelism, problem));
    }
    affordable(settings)
}

/// No rate is beyond what the cores allow, and no run is endless.
fn affordable(settings: &Settings) -> Result<(), LabError> {
    let record_ns = settings.record_ns();
    let cores = settings.cluster.cores_milli as f64 / 1e3 * f64::from(settings.cluster.workers);
    let most = cores * 1e9 / record_ns.max(1e-3);
    let rate = match settings.job.rate {
        Rate::PerSecond(rate) if rate as f64 > most => {
            let problem = format!(
                "{rate} records a second, and at {record_ns:.0} ns of a core each {cores:.2} cores take {most:.0} \
                 at most"
            );
            return Err(LabError::value(Factor::Rate, problem));
        }
        Rate::PerSecond(rate) => rate as f64,
        Rate::Closed | Rate::Load(_) => most,
    };
    let steps = Steps::of(settings, rate);
    let processors = 2.0 * f64::from(settings.cluster.workers) + 1.0;
    // Every step looks for the machine that is done first.
    let each = 1.0 + processors / 100.0;
    if steps.sum() * each <= STEPS_MAX {
        return Ok(());
    }
    let problem = format!(
        "about {:.0} steps ({:.0} of batches, {:.0} of checkpoints, {:.0} of debloating) on {processors} \
         machines and disks, expected what {STEPS_MAX:.0} on few of them take: {}",
        steps.sum(),
        steps.batches,
        steps.checkpoints,
        steps.debloats,
        steps.remedy()
    );
    Err(LabError::value(steps.factor(), problem))
}

/// What a run will have to do, at most.
#[derive(Clone, Copy, Debug)]
struct Steps {
    batches: f64,
    checkpoints: f64,
    debloats: f64,
}

impl Steps {
    fn of(settings: &Settings, rate: f64) -> Self {
        let ms = (settings.warm_up_ms.saturating_add(settings.measure_ms)) as f64;
        let (subtasks, channels) = (settings.subtasks() as f64, settings.channels() as f64);
        let batches = rate * ms / 1e3 / f64::from(settings.batch_records());
        let triggered = match settings.interval_ms() {
            0 => 0.0,
            interval_ms => ms / interval_ms as f64,
        };
        // A barrier a channel; trigger, freeze, sync, two parts of an upload, acknowledgement and notification of each
        // subtask.
        let checkpoint = 2.0 * channels + 8.0 * subtasks;
        let debloats = settings.buffers.debloat_ms.map_or(0.0, |_| ms / 200.0 * channels);
        // What is known of all subtasks is carried by each, and merged.
        let carried = match settings.independent {
            Some(independent) if independent.scheme == Scheme::Hmnr => 1.0 + subtasks / 50.0,
            Some(_) | None => 1.0,
        };
        let batches = 2.0 * batches * settings.operators() as f64 * settings.rounds() * carried;
        let own = settings.independent.map_or(0.0, |independent| {
            triggered
                * Self::own(independent.scheme, subtasks, channels, batches / triggered.max(1.0))
        });
        Self { batches, checkpoints: triggered * checkpoint + own, debloats }
    }

    /// What one interval of checkpoints that nobody coordinates holds until the end, since a failure may go back to
    /// any of them: what passed every channel and, with it, what a subtask knows of all. One checkpoint forces at most
    /// one of each other subtask, and no more than there are batches to do so.
    fn own(scheme: Scheme, subtasks: f64, channels: f64, batches: f64) -> f64 {
        let forced = match scheme {
            Scheme::Uncoordinated => 0.0,
            Scheme::Bcs | Scheme::Hmnr => (subtasks * (subtasks - 1.0)).min(batches),
        };
        let knows = if scheme == Scheme::Hmnr { subtasks } else { 1.0 };
        let each = 8.0 + (2.0 * channels / subtasks + knows) / COPIED;
        (subtasks + forced) * each
    }

    fn sum(&self) -> f64 {
        self.batches + self.checkpoints + self.debloats
    }

    /// What most of them are for.
    fn factor(&self) -> Factor {
        if self.batches >= self.checkpoints.max(self.debloats) {
            Factor::Quantum
        } else if self.checkpoints >= self.debloats {
            Factor::Interval
        } else {
            Factor::Debloat
        }
    }

    fn remedy(&self) -> &'static str {
        if self.factor() == Factor::Quantum {
            "more records a batch, or less time"
        } else if self.factor() == Factor::Interval {
            "fewer checkpoints, fewer subtasks, or less time"
        } else {
            "no debloating, fewer subtasks, or less time"
        }
    }
}
