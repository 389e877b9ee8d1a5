//! Links: ordered ones (channels, credits, streams), and the many single messages of control links.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use super::queue::Due;
use super::slot_of;
use crate::cluster::Message;
use crate::cluster::message::Route;
use crate::plan::{Concern, ControlLink, Latency, Plan, Priority, Stream};
use crate::protocol::ordered::VecMap;
use crate::protocol::{Incarnation, ProcessId, VirtualTime};

/// An ordered link: messages leave it in the order in which they entered, whatever latency each draws.
#[derive(Clone, Debug)]
pub struct OrderedLink {
    stream: Stream,
    latency: Latency,
    byte_ns: u64,
    local: Duration,
    /// When the last message arrives; none may overtake it.
    last: VirtualTime,
    /// When the sender's side is free again, where bandwidth is limited.
    free: VirtualTime,
    /// In order.
    under_way: VecDeque<InFlight>,
    /// Whether the first is in the queue of what is due.
    scheduled: bool,
}

/// A message in an ordered link.
#[derive(Clone, Debug)]
pub struct InFlight {
    /// When it arrives.
    pub due: Due,
    /// Who sent it.
    pub from: ProcessId,
    /// The receiver.
    pub to: ProcessId,
    /// To which life of the receiver the connection led.
    pub to_incarnation: Incarnation,
    /// The message.
    pub message: Message,
}

/// Bytes that every message has beside its content.
const HEADER_BYTES: u64 = 32;

impl OrderedLink {
    fn new(seed: u64, entity: u64, latency: Latency, byte_ns: u64, local_us: u64) -> Self {
        Self {
            stream: Stream::new(seed, Concern::Link, entity),
            latency,
            byte_ns,
            local: Duration::from_micros(local_us),
            last: VirtualTime::ZERO,
            free: VirtualTime::ZERO,
            under_way: VecDeque::new(),
            scheduled: false,
        }
    }

    /// When a message sent now arrives.
    fn arrival(
        &mut self,
        now: VirtualTime,
        message: &Message,
        is_local: bool,
        extra: Duration,
    ) -> VirtualTime {
        let mut at = now;
        if self.byte_ns > 0 && !is_local {
            let bytes = HEADER_BYTES + message.content_bytes() as u64;
            self.free =
                self.free.max(now) + Duration::from_nanos(bytes.saturating_mul(self.byte_ns));
            at = self.free;
        }
        at += if is_local { self.local } else { self.latency.draw(&mut self.stream) + extra };
        self.last = self.last.max(at);
        self.last
    }

    /// Adds a message; returns when to look at the link, if it was empty.
    pub fn push(&mut self, message: InFlight) -> Option<Due> {
        let due = message.due;
        self.under_way.push_back(message);
        if self.scheduled {
            return None;
        }
        self.scheduled = true;
        Some(due)
    }

    /// Whose turn it is.
    #[must_use]
    pub fn first(&self) -> Option<&InFlight> {
        self.under_way.front()
    }

    /// Whose turn it is: its ends.
    pub fn ends(&self) -> Option<(ProcessId, ProcessId)> {
        self.under_way.front().map(|first| (first.from, first.to))
    }

    /// Takes the first message, and says when the next is due.
    pub fn pop(&mut self) -> (Option<InFlight>, Option<Due>) {
        let first = self.under_way.pop_front();
        let next = self.under_way.front().map(|next| next.due);
        self.scheduled = next.is_some();
        (first, next)
    }

    /// The link is cut: its first message waits.
    pub fn hold(&mut self) {
        self.scheduled = false;
    }

    /// The link may have been healed: when to look at it, if a message waits.
    pub fn release(&mut self, now: VirtualTime) -> Option<Due> {
        let first = self.under_way.front_mut()?;
        if self.scheduled {
            return None;
        }
        self.scheduled = true;
        first.due.at = first.due.at.max(now);
        Some(first.due)
    }
}

/// A control link with delays of its own.
#[derive(Clone, Debug)]
struct SlowControl {
    stream: Stream,
    latency: Latency,
}

impl SlowControl {
    /// By its ends.
    fn new(seed: u64, link: &ControlLink) -> ((ProcessId, ProcessId), Self) {
        let ends = (link.from, link.to);
        (ends, Self { stream: slow_control_stream(seed, ends), latency: link.latency })
    }
}

/// All links of a run.
#[derive(Clone, Debug)]
pub struct Links {
    /// Two a channel (downstream, upstream), then one a worker (to the sink target).
    ordered: Vec<OrderedLink>,
    channels: usize,
    control: Latency,
    /// Of single control links, by sender and receiver.
    slow_control: VecMap<(ProcessId, ProcessId), SlowControl>,
    local: Duration,
    /// By sender.
    control_streams: Vec<Stream>,
    /// By the time from which on they count.
    priorities: Vec<Priority>,
    /// When priorities end: with the faults.
    safety: VirtualTime,
}

