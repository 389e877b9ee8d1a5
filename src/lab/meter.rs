//! Measures a run while it happens: histograms and sums, no record.

mod checkpoints;
mod recovering;

use checkpoints::Checkpoints;
use hdrhistogram::Histogram;
use recovering::Recovering;

use super::report::{ChannelFact, Quantiles, Report, Slice};
use super::run::Batch;
use super::settings::Settings;
use super::subtask::Subtask;
use super::world::Facts;
use crate::protocol::{AbortReason, CheckpointId};

/// A run that is no farther behind than this has done what came: later, at most, than is worth a word.
const BEHIND_MS: f64 = 100.0;

/// Significant digits of quantiles.
const DIGITS: u8 = 3;

/// The longest duration that quantiles tell from a longer one, in microseconds: three hours.
const LONGEST_US: u64 = 3 * 3_600 * 1_000_000;

/// What is measured.
pub(super) struct Meter {
    /// Measured from here, in nanoseconds.
    from: u64,
    until: u64,
    records: u64,
    /// Records that have left the job, those of which a restart knows nothing not counted.
    left: u64,
    /// The most that have ever: as long as there are fewer, what leaves has left before.
    left_most: u64,
    latency: Histogram<u64>,
    /// The slice of time under way.
    slice: Slicing,
    slices: Vec<Slice>,
    checkpoints: Checkpoints,
    background_bytes: u64,
    /// By channel, at the end of each slice.
    channels: Vec<ChannelFact>,
    recovering: Option<Recovering>,
}

/// What a snapshot uploads, and the bytes that its subtask has processed by then, in all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Persisting {
    pub(super) state: u64,
    pub(super) in_flight: u64,
    pub(super) processed: u64,
}

struct Slicing {
    from: u64,
    records: u64,
    latency: Histogram<u64>,
}

impl Meter {
    pub(super) fn new(
        settings: &Settings,
        from: u64,
        until: u64,
        subtasks: &[Subtask],
        channels: usize,
    ) -> Self {
        let name = |index: usize| {
            let parallelism = usize::from(settings.job.parallelism);
            (small(index / parallelism), small(index % parallelism))
        };
        let mut facts = vec![ChannelFact::default(); channels];
        for (index, subtask) in subtasks.iter().enumerate() {
            subtask.inputs.iter().for_each(|channel| facts[*channel].to = name(index));
            subtask.outputs.iter().for_each(|channel| facts[*channel].from = name(index));
        }
        let names = (0..subtasks.len()).map(name).collect();
        Self {
            from,
            until,
            records: 0,
            left: 0,
            left_most: 0,
            latency: histogram(),
            slice: Slicing { from: 0, records: 0, latency: histogram() },
            slices: Vec::new(),
            checkpoints: Checkpoints::new(from, names),
            background_bytes: 0,
            channels: facts,
            recovering: None,
        }
    }

    /// So much of a time lies in what is measured.
    pub(super) fn within(&self, since: u64, now: u64) -> u64 {
        now.saturating_sub(since.max(self.from))
    }

    // ---- records

    /// A source reads a batch.
    pub(super) fn handle_read(&mut self, now: u64, due: u64, records: u64) {
        if let Some(recovering) = &mut self.recovering {
            recovering.handle_read(now, due, records);
        }
    }

    /// A batch leaves the job. What left before a restart and leaves again is no more work done: it counts once, and
    /// its latency is that of the first time.
    pub(super) fn handle_output(&mut self, now: u64, batch: Batch) {
        let us = now.saturating_sub(batch.due) / 1_000;
        self.left += u64::from(batch.records);
        let records = self.left.saturating_sub(self.left_most).min(u64::from(batch.records));
        self.left_most = self.left_most.max(self.left);
        self.slice.records += records;
        self.slice.latency.saturating_record_n(us.max(1), records);
        if now >= self.from {
            self.records += records;
            self.latency.saturating_record_n(us.max(1), records);
        }
    }

    /// The next slice of time begins.
    pub(super) fn handle_look(&mut self, now: u64, queued: impl Iterator<Item = u64>) {
        for (fact, bytes) in self.channels.iter_mut().zip(queued) {
            fact.queued_bytes.push(bytes);
        }
        let length = now.saturating_sub(self.slice.from).max(1);
        self.slices.push(Slice {
            from_ms: ms(self.slice.from),
            length_ms: ms(length),
            records_per_second: self.slice.records as f64 * 1e9 / length as f64,
            latency: quantiles(&self.slice.latency),
        });
        self.slice.from = now;
        self.slice.records = 0;
        self.slice.latency.reset();
    }

    pub(super) fn handle_blocked(&mut self, channel: usize, ns: u64) {
        self.channels[channel].blocked_ms = ms(ns);
    }

    // ---- checkpoints

    pub(super) fn handle_triggered(&mut self, now: u64, checkpoint: CheckpointId) {
        self.checkpoints.handle_triggered(now, checkpoint);
    }

    /// A subtask takes a checkpoint by itself.
    pub(super) fn handle_own(&mut self, now: u64, subtask: usize, checkpoint: CheckpointId) {
        self.checkpoints.handle_own(now, subtask, checkpoint);
    }

    /// One of those was forced by a message.
    pub(super) fn handle_forced(&mut self, now: u64) {
        self.checkpoints.handle_forced(now);
    }

