//! The kernel: a discrete-event world. Nothing happens but what is due next.

use std::ops::ControlFlow;
use std::time::Duration;

use super::faults::{Cuts, Nemesis, message_event};
use super::links::{InFlight, Links};
use super::observer::Observer;
use super::queue::{Due, Queue, Slab};
use super::{Ending, RunEnd, run_started, slot_of};
use crate::cluster::message::Route;
use crate::cluster::{Cluster, Delay, Input, Message, Outbox, Output, Process, StoreFault, Timer};
use crate::plan::{Concern, Fault, MessageAction, Plan, Stream, When};
use crate::protocol::{Incarnation, ProcessId, VirtualTime};
use crate::trace::{Event, Stamp};

/// A run in the kernel.
#[derive(Clone)]
pub struct Kernel<'a, O> {
    plan: &'a Plan,
    cluster: &'a Cluster,
    now: VirtualTime,
    queue: Queue,
    /// Breaks ties in the queue.
    order: u64,
    arrivals: Slab<Arrival>,
    slots: Vec<Slot>,
    links: Links,
    cuts: Cuts,
    nemesis: Nemesis,
    outbox: Outbox,
    observer: O,
    steps: u64,
    events: u64,
    ending: Option<Ending>,
    /// Restarts and the like that a later one replaces.
    is_healed: bool,
}

/// A process and how it fares.
#[derive(Clone)]
struct Slot {
    id: ProcessId,
    process: Process,
    incarnation: Incarnation,
    condition: Condition,
    mailbox: Stream,
}

/// How a process fares.
#[derive(Clone)]
enum Condition {
    Up,
    Down,
    /// What arrives is kept, in order. `until` tells overlapping pauses apart.
    Paused {
        kept: Vec<Input>,
        until: VirtualTime,
    },
}

/// Something due that does not come through an ordered link.
#[derive(Clone)]
enum Arrival {
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
    /// A cut is over.
    Heal { fault: usize },
    /// A store works normally again.
    StoreRecovers { process: ProcessId },
    /// The safety phase is over.
    FaultsEnd,
}

/// Tokens at and above this are ordered links.
const LINK_TOKENS: u32 = 1 << 31;

impl<'a, O: Observer> Kernel<'a, O> {
    /// A run of `plan` on `cluster`, watched by `observer`; nothing has happened yet.
    #[must_use]
    pub fn new(plan: &'a Plan, cluster: &'a Cluster, observer: O) -> Self {
        let slot = |(index, id): (usize, ProcessId)| Slot {
            id,
            process: cluster.start(id),
            incarnation: Incarnation::default(),
            condition: Condition::Up,
            mailbox: Stream::new(plan.seed, Concern::Mailbox, index as u64),
        };
        let slots: Vec<Slot> = cluster.processes().enumerate().map(slot).collect();
        let links = Links::new(plan, cluster.job.topology(), slots.len());
        Self {
            plan,
            cluster,
            now: VirtualTime::ZERO,
            queue: Queue::default(),
            order: 0,
            arrivals: Slab::default(),
            slots,
            links,
            cuts: Cuts::default(),
            nemesis: Nemesis::new(plan),
            outbox: Outbox::new(),
            observer,
            steps: 0,
            events: 0,
            ending: None,
            is_healed: false,
        }
    }

    /// Runs to the end.
    pub fn run(mut self) -> (RunEnd, Nemesis, O) {
        self.begin();
        let limit = VirtualTime::ZERO + self.plan.limit();
        while self.ending.is_none() {
            self.step(limit);
        }
        let ending = self.ending.unwrap_or(Ending::Quiescent);
        let end = RunEnd { ending, at: self.now, steps: self.steps, events: self.events };
        (end, self.nemesis, self.observer)
    }

