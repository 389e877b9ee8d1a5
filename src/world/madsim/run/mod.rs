//! A run, as all its processes share it: the trace, the faults, how each process fares, the ending.

mod lives;
mod obstacles;
mod striking;
mod troubles;

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use self::lives::{Slot, Zombie};
use super::clocks::Clocks;
use super::driver::{Life, Machine};
use crate::cluster::{Input, Message, Trouble};
use crate::plan::{MessageAction, Plan};
use crate::protocol::{Attempt, Incarnation, ProcessId, VirtualTime};
use crate::trace::{Event, MessageKind, Point, Stamp};
use crate::world::act::Act;
use crate::world::faults::{Moment, Nemesis, message_event};
use crate::world::network::Network;
use crate::world::planned_requests::PlannedRequests;
use crate::world::troubles::Troubles;
use crate::world::waiting::HeldBack;
use crate::world::{Ending, Observer};

/// What acts on the simulated machines at once.
pub trait Machines: Send {
    /// The machine makes no progress any more.
    fn pause(&self, machine: Machine);
    /// It goes on.
    fn resume(&self, machine: Machine);
    /// Nothing gets from one process to another any more, wherever their lives are.
    fn cut(&self, from: ProcessId, to: ProcessId);
    /// It does again.
    fn heal(&self, from: ProcessId, to: ProcessId);
}

/// What is to be done outside of the run's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Let what a life that is over has sent leave.
    Flush(Machine),
    /// End its tasks.
    Kill(Machine),
    /// Start the next life of a process, on this machine.
    Start(ProcessId, Machine),
    /// Hand the life on this machine an input.
    Tell(Machine, Input),
    /// Tell the service on this machine how it fares, whether it is up or not.
    Afflict(Machine, Trouble),
    /// A message that was held back outside of its machines arrives at this one.
    Deliver(Machine, ProcessId, Message),
    /// Let what has arrived on this machine from a process, and waits there, go on.
    Release(Machine, ProcessId),
    /// Break the connections from a machine to a process.
    BreakOff(Machine, ProcessId),
}

/// A message that waits for an event.
struct Envelope {
    from: ProcessId,
    to: ProcessId,
    /// How long its link takes.
    delay: Duration,
    message: Message,
}

/// Something due.
enum Action {
    /// Something happens that the plan has for this time.
    Act(Act),
    /// Run this errand.
    Errand(Errand),
    /// A message arrives that was held back until it set out.
    Arrive(Envelope),
    /// A crashed process is started again, if it is still down from that crash.
    Restart(ProcessId, Incarnation),
    /// A pause of this life is over.
    Resume(Life),
    /// The time of a fault of the network is over.
    Clear(usize),
    /// The time of a trouble of a service is over.
    Recover(usize),
    /// A life that was replaced is over.
    EndZombie(Life),
    /// The safety phase is over.
    EndFaults,
    /// And all is healed.
    FaultsEnded,
    /// The time is up.
    Limit,
}

/// A run.
pub struct Run<O> {
    plan: Arc<Plan>,
    observer: O,
    nemesis: Nemesis,
    planned_requests: PlannedRequests,
    network: Network,
    clocks: Arc<Clocks>,
    machines: Box<dyn Machines>,
    /// The newest life of each process, in the order of [`slot_of`](crate::world::slot_of).
    slots: Vec<Slot>,
    /// The lives that go on beside their next.
    zombies: Vec<Zombie>,
    /// The machine of the next life that cannot be where its process was.
    next_machine: Machine,
    /// The newest attempt that was started.
    attempt: Attempt,
    /// Messages that wait for an event.
    waiting: HeldBack<Envelope>,
    troubles: Troubles,
    /// What is due, in order.
    agenda: BTreeMap<(VirtualTime, u64), Action>,
    order: u64,
    /// When the last event happened.
    now: VirtualTime,
    events: u64,
    /// The kind of the last event that tells of the system, not of its faults.
    last: Option<Point>,
    ending: Option<Ending>,
    failure: Option<Box<dyn Any + Send>>,
    is_healed: bool,
}

