//! Carries a job through its input and a failure, event by event.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::measured::Fallback;
use super::process::{Message, Process};
use super::settings::{Pace, Settings};
use crate::plan::random::{Concern, Stream};
use crate::protocol::independent::{
    ChannelCounts, Edge, IndependentDefect, Receipt, recovery_line,
};
use crate::protocol::{LineageId, SplitId};

/// What is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A source reads.
    Read { source: usize },
    /// A process takes a checkpoint that nothing forces.
    Checkpoint { process: usize },
    /// The next message of a channel arrives, of those sent in this life of the job.
    Arrival { channel: usize, life: u32 },
    /// Everybody falls back to the recovery line.
    Failure,
}

/// A channel: its log, and what is under way.
#[derive(Debug)]
pub(super) struct Channel {
    pub edge: Edge,
    /// Everything sent, from the beginning; the message with sequence *n* is at *n* - 1.
    pub log: Vec<Message>,
    /// By life of the job, what is under way: how many of the log have arrived, or will be left out.
    under_way: Vec<std::collections::VecDeque<Message>>,
    delays: Stream,
    /// When the newest of them arrives.
    newest_us: u64,
}

/// A job under way.
#[derive(Debug)]
pub struct Kernel<'a> {
    pub(super) settings: &'a Settings,
    pub(super) processes: Vec<Process>,
    pub(super) channels: Vec<Channel>,
    /// By process, its channels to others.
    outputs: Vec<Vec<usize>>,
    queue: BinaryHeap<Reverse<(u64, u64, Due)>>,
    scheduled: u64,
    now_us: u64,
    life: u32,
    /// What the failure led to.
    pub(super) fallback: Option<Fallback>,
    /// Messages that came twice, or after one that never came: by channel.
    pub(super) misplaced: Vec<u64>,
    pub(super) counters: Counters,
}

/// What is counted on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub basic: u64,
    pub forced: u64,
    pub sent: u64,
    pub carried_bytes: u64,
}

impl<'a> Kernel<'a> {
    /// A job at its beginning.
    #[must_use]
    pub fn new(settings: &'a Settings) -> Self {
        let shape = &settings.shape;
        let channel = |(number, edge): (usize, &Edge)| Channel {
            edge: *edge,
            log: Vec::new(),
            under_way: vec![std::collections::VecDeque::new()],
            delays: Stream::new(settings.seed, Concern::Link, number as u64),
            newest_us: 0,
        };
        let channels: Vec<_> = shape.edges().iter().enumerate().map(channel).collect();
        let mut outputs = vec![Vec::new(); shape.processes()];
        shape.edges().iter().enumerate().for_each(|(number, edge)| outputs[edge.from].push(number));
        let processes = (0..shape.processes()).map(|index| Process::new(index, settings)).collect();
        let misplaced = vec![0; channels.len()];
        let mut kernel = Self {
            settings,
            processes,
            channels,
            outputs,
            queue: BinaryHeap::new(),
            scheduled: 0,
            now_us: 0,
            life: 0,
            fallback: None,
            misplaced,
            counters: Counters::default(),
        };
        kernel.begin();
        kernel
    }

    fn begin(&mut self) {
        (0..self.settings.shape.sources()).for_each(|source| self.plan_read(source));
        for process in 0..self.processes.len() {
            self.draw_due(process);
            self.plan_checkpoint(process);
        }
        self.schedule(self.settings.failure_ms * 1_000, Due::Failure);
    }

    /// Until nothing is left to do.
    pub fn run(&mut self) {
        while let Some(Reverse((at_us, _, due))) = self.queue.pop() {
            self.now_us = at_us;
            match due {
                Due::Read { source } => self.read(source),
                Due::Checkpoint { process } => self.take(process),
                Due::Arrival { channel, life } => self.arrive(channel, life),
                Due::Failure => self.fail(),
            }
        }
    }

    fn schedule(&mut self, at_us: u64, due: Due) {
        self.scheduled += 1;
        self.queue.push(Reverse((at_us, self.scheduled, due)));
    }

    /// How many records a source reads in all.
    fn input(&self) -> u64 {
        super::reference::input(self.settings)
    }

    /// A record is read when it is due, and at once where that is over.
    fn plan_read(&mut self, source: usize) {
        let position = self.processes[source].position;
        if position < self.input() {
            let due_us = (position + 1) * 1_000_000 / self.settings.rate.max(1);
            self.schedule(due_us.max(self.now_us), Due::Read { source });
        }
    }

    fn read(&mut self, source: usize) {
        let split = SplitId(u16::try_from(source).unwrap_or(u16::MAX));
        let content = LineageId::of_entry(split, self.processes[source].position);
        self.processes[source].position += 1;
        self.process(source, content);
        self.plan_read(source);
    }

    /// A process takes note of a message, and sends what follows from it.
    fn process(&mut self, process: usize, content: LineageId) {
        self.processes[process].state.add(content.0);
        if let Some((to, content)) = self.settings.shape.next(process, content) {
            self.send(process, to, content);
        }
    }

