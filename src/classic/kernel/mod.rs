//! Carries a system through a script, tick by tick: channels that keep their order and take their time.
//!
//! What a channel does to its n-th item depends on the seed, the channel and n alone: a marker more on one
//! channel moves nothing on another.

mod transit;

use super::event::{Event, RunStarted, Stamped};
use super::graph::ProcessIndex;
use super::message::Message;
use super::script::{Act, Script};
use super::system::System;
use super::workload::{Command, Member, Refusal};
use crate::plan::random::{Concern, Span, Stream};
use crate::protocol::chandy_lamport::{MarkerDefectSet, Output, Process};
use crate::protocol::{ChannelId, SnapshotId};

pub use transit::Item;
use transit::Transit;

/// How a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What all delays are drawn from.
    pub seed: u64,
    /// How many ticks an item is under way: one to five in the course's simulator.
    pub delay: Span,
    /// A run that has not come to rest so many ticks after the end of its script is cut off.
    pub ticks_max: u64,
    /// Seeded bugs.
    pub defects: MarkerDefectSet,
}

impl Settings {
    /// The settings of a seed, without defects.
    #[must_use]
    pub fn of_seed(seed: u64) -> Self {
        let delay = Span { min: 1, max: 5 };
        Self { seed, delay, ticks_max: 100_000, defects: MarkerDefectSet::NONE }
    }
}

/// A system under way.
#[derive(Debug)]
pub struct Kernel {
    system: System,
    processes: Vec<Process<Member>>,
    channels: Vec<Transit>,
    /// Which of the active processes go on in a tick.
    paces: Vec<Stream>,
    tick: u64,
    snapshots: u32,
    trace: Vec<Stamped>,
    settings: Settings,
}

impl Kernel {
    /// A system in its first state.
    #[must_use]
    pub fn new(system: System, settings: Settings) -> Self {
        let graph = &system.graph;
        let process = |(process, state)| {
            let (inputs, outputs) = (graph.inputs(process), graph.outputs(process));
            let member = Member::new(state, graph, process);
            Process::new(member, inputs.collect(), outputs.collect(), settings.defects)
        };
        let processes: Vec<_> = system.initial().map(process).collect();
        let channels = graph.channels().map(|channel| Transit::new(channel, &settings));
        let channels = channels.collect();
        let pace = |process: ProcessIndex| {
            Stream::new(settings.seed, Concern::Mailbox, u64::from(process.0))
        };
        let paces = graph.processes().map(pace).collect();
        let states = system.initial().map(|(_, state)| state).collect();
        let started = RunStarted { graph: (**graph).clone(), workload: system.workload, states };
        let (trace, snapshots) = (Vec::new(), 0);
        let mut kernel =
            Self { system, processes, channels, paces, tick: 0, snapshots, trace, settings };
        kernel.tell(Event::RunStarted(started));
        kernel
    }

    /// Carries a script out, then waits until nothing moves any more.
    ///
    /// # Errors
    ///
    /// With the line of the command that a process could not carry out.
    pub fn play(&mut self, script: &Script) -> Result<(), (usize, Refusal)> {
        for (line, act) in &script.acts {
            match act {
                Act::Send { process, command } => {
                    self.send(*process, *command).map_err(|refusal| (*line, refusal))?;
                }
                Act::Snapshot { initiators } => {
                    self.snapshot(initiators.iter().copied());
                }
                Act::Tick { ticks } => (0..*ticks).for_each(|_| self.tick()),
            }
        }
        self.settle();
        Ok(())
    }

    /// Tells a process to send.
    ///
    /// # Errors
    ///
    /// When it cannot.
    pub fn send(&mut self, process: ProcessIndex, command: Command) -> Result<(), Refusal> {
        self.processes[process.index()].handle_command(command)?;
        let state = self.state_of(process);
        self.tell(Event::Commanded { process, state });
        self.carry_out(process);
        Ok(())
    }

    /// Starts the next snapshot, at each of these processes by itself.
    pub fn snapshot(&mut self, initiators: impl Iterator<Item = ProcessIndex>) -> SnapshotId {
        let snapshot = SnapshotId(self.snapshots);
        self.snapshots += 1;
        for process in initiators {
            self.tell(Event::SnapshotStarted { snapshot, process });
            self.processes[process.index()].handle_start(snapshot);
            self.carry_out(process);
        }
        snapshot
    }

