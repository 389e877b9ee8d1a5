//! What the kernel knows beside the processes' memory: what is due, who is up, what is on its way.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::cluster::message::Route;
use crate::cluster::{Cluster, Delay, Input, Message, Timer};
use crate::plan::{Concern, MessageAction, Plan, Stream};
use crate::protocol::{Incarnation, ProcessId, VirtualTime};
use crate::trace::{Event, Point, Stamp};
use crate::world::faults::{Cuts, Moment, Nemesis, message_event};
use crate::world::links::{InFlight, Links};
use crate::world::observer::Observer;
use crate::world::queue::{Due, Queue, Slab, TOKENS_MAX};
use crate::world::troubles::Troubles;
use crate::world::{Ending, RunEnd, slot_of};

/// Tokens at and above this are ordered links.
pub(super) const LINK_TOKENS: u32 = TOKENS_MAX / 2;

/// The kernel but for the processes.
#[derive(Clone)]
pub(super) struct Core<'a, O> {
    pub plan: &'a Plan,
    pub now: VirtualTime,
    pub queue: Queue,
    /// Breaks ties in the queue.
    order: u64,
    pub arrivals: Slab<Arrival>,
    pub slots: Vec<Slot>,
    pub links: Links,
    pub cuts: Cuts,
    pub nemesis: Nemesis,
    pub troubles: Troubles,
    pub observer: O,
    pub steps: u64,
    events: u64,
    /// The kind of the last event that tells of the system, not of its faults.
    last: Option<Point>,
    pub ending: Option<Ending>,
    /// The safety phase is over.
    pub is_healed: bool,
}

/// How a process fares.
#[derive(Clone)]
pub(super) struct Slot {
    pub id: ProcessId,
    pub incarnation: Incarnation,
    pub condition: Condition,
    pub mailbox: Stream,
}

/// Whether a process makes progress.
#[derive(Clone)]
pub(super) enum Condition {
    Up,
    Down,
    /// What arrives is kept, in order.
    Paused {
        kept: Vec<Input>,
        until: VirtualTime,
    },
}

/// Something due that does not come through an ordered link.
#[derive(Clone)]
pub(super) enum Arrival {
    /// For one life of a process.
    Input { to: u32, incarnation: Incarnation, input: Input },
    /// A message that travels alone: it reaches whoever lives there then.
    Message { from: ProcessId, to: ProcessId, message: Message },
    /// The fault at this place in the plan strikes.
    Strike(usize),
    /// A crashed process is started again, if it is still down from that crash.
    Restart { slot: u32, incarnation: Incarnation },
    /// A pause is over.
    Resume { slot: u32 },
    /// A service is told of its trouble, if that fault is still in force.
    Trouble { fault: usize },
    /// A cut, or the trouble of a service, is over.
    Heal { fault: usize },
    /// The safety phase is over.
    FaultsEnd,
}

impl<'a, O: Observer> Core<'a, O> {
    pub fn new(plan: &'a Plan, cluster: &'a Cluster, observer: O) -> Self {
        let slot = |(index, id): (usize, ProcessId)| Slot {
            id,
            incarnation: Incarnation::default(),
            condition: Condition::Up,
            mailbox: Stream::new(plan.seed, Concern::Mailbox, index as u64),
        };
        let slots: Vec<Slot> = cluster.processes().enumerate().map(slot).collect();
        let links = Links::new(plan, cluster.job.topology(), slots.len());
        Self {
            plan,
            now: VirtualTime::ZERO,
            queue: Queue::default(),
            order: 0,
            arrivals: Slab::default(),
            slots,
            links,
            cuts: Cuts::default(),
            nemesis: Nemesis::new(plan),
            troubles: Troubles::default(),
            observer,
            steps: 0,
            events: 0,
            last: None,
            ending: None,
            is_healed: false,
        }
    }

    pub fn into_end(self) -> (RunEnd, Nemesis, O) {
        let ending = self.ending.unwrap_or(Ending::Quiescent);
        let end = RunEnd { ending, at: self.now, steps: self.steps, events: self.events };
        (end, self.nemesis, self.observer)
    }

