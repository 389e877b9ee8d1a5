//! A subtask of the laboratory: the shipped protocol, a thread that costs, and no records.

use std::collections::VecDeque;

use super::autonomy::Autonomy;
use super::backend::{Backend, Background};
use super::run::Batch;
use super::settings::{Rate, Settings, Shape};
use crate::protocol::{
    Barrier, Captured, CheckpointId, DefectSet, LoopPlace, OperatorRole, Protocol, SubtaskProtocol,
};

/// One subtask.
#[derive(Clone, Debug)]
pub(super) struct Subtask {
    pub(super) protocol: SubtaskProtocol<Batch>,
    pub(super) operator: usize,
    pub(super) worker: usize,
    /// Channels into it, in the order of its gate.
    pub(super) inputs: Vec<usize>,
    /// Channels out of it.
    pub(super) outputs: Vec<usize>,
    spread: Spread,
    place: LoopPlace,
    pub(super) thread: Thread,
    /// Barriers whose turn comes when the thread is free.
    pub(super) mail: VecDeque<Barrier>,
    pub(super) backend: Option<Backend>,
    /// What a record costs, its state apart, in nanoseconds.
    pub(super) record_ns: f64,
    /// What the thread owes for small things; paid with its next work, in nanoseconds.
    pub(super) owed_ns: f64,
    pub(super) source: Option<Source>,
    /// Records that left the job here, where nothing is behind it.
    pub(super) left: u64,
    /// What snapshots hold of it.
    left_at: Positions,
    /// What was in flight at the snapshots that a restart may begin with.
    in_flight: VecDeque<(CheckpointId, Box<Captured<Batch>>)>,
    /// Snapshots being written: how many of their two parts, cores and store, are under way.
    pub(super) uploads: Vec<(CheckpointId, u8, f64)>,
    /// What the state backend does beside the thread, and how many of its two parts, cores and disk, are under way.
    pub(super) background: Vec<(Background, u8)>,
    /// What the thread waits for after a freeze: bytes to be written, and syncs.
    pub(super) unwritten_bytes: f64,
    pub(super) syncs: u32,
    /// What it counts and holds where nobody coordinates checkpoints.
    pub(super) autonomy: Option<Autonomy>,
    /// At the end of a loop: how much of what comes goes round again.
    back: Option<Back>,
    /// Bytes processed, in all.
    pub(super) processed_bytes: u64,
    /// How many of them when gates were sized last.
    pub(super) sized_bytes: u64,
}

/// What the thread of a subtask does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thread {
    /// Nothing.
    Idle,
    /// A source makes a batch.
    Reading(Batch),
    /// A batch of an input is processed.
    Processing(usize, Batch),
    /// The synchronous part of a snapshot.
    Freezing(CheckpointId),
    /// Waits for the disk, in the synchronous part of a snapshot.
    Syncing(CheckpointId),
    /// Waits for its state backend to compact, and then goes on.
    Stalled,
}

/// What a source knows.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Records read so far: the position.
    pub(super) read: u64,
    /// Records a second that come, if they come by themselves.
    rate: Option<u64>,
    /// What snapshots hold of it.
    positions: Positions,
    /// Whether a wake-up for the next batch is under way.
    pub(super) waits: bool,
}

/// The counts that snapshots hold, oldest first, as far as they may be asked for.
#[derive(Clone, Debug, Default)]
struct Positions(VecDeque<(CheckpointId, u64)>);

impl Positions {
    /// How many snapshots are remembered.
    const MAX: usize = 64;

    fn add(&mut self, checkpoint: CheckpointId, position: u64) {
        self.0.push_back((checkpoint, position));
        if self.0.len() > Self::MAX {
            self.0.pop_front();
        }
    }

    /// What the snapshot of `checkpoint` holds; at the beginning it is 0.
    fn of(&self, checkpoint: Option<CheckpointId>) -> u64 {
        let position = |wanted| self.0.iter().find(|(held, _)| *held == wanted);
        checkpoint.and_then(position).map_or(0, |(_, position)| *position)
    }
}

impl Source {
    fn new(settings: &Settings) -> Self {
        let subtasks = u64::from(settings.job.parallelism) * settings.sources() as u64;
        let rate = match settings.job.rate {
            Rate::Closed | Rate::Load(_) => None,
            Rate::PerSecond(rate) => Some((rate / subtasks).max(1)),
        };
        Self { read: 0, rate, positions: Positions::default(), waits: false }
    }

    /// When the record at this position comes, in nanoseconds; none: as soon as it is wanted.
    pub(super) fn due(&self, position: u64) -> Option<u64> {
        let due = u128::from(position) * 1_000_000_000 / u128::from(self.rate?);
        Some(u64::try_from(due).unwrap_or(u64::MAX))
    }
}

