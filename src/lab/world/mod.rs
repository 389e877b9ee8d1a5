//! The discrete-event loop: machines, channels, a coordinator, and what passes between them.

mod checkpoints;
mod faults;
#[cfg(test)]
mod held;
mod independent;
mod tasks;

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::backend::Background;
use super::channel::Channel;
use super::coordinator::{Coordinator, attempt};
use super::meter::Meter;
use super::processor::Processor;
use super::run::Batch;
use super::settings::{Settings, Shape};
use super::store::Store;
use super::subtask::{Source, Subtask};
use crate::protocol::{
    Acknowledgement, Barrier, CheckpointId, CoordinatorTimer, DeclineReason, Element, SubtaskId,
    VirtualTime,
};

/// What happens at a time.
#[derive(Clone, Debug)]
enum Event {
    /// An element arrives at the receiver of a channel.
    Arrive { channel: usize, element: Element<Batch> },
    /// The next batch of an open-loop source has come.
    Due { subtask: usize },
    /// A subtask is to take a checkpoint by itself.
    OwnTimer { subtask: usize, fired: u64 },
    /// The time of a barrier in its place is over.
    Overdue { subtask: usize, barrier: Barrier },
    /// A source hears that a checkpoint begins.
    Trigger { subtask: usize, barrier: Barrier },
    /// A subtask hears that a checkpoint completed.
    Completed { subtask: usize, checkpoint: CheckpointId },
    /// A subtask hears that a checkpoint was aborted.
    Aborted { subtask: usize, checkpoint: CheckpointId },
    /// The disk has what a thread waits for.
    Synced { subtask: usize },
    /// The worker's own disk is the store, and takes what a snapshot writes.
    Opened { subtask: usize, checkpoint: CheckpointId, bytes: f64 },
    /// The store has what a snapshot wrote.
    Stored { subtask: usize, checkpoint: CheckpointId },
    /// The coordinator hears of a snapshot.
    Acknowledged(Box<Acknowledgement>),
    /// The coordinator hears that there will be none.
    Declined { checkpoint: CheckpointId, reason: DeclineReason },
    /// The store has the metadata of a checkpoint.
    MetadataStored(CheckpointId),
    /// What the coordinator asked for.
    Timer(CoordinatorTimer),
    /// The meter looks at queues, and begins its next slice of time.
    Look,
    /// Gates are made as large as their subtasks are fast.
    Debloat,
    /// The warm-up is over.
    Warm,
    /// A worker dies.
    Fail,
    /// The coordinator knows.
    Detected,
    /// Subtasks are deployed, and begin to read their state.
    Deployed,
    /// All have their state.
    Restored,
}

/// What runs on the cores of a machine, or is written to its disk.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// The thread of a subtask.
    Thread(usize),
    /// The asynchronous part of a snapshot.
    Persist(usize, CheckpointId),
    /// What a state backend does beside.
    Background(usize, Background),
    /// The coordinator's thread.
    Coordinator,
    /// What the coordinator does beside its thread.
    Cleanup,
    /// What a thread waits for is written.
    Written(usize),
    /// What a snapshot writes to a disk that is the store.
    Stored(usize, CheckpointId),
    /// What was received is written to the log of a subtask.
    Logged,
}

/// A time, an order among those of the same time, and the attempt that the event belongs to.
#[derive(Debug)]
struct Entry {
    at: u64,
    order: u64,
    restarts: u32,
    event: Event,
}

/// How often gates are sized (Flink: `taskmanager.network.memory.buffer-debloat.period`).
const DEBLOAT_PERIOD_NS: u64 = 200_000_000;

/// A disk is shared as cores are, by all that write to it at the same time: it is one, in thousandths.
const WHOLE: u64 = 1_000;

/// How many slices of time the meter divides a run into.
pub(super) const SLICES: u64 = 60;

/// What is known at the end, beside what was measured.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts {
    /// Nanoseconds of cores used in the measured time.
    pub(super) used_ns: u64,
    /// Batches processed in all.
    pub(super) batches: u64,
    /// Bytes that the newest checkpoint holds in the store.
    pub(super) stored_bytes: f64,
    /// For how long the records have waited that are next to be read, in nanoseconds.
    pub(super) behind_ns: u64,
}

