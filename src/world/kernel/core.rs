//! What the kernel knows beside the processes' memory: what is due, who is up, what is on its way.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::cluster::message::Route;
use crate::cluster::{Cluster, Delay, Input, Message, Timer};
use crate::plan::{Concern, MessageAction, Plan, Stream};
use crate::protocol::{Attempt, Incarnation, ProcessId, VirtualTime};
use crate::trace::{Event, Point};
use crate::world::act::Act;
use crate::world::clock::Clock;
use crate::world::faults::message_event;
use crate::world::injector::Injector as _;
use crate::world::links::{InFlight, Links};
use crate::world::observer::Observer;
use crate::world::queue::{Due, Queue, Slab, TOKENS_MAX};
use crate::world::run_state::RunState;
use crate::world::waiting::HeldBack;
use crate::world::{channels_max, slot_of};

/// Tokens at and above this are ordered links.
pub(super) const LINK_TOKENS: u32 = TOKENS_MAX / 2;

/// The kernel but for the processes.
#[derive(Clone)]
pub(super) struct Core<'a, O> {
    pub plan: &'a Plan,
    pub state: RunState<O>,
    pub queue: Queue,
    /// Breaks ties in the queue.
    order: u64,
    pub arrivals: Slab<Arrival>,
    /// One a process, in the order of [`Cluster::processes`]; behind them, those of zombies.
    pub slots: Vec<Slot>,
    /// The lives that go on beside their next.
    pub zombies: Vec<Zombie>,
    /// The slots whose lives have been replaced, and still are where they were.
    pub replaced: Vec<usize>,
    pub links: Links,
    /// Messages that wait for a hold to end, in the order in which they would have arrived.
    pub kept: Vec<Envelope>,
    /// Messages that wait for an event.
    pub waiting: HeldBack<Envelope>,
}

/// How a process fares.
#[derive(Clone)]
pub(super) struct Slot {
    pub id: ProcessId,
    /// The slot of the process: this one, or, of a zombie, that of the life that replaced it.
    pub home: usize,
    pub incarnation: Incarnation,
    pub condition: Condition,
    /// Where it differs from virtual time.
    pub clock: Option<Clock>,
    pub mailbox: Stream,
}

/// A life of a process that was replaced, and goes on.
#[derive(Clone, Copy)]
pub(super) struct Zombie {
    /// The slot of the process.
    pub home: usize,
    /// Its own slot.
    pub slot: usize,
    pub incarnation: Incarnation,
    /// The newest attempt when it was replaced: the connections of this attempt and of older ones
    /// lead to it, those of newer ones to a later life.
    pub attempt: Attempt,
}

/// A message that travels alone.
#[derive(Clone)]
pub(super) struct Envelope {
    pub from: ProcessId,
    pub to: ProcessId,
    pub message: Message,
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
    /// Something happens that the plan has for this time.
    Act(Act),
    /// A crashed process is started again, if it is still down from that crash.
    Restart { slot: u32, incarnation: Incarnation },
    /// A pause of this life is over.
    Resume { slot: u32, incarnation: Incarnation },
    /// A service is told of its trouble, if that fault is still in force.
    Trouble { fault: usize },
    /// The time of a fault of the network, or of a service's trouble, is over.
    Heal { fault: usize },
    /// A life that was replaced is over.
    EndZombie { slot: u32, incarnation: Incarnation },
    /// The safety phase is over.
    FaultsEnd,
}

impl<'a, O: Observer> Core<'a, O> {
    pub fn new(plan: &'a Plan, cluster: &'a Cluster, observer: O) -> Self {
        let slot = |(index, id): (usize, ProcessId)| Slot {
            id,
            home: index,
            incarnation: Incarnation::default(),
            condition: Condition::Up,
            clock: None,
            mailbox: Stream::new(plan.root(), Concern::Mailbox, index as u64),
        };
        let slots: Vec<Slot> = cluster.processes().enumerate().map(slot).collect();
        let links = Links::new(plan, channels_max(plan, cluster), slots.len());
        Self {
            plan,
            state: RunState::new(plan, observer),
            queue: Queue::default(),
            order: 0,
            arrivals: Slab::default(),
            slots,
            zombies: Vec::new(),
            replaced: Vec::new(),
            links,
            kept: Vec::new(),
            waiting: HeldBack::default(),
        }
    }

