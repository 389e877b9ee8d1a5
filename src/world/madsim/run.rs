//! A run, as all its processes share it: the trace, the faults, how each process fares, the ending.

use std::any::Any;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::driver::Life;
use super::driver::seat::{Admission, Status};
use crate::cluster::StoreFault;
use crate::plan::{Fault, MessageAction, Plan, When};
use crate::protocol::{Incarnation, ProcessId, VirtualTime};
use crate::trace::{Event, MessageKind, Point, Stamp};
use crate::world::faults::{Cuts, Moment, Nemesis, message_event};
use crate::world::{Ending, Observer, slot_of};

/// From a crash to the death of the process's tasks: what was handed to connections before it leaves.
const LINGER: Duration = Duration::from_micros(50);

/// Within this the stores are told that they are healthy.
const TOLD: Duration = Duration::from_micros(1);

/// What acts on the simulated machines at once.
pub trait Machines: Send {
    /// The process makes no progress any more.
    fn pause(&self, process: ProcessId);
    /// It goes on.
    fn resume(&self, process: ProcessId);
    /// Nothing gets from one process to another any more.
    fn cut(&self, from: ProcessId, to: ProcessId);
    /// It does again.
    fn heal(&self, from: ProcessId, to: ProcessId);
}

/// What is to be done outside of the run's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Let what a crashed process has sent leave.
    Flush(ProcessId),
    /// End its tasks.
    Kill(ProcessId),
    /// Start its next life.
    Start(ProcessId),
    /// Tell a store how it fares.
    Tell(ProcessId, StoreFault),
    /// Break the connections from one process to another.
    BreakOff(ProcessId, ProcessId),
}

/// Something due.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// The fault at this place in the plan strikes.
    Strike(usize),
    /// Run this errand.
    Errand(Errand),
    /// A crashed process is started again, if it is still down from that crash.
    Restart(ProcessId, Incarnation),
    /// A pause is over.
    Resume(ProcessId),
    /// A cut is over.
    Heal(usize),
    /// The safety phase is over.
    EndFaults,
    /// And all is healed.
    FaultsEnded,
    /// The time is up.
    Limit,
}

/// A process and how it fares.
struct Slot {
    id: ProcessId,
    incarnation: Incarnation,
    condition: Condition,
    /// What its tasks see of it.
    status: Arc<Status>,
}

enum Condition {
    Up,
    /// Its tasks end at this time.
    Down {
        killed: VirtualTime,
    },
    Paused {
        until: VirtualTime,
    },
}

