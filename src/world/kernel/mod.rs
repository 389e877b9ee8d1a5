//! The kernel: a discrete-event world. Nothing happens but what is due next.

mod carrier;
mod core;
mod fork;
mod obstacles;
mod striking;
mod zombies;

pub use self::fork::Upcoming;

use self::carrier::Carrier;
use self::core::{Arrival, Condition, Core, Envelope, LINK_TOKENS};
use super::act::Act;
use super::faults::Nemesis;
use super::injector::Injector as _;
use super::links::InFlight;
use super::network::Delivery;
use super::observer::Observer;
use super::queue::Due;
use super::{Ending, RunEnd, run_started, slot_of};
use crate::cluster::{Cluster, Input, Process, Trouble};
use crate::plan::Plan;
use crate::protocol::{Incarnation, ProcessId, VirtualTime};
use crate::trace::Event;

/// After so many inputs a run is given up, whatever it does. One in which nothing happens but inputs is given up
/// far earlier.
pub const STEPS_MAX: u64 = 50_000_000;

/// A run in the kernel. Cloning it forks the run.
#[derive(Clone)]
pub struct Kernel<'a, O> {
    cluster: &'a Cluster,
    /// In the order of [`Cluster::processes`]; behind them, zombies.
    processes: Vec<Process>,
    core: Core<'a, O>,
    steps_max: u64,
    /// The last input behind which the trace had grown.
    growth: Growth,
}

/// After which input the trace last grew, and when.
#[derive(Clone, Copy, Debug, Default)]
struct Growth {
    events: u64,
    steps: u64,
    at: VirtualTime,
}

impl Growth {
    /// So many inputs without any event are waiting, whoever waits for whom: answers to a burst of requests.
    const BURST: u64 = 100_000;

    /// So many inputs of each process in a millisecond are waiting: heartbeats, and requests sent again. The
    /// busiest built-in run takes 66 of all its processes, its records included.
    const PER_PROCESS_MS: u64 = 16;

    /// How many inputs may follow it until `now` without another event.
    fn patience(self, now: VirtualTime, processes: usize) -> u64 {
        let waited_ms = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let usual = Self::PER_PROCESS_MS.saturating_mul(processes as u64);
        Self::BURST.saturating_add(usual.saturating_mul(waited_ms))
    }
}

impl<'a, O: Observer> Kernel<'a, O> {
    /// A run of `plan` on `cluster`, watched by `observer`; nothing has happened yet.
    #[must_use]
    pub fn new(plan: &'a Plan, cluster: &'a Cluster, observer: O) -> Self {
        let processes = cluster.processes().map(|id| cluster.start(id)).collect();
        let core = Core::new(plan, cluster, observer);
        Self { cluster, processes, core, steps_max: STEPS_MAX, growth: Growth::default() }
    }

    /// Gives the run up after so many inputs, instead of [`STEPS_MAX`].
    #[must_use]
    pub fn with_steps_max(self, steps_max: u64) -> Self {
        Self { steps_max, ..self }
    }

    /// Runs to the end.
    pub fn run(self) -> (RunEnd, Nemesis, O) {
        self.begun().finish()
    }

    fn begin(&mut self) {
        let plan = self.core.plan;
        let started = run_started(plan, self.cluster);
        self.core.state.observe(ProcessId::Coordinator, &Event::RunStarted(Box::new(started)));
        for (at, act) in Act::timed(plan) {
            self.core.schedule_at(at, Arrival::Act(act));
        }
        self.core.schedule_at(VirtualTime::ZERO + plan.safety(), Arrival::FaultsEnd);
        for slot in 0..self.processes.len() {
            self.handle(slot, Input::Start(Incarnation::default()));
        }
    }

    /// The next thing that is due.
    fn step(&mut self, limit: VirtualTime) {
        let Some((at, token)) = self.core.queue.pop() else {
            self.core.state.ending = Some(Ending::Quiescent);
            return;
        };
        if at > limit {
            self.core.state.now = limit;
            self.core.state.ending = Some(Ending::TimeLimit);
            return;
        }
        self.core.state.now = at;
        if token >= LINK_TOKENS {
            self.deliver_ordered((token - LINK_TOKENS) as usize);
        } else if let Some(arrival) = self.core.arrivals.remove(token) {
            self.arrive(arrival);
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Input { to, incarnation, input } => {
                self.deliver(to as usize, incarnation, input);
            }
            Arrival::Message { from, to, message } => {
                self.deliver_alone(Envelope { from, to, message });
            }
            Arrival::Act(act) => self.act(act),
            Arrival::Restart { slot, incarnation } => self.restart(slot as usize, incarnation),
            Arrival::Resume { slot, incarnation } => self.resume(slot as usize, incarnation),
            Arrival::EndZombie { slot, incarnation } => {
                self.core.end_ghost(slot as usize, incarnation);
            }
            Arrival::Trouble { fault } => {
                let planned = &self.core.plan.faults[fault].fault;
                if let Some(told) = self.core.state.troubles.told(fault, planned) {
                    self.tell(told);
                }
            }
            Arrival::Heal { fault } => self.heal(fault),
            Arrival::FaultsEnd => self.end_faults(),
        }
    }