    fn begin(&mut self) {
        let started = run_started(self.plan, self.cluster);
        self.observe(ProcessId::Coordinator, &Event::RunStarted(Box::new(started)));
        for (fault, planned) in self.plan.faults.iter().enumerate() {
            if let When::At { us } = planned.when {
                self.schedule_at(VirtualTime::from_us(us), Arrival::Strike(fault));
            }
        }
        self.schedule_at(VirtualTime::ZERO + self.plan.safety(), Arrival::FaultsEnd);
        for slot in 0..self.slots.len() {
            let incarnation = self.slots[slot].incarnation;
            self.handle(slot, Input::Start(incarnation));
        }
    }

    /// The next thing that is due.
    fn step(&mut self, limit: VirtualTime) {
        let Some((due, token)) = self.queue.pop() else {
            self.ending = Some(Ending::Quiescent);
            return;
        };
        if due.at > limit {
            self.now = limit;
            self.ending = Some(Ending::TimeLimit);
            return;
        }
        self.now = due.at;
        if token >= LINK_TOKENS {
            self.deliver_ordered((token - LINK_TOKENS) as usize);
        } else if let Some(arrival) = self.arrivals.remove(token) {
            self.arrive(arrival);
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Input { to, incarnation, input } => {
                self.deliver(to as usize, incarnation, input)
            }
            Arrival::Message { from, to, message } => self.deliver_alone(from, to, message),
            Arrival::Strike(fault) => {
                let process = ProcessId::Coordinator;
                self.strike(fault, process);
            }
            Arrival::Restart { slot, incarnation } => self.restart(slot as usize, incarnation),
            Arrival::Resume { slot } => self.resume(slot as usize),
            Arrival::Heal { fault } => self.heal(fault),
            Arrival::StoreRecovers { process } => {
                self.tell_store(process, StoreFault::Healthy);
            }
            Arrival::FaultsEnd => self.end_faults(),
        }
    }

    fn deliver_ordered(&mut self, index: usize) {
        let link = self.links.ordered(index);
        let Some((from, to)) = link.ends() else { return };
        if !self.cuts.is_empty() && self.cuts.is_cut(from, to) {
            link.hold();
            return;
        }
        let (first, next) = link.pop();
        if let Some(next) = next {
            let due = Due { at: next.at.max(self.now), order: next.order };
            self.queue.push(due, LINK_TOKENS + index as u32);
        }
        if let Some(InFlight { from, to, to_incarnation, message, .. }) = first {
            let slot = slot_of(to);
            self.deliver(slot, to_incarnation, Input::Message { from, message });
        }
    }

    fn deliver_alone(&mut self, from: ProcessId, to: ProcessId, message: Message) {
        if !self.cuts.is_empty() && self.cuts.is_cut(from, to) {
            return;
        }
        let slot = slot_of(to);
        let incarnation = self.slots[slot].incarnation;
        self.deliver(slot, incarnation, Input::Message { from, message });
    }

    /// Hands an input to the life of a process that it is for; a dead one loses it.
    fn deliver(&mut self, slot: usize, incarnation: Incarnation, input: Input) {
        let target = &mut self.slots[slot];
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
        self.steps += 1;
        let mut outbox = std::mem::take(&mut self.outbox);
        self.slots[slot].process.handle(self.now, input, &mut outbox);
        for output in outbox.drain() {
            if self.carry_out(slot, output).is_break() {
                break;
            }
        }
        self.outbox = outbox;
    }

    /// Carries out one consequence; `Break` when the process died of it, or the run is over.
    fn carry_out(&mut self, slot: usize, output: Output) -> ControlFlow<()> {
        match output {
            Output::Send { to, message } => self.send(slot, to, message),
            Output::SetTimer { after, timer } => self.set_timer(slot, after, timer),
            Output::Event(event) => return self.event(slot, &event),
        }
        ControlFlow::Continue(())
    }