/// A run.
pub struct Run<O> {
    plan: Arc<Plan>,
    observer: O,
    nemesis: Nemesis,
    cuts: Cuts,
    machines: Box<dyn Machines>,
    slots: Vec<Slot>,
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
    /// When.
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
        observer: O,
    ) -> Self {
        let slot = |id| Slot {
            id,
            incarnation: Incarnation::default(),
            condition: Condition::Up,
            status: Arc::default(),
        };
        let mut run = Self {
            nemesis: Nemesis::new(&plan),
            plan,
            observer,
            cuts: Cuts::default(),
            machines,
            slots: processes.map(slot).collect(),
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
        for (fault, planned) in plan.faults.iter().enumerate() {
            if let When::At { us } = planned.when {
                self.schedule(VirtualTime::from_us(us), Action::Strike(fault));
            }
        }
        self.schedule(VirtualTime::ZERO + plan.safety(), Action::EndFaults);
        self.schedule(VirtualTime::ZERO + plan.limit(), Action::Limit);
    }

    /// Observes the first event.
    pub fn begin(&mut self, started: &Event) {
        self.observe(ProcessId::Coordinator, started);
    }

    /// The life of a process that is about to begin.
    pub fn life(&self, process: ProcessId) -> (Life, Arc<Status>) {
        let slot = &self.slots[slot_of(process)];
        (Life { process, incarnation: slot.incarnation }, Arc::clone(&slot.status))
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
                action => self.act(action),
            }
        }
        None
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

    /// An event happens in a process; `Break` when the process died of it, or the run is over.
    pub fn event(
        &mut self,
        process: ProcessId,
        now: VirtualTime,
        event: &Event,
    ) -> ControlFlow<()> {
        if self.ending.is_some() {
            return ControlFlow::Break(());
        }
        self.now = self.now.max(now);
        self.observe(process, event);
        let point = Point::from(event);
        if !point.tells_of_fault() {
            self.last = Some(point);
        }
        if let Event::JobFinished { .. } = event {
            self.ending.get_or_insert(Ending::Finished);
        }
        if self.ending.is_none() && self.nemesis.is_watching(event) {
            for fault in self.nemesis.handle_event(event) {
                self.strike(fault, process);
            }
        }
        let alive = !matches!(self.slots[slot_of(process)].condition, Condition::Down { .. });
        if self.ending.is_none() && alive {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// A control message is sent: what happens to it, if anything.
    pub fn strike_message(
        &mut self,
        from: ProcessId,
        now: VirtualTime,
        to: ProcessId,
        kind: MessageKind,
    ) -> Option<MessageAction> {
        let action = self.nemesis.handle_message(kind, to, self.moment())?;
        self.now = self.now.max(now);
        self.observe(from, &message_event(action, from, to, kind));
        Some(action)
    }

    fn observe(&mut self, process: ProcessId, event: &Event) {
        if self.ending.is_some() {
            return;
        }
        let stamp = Stamp { number: self.events, at: self.now, process };
        self.events += 1;
        if self.observer.observe(stamp, event).is_break() {
            self.ending = Some(Ending::Stopped);
        }
    }

    fn schedule(&mut self, at: VirtualTime, action: Action) {
        self.order += 1;
        self.agenda.insert((at, self.order), action);
    }

    fn schedule_errand(&mut self, errand: Errand) {
        self.schedule(self.now, Action::Errand(errand));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Strike(fault) => self.strike(fault, ProcessId::Coordinator),
            Action::Errand(_) => {}
            Action::Restart(process, incarnation) => self.restart(process, incarnation),
            Action::Resume(process) => self.resume(process),
            Action::Heal(fault) => self.heal(fault),
            Action::EndFaults => self.end_faults(),
            Action::FaultsEnded => self.observe(ProcessId::Coordinator, &Event::FaultsEnded),
            Action::Limit => {
                self.now = VirtualTime::ZERO + self.plan.limit();
                self.ending = Some(Ending::TimeLimit);
            }
        }
    }

    // ---- faults

    fn strike(&mut self, index: usize, struck: ProcessId) {
        if self.is_healed {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let planned = &plan.faults[index];
        match &planned.fault {
            Fault::Crash { process, restart_after_us } => {
                self.crash(index, process.unwrap_or(struck), *restart_after_us);
            }
            Fault::Pause { process, for_us } => {
                self.pause(index, process.unwrap_or(struck), *for_us)
            }
            Fault::Zombie { .. }
            | Fault::Isolate { .. }
            | Fault::Hold { .. }
            | Fault::HalfOpen { .. }
            | Fault::Lose { .. }
            | Fault::Clock { .. }
            | Fault::Sink { .. }
            | Fault::Idle { .. } => {}
            Fault::Disconnect { from, to, both, for_us } => {
                self.mark(index, *from);
                self.cut(index, *from, *to);
                if *both {
                    self.cut(index, *to, *from);
                }
                self.schedule(self.now + Duration::from_micros(*for_us), Action::Heal(index));
            }
            Fault::Message { .. } => self.nemesis.arm_messages(index, planned),
            Fault::Store { process, fault: how, for_us } => {
                self.mark(index, *process);
                self.schedule_errand(Errand::Tell(*process, *how));
                let recovery = Errand::Tell(*process, StoreFault::Healthy);
                let at = self.now + Duration::from_micros(*for_us);
                self.schedule(at, Action::Errand(recovery));
            }
        }
    }

    /// A fault takes effect.
    fn mark(&mut self, index: usize, struck: ProcessId) {
        let moment = self.moment();
        self.nemesis.strike(index, &self.plan.faults[index], struck, moment);
    }

    fn moment(&self) -> Moment {
        Moment { events: self.events, after: self.last }
    }

    fn crash(&mut self, index: usize, process: ProcessId, restart_after_us: Option<u64>) {
        let killed = self.now + LINGER;
        let slot = &mut self.slots[slot_of(process)];
        if matches!(slot.condition, Condition::Down { .. }) {
            return;
        }
        slot.condition = Condition::Down { killed };
        slot.status.set(Admission::Gone);
        let incarnation = slot.incarnation;
        self.mark(index, process);
        self.observe(process, &Event::Crashed { process });
        self.schedule_errand(Errand::Flush(process));
        self.schedule(killed, Action::Errand(Errand::Kill(process)));
        if let Some(us) = restart_after_us {
            let at = killed.max(self.now + Duration::from_micros(us));
            self.schedule(at, Action::Restart(process, incarnation));
        }
    }

    fn restart(&mut self, process: ProcessId, crashed: Incarnation) {
        let slot = &mut self.slots[slot_of(process)];
        if !matches!(slot.condition, Condition::Down { .. }) || slot.incarnation != crashed {
            return;
        }
        slot.incarnation = crashed.next();
        slot.condition = Condition::Up;
        slot.status = Arc::default();
        let incarnation = slot.incarnation;
        self.observe(process, &Event::Restarted { process, incarnation });
        self.schedule_errand(Errand::Start(process));
    }

    fn pause(&mut self, index: usize, process: ProcessId, for_us: u64) {
        let until = self.now + Duration::from_micros(for_us);
        let slot = &mut self.slots[slot_of(process)];
        if !matches!(slot.condition, Condition::Up) {
            return;
        }
        slot.condition = Condition::Paused { until };
        slot.status.set(Admission::Paused);
        self.machines.pause(process);
        self.mark(index, process);
        self.observe(process, &Event::Paused { process });
        self.schedule(until, Action::Resume(process));
    }

    fn resume(&mut self, process: ProcessId) {
        let slot = &mut self.slots[slot_of(process)];
        match slot.condition {
            Condition::Paused { until } if until <= self.now || self.is_healed => {}
            Condition::Up | Condition::Down { .. } | Condition::Paused { .. } => return,
        }
        slot.condition = Condition::Up;
        slot.status.set(Admission::Up);
        self.observe(process, &Event::Resumed { process });
        self.machines.resume(process);
    }

    fn cut(&mut self, fault: usize, from: ProcessId, to: ProcessId) {
        if self.cuts.cut(from, to, fault) {
            self.machines.cut(from, to);
            self.observe(from, &Event::Disconnected { from, to });
        }
    }

    fn heal(&mut self, index: usize) {
        let Fault::Disconnect { from, to, .. } = self.plan.faults[index].fault else { return };
        for (from, to) in [(from, to), (to, from)] {
            if self.cuts.heal(from, to, index) {
                self.healed(from, to);
            }
        }
    }

    /// A cut leaves no connection behind: after it, both sides connect anew, and send again what they
    /// cannot know to have arrived.
    fn healed(&mut self, from: ProcessId, to: ProcessId) {
        self.machines.heal(from, to);
        self.observe(from, &Event::Healed { from, to });
        self.schedule_errand(Errand::BreakOff(from, to));
        self.schedule_errand(Errand::BreakOff(to, from));
    }

    /// The safety phase is over: everything that is not lost for good is healed.
    fn end_faults(&mut self) {
        self.nemesis.end();
        self.is_healed = true;
        for (from, to) in self.cuts.heal_all() {
            self.healed(from, to);
        }
        for store in [ProcessId::ObjectStore, ProcessId::MetaStore] {
            self.schedule_errand(Errand::Tell(store, StoreFault::Healthy));
        }
        let mut at = self.now + TOLD;
        for slot in 0..self.slots.len() {
            at = at.max(self.heal_process(slot));
        }
        self.schedule(at, Action::FaultsEnded);
    }

    /// Returns when it will have been healed.
    fn heal_process(&mut self, slot: usize) -> VirtualTime {
        let (id, incarnation) = (self.slots[slot].id, self.slots[slot].incarnation);
        match self.slots[slot].condition {
            Condition::Up => {}
            Condition::Paused { .. } => self.resume(id),
            Condition::Down { .. } if self.plan.lost.contains(&id) => {}
            Condition::Down { killed } => {
                let at = self.now.max(killed);
                self.schedule(at, Action::Restart(id, incarnation));
                return at;
            }
        }
        self.now
    }
}