/// All that is left of a run.
pub struct Remains<O> {
    /// Who watched it.
    pub observer: O,
    /// Which faults took effect.
    pub nemesis: Nemesis,
    /// How it ended.
    pub ending: Ending,
    /// The virtual time at which it ended.
    pub at: VirtualTime,
    /// How many events there were.
    pub events: u64,
    /// What failed that must not.
    pub failure: Option<Box<dyn Any + Send>>,
}

impl<O: Observer> Run<O> {
    /// A run in which nothing has happened.
    pub fn new(
        plan: Arc<Plan>,
        processes: impl Iterator<Item = ProcessId>,
        machines: Box<dyn Machines>,
        clocks: Arc<Clocks>,
        observer: O,
    ) -> Self {
        let slots: Vec<Slot> = processes.map(Slot::first).collect();
        let mut run = Self {
            nemesis: Nemesis::new(&plan),
            planned_requests: PlannedRequests::new(&plan),
            plan,
            observer,
            network: Network::default(),
            clocks,
            machines,
            next_machine: Machine(slots.len() as u16),
            slots,
            zombies: Vec::new(),
            attempt: Attempt::default(),
            waiting: HeldBack::default(),
            troubles: Troubles::default(),
            agenda: BTreeMap::new(),
            order: 0,
            now: VirtualTime::ZERO,
            events: 0,
            last: None,
            ending: None,
            failure: None,
            is_healed: false,
        };
        run.schedule_plan();
        run
    }

    fn schedule_plan(&mut self) {
        let plan = Arc::clone(&self.plan);
        for (at, act) in Act::timed(&plan) {
            self.schedule(at, Action::Act(act));
        }
        self.schedule(VirtualTime::ZERO + plan.safety(), Action::EndFaults);
        self.schedule(VirtualTime::ZERO + plan.limit(), Action::Limit);
    }

    /// Observes the first event.
    pub fn begin(&mut self, started: &Event) {
        self.tell(ProcessId::Coordinator, started);
    }

    /// How the run ended, once it has.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// Something failed that must not.
    pub fn fail(&mut self, failure: Box<dyn Any + Send>) {
        self.failure.get_or_insert(failure);
        self.ending.get_or_insert(Ending::Stopped);
    }

    /// When something is due.
    pub fn next_due(&self) -> VirtualTime {
        self.agenda.first_key_value().map_or(VirtualTime(u64::MAX), |((at, _), _)| *at)
    }

    /// Takes the next errand; lets happen what is due before it.
    pub fn poll_errand(&mut self, now: VirtualTime) -> Option<Errand> {
        self.now = self.now.max(now);
        while self.ending.is_none() {
            let next = self.agenda.first_entry()?;
            if next.key().0 > now {
                return None;
            }
            match next.remove() {
                Action::Errand(errand) => return Some(errand),
                action => self.carry_out(action),
            }
        }
        None
    }

    /// It has finished, and this is left in the external system.
    pub fn tell_held(&mut self, held: &[Event]) {
        if self.ending == Some(Ending::Finished) {
            held.iter().for_each(|event| self.observe(ProcessId::SinkTarget, event));
        }
    }

    /// What is left when it is over.
    pub fn finish(self) -> Remains<O> {
        Remains {
            observer: self.observer,
            nemesis: self.nemesis,
            ending: self.ending.unwrap_or(Ending::Quiescent),
            at: self.now,
            events: self.events,
            failure: self.failure,
        }
    }