/// Everything.
pub(super) struct World<'a> {
    settings: &'a Settings,
    now: u64,
    until: u64,
    events: BinaryHeap<Reverse<Entry>>,
    pushed: u64,
    /// The cores of each worker, then of the coordinator's machine, then the disk of each worker.
    processors: Vec<Processor<Work>>,
    subtasks: Vec<Subtask>,
    channels: Vec<Channel>,
    coordinator: Coordinator,
    store: Store,
    meter: Meter,
    restarts: u32,
    /// Whether the job runs: not between a failure and its repair.
    is_up: bool,
    batch_records: u32,
    batches: u64,
    used_before_ns: u64,
    /// How many checkpoints subtasks have taken by themselves.
    own_checkpoints: u64,
}

impl<'a> World<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        let ms = |ms: u64| ms.saturating_mul(1_000_000);
        let from = settings.measured_from_ns();
        let until = from.saturating_add(ms(settings.measure_ms));
        let (subtasks, channels) = shape(settings);
        let workers = usize::from(settings.cluster.workers);
        let cores = settings.cluster.cores_milli;
        let machines = (0..=workers).map(|_| Processor::new(cores));
        let disks = (0..workers).map(|_| Processor::new(WHOLE));
        let meter = Meter::new(settings, from, until, &subtasks, channels.len());
        let mut world = Self {
            settings,
            now: 0,
            until,
            events: BinaryHeap::new(),
            pushed: 0,
            processors: machines.chain(disks).collect(),
            subtasks,
            channels,
            coordinator: Coordinator::new(settings),
            store: Store::new(settings.store.clone(), settings.seed),
            meter,
            restarts: 0,
            is_up: true,
            batch_records: settings.batch_records(),
            batches: 0,
            used_before_ns: 0,
            own_checkpoints: 0,
        };
        world.push(from, Event::Warm);
        world.push(world.slice_ns(), Event::Look);
        if settings.buffers.debloat_ms.is_some() {
            world.push(DEBLOAT_PERIOD_NS, Event::Debloat);
        }
        if let Some(fail_at_ms) = settings.fail_at_ms {
            world.push(from.saturating_add(ms(fail_at_ms)), Event::Fail);
        }
        world
    }

    /// Runs until the time is over, or `stop` is set: whether the time is over.
    pub(super) fn run(&mut self, stop: &AtomicBool) -> bool {
        self.start_attempt();
        while self.step() {
            if stop.load(Relaxed) {
                return false;
            }
        }
        self.now = self.until;
        true
    }

    pub(super) fn finish(mut self) -> (Meter, Facts) {
        let used_ns = self.used_ns().saturating_sub(self.used_before_ns);
        let backends = self.subtasks.iter().filter_map(|subtask| subtask.backend.as_ref());
        let stored_bytes = backends.map(|backend| backend.stored_bytes()).sum();
        for (index, channel) in self.channels.iter().enumerate() {
            let blocking =
                channel.blocked_since.map_or(0, |since| self.until.saturating_sub(since));
            self.meter.handle_blocked(index, channel.blocked_ns + blocking);
        }
        let sources = self.subtasks.iter().filter_map(|subtask| subtask.source.as_ref());
        let waited = |source: &Source| Some(self.until.saturating_sub(source.due(source.read)?));
        let behind_ns = sources.filter_map(waited).max().unwrap_or(0);
        (self.meter, Facts { used_ns, batches: self.batches, stored_bytes, behind_ns })
    }

    /// Does what comes next, if that is in time.
    fn step(&mut self) -> bool {
        let event_at = self.events.peek().map_or(u64::MAX, |Reverse(entry)| entry.at);
        let ends = self.processors.iter().enumerate();
        let ends = ends.filter_map(|(index, processor)| Some((processor.next_end()?, index)));
        let (work_at, processor) = ends.min().unwrap_or((u64::MAX, 0));
        let at = event_at.min(work_at);
        if at >= self.until {
            return false;
        }
        self.now = at;
        if event_at <= work_at {
            let Some(Reverse(entry)) = self.events.pop() else { return false };
            if entry.restarts == self.restarts || outlives_attempts(&entry.event) {
                self.handle(entry.event);
            }
        } else if let Some(work) = self.processors[processor].finish(at) {
            self.handle_done(work);
        }
        true
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Arrive { channel, element } => self.arrive(channel, element),
            Event::Due { subtask } => self.handle_due(subtask),
            Event::OwnTimer { subtask, fired } => self.handle_own_timer(subtask, fired),
            Event::Overdue { subtask, barrier } => self.handle_overdue(subtask, barrier),
            Event::Trigger { subtask, barrier } => self.handle_trigger(subtask, barrier),
            Event::Completed { subtask, checkpoint } => self.handle_completed(subtask, checkpoint),
            Event::Aborted { subtask, checkpoint } => self.handle_aborted(subtask, checkpoint),
            Event::Synced { subtask } => self.finish_thread(subtask),
            Event::Opened { subtask, checkpoint, bytes } => {
                self.handle_opened(subtask, checkpoint, bytes);
            }
            Event::Stored { subtask, checkpoint } => self.part_durable(subtask, checkpoint),
            Event::Acknowledged(acknowledgement) => self.handle_acknowledged(acknowledgement),
            Event::Declined { checkpoint, reason } => self.handle_declined(checkpoint, reason),
            Event::MetadataStored(checkpoint) => self.handle_metadata(checkpoint),
            Event::Timer(timer) => self.handle_timer(timer),
            Event::Look => self.look(),
            Event::Debloat => self.debloat(),
            Event::Warm => self.used_before_ns = self.used_ns(),
            Event::Fail => self.fail(),
            Event::Detected => self.detected(),
            Event::Deployed => self.deployed(),
            Event::Restored => self.restored(),
        }
    }

    fn handle_done(&mut self, work: Work) {
        match work {
            Work::Thread(subtask) => self.finish_thread(subtask),
            Work::Persist(subtask, checkpoint) => self.part_durable(subtask, checkpoint),
            Work::Background(subtask, done) => self.finish_background(subtask, done),
            Work::Coordinator => self.finish_chore(),
            Work::Cleanup | Work::Logged => {}
            Work::Written(subtask) => self.written(subtask),
            Work::Stored(subtask, checkpoint) => self.part_durable(subtask, checkpoint),
        }
    }

    fn push(&mut self, at: u64, event: Event) {
        self.pushed += 1;
        let (order, restarts) = (self.pushed, self.restarts);
        self.events.push(Reverse(Entry { at, order, restarts, event }));
    }

    fn push_after(&mut self, ns: u64, event: Event) {
        self.push(self.now.saturating_add(ns), event);
    }

    fn time(&self) -> VirtualTime {
        VirtualTime(self.now)
    }

    /// All subtasks run.
    fn start_attempt(&mut self) {
        let subtasks = (0..self.subtasks.len()).map(subtask_id).collect();
        let attempt = attempt(self.restarts);
        self.coordinator.protocol.start_attempt(self.time(), attempt, subtasks);
        self.drain_coordinator();
        for subtask in 0..self.subtasks.len() {
            self.set_own_timer(subtask);
        }
        for subtask in 0..self.subtasks.len() {
            self.go_on(subtask);
        }
    }

    fn used_ns(&mut self) -> u64 {
        let (now, machines) = (self.now, self.machines());
        self.processors[..machines].iter_mut().map(|processor| processor.used_ns(now)).sum()
    }

    /// How many machines have cores: the workers', and the coordinator's.
    fn machines(&self) -> usize {
        usize::from(self.settings.cluster.workers) + 1
    }

    /// So many bytes are written to the disk of a worker.
    fn write(&mut self, worker: usize, bytes: f64, what: Work) {
        let (ns, disk) = (bytes * self.settings.engine.disk.byte_ns, self.machines() + worker);
        self.processors[disk].start(self.now, ns as u64, what);
    }

    fn slice_ns(&self) -> u64 {
        (self.until / SLICES).max(1)
    }

    fn look(&mut self) {
        let queued = self.channels.iter().map(Channel::queued_bytes);
        self.meter.handle_look(self.now, queued);
        self.push_after(self.slice_ns(), Event::Look);
    }

    /// Gates take what their subtasks process in the time that is aimed at.
    fn debloat(&mut self) {
        let Some(target_ms) = self.settings.buffers.debloat_ms else { return };
        for subtask in &mut self.subtasks {
            let processed = (subtask.processed_bytes - subtask.sized_bytes) as f64;
            subtask.sized_bytes = subtask.processed_bytes;
            let aim = processed * (target_ms as f64 * 1e6) / DEBLOAT_PERIOD_NS as f64;
            let each = aim / subtask.inputs.len().max(1) as f64;
            for &channel in &subtask.inputs {
                self.channels[channel].capacity = each as u64;
            }
        }
        self.push_after(DEBLOAT_PERIOD_NS, Event::Debloat);
    }
}

