//! A run, as all its processes share it: the trace, the faults, how each process fares, the ending.

mod lives;
mod obstacles;
mod striking;

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
use crate::protocol::{Incarnation, ProcessId, VirtualTime};
use crate::trace::{Event, MessageKind};
use crate::world::act::Act;
use crate::world::faults::{Nemesis, message_event};
use crate::world::injector::Injector as _;
use crate::world::run_state::RunState;
use crate::world::waiting::HeldBack;
use crate::world::{Ending, Observer, RunEnd};

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
    /// The time of a fault of the network, or of a service's trouble, is over.
    Heal(usize),
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
    state: RunState<O>,
    clocks: Arc<Clocks>,
    machines: Box<dyn Machines>,
    /// The newest life of each process, in the order of [`slot_of`](crate::world::slot_of).
    slots: Vec<Slot>,
    /// The lives that go on beside their next.
    zombies: Vec<Zombie>,
    /// The machine of the next life that cannot be where its process was.
    next_machine: Machine,
    /// Messages that wait for an event.
    waiting: HeldBack<Envelope>,
    /// What is due, in order.
    agenda: BTreeMap<(VirtualTime, u64), Action>,
    order: u64,
    failure: Option<Box<dyn Any + Send>>,
}

/// All that is left of a run.
pub struct Remains<O> {
    /// Who watched it.
    pub observer: O,
    /// Which faults took effect.
    pub nemesis: Nemesis,
    /// How it ended.
    pub end: RunEnd,
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
            state: RunState::new(&plan, observer),
            plan,
            clocks,
            machines,
            next_machine: Machine(slots.len() as u16),
            slots,
            zombies: Vec::new(),
            waiting: HeldBack::default(),
            agenda: BTreeMap::new(),
            order: 0,
            failure: None,
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
        self.state.ending
    }

    /// Something failed that must not.
    pub fn fail(&mut self, failure: Box<dyn Any + Send>) {
        self.failure.get_or_insert(failure);
        self.state.ending.get_or_insert(Ending::Stopped);
    }

    /// When something is due.
    pub fn next_due(&self) -> VirtualTime {
        self.agenda.first_key_value().map_or(VirtualTime(u64::MAX), |((at, _), _)| *at)
    }

    /// Takes the next errand; lets happen what is due before it.
    pub fn poll_errand(&mut self, now: VirtualTime) -> Option<Errand> {
        self.state.now = self.state.now.max(now);
        while self.state.ending.is_none() {
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
        if self.state.ending == Some(Ending::Finished) {
            held.iter().for_each(|event| self.state.observe(ProcessId::SinkTarget, event));
        }
    }

    /// What is left when it is over.
    pub fn finish(self) -> Remains<O> {
        let (end, nemesis, observer) = self.state.into_end();
        Remains { end, nemesis, observer, failure: self.failure }
    }

    /// An event happens in a life of a process; `Break` when it died of it, or the run is over.
    pub fn event(&mut self, life: Life, now: VirtualTime, event: &Event) -> ControlFlow<()> {
        if self.state.ending.is_some() {
            return ControlFlow::Break(());
        }
        self.state.now = self.state.now.max(now);
        self.tell(life.process, event);
        if self.follow(life.process, event).is_continue()
            && self.state.ending.is_none()
            && self.is_alive(life)
        {
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
        let action = self.state.nemesis.handle_message(kind, to, self.state.moment())?;
        self.state.now = self.state.now.max(now);
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

    /// Messages that were held back set out now, each for itself.
    fn set_out(&mut self, envelopes: Vec<Envelope>) {
        for envelope in envelopes {
            self.schedule(self.state.now + envelope.delay, Action::Arrive(envelope));
        }
    }

    fn schedule(&mut self, at: VirtualTime, action: Action) {
        self.order += 1;
        self.agenda.insert((at, self.order), action);
    }

    fn schedule_after(&mut self, us: u64, action: Action) {
        self.schedule(self.state.now + Duration::from_micros(us), action);
    }

    fn schedule_errand(&mut self, errand: Errand) {
        self.schedule(self.state.now, Action::Errand(errand));
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
            Action::Heal(fault) => {
                self.clear(fault);
                self.recover(fault);
            }
            Action::EndZombie(life) => self.end_ghost(life),
            Action::EndFaults => self.heal_all(),
            Action::FaultsEnded => self.tell(ProcessId::Coordinator, &Event::FaultsEnded),
            Action::Limit => {
                self.state.now = VirtualTime::ZERO + self.plan.limit();
                self.state.ending = Some(Ending::TimeLimit);
            }
        }
    }
}
