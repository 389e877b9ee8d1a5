//! The kernel: a discrete-event world. Nothing happens but what is due next.

mod carrier;
mod core;
mod fork;
mod striking;

use self::carrier::Carrier;
use self::core::{Arrival, Condition, Core, LINK_TOKENS};
use super::faults::Nemesis;
use super::links::InFlight;
use super::observer::Observer;
use super::queue::Due;
use super::{Ending, RunEnd, run_started, slot_of};
use crate::cluster::{Cluster, Input, Message, Process, Trouble};
use crate::plan::{Plan, When};
use crate::protocol::{Incarnation, ProcessId, VirtualTime};
use crate::trace::Event;

/// After so many inputs a run is given up: its processes keep each other busy, and time may stand
/// still. The largest built-in run takes half a million.
pub const STEPS_MAX: u64 = 500_000_000;

/// A run in the kernel. Cloning it forks the run.
#[derive(Clone)]
pub struct Kernel<'a, O> {
    cluster: &'a Cluster,
    /// In the order of [`Cluster::processes`].
    processes: Vec<Process>,
    core: Core<'a, O>,
    steps_max: u64,
}

impl<'a, O: Observer> Kernel<'a, O> {
    /// A run of `plan` on `cluster`, watched by `observer`; nothing has happened yet.
    #[must_use]
    pub fn new(plan: &'a Plan, cluster: &'a Cluster, observer: O) -> Self {
        let processes = cluster.processes().map(|id| cluster.start(id)).collect();
        let core = Core::new(plan, cluster, observer);
        Self { cluster, processes, core, steps_max: STEPS_MAX }
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
        self.core.observe(ProcessId::Coordinator, &Event::RunStarted(Box::new(started)));
        for (fault, planned) in plan.faults.iter().enumerate() {
            if let When::At { us } = planned.when {
                self.core.schedule_at(VirtualTime::from_us(us), Arrival::Strike(fault));
            }
        }
        self.core.schedule_at(VirtualTime::ZERO + plan.safety(), Arrival::FaultsEnd);
        for slot in 0..self.processes.len() {
            self.handle(slot, Input::Start(Incarnation::default()));
        }
    }

    /// The next thing that is due.
    fn step(&mut self, limit: VirtualTime) {
        let Some((at, token)) = self.core.queue.pop() else {
            self.core.ending = Some(Ending::Quiescent);
            return;
        };
        if at > limit {
            self.core.now = limit;
            self.core.ending = Some(Ending::TimeLimit);
            return;
        }
        self.core.now = at;
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
            Arrival::Message { from, to, message } => self.deliver_alone(from, to, message),
            Arrival::Strike(fault) => self.core.strike(fault, ProcessId::Coordinator),
            Arrival::Restart { slot, incarnation } => self.restart(slot as usize, incarnation),
            Arrival::Resume { slot } => self.resume(slot as usize),
            Arrival::Trouble { fault } => {
                let planned = &self.core.plan.faults[fault].fault;
                if let Some(told) = self.core.troubles.told(fault, planned) {
                    self.tell(told);
                }
            }
            Arrival::Heal { fault } => self.heal(fault),
            Arrival::FaultsEnd => self.end_faults(),
        }
    }

    fn deliver_ordered(&mut self, index: usize) {
        let link = self.core.links.ordered(index);
        let Some((from, to)) = link.ends() else { return };
        if !self.core.cuts.is_empty() && self.core.cuts.is_cut(from, to) {
            link.hold();
            return;
        }
        let (first, next) = link.pop();
        if let Some(next) = next {
            let due = Due { at: next.at.max(self.core.now), order: next.order };
            self.core.queue.push(due, LINK_TOKENS + index as u32);
        }
        if let Some(InFlight { from, to, to_incarnation, message, .. }) = first {
            let slot = slot_of(to);
            self.deliver(slot, to_incarnation, Input::Message { from, message });
        }
    }

    fn deliver_alone(&mut self, from: ProcessId, to: ProcessId, message: Message) {
        if !self.core.cuts.is_empty() && self.core.cuts.is_cut(from, to) {
            return;
        }
        let slot = slot_of(to);
        let incarnation = self.core.slots[slot].incarnation;
        self.deliver(slot, incarnation, Input::Message { from, message });
    }

    /// Hands an input to the life of a process that it is for; a dead one loses it.
    fn deliver(&mut self, slot: usize, incarnation: Incarnation, input: Input) {
        let target = &mut self.core.slots[slot];
        if target.incarnation != incarnation {
            return;
        }
        match &mut target.condition {
            Condition::Up => self.handle(slot, input),
            Condition::Down => {}
            Condition::Paused { kept, .. } => kept.push(input),
        }
    }

    fn handle(&mut self, slot: usize, input: Input) {
        self.core.steps += 1;
        let now = self.core.now;
        let mut carrier = Carrier::new(&mut self.core, slot);
        self.processes[slot].handle(now, input, &mut carrier);
    }

    fn restart(&mut self, slot: usize, crashed: Incarnation) {
        let Some((process, incarnation)) = self.core.revive(slot, crashed) else { return };
        self.processes[slot] = self.cluster.start(process);
        self.handle(slot, Input::Start(incarnation));
    }

    fn resume(&mut self, slot: usize) {
        let incarnation = self.core.slots[slot].incarnation;
        for input in self.core.wake_up(slot) {
            self.deliver(slot, incarnation, input);
        }
    }

    fn heal(&mut self, fault: usize) {
        self.core.heal(fault);
        let planned = &self.core.plan.faults[fault].fault;
        if let Some(told) = self.core.troubles.end(fault, planned) {
            self.tell(told);
        }
    }

    fn tell(&mut self, (process, trouble): (ProcessId, Trouble)) {
        let slot = slot_of(process);
        let incarnation = self.core.slots[slot].incarnation;
        self.deliver(slot, incarnation, Input::Trouble(trouble));
    }

    /// The safety phase is over: everything that is not lost for good is healed.
    fn end_faults(&mut self) {
        self.core.heal_links();
        for slot in 0..self.processes.len() {
            self.heal_process(slot);
        }
        for told in self.core.troubles.end_all() {
            self.tell(told);
        }
        self.core.observe(ProcessId::Coordinator, &Event::FaultsEnded);
    }

    fn heal_process(&mut self, slot: usize) {
        let (id, incarnation) = (self.core.slots[slot].id, self.core.slots[slot].incarnation);
        match self.core.slots[slot].condition {
            Condition::Up => {}
            Condition::Paused { .. } => self.resume(slot),
            Condition::Down if self.core.plan.lost.contains(&id) => {}
            Condition::Down => self.restart(slot, incarnation),
        }
    }
}
