//! The job: a coordinator that restarts all when anybody comes back, and four workers that align barriers.

use std::collections::VecDeque;

/// All nodes.
pub const NODES: usize = 5;

/// Triggers checkpoints, and restores.
pub const COORDINATOR: usize = 0;

const SOURCE: usize = 1;
const SINK: usize = 4;

const INTERVAL_US: u64 = 100_000;
const RECORD_US: u64 = 1_000;

/// What a worker keeps: how many records it has seen, and their sum.
type State = (u64, u64);

/// What nodes say to each other, all but the first of an attempt.
#[derive(Clone, Debug)]
pub enum Message {
    Register,
    Restore { attempt: u64, state: State },
    Restored { attempt: u64 },
    Start { attempt: u64 },
    Trigger { attempt: u64, checkpoint: u64 },
    Item { attempt: u64, item: Item },
    Acknowledge { attempt: u64, checkpoint: u64, state: State },
    Done { attempt: u64, state: State },
}

/// What a channel carries.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    Record(u64),
    Barrier(u64),
    End,
}

/// What a node takes.
#[derive(Debug)]
pub enum Input {
    Start,
    Message { from: usize, message: Message },
    Timer { attempt: u64 },
}

/// What a node wants.
#[derive(Debug)]
pub enum Output {
    Send(usize, Message),
    Timer { us: u64, attempt: u64 },
    Finished { count: u64, sum: u64 },
}

/// What a map makes of a record.
pub fn mapped(record: u64) -> u64 {
    record * 3 + 1
}

/// A node.
#[derive(Debug)]
pub enum Node {
    Coordinator(Box<Coordinator>),
    Worker(Box<Worker>),
}

impl Node {
    /// A node that knows nothing yet.
    pub fn new(id: usize, records: u64) -> Self {
        match id {
            COORDINATOR => Self::Coordinator(Box::default()),
            id => Self::Worker(Box::new(Worker::new(id, records))),
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, outputs: &mut Vec<Output>) {
        match self {
            Self::Coordinator(coordinator) => coordinator.handle(input, outputs),
            Self::Worker(worker) => worker.handle(input, outputs),
        }
    }
}

/// One attempt after the other, one checkpoint at a time.
#[derive(Debug, Default)]
pub struct Coordinator {
    attempt: u64,
    registered: [bool; NODES],
    restored: [bool; NODES],
    is_running: bool,
    checkpoint: u64,
    pending: Option<[Option<State>; NODES]>,
    newest: [State; NODES],
}

impl Coordinator {
    fn handle(&mut self, input: Input, outputs: &mut Vec<Output>) {
        match input {
            Input::Start => outputs.push(Output::Timer { us: INTERVAL_US, attempt: 0 }),
            Input::Timer { .. } => {
                outputs.push(Output::Timer { us: INTERVAL_US, attempt: 0 });
                self.trigger(outputs);
            }
            Input::Message { from, message } => self.handle_message(from, message, outputs),
        }
    }

    fn trigger(&mut self, outputs: &mut Vec<Output>) {
        if self.is_running && self.pending.is_none() {
            self.checkpoint += 1;
            self.pending = Some([None; NODES]);
            let (attempt, checkpoint) = (self.attempt, self.checkpoint);
            outputs.push(Output::Send(SOURCE, Message::Trigger { attempt, checkpoint }));
        }
    }

    fn handle_message(&mut self, from: usize, message: Message, outputs: &mut Vec<Output>) {
        match message {
            Message::Register => {
                self.registered[from] = true;
                if self.registered[1..].iter().all(|is_there| *is_there) {
                    self.restore(outputs);
                }
            }
            Message::Restored { attempt } if attempt == self.attempt => {
                self.restored[from] = true;
                if !self.is_running && self.restored[1..].iter().all(|is_there| *is_there) {
                    self.is_running = true;
                    outputs.push(Output::Send(SOURCE, Message::Start { attempt }));
                }
            }
            Message::Acknowledge { attempt, checkpoint, state }
                if (attempt, checkpoint) == (self.attempt, self.checkpoint) =>
            {
                self.count(from, state);
            }
            Message::Done { attempt, state: (count, sum) } if attempt == self.attempt => {
                outputs.push(Output::Finished { count, sum });
            }
            _ => {}
        }
    }

    /// The next attempt, from the newest checkpoint.
    fn restore(&mut self, outputs: &mut Vec<Output>) {
        (self.attempt, self.is_running, self.pending) = (self.attempt + 1, false, None);
        self.restored = [false; NODES];
        for worker in SOURCE..NODES {
            let (attempt, state) = (self.attempt, self.newest[worker]);
            outputs.push(Output::Send(worker, Message::Restore { attempt, state }));
        }
    }

    fn count(&mut self, from: usize, state: State) {
        let Some(pending) = &mut self.pending else { return };
        pending[from] = Some(state);
        if pending[1..].iter().all(Option::is_some) {
            self.newest = pending.map(Option::unwrap_or_default);
            self.pending = None;
        }
    }
}

/// A source, a map or the sink.
#[derive(Debug)]
pub struct Worker {
    id: usize,
    records: u64,
    attempt: u64,
    is_running: bool,
    state: State,
    inputs: [Channel; 2],
}

/// An input channel.
#[derive(Debug, Default)]
struct Channel {
    /// It has delivered the barrier, and waits for the others.
    barrier: Option<u64>,
    has_ended: bool,
    waiting: VecDeque<Item>,
}

impl Worker {
    fn new(id: usize, records: u64) -> Self {
        let inputs = Default::default();
        Self { id, records, attempt: 0, is_running: false, state: (0, 0), inputs }
    }