    /// An event happens in a life of a process; `Break` when it died of it, or the run is over.
    pub fn event(&mut self, life: Life, now: VirtualTime, event: &Event) -> ControlFlow<()> {
        if self.ending.is_some() {
            return ControlFlow::Break(());
        }
        self.now = self.now.max(now);
        self.tell(life.process, event);
        let point = Point::from(event);
        if !point.tells_of_fault() {
            self.last = Some(point);
        }
        match event {
            Event::JobFinished { .. } => {
                self.ending.get_or_insert(Ending::Finished);
            }
            Event::LeadershipTaken { term } => self.planned_requests.handle_leadership_taken(*term),
            Event::JobStopped { term, .. } if self.planned_requests.is_over(*term) => {
                self.ending.get_or_insert(Ending::Finished);
            }
            Event::AttemptStarted { attempt, .. } => self.attempt = self.attempt.max(*attempt),
            _ => {}
        }
        if self.ending.is_none() && self.nemesis.is_watching(event) {
            for act in self.nemesis.handle_event(event) {
                self.act(act, life.process);
            }
        }
        if self.ending.is_none() && self.is_alive(life) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// A control message is sent, and its link is to take `delay`: what happens to it, if anything. One
    /// that is to wait for an event waits here, and outlives its sender.
    pub fn strike_message(
        &mut self,
        from: ProcessId,
        now: VirtualTime,
        to: ProcessId,
        kind: MessageKind,
        (delay, message): (Duration, &Message),
    ) -> Option<MessageAction> {
        let action = self.nemesis.handle_message(kind, to, self.moment())?;
        self.now = self.now.max(now);
        self.tell(from, &message_event(action, from, to, kind));
        match action {
            MessageAction::Drop | MessageAction::Delay { .. } | MessageAction::Duplicate { .. } => {
                Some(action)
            }
            MessageAction::Until { point } => {
                let envelope = Envelope { from, to, delay, message: message.clone() };
                self.waiting.hold(point, envelope).is_ok().then_some(action)
            }
        }
    }

    /// Somebody on the coordinator's machine asks it for something.
    fn ask(&mut self, place: usize) {
        let plan = Arc::clone(&self.plan);
        let message = self.planned_requests.message(&plan, place);
        let (from, to) = (ProcessId::Coordinator, ProcessId::Coordinator);
        let delay = Duration::from_micros(plan.links.local_us);
        let with = (delay, &message);
        let action = self.strike_message(from, self.now, to, MessageKind::Request, with);
        let copies = match action {
            None => vec![delay],
            Some(MessageAction::Drop | MessageAction::Until { .. }) => Vec::new(),
            Some(MessageAction::Delay { us }) => vec![delay + Duration::from_micros(us)],
            Some(MessageAction::Duplicate { us }) => vec![delay, delay + Duration::from_micros(us)],
        };
        for delay in copies {
            let message = message.clone();
            self.schedule(self.now + delay, Action::Arrive(Envelope { from, to, delay, message }));
        }
    }

    fn observe(&mut self, process: ProcessId, event: &Event) {
        let stamp = Stamp { number: self.events, at: self.now, process };
        self.events += 1;
        if self.observer.observe(stamp, event).is_break() {
            self.ending.get_or_insert(Ending::Stopped);
        }
    }

    /// Shows an event of the system or of its faults; what waits for one of its kind sets out.
    fn tell(&mut self, process: ProcessId, event: &Event) {
        if self.ending.is_some() {
            return;
        }
        self.observe(process, event);
        let point = Point::from(event);
        if self.waiting.is_awaited(point) {
            let envelopes = self.waiting.release(point);
            self.set_out(envelopes);
        }
    }

    /// Messages that were held back set out now, each for itself.
    fn set_out(&mut self, envelopes: Vec<Envelope>) {
        for envelope in envelopes {
            self.schedule(self.now + envelope.delay, Action::Arrive(envelope));
        }
    }

    fn moment(&self) -> Moment {
        Moment { events: self.events, after: self.last }
    }

    fn schedule(&mut self, at: VirtualTime, action: Action) {
        self.order += 1;
        self.agenda.insert((at, self.order), action);
    }

    fn schedule_errand(&mut self, errand: Errand) {
        self.schedule(self.now, Action::Errand(errand));
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Act(act) => self.act(act, ProcessId::Coordinator),
            Action::Errand(errand) => self.schedule_errand(errand),
            Action::Arrive(Envelope { from, to, message, .. }) => {
                let machine = self.machine_of(to, &message);
                self.schedule_errand(Errand::Deliver(machine, from, message));
            }
            Action::Restart(process, incarnation) => self.restart(process, incarnation),
            Action::Resume(life) => self.resume(life),
            Action::Clear(fault) => self.clear(fault),
            Action::Recover(fault) => self.recover(fault),
            Action::EndZombie(life) => self.end_ghost(life),
            Action::EndFaults => self.end_faults(),
            Action::FaultsEnded => self.tell(ProcessId::Coordinator, &Event::FaultsEnded),
            Action::Limit => {
                self.now = VirtualTime::ZERO + self.plan.limit();
                self.ending = Some(Ending::TimeLimit);
            }
        }
    }
}