    /// Shows an event; `Break` when the process died of it, or the run is over.
    #[inline]
    pub fn event(&mut self, slot: usize, event: &Event) -> ControlFlow<()> {
        let process = self.slots[slot].id;
        self.observe(process, event);
        let point = Point::from(event);
        if !point.tells_of_fault() {
            self.last = Some(point);
        }
        if let Event::JobFinished { .. } = event {
            self.ending.get_or_insert(Ending::Finished);
        }
        if self.ending.is_some() {
            return ControlFlow::Break(());
        }
        if self.nemesis.is_watching(event) {
            self.strike_aimed(event, process);
            if matches!(self.slots[slot].condition, Condition::Down) {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }

    #[inline]
    pub fn observe(&mut self, process: ProcessId, event: &Event) {
        let stamp = Stamp { number: self.events, at: self.now, process };
        self.events += 1;
        if self.observer.observe(stamp, event).is_break() {
            self.ending.get_or_insert(Ending::Stopped);
        }
    }

    /// Where the trace is now.
    pub fn moment(&self) -> Moment {
        Moment { events: self.events, after: self.last }
    }

    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    pub fn schedule_at(&mut self, at: VirtualTime, arrival: Arrival) {
        let order = self.next_order();
        let token = self.arrivals.insert(arrival);
        self.queue.push(Due { at, order }, token);
    }

    pub fn set_timer(&mut self, slot: usize, after: Delay, timer: Timer) {
        let target = &mut self.slots[slot];
        let after = match after {
            Delay::Exactly(duration) => duration,
            Delay::Scheduled => Duration::from_micros(target.mailbox.within(self.plan.mailbox_us)),
        };
        let incarnation = target.incarnation;
        let input = Input::Timer(timer);
        self.schedule_at(self.now + after, Arrival::Input { to: slot as u32, incarnation, input });
    }

    #[inline]
    pub fn send(&mut self, slot: usize, to: ProcessId, message: Message) {
        let from = self.slots[slot].id;
        let route = message.route();
        match self.links.ordered_index(route, from) {
            Some(index) => self.send_ordered(index, from, to, message),
            None => self.send_alone(slot, route, to, message),
        }
    }

    /// A message to a dead process is lost: its connection is gone.
    #[inline]
    fn send_ordered(&mut self, index: usize, from: ProcessId, to: ProcessId, message: Message) {
        let receiver = &self.slots[slot_of(to)];
        if matches!(receiver.condition, Condition::Down) {
            return;
        }
        let to_incarnation = receiver.incarnation;
        let order = self.next_order();
        let at = self.links.arrival(index, self.now, (from, to), &message);
        let link = self.links.ordered(index);
        let due = Due { at, order };
        if let Some(due) = link.push(InFlight { due, from, to, to_incarnation, message }) {
            self.queue.push(due, LINK_TOKENS + index as u32);
        }
    }

    fn send_alone(&mut self, slot: usize, route: Route, to: ProcessId, message: Message) {
        let from = self.slots[slot].id;
        let mut at = self.now + self.links.control_delay(slot, self.now, (from, to));
        let moment = self.moment();
        if let Route::Control(kind) = route
            && let Some(action) = self.nemesis.handle_message(kind, to, moment)
        {
            self.observe(from, &message_event(action, from, to, kind));
            match action {
                MessageAction::Drop => return,
                MessageAction::Delay { us } => at += Duration::from_micros(us),
                MessageAction::Duplicate { us } => {
                    let again = at + Duration::from_micros(us);
                    let message = message.clone();
                    self.schedule_at(again, Arrival::Message { from, to, message });
                }
                MessageAction::Until { .. } => {}
            }
        }
        self.schedule_at(at, Arrival::Message { from, to, message });
    }

    /// Looks again at every ordered link whose first message waits.
    pub fn release_links(&mut self) {
        for index in 0..self.links.ordered_count() {
            if let Some(due) = self.links.ordered(index).release(self.now) {
                self.queue.push(due, LINK_TOKENS + index as u32);
            }
        }
    }
}