    fn handle(&mut self, input: Input, outputs: &mut Vec<Output>) {
        match input {
            Input::Start => outputs.push(Output::Send(COORDINATOR, Message::Register)),
            Input::Timer { attempt } if self.is_running && attempt == self.attempt => {
                self.read(outputs);
            }
            Input::Timer { .. } => {}
            Input::Message { from, message } => self.handle_message(from, message, outputs),
        }
    }

    fn handle_message(&mut self, from: usize, message: Message, outputs: &mut Vec<Output>) {
        match message {
            Message::Restore { attempt, state } => {
                *self = Self { attempt, state, ..Self::new(self.id, self.records) };
                outputs.push(Output::Send(COORDINATOR, Message::Restored { attempt }));
            }
            Message::Start { attempt } if attempt == self.attempt => {
                self.is_running = true;
                outputs.push(Output::Timer { us: RECORD_US, attempt });
            }
            Message::Trigger { attempt, checkpoint }
                if self.is_running && attempt == self.attempt =>
            {
                self.snapshot(checkpoint, outputs);
            }
            Message::Item { attempt, item } if attempt == self.attempt => {
                let channel = if self.id == SINK { from - 2 } else { 0 };
                self.arrive(channel, item, outputs);
            }
            _ => {}
        }
    }

    /// The source's next record, or the end of its input.
    fn read(&mut self, outputs: &mut Vec<Output>) {
        let record = self.state.0;
        if record == self.records {
            self.is_running = false;
            return self.broadcast(Item::End, outputs);
        }
        self.state.0 += 1;
        let map = 2 + usize::from(record.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63 == 1);
        self.send(map, Item::Record(record), outputs);
        outputs.push(Output::Timer { us: RECORD_US, attempt: self.attempt });
    }

    fn arrive(&mut self, channel: usize, item: Item, outputs: &mut Vec<Output>) {
        if self.inputs[channel].barrier.is_some() {
            self.inputs[channel].waiting.push_back(item);
        } else {
            self.take(channel, item, outputs);
        }
    }

    fn take(&mut self, channel: usize, item: Item, outputs: &mut Vec<Output>) {
        match item {
            Item::Record(record) if self.id == SINK => {
                self.state = (self.state.0 + 1, self.state.1.wrapping_add(record));
            }
            Item::Record(record) => {
                self.state.0 += 1;
                self.send(SINK, Item::Record(mapped(record)), outputs);
            }
            Item::Barrier(checkpoint) => {
                self.inputs[channel].barrier = Some(checkpoint);
                self.align(outputs);
            }
            Item::End => {
                self.inputs[channel].has_ended = true;
                self.end(outputs);
                self.align(outputs);
            }
        }
    }

    fn used(&self) -> &[Channel] {
        &self.inputs[..if self.id == SINK { 2 } else { 1 }]
    }

    /// When all inputs have delivered the barrier, or ended: the cut, and on with what waits.
    fn align(&mut self, outputs: &mut Vec<Output>) {
        let is_there = |channel: &Channel| channel.barrier.is_some() || channel.has_ended;
        let newest = self.used().iter().filter_map(|channel| channel.barrier).max();
        let Some(checkpoint) = newest.filter(|_| self.used().iter().all(is_there)) else { return };
        self.inputs.iter_mut().for_each(|channel| channel.barrier = None);
        self.snapshot(checkpoint, outputs);
        for channel in 0..self.inputs.len() {
            while self.inputs[channel].barrier.is_none() {
                let Some(item) = self.inputs[channel].waiting.pop_front() else { break };
                self.take(channel, item, outputs);
            }
        }
    }

    fn end(&mut self, outputs: &mut Vec<Output>) {
        if !self.used().iter().all(|channel| channel.has_ended) {
            return;
        }
        if self.id == SINK {
            let (attempt, state) = (self.attempt, self.state);
            outputs.push(Output::Send(COORDINATOR, Message::Done { attempt, state }));
        } else {
            self.broadcast(Item::End, outputs);
        }
    }

    fn snapshot(&mut self, checkpoint: u64, outputs: &mut Vec<Output>) {
        self.broadcast(Item::Barrier(checkpoint), outputs);
        let (attempt, state) = (self.attempt, self.state);
        let acknowledge = Message::Acknowledge { attempt, checkpoint, state };
        outputs.push(Output::Send(COORDINATOR, acknowledge));
    }

    fn broadcast(&mut self, item: Item, outputs: &mut Vec<Output>) {
        let targets: &[usize] = match self.id {
            SOURCE => &[2, 3],
            SINK => &[],
            _ => &[SINK],
        };
        targets.iter().for_each(|target| self.send(*target, item, outputs));
    }

    fn send(&mut self, to: usize, item: Item, outputs: &mut Vec<Output>) {
        outputs.push(Output::Send(to, Message::Item { attempt: self.attempt, item }));
    }
}