    fn event(&mut self, slot: usize, event: &Event) -> ControlFlow<()> {
        let process = self.slots[slot].id;
        self.observe(process, event);
        if self.nemesis.is_watching(event) {
            for fault in self.nemesis.handle_event(event) {
                self.strike(fault, process);
            }
        }
        if let Event::JobFinished { .. } = event {
            self.ending.get_or_insert(Ending::Finished);
        }
        let alive = !matches!(self.slots[slot].condition, Condition::Down);
        if self.ending.is_none() && alive {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    fn observe(&mut self, process: ProcessId, event: &Event) {
        let stamp = Stamp { number: self.events, at: self.now, process };
        self.events += 1;
        if self.observer.observe(stamp, event).is_break() {
            self.ending.get_or_insert(Ending::Stopped);
        }
    }

    fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    fn schedule_at(&mut self, at: VirtualTime, arrival: Arrival) {
        let order = self.next_order();
        let token = self.arrivals.insert(arrival);
        self.queue.push(Due { at, order }, token);
    }

    fn set_timer(&mut self, slot: usize, after: Delay, timer: Timer) {
        let target = &mut self.slots[slot];
        let after = match after {
            Delay::Exactly(duration) => duration,
            Delay::Scheduled => Duration::from_micros(target.mailbox.within(self.plan.mailbox_us)),
        };
        let incarnation = target.incarnation;
        let input = Input::Timer(timer);
        self.schedule_at(self.now + after, Arrival::Input { to: slot as u32, incarnation, input });
    }

    fn send(&mut self, slot: usize, to: ProcessId, message: Message) {
        let from = self.slots[slot].id;
        let route = message.route();
        match self.links.ordered_index(route, from) {
            Some(index) => self.send_ordered(index, from, to, message),
            None => self.send_alone(slot, route, to, message),
        }
    }

    /// A message to a dead process is lost: its connection is gone.
    fn send_ordered(&mut self, index: usize, from: ProcessId, to: ProcessId, message: Message) {
        let receiver = &self.slots[slot_of(to)];
        if matches!(receiver.condition, Condition::Down) {
            return;
        }
        let to_incarnation = receiver.incarnation;
        let order = self.next_order();
        let link = self.links.ordered(index);
        let at = link.arrival(self.now, &message, from == to);
        let due = Due { at, order };
        if let Some(due) = link.push(InFlight { due, from, to, to_incarnation, message }) {
            self.queue.push(due, LINK_TOKENS + index as u32);
        }
    }

    fn send_alone(&mut self, slot: usize, route: Route, to: ProcessId, message: Message) {
        let from = self.slots[slot].id;
        let mut at = self.now + self.links.control_delay(slot, from == to);
        if let Route::Control(kind) = route
            && let Some(action) = self.nemesis.handle_message(kind, to)
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
            }
        }
        self.schedule_at(at, Arrival::Message { from, to, message });
    }

    // ---- faults

    fn strike(&mut self, index: usize, struck: ProcessId) {
        if self.is_healed {
            return;
        }
        let fault = &self.plan.faults[index].fault;
        match fault {
            Fault::Crash { process, restart_after_us } => {
                self.crash(fault, process.unwrap_or(struck), *restart_after_us);
            }
            Fault::Pause { process, for_us } => {
                self.pause(fault, process.unwrap_or(struck), *for_us)
            }
            Fault::Disconnect { from, to, both, for_us } => {
                self.nemesis.strike(fault, *from);
                self.cut(index, *from, *to);
                if *both {
                    self.cut(index, *to, *from);
                }
                let at = self.now + Duration::from_micros(*for_us);
                self.schedule_at(at, Arrival::Heal { fault: index });
            }
            Fault::Message { message, to, count, action } => {
                self.nemesis.strike(fault, struck);
                self.nemesis.arm_messages(*message, *to, *count, *action);
            }
            Fault::Store { process, fault: how, for_us } => {
                self.nemesis.strike(fault, *process);
                self.tell_store(*process, *how);
                let at = self.now + Duration::from_micros(*for_us);
                self.schedule_at(at, Arrival::StoreRecovers { process: *process });
            }
        }
    }

