//! Checkpoints that nobody coordinates: each subtask takes its own, logs what it receives, and is forced to by what
//! messages carry. After a failure the newest line of them is restored, and what was on its way is replayed.
//!
//! After CheckMate (Siachamis et al., ICDE 2024): uncoordinated, and induced by communication (HMNR). A batch is one
//! message here.

use super::super::autonomy::Traffic;
use super::super::run::Batch;
use super::super::store::mixed;
use super::super::subtask::Thread;
use super::{Event, Work, World};
use crate::protocol::independent::{
    Edge, IndependentDefectSet, Lookup, Piggyback, recovery_line_from,
};
use crate::protocol::{CheckpointId, Element};

/// What a failure leaves of checkpoints that nobody coordinates.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnLine {
    /// By subtask, the place of the checkpoint that it goes on from.
    pub(super) places: Vec<usize>,
    /// By channel, what is replayed.
    replayed: Vec<Traffic>,
}

impl World<'_> {
    // ---- taking them

    /// The next one is due an interval after the last, forced ones included, give or take a fifth; the first anywhere
    /// within one.
    pub(super) fn set_own_timer(&mut self, index: usize) {
        let Some(independent) = self.settings.independent else { return };
        let Some(autonomy) = &mut self.subtasks[index].autonomy else { return };
        autonomy.fired += 1;
        let draw = mixed(mixed(self.settings.seed, index as u64), autonomy.fired);
        let interval_ns = independent.interval_ms * 1_000_000;
        let ns = match autonomy.fired {
            1 => draw % interval_ns,
            _ => interval_ns * 4 / 5 + draw % (interval_ns * 2 / 5).max(1),
        };
        let fired = autonomy.fired;
        self.push_after(ns.max(1), Event::OwnTimer { subtask: index, fired });
    }

    /// The timer that was set last counts: a checkpoint sets a new one.
    pub(super) fn handle_own_timer(&mut self, index: usize, fired: u64) {
        let Some(autonomy) = &mut self.subtasks[index].autonomy else { return };
        autonomy.is_due |= autonomy.fired == fired;
        self.go_on(index);
    }

    pub(super) fn begin_own_if_due(&mut self, index: usize) {
        let subtask = &self.subtasks[index];
        if subtask.is_free() && subtask.autonomy.as_ref().is_some_and(|own| own.is_due) {
            self.begin_own(index);
        }
    }

    fn begin_own(&mut self, index: usize) {
        self.own_checkpoints += 1;
        let checkpoint = CheckpointId(self.own_checkpoints);
        let subtask = &mut self.subtasks[index];
        let read = subtask.source.as_ref().map_or(0, |source| source.read);
        let left = subtask.left;
        if let Some(autonomy) = &mut subtask.autonomy {
            autonomy.handle_checkpoint(checkpoint, read, left);
        }
        self.set_own_timer(index);
        self.meter.handle_own(self.now, index, checkpoint);
        self.freeze(index, checkpoint);
    }

    /// Whether the batch that comes next on this input must wait for a checkpoint.
    pub(super) fn is_forced(&self, index: usize, input: usize) -> bool {
        let subtask = &self.subtasks[index];
        let carried = self.channels[subtask.inputs[input]].carried();
        let forces =
            |carried| subtask.autonomy.as_ref().is_some_and(|own| own.is_forced_by(carried));
        carried.is_some_and(forces)
    }

    pub(super) fn begin_forced(&mut self, index: usize, input: usize, batch: Batch) {
        if let Some(autonomy) = &mut self.subtasks[index].autonomy {
            autonomy.waiting = Some((input, batch));
        }
        self.meter.handle_forced(self.now);
        self.begin_own(index);
    }

    /// The thread is done with freezing: the rest is beside it. Whether a batch has waited for that, and is under way.
    pub(super) fn end_own_freeze(&mut self, index: usize, checkpoint: CheckpointId) -> bool {
        let Some(autonomy) = &mut self.subtasks[index].autonomy else { return false };
        let waiting = autonomy.waiting.take();
        self.persist(index, checkpoint, None);
        if let Some((input, batch)) = waiting {
            self.process_now(index, input, batch);
        }
        waiting.is_some()
    }

    /// A checkpoint is written: the coordinator hears of it, for the line it may have to search.
    pub(super) fn own_durable(&mut self, index: usize, checkpoint: CheckpointId) {
        self.subtasks[index].uploads.retain(|(held, ..)| *held != checkpoint);
        if let Some(autonomy) = &mut self.subtasks[index].autonomy {
            autonomy.handle_durable(checkpoint);
        }
        self.meter.handle_durable(self.now, index, checkpoint);
        self.meter.handle_completed(self.now, checkpoint);
        let us = self.settings.engine.coordinator.acknowledge_us;
        let machine = self.coordinator_machine();
        self.processors[machine].start(self.now, (us * 1e3) as u64, Work::Cleanup);
    }

    // ---- messages

    /// A batch is sent: with what it carries it is longer.
    pub(super) fn load(&mut self, index: usize, output: usize, batch: Batch) -> Batch {
        let (channel, cost) =
            (self.subtasks[index].outputs[output], self.settings.engine.independent);
        let to = self.channels[channel].to;
        let Some(autonomy) = &mut self.subtasks[index].autonomy else { return batch };
        let piggyback = autonomy.handle_send(output, to, batch);
        let each = (piggyback.bytes() as f64 * cost.carried_factor) as u64;
        self.channels[channel].carry(piggyback);
        let carried = each * u64::from(batch.records);
        self.subtasks[index].owed_ns += carried as f64 * self.settings.engine.task.byte_ns;
        Batch { bytes: batch.bytes + carried, ..batch }
    }

    /// A batch is taken: it is logged, and what it carried is read and merged.
    pub(super) fn take_in(&mut self, index: usize, input: usize, batch: Batch) {
        let cost = self.settings.engine.independent;
        let plain = u64::from(batch.records) * u64::from(self.settings.job.record_bytes);
        let subtask = &mut self.subtasks[index];
        let Some(autonomy) = &mut subtask.autonomy else { return };
        let carried = self.channels[subtask.inputs[input]].take_carried();
        autonomy.handle_delivery(input, Batch { bytes: plain, ..batch }, carried.as_ref());
        let records = f64::from(batch.records);
        subtask.owed_ns += records * cost.log_record_ns + plain as f64 * cost.log_byte_ns;
        let more = batch.bytes.saturating_sub(plain);
        if more > 0 {
            let merged = records * cost.carried_record_ns;
            subtask.owed_ns += merged + more as f64 * self.settings.engine.task.byte_ns;
        }
        let worker = subtask.worker;
        self.write(worker, plain as f64, Work::Logged);
    }

    // ---- a failure

    /// The newest durable checkpoints that are a consistent cut; what was sent before it and not received is replayed.
    pub(super) fn own_line(&self) -> OwnLine {
        let held = |index: usize, place: usize| {
            self.subtasks[index].autonomy.as_ref().map(|own| own.at(place))
        };
        let sent = |at: Lookup| {
            let output = self.channels[at.channel].output;
            held(at.process, at.checkpoint).map_or_else(Traffic::default, |held| held.sent[output])
        };
        let received = |at: Lookup| {
            let input = self.channels[at.channel].input;
            held(at.process, at.checkpoint)
                .map_or_else(Traffic::default, |held| held.received[input])
        };
        let edge = |channel: &super::Channel| {
            let (from, to) = (channel.from, channel.to);
            let is_local = self.subtasks[from].worker == self.subtasks[to].worker;
            Edge { from, to, is_local }
        };
        let edges: Vec<Edge> = self.channels.iter().map(edge).collect();
        let durable =
            |subtask: &super::Subtask| subtask.autonomy.as_ref().map_or(0, |own| own.durable() - 1);
        let places = recovery_line_from(
            &edges,
            self.subtasks.iter().map(durable).collect(),
            |at| sent(at).batches,
            |at| received(at).batches,
            IndependentDefectSet::NONE,
        );
        let replayed = |(channel, edge): (usize, &Edge)| {
            let of = |process: usize| Lookup { process, checkpoint: places[process], channel };
            sent(of(edge.from)).since(received(of(edge.to)))
        };
        let replayed = edges.iter().enumerate().map(replayed).collect();
        OwnLine { places, replayed }
    }

    /// How long it takes to read what is replayed, in nanoseconds: every channel has a log of its own, and the subtask
    /// with the most to read decides.
    pub(super) fn own_replay_ns(&self, line: &OwnLine) -> u64 {
        let mut own = vec![(0_u64, 0_u32); self.subtasks.len()];
        let replayed = self.channels.iter().zip(&line.replayed);
        for (channel, replayed) in replayed.filter(|(_, replayed)| replayed.batches > 0) {
            let (bytes, logs) = &mut own[channel.to];
            *bytes += replayed.bytes;
            *logs += 1;
        }
        let byte_ns = self.settings.engine.independent.replay_byte_ns;
        let ns = |(bytes, logs): (u64, u32)| {
            let bytes = bytes as f64;
            self.store.read_logs_ns(bytes, logs) + (bytes * byte_ns) as u64
        };
        own.into_iter().map(ns).max().unwrap_or(0)
    }

    /// The share of the checkpoints that were there which the line leaves behind, in per cent, and the share of
    /// subtasks that begin anew.
    pub(super) fn own_losses(&self, line: &OwnLine) -> (f64, f64) {
        let (mut there, mut kept, mut anew) = (0, 0, 0);
        for (subtask, place) in self.subtasks.iter().zip(&line.places) {
            there += subtask.autonomy.as_ref().map_or(0, |own| own.durable() - 1);
            kept += place;
            anew += usize::from(*place == 0);
        }
        let percent = |part: usize, whole: usize| part as f64 * 100.0 / whole.max(1) as f64;
        (percent(there - kept, there), percent(anew, self.subtasks.len()))
    }

    /// All go on from the line, with what was on its way in front of them.
    pub(super) fn restart_alone(&mut self, line: &OwnLine) {
        for (subtask, place) in self.subtasks.iter_mut().zip(&line.places) {
            subtask.restart_alone(self.settings, *place);
        }
        let now = self.now;
        for (channel, replayed) in line.replayed.iter().enumerate() {
            let each = u64::from(self.batch_records);
            for batch in 0..replayed.batches {
                let before = batch * each;
                let records = replayed.records.saturating_sub(before).min(each);
                let bytes = records * u64::from(self.settings.job.record_bytes);
                let records = u32::try_from(records).unwrap_or(u32::MAX);
                // It came before the failure; how long before, no log says.
                let batch = Batch { records, bytes, due: now };
                self.channels[channel].carry(Piggyback::Nothing);
                self.channels[channel].put(Element::Item(batch));
            }
        }
        debug_assert!(self.subtasks.iter().all(|subtask| subtask.thread == Thread::Idle));
    }

    /// What was put in front of all is on its way.
    pub(super) fn send_replayed(&mut self) {
        for channel in 0..self.channels.len() {
            self.send(channel);
        }
    }
}
