//! Measures checkpoints: the parts of each snapshot, what was uploaded, how they ended.

use hdrhistogram::Histogram;

use super::{histogram, ms, quantiles};
use crate::lab::report::{CheckpointFact, Parts, Report, SubtaskFact};
use crate::protocol::ordered::VecMap;
use crate::protocol::{AbortReason, CheckpointId};

/// So many checkpoints are kept one by one; all are counted.
const CHECKPOINTS_MAX: usize = 1_000;

/// So many snapshots are kept one by one.
const SNAPSHOTS_MAX: usize = 4_000;

/// When what happened in one subtask for one checkpoint, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Times {
    pub(super) barrier: Option<u64>,
    pub(super) cut: Option<u64>,
    pub(super) freezing: Option<u64>,
    pub(super) frozen: Option<u64>,
    pub(super) durable: Option<u64>,
    pub(super) state_bytes: u64,
    pub(super) in_flight_bytes: u64,
    /// Bytes that the subtask had processed when the first barrier came, in all.
    pub(super) processed_before: Option<u64>,
    /// Bytes processed from there until the last one.
    pub(super) processed_bytes: u64,
}

struct Pending {
    triggered: u64,
    /// The first of the subtasks that take part: all do, or a single one.
    first: usize,
    subtasks: Vec<Times>,
}

/// All of them.
pub(super) struct Checkpoints {
    from: u64,
    /// Operator and number of each subtask.
    names: Vec<(u32, u32)>,
    pending: VecMap<CheckpointId, Pending>,
    facts: Vec<CheckpointFact>,
    snapshots: Vec<SubtaskFact>,
    duration: Histogram<u64>,
    completed: u64,
    aborted: Vec<(AbortReason, u64)>,
    state_bytes: u64,
    in_flight_bytes: u64,
    parts: Parts,
    measured_snapshots: u64,
    first_trigger: Option<u64>,
    last_trigger: u64,
    triggers: u64,
    forced: u64,
}

impl Checkpoints {
    pub(super) fn new(from: u64, names: Vec<(u32, u32)>) -> Self {
        Self {
            from,
            names,
            pending: VecMap::new(),
            facts: Vec::new(),
            snapshots: Vec::new(),
            duration: histogram(),
            completed: 0,
            aborted: Vec::new(),
            state_bytes: 0,
            in_flight_bytes: 0,
            parts: Parts::default(),
            measured_snapshots: 0,
            first_trigger: None,
            last_trigger: 0,
            triggers: 0,
            forced: 0,
        }
    }

    pub(super) fn handle_triggered(&mut self, now: u64, checkpoint: CheckpointId) {
        if now >= self.from {
            self.first_trigger.get_or_insert(now);
            self.last_trigger = now;
            self.triggers += 1;
        }
        let subtasks = vec![Times::default(); self.names.len()];
        self.pending.insert(checkpoint, Pending { triggered: now, first: 0, subtasks });
    }

    /// A subtask takes one by itself.
    pub(super) fn handle_own(&mut self, now: u64, subtask: usize, checkpoint: CheckpointId) {
        let subtasks = vec![Times::default()];
        self.pending.insert(checkpoint, Pending { triggered: now, first: subtask, subtasks });
    }

    /// One of those was forced by a message.
    pub(super) fn handle_forced(&mut self, now: u64) {
        self.forced += u64::from(now >= self.from);
    }

    /// Something happened in a subtask.
    pub(super) fn at(
        &mut self,
        subtask: usize,
        checkpoint: CheckpointId,
        note: impl FnOnce(&mut Times),
    ) {
        if let Some(pending) = self.pending.get_mut(&checkpoint) {
            note(&mut pending.subtasks[subtask - pending.first]);
        }
    }

