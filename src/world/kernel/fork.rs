//! Forks: a run that is stopped between two inputs, cloned, and given other chances from there on.

use super::core::{Arrival, LINK_TOKENS};
use super::{Growth, Kernel};
use crate::cluster::message::Route;
use crate::cluster::{Input, Message};
use crate::plan::{Concern, Stream};
use crate::protocol::{ProcessId, VirtualTime};
use crate::world::faults::Nemesis;
use crate::world::observer::Observer;
use crate::world::{Ending, RunEnd, slot_of};

/// The next thing that is due in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upcoming {
    /// Whose input it is; none where it is a fault's beginning or end.
    pub process: Option<ProcessId>,
    /// What it is, in words.
    pub what: String,
}

impl<'a, O: Observer> Kernel<'a, O> {
    /// Begins the run, and stops before the first thing that is due. Call it once, before any other
    /// method of this file.
    #[must_use]
    pub fn begun(mut self) -> Self {
        self.begin();
        self
    }

    /// Does the next thing that is due, unless the run is over: one input of a process, one fault, or one
    /// end of a fault, with all that follows from it at once.
    pub fn advance_one(&mut self) {
        if self.core.state.ending.is_none() {
            self.step(VirtualTime::ZERO + self.core.plan.limit());
            if self.core.state.steps >= self.steps_max || self.is_circling() {
                self.core.state.ending.get_or_insert(Ending::StepLimit);
            }
            if self.core.state.ending == Some(Ending::Finished) {
                self.tell_held();
            }
        }
    }

    /// The run is over: what is left in the external system is told.
    fn tell_held(&mut self) {
        for event in self.processes[slot_of(ProcessId::SinkTarget)].held() {
            self.core.state.observe(ProcessId::SinkTarget, &event);
        }
    }

    /// Whether processes keep each other busy, and nothing comes of it: no event, and hardly any time.
    fn is_circling(&mut self) -> bool {
        let (events, steps, at) = (self.events(), self.core.state.steps, self.core.state.now);
        if events != self.growth.events {
            self.growth = Growth { events, steps, at };
            return false;
        }
        let quiet = steps - self.growth.steps;
        quiet > Growth::BURST && quiet > self.growth.patience(at, self.processes.len())
    }

    /// How many events the trace has.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.core.state.moment().events
    }

    /// Whether the run is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.core.state.ending.is_some()
    }

    /// What happens next, if anything does.
    pub fn upcoming(&mut self) -> Option<Upcoming> {
        if self.is_over() {
            return None;
        }
        let (_, token) = self.core.queue.peek()?;
        if token >= LINK_TOKENS {
            let link = self.core.links.ordered((token - LINK_TOKENS) as usize);
            let first = link.first()?.clone();
            let (process, what) = (Some(first.to), self.received(first.from, &first.message));
            return Some(Upcoming { process, what });
        }
        let (process, what) = match self.core.arrivals.get(token)? {
            Arrival::Input { to, input, .. } => {
                (Some(self.core.slots[*to as usize].id), self.taken(input))
            }
            Arrival::Message { from, to, message } => (Some(*to), self.received(*from, message)),
            _ => (None, "a fault begins or ends".to_owned()),
        };
        Some(Upcoming { process, what })
    }

    fn taken(&self, input: &Input) -> String {
        match input {
            Input::Start(_) => "it is started".to_owned(),
            Input::Message { from, message } => self.received(*from, message),
            Input::Timer(_) => "a timer of its own".to_owned(),
            Input::Rescale(_) => "another parallelism is asked for".to_owned(),
            Input::Trouble(_) => "its health changes".to_owned(),
            Input::ConnectionLost { peer } => format!("its connection to {peer} is lost"),
        }
    }

    fn received(&self, from: ProcessId, message: &Message) -> String {
        let topology = self.cluster.job.topology();
        match message.route() {
            Route::Channel(channel) => format!("what {} delivers", topology.channel_name(channel)),
            Route::Credit(channel) => format!("credit for {}", topology.channel_name(channel)),
            Route::Stream => format!("what {from} streams"),
            Route::Control(kind) => format!("{kind} from {from}"),
        }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> VirtualTime {
        self.core.state.now
    }

    /// Draws all that is still to be drawn from other streams: the delays of links, of control messages
    /// and of mailboxes. The plan's faults stay as they are planned, and what is under way arrives when
    /// it would have.
    #[must_use]
    pub fn reseeded(mut self, seed: u64) -> Self {
        self.core.links.reseed(seed);
        for (index, slot) in self.core.slots.iter_mut().enumerate() {
            slot.mailbox = Stream::new(seed, Concern::Mailbox, index as u64);
        }
        self
    }

    /// Runs a run that has begun to its end.
    pub fn finish(mut self) -> (RunEnd, Nemesis, O) {
        while self.core.state.ending.is_none() {
            self.advance_one();
        }
        self.core.state.into_end()
    }
}