impl Links {
    /// The links that `plan` describes, of a job that never has more channels than these.
    #[must_use]
    pub fn new(plan: &Plan, channels: usize, processes: usize) -> Self {
        let settings = &plan.links;
        let workers = usize::from(plan.cluster.workers);
        let link = |index: usize| {
            let slow = settings.slow.iter().find(|slow| slow.channel.index() * 2 == index);
            let latency = slow.map_or(settings.channels, |slow| slow.latency);
            let entity = index as u64;
            OrderedLink::new(plan.root(), entity, latency, settings.byte_ns, settings.local_us)
        };
        let mut priorities = settings.priorities.clone();
        priorities.sort_by_key(|priority| priority.from_us);
        let control_stream = |sender: usize| control_stream(plan.root(), sender);
        // The last of those that are equal stays.
        let slow_control = settings.slow_control.iter().rev();
        Self {
            ordered: (0..channels * 2 + workers).map(link).collect(),
            channels,
            control: settings.control,
            slow_control: slow_control.map(|link| SlowControl::new(plan.root(), link)).collect(),
            local: Duration::from_micros(settings.local_us),
            control_streams: (0..processes).map(control_stream).collect(),
            priorities,
            safety: VirtualTime::ZERO + plan.safety(),
        }
    }

    /// Draws all further delays from the streams of another seed.
    pub fn reseed(&mut self, seed: u64) {
        for (index, link) in self.ordered.iter_mut().enumerate() {
            link.stream = Stream::new(seed, Concern::Link, index as u64);
        }
        for (sender, stream) in self.control_streams.iter_mut().enumerate() {
            *stream = control_stream(seed, sender);
        }
        for (ends, link) in &mut self.slow_control {
            link.stream = slow_control_stream(seed, *ends);
        }
    }

    /// Which ordered link a message takes; none if it travels alone.
    #[must_use]
    pub fn ordered_index(&self, route: Route, from: ProcessId) -> Option<usize> {
        match (route, from) {
            (Route::Channel(channel), _) => Some(channel.index() * 2),
            (Route::Credit(channel), _) => Some(channel.index() * 2 + 1),
            (Route::Stream, ProcessId::Worker(worker)) => {
                Some(self.channels * 2 + usize::from(worker))
            }
            (Route::Stream | Route::Control(_), _) => None,
        }
    }

    /// An ordered link.
    ///
    /// # Panics
    ///
    /// When there is no such link.
    pub fn ordered(&mut self, index: usize) -> &mut OrderedLink {
        &mut self.ordered[index]
    }

    /// How many ordered links there are.
    #[must_use]
    pub fn ordered_count(&self) -> usize {
        self.ordered.len()
    }

    /// When a message that `from` sends now through this ordered link arrives.
    ///
    /// # Panics
    ///
    /// When there is no such link.
    pub fn arrival(
        &mut self,
        index: usize,
        now: VirtualTime,
        (from, to): (ProcessId, ProcessId),
        message: &Message,
    ) -> VirtualTime {
        let extra = self.extra(from, now);
        self.ordered[index].arrival(now, message, from == to, extra)
    }

    /// How long a message that travels alone takes; `sender` is the place of `from`.
    ///
    /// A link with delays of its own draws them beside those of its sender, so that taking it away
    /// re-rolls no other message.
    pub fn control_delay(
        &mut self,
        sender: usize,
        now: VirtualTime,
        from: ProcessId,
        to: ProcessId,
    ) -> Duration {
        let drawn = self.control.draw(&mut self.control_streams[sender]);
        if from == to {
            return self.local;
        }
        self.slow_control_delay((from, to)).unwrap_or(drawn) + self.extra(from, now)
    }

    #[inline]
    fn slow_control_delay(&mut self, ends: (ProcessId, ProcessId)) -> Option<Duration> {
        if self.slow_control.is_empty() {
            return None;
        }
        let link = self.slow_control.get_mut(&ends)?;
        Some(link.latency.draw(&mut link.stream))
    }

    /// How much later what `from` sends now arrives for its priority.
    #[inline]
    fn extra(&self, from: ProcessId, now: VirtualTime) -> Duration {
        if self.priorities.is_empty() || now >= self.safety {
            return Duration::ZERO;
        }
        let has_begun = |priority: &Priority| {
            VirtualTime::ZERO + Duration::from_micros(priority.from_us) <= now
        };
        let mut of_sender =
            self.priorities.iter().rev().filter(|priority| priority.process == from);
        let current = of_sender.find(|priority| has_begun(priority));
        current.map_or(Duration::ZERO, |priority| Duration::from_micros(priority.extra_us))
    }
}

/// What the delays of a sender's single messages are drawn from.
fn control_stream(seed: u64, sender: usize) -> Stream {
    Stream::new(seed, Concern::Link, (1 << 32) | sender as u64)
}

/// What the delays of a control link are drawn from that has its own.
fn slow_control_stream(seed: u64, (from, to): (ProcessId, ProcessId)) -> Stream {
    let (from, to) = (slot_of(from) as u64, slot_of(to) as u64);
    Stream::new(seed, Concern::Link, (1 << 48) | (from << 24) | to)
}