    fn send(&mut self, from: usize, to: usize, content: LineageId) {
        let leads_there = |channel: &&usize| self.channels[**channel].edge.to == to;
        let channel = *self.outputs[from].iter().find(leads_there).expect("a channel leads there");
        let sender = &mut self.processes[from];
        sender.counts.sent[channel] += 1;
        let (sequence, carried) = (sender.counts.sent[channel], sender.inducer.handle_send(to));
        self.counters.sent += 1;
        self.counters.carried_bytes += carried.bytes();
        let message = Message { content, carried, sequence };
        self.channels[channel].log.push(message.clone());
        self.ship(channel, message);
    }

    fn ship(&mut self, number: usize, message: Message) {
        let (delay, life) = (self.settings.delay_us, self.life);
        let channel = &mut self.channels[number];
        let at_us = (self.now_us + channel.delays.within(delay)).max(channel.newest_us);
        channel.newest_us = at_us;
        channel.under_way[life as usize].push_back(message);
        self.schedule(at_us, Due::Arrival { channel: number, life });
    }

    fn arrive(&mut self, number: usize, life: u32) {
        let channel = &mut self.channels[number];
        let message = channel.under_way[life as usize].pop_front().expect("each arrives once");
        let takes_stale = self.settings.defects.has(IndependentDefect::StaleMessageTaken);
        if life != self.life && !takes_stale {
            return;
        }
        let to = channel.edge.to;
        let receipt = self.processes[to].inducer.receipt(&message.carried);
        if receipt == Receipt::CheckpointFirst {
            self.force(to);
        }
        self.receive(number, to, &message);
        if receipt == Receipt::CheckpointAfter {
            self.force(to);
        }
    }

    fn receive(&mut self, channel: usize, to: usize, message: &Message) {
        let receiver = &mut self.processes[to];
        receiver.counts.received[channel] += 1;
        if receiver.counts.received[channel] != message.sequence {
            self.misplaced[channel] += 1;
        }
        receiver.inducer.handle_delivery(&message.carried);
        self.process(to, message.content);
    }

    fn force(&mut self, process: usize) {
        self.counters.forced += 1;
        self.processes[process].checkpoint(self.now_us);
        match self.settings.pace {
            Pace::Regular => {}
            Pace::SinceAny => self.draw_due(process),
        }
    }

    fn draw_due(&mut self, process: usize) {
        let own = &mut self.processes[process];
        own.due_us = self.now_us + own.pace.within(self.settings.interval_ms) * 1_000;
    }

    fn plan_checkpoint(&mut self, process: usize) {
        let due_us = self.processes[process].due_us;
        if due_us <= self.settings.input_ms * 1_000 {
            self.schedule(due_us, Due::Checkpoint { process });
        }
    }

    fn take(&mut self, process: usize) {
        if self.now_us >= self.processes[process].due_us {
            self.counters.basic += 1;
            self.processes[process].checkpoint(self.now_us);
            self.draw_due(process);
        }
        self.plan_checkpoint(process);
    }

    /// What each process knew at its checkpoints.
    pub(super) fn counts(&self) -> Vec<Vec<ChannelCounts>> {
        let of_one = |process: &Process| {
            process.checkpoints.iter().map(|checkpoint| checkpoint.counts.clone()).collect()
        };
        self.processes.iter().map(of_one).collect()
    }

    /// Everybody goes back to the recovery line; what was in flight over it is replayed from the logs.
    fn fail(&mut self) {
        let (edges, counts) = (self.settings.shape.edges(), self.counts());
        let line = recovery_line(edges, &counts, self.settings.defects);
        self.fallback = Some(Fallback::of(self, &counts, &line, self.now_us));
        self.life += 1;
        for (process, place) in self.processes.iter_mut().zip(&line) {
            process.restore(*place);
        }
        (0..self.channels.len()).for_each(|channel| self.replay(channel));
        let sources = 0..self.settings.shape.sources();
        self.queue.retain(|Reverse((_, _, due))| !matches!(due, Due::Read { .. }));
        sources.for_each(|source| self.plan_read(source));
    }

    /// What the sender had sent at the line, and the receiver had not received.
    fn replay(&mut self, number: usize) {
        let channel = &mut self.channels[number];
        channel.under_way.push(std::collections::VecDeque::new());
        let Edge { from, to, .. } = channel.edge;
        let sent = self.processes[from].counts.sent[number];
        let received = self.processes[to].counts.received[number];
        channel.log.truncate(usize::try_from(sent).unwrap_or(usize::MAX));
        if self.is_forgotten(number, to) {
            return;
        }
        let begin = usize::try_from(received).unwrap_or(usize::MAX);
        let replayed: Vec<_> = self.channels[number].log.iter().skip(begin).cloned().collect();
        replayed.into_iter().for_each(|message| self.ship(number, message));
    }

    /// Whether the newest checkpoint of the receiver says nothing of a channel that was idle since the one before.
    fn is_forgotten(&self, channel: usize, to: usize) -> bool {
        let is_wrong = self.settings.defects.has(IndependentDefect::IdleChannelNotReplayed);
        let mut newest = self.processes[to].checkpoints.iter().rev();
        let mut received = || newest.next().map(|own| own.counts.received[channel]);
        is_wrong && received() == received()
    }
}