    fn act(&mut self, act: Act) {
        self.core.act(act, ProcessId::Coordinator);
        self.move_replaced();
    }

    fn deliver_ordered(&mut self, index: usize) {
        let is_clear = self.core.state.network.is_clear();
        let link = self.core.links.ordered(index);
        let Some((from, to)) = link.ends() else { return };
        let delivery =
            if is_clear { Delivery::Open } else { self.core.state.network.ordered(from, to) };
        if delivery == Delivery::Waits {
            link.hold();
            return;
        }
        let (first, next) = link.pop();
        if let Some(next) = next {
            let due = Due { at: next.at.max(self.core.state.now), order: next.order };
            self.core.queue.push(due, LINK_TOKENS + index as u32);
        }
        let Some(first) = first else { return };
        if delivery == Delivery::Lost || (!is_clear && self.core.is_lost_in_reconnect(&first)) {
            return;
        }
        let InFlight { from, to, to_incarnation, message, .. } = first;
        self.deliver(slot_of(to), to_incarnation, Input::Message { from, message });
    }

    fn deliver_alone(&mut self, envelope: Envelope) {
        if !self.core.state.network.is_clear() {
            match self.core.state.network.alone(envelope.from, envelope.to) {
                Delivery::Open => {}
                Delivery::Waits => return self.core.kept.push(envelope),
                Delivery::Lost => return,
            }
        }
        let Envelope { from, to, message } = envelope;
        let slot = slot_of(to);
        let incarnation = self.core.addressed(slot, &message);
        self.deliver(slot, incarnation, Input::Message { from, message });
    }

    /// Hands an input to the life of a process that it is for; a dead one loses it.
    fn deliver(&mut self, slot: usize, incarnation: Incarnation, input: Input) {
        let Some(slot) = self.core.life(slot, incarnation) else { return };
        match &mut self.core.slots[slot].condition {
            Condition::Up => self.handle(slot, input),
            Condition::Down => {}
            Condition::Paused { kept, .. } => kept.push(input),
        }
    }

    fn handle(&mut self, slot: usize, input: Input) {
        self.core.state.steps += 1;
        let now = self.core.local_time(slot);
        let mut carrier = Carrier::new(&mut self.core, slot);
        self.processes[slot].handle(now, input, &mut carrier);
        if !self.core.replaced.is_empty() {
            self.move_replaced();
        }
    }

    /// Lives that have been replaced move to slots of their own.
    fn move_replaced(&mut self) {
        while let Some(slot) = self.core.replaced.pop() {
            let Some(zombie) = self.core.go_on_as_zombie(slot) else { continue };
            let next = self.cluster.start(self.core.slots[slot].id);
            let replaced = std::mem::replace(&mut self.processes[slot], next);
            if zombie < self.processes.len() {
                self.processes[zombie] = replaced;
            } else {
                self.processes.push(replaced);
            }
        }
    }

    fn restart(&mut self, slot: usize, crashed: Incarnation) {
        let Some(incarnation) = self.core.revive(slot, crashed) else { return };
        self.processes[slot] = self.cluster.restart(&self.processes[slot]);
        self.handle(slot, Input::Start(incarnation));
    }

    fn resume(&mut self, slot: usize, incarnation: Incarnation) {
        let Some(life) = self.core.life(slot, incarnation) else { return };
        for input in self.core.wake_up(life) {
            self.deliver(slot, incarnation, input);
        }
    }

    fn heal(&mut self, fault: usize) {
        self.core.clear(fault);
        let planned = &self.core.plan.faults[fault].fault;
        if let Some(told) = self.core.state.troubles.end(fault, planned) {
            self.tell(told);
        }
    }

    /// Trouble befalls a service whether it is up or not.
    fn tell(&mut self, (process, trouble): (ProcessId, Trouble)) {
        let slot = slot_of(process);
        if !matches!(self.core.slots[slot].condition, Condition::Down) {
            return self.handle(slot, Input::Trouble(trouble));
        }
        let now = self.core.local_time(slot);
        for event in self.processes[slot].handle_trouble_while_down(now, trouble) {
            let _gone = self.core.event(slot, &event); // It is gone already: nothing can end it.
        }
    }

    /// The safety phase is over: everything that is not lost for good is healed.
    fn end_faults(&mut self) {
        self.core.end_faults();
        for process in self.cluster.processes() {
            self.heal_process(slot_of(process));
        }
        for told in self.core.state.troubles.end_all() {
            self.tell(told);
        }
        self.core.tell(ProcessId::Coordinator, &Event::FaultsEnded);
    }

    fn heal_process(&mut self, slot: usize) {
        let (id, incarnation) = (self.core.slots[slot].id, self.core.slots[slot].incarnation);
        match self.core.slots[slot].condition {
            Condition::Up => {}
            Condition::Paused { .. } => self.resume(slot, incarnation),
            Condition::Down if self.core.plan.lost.contains(&id) => {}
            Condition::Down => self.restart(slot, incarnation),
        }
    }
}