    fn crash(&mut self, fault: &Fault, process: ProcessId, restart_after_us: Option<u64>) {
        let slot = slot_of(process);
        if matches!(self.slots[slot].condition, Condition::Down) {
            return;
        }
        self.nemesis.strike(fault, process);
        self.slots[slot].condition = Condition::Down;
        self.observe(process, &Event::Crashed { process });
        if let Some(us) = restart_after_us {
            let incarnation = self.slots[slot].incarnation;
            let at = self.now + Duration::from_micros(us);
            self.schedule_at(at, Arrival::Restart { slot: slot as u32, incarnation });
        }
    }

    fn restart(&mut self, slot: usize, crashed: Incarnation) {
        let target = &mut self.slots[slot];
        if !matches!(target.condition, Condition::Down) || target.incarnation != crashed {
            return;
        }
        target.incarnation = crashed.next();
        target.condition = Condition::Up;
        target.process = self.cluster.start(target.id);
        let (process, incarnation) = (target.id, target.incarnation);
        self.observe(process, &Event::Restarted { process, incarnation });
        self.handle(slot, Input::Start(incarnation));
    }

    fn pause(&mut self, fault: &Fault, process: ProcessId, for_us: u64) {
        let slot = slot_of(process);
        let until = self.now + Duration::from_micros(for_us);
        match &mut self.slots[slot].condition {
            Condition::Up => {}
            Condition::Down | Condition::Paused { .. } => return,
        }
        self.slots[slot].condition = Condition::Paused { kept: Vec::new(), until };
        self.nemesis.strike(fault, process);
        self.observe(process, &Event::Paused { process });
        self.schedule_at(until, Arrival::Resume { slot: slot as u32 });
    }

    fn resume(&mut self, slot: usize) {
        let target = &mut self.slots[slot];
        let (process, incarnation) = (target.id, target.incarnation);
        let kept = match &mut target.condition {
            Condition::Paused { kept, until } if *until <= self.now || self.is_healed => {
                std::mem::take(kept)
            }
            Condition::Up | Condition::Down | Condition::Paused { .. } => return,
        };
        target.condition = Condition::Up;
        self.observe(process, &Event::Resumed { process });
        for input in kept {
            self.deliver(slot, incarnation, input);
        }
    }

    fn cut(&mut self, fault: usize, from: ProcessId, to: ProcessId) {
        if self.cuts.cut(from, to, fault) {
            self.observe(from, &Event::Disconnected { from, to });
        }
    }

    fn heal(&mut self, index: usize) {
        let Fault::Disconnect { from, to, .. } = self.plan.faults[index].fault else { return };
        for (from, to) in [(from, to), (to, from)] {
            if self.cuts.heal(from, to, index) {
                self.observe(from, &Event::Healed { from, to });
            }
        }
        self.release_links();
    }

    /// Looks again at every ordered link whose first message waits.
    fn release_links(&mut self) {
        for index in 0..self.links.ordered_count() {
            if let Some(due) = self.links.ordered(index).release(self.now) {
                self.queue.push(due, LINK_TOKENS + index as u32);
            }
        }
    }

    fn tell_store(&mut self, process: ProcessId, fault: StoreFault) {
        let slot = slot_of(process);
        self.handle(slot, Input::StoreFault(fault));
    }

    /// The safety phase is over: everything that is not lost for good is healed.
    fn end_faults(&mut self) {
        self.nemesis.end();
        self.is_healed = true;
        for (from, to) in self.cuts.heal_all() {
            self.observe(from, &Event::Healed { from, to });
        }
        self.release_links();
        for store in [ProcessId::ObjectStore, ProcessId::MetaStore] {
            self.tell_store(store, StoreFault::Healthy);
        }
        for slot in 0..self.slots.len() {
            self.heal_process(slot);
        }
        self.observe(ProcessId::Coordinator, &Event::FaultsEnded);
    }

    fn heal_process(&mut self, slot: usize) {
        let (id, incarnation) = (self.slots[slot].id, self.slots[slot].incarnation);
        match self.slots[slot].condition {
            Condition::Up => {}
            Condition::Paused { .. } => self.resume(slot),
            Condition::Down if self.plan.lost.contains(&id) => {}
            Condition::Down => self.restart(slot, incarnation),
        }
    }
}