    /// A tick goes by: what is due is delivered, one item after another, and active processes go on.
    pub fn tick(&mut self) {
        self.tick += 1;
        while let Some(channel) = self.next_due() {
            self.deliver(channel);
        }
        for process in self.system.graph.processes() {
            let is_active = self.is_active(process);
            if is_active && self.paces[process.index()].chance(50) {
                self.step(process);
            }
        }
    }

    /// Lets time go by until nothing moves any more, or for as long as may be.
    pub fn settle(&mut self) {
        let end = self.tick.saturating_add(self.settings.ticks_max);
        while !self.is_quiet() && self.tick < end {
            self.tick();
        }
        let in_transit = self.channels.iter().map(|channel| channel.len() as u64).sum();
        self.tell(Event::RunEnded { in_transit });
    }

    /// Takes the first item off a channel, due or not; none where it is empty.
    pub fn deliver(&mut self, channel: ChannelId) -> Option<Item> {
        let item = self.channels[channel.index()].pop()?;
        match item {
            Item::Message(message) => self.deliver_message(channel, message),
            Item::Marker(snapshot) => self.deliver_marker(channel, snapshot),
        }
        Some(item)
    }

    /// An active process goes on.
    pub fn step(&mut self, process: ProcessIndex) {
        self.processes[process.index()].handle_step();
        let state = self.state_of(process);
        self.tell(Event::Stepped { process, state });
        self.carry_out(process);
    }

    /// Whether a process would go on by itself.
    #[must_use]
    pub fn is_active(&self, process: ProcessIndex) -> bool {
        use crate::protocol::chandy_lamport::Application as _;
        self.processes[process.index()].application().is_active()
    }

    /// What is in a channel, in order.
    pub fn in_transit(&self, channel: ChannelId) -> impl Iterator<Item = Item> {
        self.channels[channel.index()].items()
    }

    /// All that happened so far.
    #[must_use]
    pub fn trace(&self) -> &[Stamped] {
        &self.trace
    }

    /// All that happened.
    #[must_use]
    pub fn into_trace(self) -> Vec<Stamped> {
        self.trace
    }

    fn is_quiet(&self) -> bool {
        let is_passive = |process| !self.is_active(process);
        self.channels.iter().all(|channel| channel.len() == 0)
            && self.system.graph.processes().all(is_passive)
    }

    /// The channel whose first item is due, by a draw where there are several.
    fn next_due(&self) -> Option<ChannelId> {
        let due = self.system.graph.channels().filter_map(|channel| {
            let lot = self.channels[channel.index()].lot_if_due(self.tick)?;
            Some((lot, channel))
        });
        due.min().map(|(_, channel)| channel)
    }

    fn deliver_message(&mut self, channel: ChannelId, message: Message) {
        let (_, process) = self.system.graph.ends(channel);
        self.processes[process.index()].handle_message(channel, message);
        let state = self.state_of(process);
        self.tell(Event::Received { channel, message, state });
        self.carry_out(process);
    }

    fn deliver_marker(&mut self, channel: ChannelId, snapshot: SnapshotId) {
        let (_, process) = self.system.graph.ends(channel);
        self.tell(Event::MarkerReceived { channel, snapshot });
        if self.processes[process.index()].handle_marker(channel, snapshot).is_err() {
            self.tell(Event::MarkerRefused { channel, snapshot });
        }
        self.carry_out(process);
    }

    /// Does what a process wants done, in order.
    fn carry_out(&mut self, process: ProcessIndex) {
        while let Some(output) = self.processes[process.index()].poll_output() {
            let event = match output {
                Output::Send { channel, message } => {
                    self.put(channel, Item::Message(message));
                    Event::Sent { channel, message }
                }
                Output::SendMarker { channel, snapshot } => {
                    self.put(channel, Item::Marker(snapshot));
                    Event::MarkerSent { channel, snapshot }
                }
                Output::RecordState { snapshot, state } => {
                    Event::StateRecorded { process, snapshot, state: state.state }
                }
                Output::RecordChannel { snapshot, channel, messages } => {
                    Event::ChannelRecorded { channel, snapshot, messages }
                }
                Output::Complete { snapshot } => Event::Completed { process, snapshot },
            };
            self.tell(event);
        }
    }

    fn put(&mut self, channel: ChannelId, item: Item) {
        self.channels[channel.index()].put(item, self.tick, self.settings.delay);
    }

    fn state_of(&self, process: ProcessIndex) -> super::workload::LocalState {
        self.processes[process.index()].application().state.clone()
    }

    fn tell(&mut self, event: Event) {
        let number = self.trace.len() as u64;
        self.trace.push(Stamped { number, tick: self.tick, event });
    }
}