    /// Shows an event; `Break` when the process died of it, or the run is over.
    #[inline]
    pub fn event(&mut self, slot: usize, event: &Event) -> ControlFlow<()> {
        let process = self.slots[slot].id;
        self.tell(process, event);
        let is_over = self.follow(process, event).is_break();
        if is_over || matches!(self.slots[slot].condition, Condition::Down) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
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

    pub fn schedule_after(&mut self, us: u64, arrival: Arrival) {
        self.schedule_at(self.state.now + Duration::from_micros(us), arrival);
    }

    pub fn set_timer(&mut self, slot: usize, after: Delay, timer: Timer) {
        let target = &mut self.slots[slot];
        let after = match (after, &target.clock) {
            (Delay::Exactly(duration), None) => duration,
            (Delay::Exactly(duration), Some(clock)) => clock.wait(duration),
            (Delay::Scheduled, _) => {
                Duration::from_micros(target.mailbox.within(self.plan.mailbox_us))
            }
        };
        let (to, incarnation) = (target.home as u32, target.incarnation);
        let input = Input::Timer(timer);
        self.schedule_at(self.state.now + after, Arrival::Input { to, incarnation, input });
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
        let Some(to_incarnation) = self.connected(to, &message) else { return };
        let order = self.next_order();
        let at = self.links.arrival(index, self.state.now, (from, to), &message);
        let link = self.links.ordered(index);
        let due = Due { at, order };
        if let Some(due) = link.push(InFlight { due, from, to, to_incarnation, message }) {
            self.queue.push(due, LINK_TOKENS + index as u32);
        }
    }

    /// To which life of the receiver a connection leads; none where there is nobody.
    #[inline]
    fn connected(&self, to: ProcessId, message: &Message) -> Option<Incarnation> {
        if !self.zombies.is_empty()
            && let Some(zombie) = self.zombie_addressed(to, message)
        {
            return Some(zombie.incarnation);
        }
        let receiver = &self.slots[slot_of(to)];
        (!matches!(receiver.condition, Condition::Down)).then_some(receiver.incarnation)
    }

    pub fn send_alone(&mut self, slot: usize, route: Route, to: ProcessId, mut message: Message) {
        let (from, home) = (self.slots[slot].id, self.slots[slot].home);
        let mut at = self.state.now + self.links.control_delay(home, self.state.now, from, to);
        let moment = self.state.moment();
        if let Route::Control(kind) = route
            && let Some(action) = self.state.nemesis.handle_message(kind, to, moment)
        {
            self.tell(from, &message_event(action, from, to, kind));
            match action {
                MessageAction::Drop => return,
                MessageAction::Delay { us } => at += Duration::from_micros(us),
                MessageAction::Duplicate { us } => {
                    let again = at + Duration::from_micros(us);
                    let message = message.clone();
                    self.schedule_at(again, Arrival::Message { from, to, message });
                }
                MessageAction::Until { point } => {
                    match self.waiting.hold(point, Envelope { from, to, message }) {
                        Ok(()) => return,
                        Err(envelope) => message = envelope.message,
                    }
                }
            }
        }
        self.schedule_at(at, Arrival::Message { from, to, message });
    }

    #[cold]
    pub fn release_waiting(&mut self, point: Point) {
        let envelopes = self.waiting.release(point);
        self.set_out(envelopes);
    }

    /// Messages that were held back set out now, each for itself.
    pub fn set_out(&mut self, envelopes: Vec<Envelope>) {
        for Envelope { from, to, message } in envelopes {
            let delay = self.links.control_delay(slot_of(from), self.state.now, from, to);
            self.schedule_at(self.state.now + delay, Arrival::Message { from, to, message });
        }
    }

    /// Looks again at every ordered link whose first message waits.
    pub fn release_links(&mut self) {
        for index in 0..self.links.ordered_count() {
            if let Some(due) = self.links.ordered(index).release(self.state.now) {
                self.queue.push(due, LINK_TOKENS + index as u32);
            }
        }
    }
}
