//! One process: its state, its counts, its log, its checkpoints.

use crate::plan::random::{Concern, Stream};
use crate::protocol::independent::{ChannelCounts, CheckpointInducer, Piggyback};
use crate::protocol::{Fingerprint, LineageId};

use super::settings::Settings;

/// A message under way, or in a log.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub content: LineageId,
    pub carried: Piggyback,
    /// Its place in its channel, from 1.
    pub sequence: u64,
}

/// What a checkpoint holds.
#[derive(Clone, Debug)]
pub(super) struct Checkpoint {
    pub at_us: u64,
    /// Everything processed, as a multiset.
    pub state: Fingerprint,
    /// How many records a source has read.
    pub position: u64,
    pub counts: ChannelCounts,
    pub inducer: CheckpointInducer,
}

/// A process of the job.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub state: Fingerprint,
    pub position: u64,
    pub counts: ChannelCounts,
    pub inducer: CheckpointInducer,
    /// Oldest first; the first is the initial state.
    pub checkpoints: Vec<Checkpoint>,
    /// From a checkpoint to the next that nothing forces.
    pub pace: Stream,
    /// When that is due, in microseconds.
    pub due_us: u64,
}

impl Process {
    pub fn new(index: usize, settings: &Settings) -> Self {
        let (shape, scheme) = (&settings.shape, settings.scheme);
        let inducer = CheckpointInducer::new(scheme, index, shape.processes(), settings.defects);
        let mut process = Self {
            state: Fingerprint::default(),
            position: 0,
            counts: ChannelCounts::none(shape.edges().len()),
            inducer,
            checkpoints: Vec::new(),
            pace: Stream::new(settings.seed, Concern::Mailbox, index as u64),
            due_us: 0,
        };
        process.keep(0);
        process
    }

    /// Takes a checkpoint.
    pub fn checkpoint(&mut self, at_us: u64) {
        self.inducer.handle_checkpoint();
        self.keep(at_us);
    }

    fn keep(&mut self, at_us: u64) {
        self.checkpoints.push(Checkpoint {
            at_us,
            state: self.state,
            position: self.position,
            counts: self.counts.clone(),
            inducer: self.inducer.clone(),
        });
    }

    /// Goes back to one of its checkpoints; those after it are gone.
    pub fn restore(&mut self, place: usize) {
        self.checkpoints.truncate(place + 1);
        let newest = self.checkpoints.last().expect("the first is never gone");
        self.state = newest.state;
        self.position = newest.position;
        self.counts = newest.counts.clone();
        self.inducer = newest.inducer.clone();
    }
}