    /// A checkpoint completed, or was aborted for a reason.
    pub(super) fn handle_ended(
        &mut self,
        now: u64,
        checkpoint: CheckpointId,
        aborted: Option<AbortReason>,
    ) {
        let Some(pending) = self.pending.remove(&checkpoint) else { return };
        let state: u64 = pending.subtasks.iter().map(|times| times.state_bytes).sum();
        let in_flight: u64 = pending.subtasks.iter().map(|times| times.in_flight_bytes).sum();
        let processed: u64 = pending.subtasks.iter().map(|times| times.processed_bytes).sum();
        if self.facts.len() < CHECKPOINTS_MAX {
            self.facts.push(CheckpointFact {
                checkpoint: checkpoint.0,
                start_ms: ms(pending.triggered),
                end_ms: ms(now),
                status: aborted.map_or("completed", Into::into).to_owned(),
                checkpointed_bytes: state,
                in_flight_bytes: in_flight,
                processed_bytes: processed,
            });
        }
        if pending.triggered < self.from {
            return;
        }
        match aborted {
            Some(reason) => self.count(reason),
            None => {
                self.completed += 1;
                self.duration.saturating_record((now - pending.triggered) / 1_000);
                self.state_bytes += state;
                self.in_flight_bytes += in_flight;
                self.add_snapshots(checkpoint, &pending);
            }
        }
    }

    fn count(&mut self, reason: AbortReason) {
        match self.aborted.iter_mut().find(|(counted, _)| *counted == reason) {
            Some((_, count)) => *count += 1,
            None => self.aborted.push((reason, 1)),
        }
    }

    fn add_snapshots(&mut self, checkpoint: CheckpointId, pending: &Pending) {
        for (times, (operator, subtask)) in
            pending.subtasks.iter().zip(&self.names[pending.first..])
        {
            let parts = parts_of(pending.triggered, times);
            self.measured_snapshots += 1;
            self.parts.start_delay += parts.start_delay;
            self.parts.alignment += parts.alignment;
            self.parts.sync += parts.sync;
            self.parts.asynchronous += parts.asynchronous;
            if self.snapshots.len() < SNAPSHOTS_MAX {
                self.snapshots.push(SubtaskFact {
                    checkpoint: checkpoint.0,
                    operator: *operator,
                    subtask: *subtask,
                    parts,
                    checkpointed_bytes: times.state_bytes,
                    in_flight_bytes: times.in_flight_bytes,
                    processed_bytes: times.processed_bytes,
                });
            }
        }
    }

    pub(super) fn report(self, report: &mut Report) {
        let completed = self.completed.max(1) as f64;
        let snapshots = self.measured_snapshots.max(1) as f64;
        report.completed = self.completed;
        report.forced = self.forced;
        report.aborted = self.aborted.iter().map(|(_, count)| count).sum();
        let reasons = self.aborted.into_iter().map(|(reason, count)| (reason.to_string(), count));
        report.abort_reasons = reasons.collect();
        report.duration = quantiles(&self.duration);
        report.checkpointed_bytes = self.state_bytes as f64 / completed;
        report.in_flight_bytes = self.in_flight_bytes as f64 / completed;
        report.parts = Parts {
            start_delay: self.parts.start_delay / snapshots,
            alignment: self.parts.alignment / snapshots,
            sync: self.parts.sync / snapshots,
            asynchronous: self.parts.asynchronous / snapshots,
        };
        if self.triggers > 1 {
            let passed = self.last_trigger - self.first_trigger.unwrap_or(self.last_trigger);
            report.period_ms = ms(passed) / (self.triggers - 1) as f64;
        }
        report.checkpoints = self.facts;
        report.subtasks = self.snapshots;
    }
}

/// A source has no barrier that arrives, and a subtask with one input no alignment: what is missing took no time.
fn parts_of(triggered: u64, times: &Times) -> Parts {
    let barrier = times.barrier.or(times.cut).or(times.freezing).unwrap_or(triggered);
    let cut = times.cut.or(times.freezing).unwrap_or(barrier);
    let freezing = times.freezing.unwrap_or(cut);
    let frozen = times.frozen.unwrap_or(freezing);
    let durable = times.durable.unwrap_or(frozen);
    let passed = |from: u64, to: u64| ms(to.saturating_sub(from));
    Parts {
        start_delay: passed(triggered, barrier),
        alignment: passed(barrier, cut),
        sync: passed(freezing, frozen),
        asynchronous: passed(frozen, durable),
    }
}