/// Whether it does not belong to an attempt, but to the run.
fn outlives_attempts(event: &Event) -> bool {
    matches!(event, Event::Look | Event::Debloat | Event::Warm | Event::Timer(_))
}

fn subtask_id(index: usize) -> SubtaskId {
    SubtaskId(u16::try_from(index).expect("the number of subtasks was checked"))
}

/// Subtasks and channels.
fn shape(settings: &Settings) -> (Vec<Subtask>, Vec<Channel>) {
    let parallelism = usize::from(settings.job.parallelism);
    let of = |operator: usize| operator * parallelism..(operator + 1) * parallelism;
    let mut subtasks: Vec<Subtask> = (0..settings.operators())
        .flat_map(|operator| (0..parallelism).map(move |index| (operator, index)))
        .map(|(operator, index)| Subtask::new(settings, operator, index))
        .collect();
    let mut channels: Vec<Channel> = Vec::new();
    let last = settings.operators() - 1;
    for to in of(settings.sources()).start..subtasks.len() {
        let feeding: Vec<usize> = match (settings.job.shape, subtasks[to].operator) {
            (Shape::Join, 2) => of(0).chain(of(1)).collect(),
            (Shape::Loop, 1) => of(0).chain(of(last)).collect(),
            (Shape::Loop, _) => vec![to - parallelism],
            (Shape::Chain | Shape::Join, operator) => of(operator - 1).collect(),
        };
        for (input, from) in feeding.into_iter().enumerate() {
            let output = subtasks[from].outputs.len();
            subtasks[to].inputs.push(channels.len());
            subtasks[from].outputs.push(channels.len());
            let is_back = subtasks[from].operator > subtasks[to].operator;
            channels.push(Channel::new((from, output), (to, input), is_back));
        }
    }
    let channels: Vec<Channel> =
        channels.into_iter().map(|channel| sized(channel, settings, &subtasks)).collect();
    let connected = |(index, subtask): (usize, Subtask)| {
        let back = subtask.inputs.iter().map(|channel| channels[*channel].is_back).collect();
        subtask.connected(settings, index, back)
    };
    (subtasks.into_iter().enumerate().map(connected).collect(), channels)
}

/// With the room that its buffers give. Within a machine the receiver takes from where the sender puts (Flink:
/// `LocalInputChannel`), so that only one end has room; with debloating the room is found as it runs.
fn sized(channel: Channel, settings: &Settings, subtasks: &[Subtask]) -> Channel {
    let buffers = &settings.buffers;
    let of_gate = subtasks[channel.to].inputs.len().max(1) as u64;
    let bytes = u64::from(buffers.bytes);
    let own = u64::from(buffers.exclusive) * bytes + u64::from(buffers.floating) * bytes / of_gate;
    let is_remote = subtasks[channel.from].worker != subtasks[channel.to].worker;
    let has_two_ends = is_remote && buffers.debloat_ms.is_none();
    let output = if has_two_ends { u64::from(buffers.output) * bytes } else { 0 };
    let latency = if is_remote { settings.cluster.network_us * 1_000 } else { 0 };
    channel.sized(own, output, latency)
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