    /// A barrier comes to a subtask that has processed so many bytes: the first one counts.
    pub(super) fn handle_barrier(
        &mut self,
        now: u64,
        subtask: usize,
        checkpoint: CheckpointId,
        processed: u64,
    ) {
        self.checkpoints.at(subtask, checkpoint, |times| {
            times.barrier.get_or_insert(now);
            times.processed_before.get_or_insert(processed);
        });
    }

    pub(super) fn handle_cut(&mut self, now: u64, subtask: usize, checkpoint: CheckpointId) {
        self.checkpoints.at(subtask, checkpoint, |times| times.cut = Some(now));
    }

    pub(super) fn handle_freezing(&mut self, now: u64, subtask: usize, checkpoint: CheckpointId) {
        self.checkpoints.at(subtask, checkpoint, |times| times.freezing = Some(now));
    }

    pub(super) fn handle_frozen(&mut self, now: u64, subtask: usize, checkpoint: CheckpointId) {
        self.checkpoints.at(subtask, checkpoint, |times| times.frozen = Some(now));
    }

    pub(super) fn handle_persisting(
        &mut self,
        subtask: usize,
        checkpoint: CheckpointId,
        bytes: Persisting,
    ) {
        self.checkpoints.at(subtask, checkpoint, |times| {
            times.state_bytes = bytes.state;
            times.in_flight_bytes = bytes.in_flight;
            let before = times.processed_before.unwrap_or(bytes.processed);
            times.processed_bytes = bytes.processed.saturating_sub(before);
        });
    }

    pub(super) fn handle_durable(&mut self, now: u64, subtask: usize, checkpoint: CheckpointId) {
        self.checkpoints.at(subtask, checkpoint, |times| times.durable = Some(now));
    }

    pub(super) fn handle_completed(&mut self, now: u64, checkpoint: CheckpointId) {
        self.checkpoints.handle_ended(now, checkpoint, None);
    }

    pub(super) fn handle_aborted(
        &mut self,
        now: u64,
        checkpoint: CheckpointId,
        reason: AbortReason,
    ) {
        self.checkpoints.handle_ended(now, checkpoint, Some(reason));
    }

    /// Something was uploaded although no checkpoint asked for it.
    pub(super) fn handle_uploaded(&mut self, now: u64, bytes: u64) {
        if now >= self.from {
            self.background_bytes += bytes;
        }
    }

    // ---- a failure

    pub(super) fn handle_failed(&mut self, now: u64, read: u64) {
        self.recovering = Some(Recovering::new(now, read));
    }

    /// A line of checkpoints that nobody coordinated was found: what it leaves behind.
    pub(super) fn handle_line(&mut self, discarded_percent: f64, anew_percent: f64) {
        if let Some(recovering) = &mut self.recovering {
            recovering.discarded_percent = discarded_percent;
            recovering.anew_percent = anew_percent;
        }
    }

    pub(super) fn handle_detected(&mut self, now: u64) {
        if let Some(recovering) = &mut self.recovering {
            recovering.detected = Some(now);
        }
    }

    pub(super) fn handle_deployed(&mut self, now: u64) {
        if let Some(recovering) = &mut self.recovering {
            recovering.deployed = Some(now);
        }
    }

    /// All run again, with so many records read, and so many that have left the job.
    pub(super) fn handle_restored(&mut self, now: u64, read: u64, left: u64) {
        self.left = left;
        if let Some(recovering) = &mut self.recovering {
            recovering.handle_restored(now, read);
        }
    }

    /// What was measured, at the end.
    pub(super) fn report(self, settings: &Settings, facts: &Facts) -> Report {
        let measured = self.until.saturating_sub(self.from).max(1);
        let channels = self.channels.len().max(1) as f64;
        let blocked: f64 = self.channels.iter().map(|channel| channel.blocked_ms).sum();
        let mut report = Report {
            records_per_second: self.records as f64 * 1e9 / measured as f64,
            latency: quantiles(&self.latency),
            background_bytes: self.background_bytes,
            stored_bytes: facts.stored_bytes,
            cores: facts.used_ns as f64 / measured as f64,
            blocked_percent: blocked / channels / ms(measured) * 100.0,
            behind_ms: ms(facts.behind_ns),
            recovery: self.recovering.map(|recovering| recovering.report(self.until)),
            slices: self.slices,
            channels: self.channels,
            quantum: settings.batch_records(),
            batches: facts.batches,
            ..Report::default()
        };
        self.checkpoints.report(&mut report);
        if settings.interval_ms() > 0 && report.completed == 0 {
            report.notes.push("no checkpoint completes".to_owned());
        }
        if report.behind_ms > BEHIND_MS {
            report.notes.push(format!("{:.1} s behind at the end", report.behind_ms / 1e3));
        }
        report
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("three digits are allowed")
}

/// Of a histogram of microseconds.
fn quantiles(histogram: &Histogram<u64>) -> Quantiles {
    if histogram.is_empty() {
        return Quantiles::default();
    }
    let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1e3;
    let max = histogram.max() as f64 / 1e3;
    Quantiles { p50: at(0.5), p90: at(0.9), p99: at(0.99), p999: at(0.999), max }
}

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

fn small(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