impl Subtask {
    /// A subtask of this operator.
    pub(super) fn new(settings: &Settings, operator: usize, index: usize) -> Self {
        let is_source = operator < settings.sources();
        let protocol = settings.checkpoints.protocol;
        Self {
            protocol: protocol_of(protocol, is_source, 0, LoopPlace::default()),
            place: LoopPlace::default(),
            operator,
            worker: index % usize::from(settings.cluster.workers),
            inputs: Vec::new(),
            outputs: Vec::new(),
            spread: Spread::default(),
            thread: Thread::Idle,
            mail: VecDeque::new(),
            backend: (!is_source).then(|| backend_of(settings)),
            record_ns: record_ns(settings, operator),
            owed_ns: 0.0,
            source: is_source.then(|| Source::new(settings)),
            left: 0,
            left_at: Positions::default(),
            in_flight: VecDeque::new(),
            uploads: Vec::new(),
            background: Vec::new(),
            unwritten_bytes: 0.0,
            syncs: 0,
            autonomy: None,
            back: None,
            processed_bytes: 0,
            sized_bytes: 0,
        }
    }

    /// All channels are known; `back` are its inputs that lead back.
    pub(super) fn connected(self, settings: &Settings, index: usize, back: Vec<bool>) -> Self {
        let spread = Spread::new(self.outputs.len(), settings.job.skew_permille, index);
        let (inputs, outputs) = (self.inputs.len(), self.outputs.len());
        let of = (index, settings.subtasks());
        let autonomy = settings
            .independent
            .map(|independent| Autonomy::new(independent.scheme, of, inputs, outputs));
        let place = match settings.job.shape {
            Shape::Loop if self.source.is_none() => {
                let enters = back.iter().map(|back| !back && self.operator == settings.sources());
                LoopPlace::on_loop(back.clone(), enters.collect())
            }
            Shape::Loop | Shape::Chain | Shape::Join => LoopPlace::default(),
        };
        let is_end = self.operator + 1 == settings.operators();
        let back = (is_end && settings.job.shape == Shape::Loop)
            .then_some(Back { permille: settings.job.back_permille, owed: 0 });
        let protocol = protocol_of(
            settings.checkpoints.protocol,
            self.source.is_some(),
            inputs,
            place.clone(),
        );
        Self { protocol, place, spread, autonomy, back, ..self }
    }

    /// What it has read, or what has left the job here, belongs to the snapshot of `checkpoint`.
    pub(super) fn handle_snapshot(&mut self, checkpoint: CheckpointId) {
        self.left_at.add(checkpoint, self.left);
        if let Some(source) = &mut self.source {
            source.positions.add(checkpoint, source.read);
        }
    }

    /// This was in flight when the snapshot of `checkpoint` was taken.
    pub(super) fn handle_captured(
        &mut self,
        checkpoint: CheckpointId,
        captured: Box<Captured<Batch>>,
    ) {
        self.in_flight.push_back((checkpoint, captured));
    }

    /// No restart begins with an older checkpoint than this.
    pub(super) fn forget_before(&mut self, checkpoint: CheckpointId) {
        self.in_flight.retain(|(held, _)| *held >= checkpoint);
    }

    /// No restart begins with this one.
    pub(super) fn forget(&mut self, checkpoint: CheckpointId) {
        self.in_flight.retain(|(held, _)| *held != checkpoint);
    }

    /// What was in flight at the snapshot of `checkpoint`.
    pub(super) fn take_in_flight(
        &mut self,
        checkpoint: Option<CheckpointId>,
    ) -> Option<Box<Captured<Batch>>> {
        let held = std::mem::take(&mut self.in_flight);
        held.into_iter().find(|(held, _)| Some(*held) == checkpoint).map(|(_, captured)| captured)
    }

    /// Starts again from its snapshot of `checkpoint`, or from nothing.
    pub(super) fn restart(&mut self, settings: &Settings, checkpoint: Option<CheckpointId>) {
        self.begin_anew(settings);
        self.protocol.handle_restored(checkpoint);
        self.left = self.left_at.of(checkpoint);
        if let Some(source) = &mut self.source {
            source.read = source.positions.of(checkpoint);
        }
    }

    /// Starts again from the one of its own checkpoints that is at `place`.
    pub(super) fn restart_alone(&mut self, settings: &Settings, place: usize) {
        self.begin_anew(settings);
        let Some(autonomy) = &mut self.autonomy else { return };
        let held = autonomy.restart(place);
        self.left = held.left;
        if let Some(source) = &mut self.source {
            source.read = held.read;
        }
    }

    fn begin_anew(&mut self, settings: &Settings) {
        let (protocol, place) = (settings.checkpoints.protocol, self.place.clone());
        self.protocol = protocol_of(protocol, self.source.is_some(), self.inputs.len(), place);
        self.thread = Thread::Idle;
        self.mail.clear();
        self.uploads.clear();
        self.background.clear();
        self.owed_ns = 0.0;
        if self.backend.is_some() {
            self.backend = Some(backend_of(settings));
        }
        if let Some(source) = &mut self.source {
            source.waits = false;
        }
    }

    /// Which of its outputs the next batch goes into, if it does not leave the job.
    pub(super) fn next_output(&mut self) -> Option<usize> {
        let goes_on = self.back.as_mut().is_none_or(Back::is_next);
        if goes_on { self.spread.next() } else { None }
    }

    /// Whether the thread can begin something.
    pub(super) fn is_free(&self) -> bool {
        self.thread == Thread::Idle
    }
}

fn protocol_of(
    protocol: Protocol,
    is_source: bool,
    inputs: usize,
    place: LoopPlace,
) -> SubtaskProtocol<Batch> {
    let role = if is_source { OperatorRole::Source } else { OperatorRole::Operator };
    SubtaskProtocol::new(role, inputs, protocol, place, DefectSet::NONE)
}

/// So many thousandths of what reaches the end of a loop go round again, as evenly as can be.
#[derive(Clone, Copy, Debug)]
struct Back {
    permille: u64,
    owed: u64,
}

impl Back {
    fn is_next(&mut self) -> bool {
        self.owed += self.permille;
        let is_next = self.owed >= 1_000;
        if is_next {
            self.owed -= 1_000;
        }
        is_next
    }
}

fn backend_of(settings: &Settings) -> Backend {
    let stateful = (settings.operators() - settings.sources()).max(1) as f64;
    let keys = settings.job.keys as f64 / stateful / f64::from(settings.job.parallelism);
    let entry_bytes = settings.engine.entry_bytes(settings.job.payload_bytes);
    let (cost, dirty) = (&settings.engine.state, settings.job.dirty_permille);
    Backend::new(cost, settings.access_ns(), entry_bytes, keys, dirty)
}

/// Without the state, which the backend charges for.
fn record_ns(settings: &Settings, operator: usize) -> f64 {
    if operator < settings.sources() {
        return settings.source_ns();
    }
    let is_last = operator + 1 == settings.operators();
    let task = &settings.engine.task;
    let written = f64::from(settings.job.record_bytes) * task.byte_ns;
    let more = if is_last { settings.job.sink_ns as f64 } else { written };
    task.record_ns + written + more
}

/// Which output the next batch goes to: each as often as its weight says, as evenly as can be.
#[derive(Clone, Debug, Default)]
struct Spread {
    weights: Vec<f64>,
    /// How much each is behind.
    owed: Vec<f64>,
}

impl Spread {
    /// So many outputs, of which the first gets so many thousandths beside its even share of the rest; beginning
    /// at another one for each sender.
    fn new(outputs: usize, skew_permille: u64, first: usize) -> Self {
        let skew = skew_permille as f64 / 1e3;
        let even = (1.0 - skew) / outputs.max(1) as f64;
        let weight = |output: usize| if output == 0 { even + skew } else { even };
        let owed = (0..outputs).map(|output| {
            let turn = (output + outputs - first % outputs.max(1)) % outputs;
            -(turn as f64) / (outputs * outputs) as f64
        });
        Self { weights: (0..outputs).map(weight).collect(), owed: owed.collect() }
    }

    fn next(&mut self) -> Option<usize> {
        let mut best = 0;
        for (output, weight) in self.weights.iter().enumerate() {
            self.owed[output] += weight;
            if self.owed[output] > self.owed[best] {
                best = output;
            }
        }
        *self.owed.get_mut(best)? -= 1.0;
        Some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(outputs: usize, skew_permille: u64) -> Vec<usize> {
        let mut spread = Spread::new(outputs, skew_permille, 1);
        let mut counts = vec![0; outputs];
        for _ in 0..1_000 {
            counts[spread.next().expect("there are outputs")] += 1;
        }
        counts
    }

    #[test]
    fn batches_are_dealt_by_weight() {
        assert_eq!(counts(4, 0), [250; 4]);
        let skewed = counts(4, 200);
        assert!(skewed[0].abs_diff(400) <= 1 && skewed[3].abs_diff(200) <= 1, "{skewed:?}");
    }

    #[test]
    fn senders_begin_with_different_outputs() {
        let first = |sender| Spread::new(3, 0, sender).next();
        assert_eq!([first(0), first(1), first(2), first(3)], [Some(0), Some(1), Some(2), Some(0)]);
    }
}
