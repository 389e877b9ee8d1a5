//! What faults do to the kernel's processes, clocks and ways.

use std::time::Duration;

use super::core::{Arrival, Condition, Core};
use crate::cluster::Input;
use crate::plan::{ClockChange, Plan};
use crate::protocol::{Incarnation, ProcessId, RescaleRequest, VirtualTime};
use crate::trace::{Event, Point};
use crate::world::injector::Injector;
use crate::world::network::Obstacle;
use crate::world::observer::Observer;
use crate::world::run_state::RunState;
use crate::world::slot_of;

impl<'a, O: Observer> Injector for Core<'a, O> {
    type Observer = O;
    type Plan = &'a Plan;

    #[inline]
    fn plan(&self) -> &'a Plan {
        self.plan
    }

    #[inline]
    fn state(&mut self) -> &mut RunState<O> {
        &mut self.state
    }

    #[inline]
    fn tell(&mut self, process: ProcessId, event: &Event) {
        self.state.observe(process, event);
        if self.waiting.is_awaited(Point::from(event)) {
            self.release_waiting(Point::from(event));
        }
    }

    fn release_all_waiting(&mut self) {
        let envelopes = self.waiting.release_all();
        self.set_out(envelopes);
    }

    /// Somebody on the coordinator's machine asks it for something.
    fn ask(&mut self, request: usize) {
        let message = self.state.planned_requests.message(self.plan, request);
        let coordinator = ProcessId::Coordinator;
        self.send_alone(slot_of(coordinator), message.route(), coordinator, message);
    }

    fn rescale(&mut self, request: RescaleRequest) {
        let slot = slot_of(ProcessId::Coordinator);
        let incarnation = self.slots[slot].incarnation;
        let input = Input::Rescale(request);
        self.schedule_at(self.state.now, Arrival::Input { to: slot as u32, incarnation, input });
    }

    fn crash(&mut self, fault: usize, process: ProcessId, restart_after_us: Option<u64>) {
        let slot = slot_of(process);
        if matches!(self.slots[slot].condition, Condition::Down) {
            return;
        }
        self.mark(fault, process);
        self.slots[slot].condition = Condition::Down;
        self.tell(process, &Event::Crashed { process });
        if let Some(us) = restart_after_us {
            let incarnation = self.slots[slot].incarnation;
            self.schedule_after(us, Arrival::Restart { slot: slot as u32, incarnation });
        }
    }

    fn pause(&mut self, fault: usize, process: ProcessId, for_us: u64) {
        let slot = slot_of(process);
        match self.slots[slot].condition {
            Condition::Up => {}
            Condition::Down | Condition::Paused { .. } => return,
        }
        let until = self.state.now + Duration::from_micros(for_us);
        self.slots[slot].condition = Condition::Paused { kept: Vec::new(), until };
        self.mark(fault, process);
        self.tell(process, &Event::Paused { process });
        let (slot, incarnation) = (slot as u32, self.slots[slot].incarnation);
        self.schedule_at(until, Arrival::Resume { slot, incarnation });
    }

    fn zombify(&mut self, fault: usize, process: ProcessId, restart_after_us: u64, for_us: u64) {
        if !self.may_be_replaced(process) {
            return;
        }
        let slot = slot_of(process);
        let incarnation = self.slots[slot].incarnation;
        self.mark(fault, process);
        self.replaced.push(slot);
        self.tell(process, &Event::Zombified { process, incarnation });
        let slot = slot as u32;
        self.schedule_after(restart_after_us, Arrival::Restart { slot, incarnation });
        self.schedule_after(for_us, Arrival::EndZombie { slot, incarnation });
    }

    fn end_zombies(&mut self) {
        for zombie in self.zombies.clone() {
            self.end_ghost(zombie.home, zombie.incarnation);
        }
    }

    fn change_clock(&mut self, process: ProcessId, change: ClockChange) -> i64 {
        let (home, now) = (slot_of(process), self.state.now);
        for slot in self.slots.iter_mut().filter(|slot| slot.home == home) {
            slot.clock.get_or_insert_default().change(now, change);
        }
        self.ahead_us(home)
    }

    fn steady_clocks(&mut self) -> Vec<(ProcessId, i64)> {
        let mut drifted = Vec::new();
        for place in 0..self.slots.len() {
            let slot = &mut self.slots[place];
            let has_drifted = slot.clock.as_mut().is_some_and(|it| it.steady(self.state.now));
            if has_drifted && slot.home == place {
                drifted.push((slot.id, self.ahead_us(place)));
            }
        }
        drifted
    }

    /// It may be handling an input now.
    fn trouble(&mut self, fault: usize) {
        self.schedule_at(self.state.now, Arrival::Trouble { fault });
    }

    /// Ordered links and messages that travel alone ask the network when they arrive.
    fn block(&mut self, _: Obstacle, _: ProcessId, _: ProcessId) {}

    fn unblock(&mut self, obstacle: Obstacle, from: ProcessId, to: ProcessId) {
        match obstacle {
            Obstacle::Cut => {}
            Obstacle::Hold => self.let_go(from, to),
            Obstacle::HalfOpen => self.reset(from, to),
        }
    }

    fn look_again(&mut self) {
        self.release_links();
    }

    fn schedule_heal(&mut self, fault: usize, for_us: u64) {
        self.schedule_after(for_us, Arrival::Heal { fault });
    }
}

impl<O: Observer> Core<'_, O> {
    /// A process that is still down from the crash of `crashed` is up again, in its next life.
    pub fn revive(&mut self, slot: usize, crashed: Incarnation) -> Option<Incarnation> {
        let target = &mut self.slots[slot];
        if !matches!(target.condition, Condition::Down) || target.incarnation != crashed {
            return None;
        }
        target.incarnation = crashed.next();
        target.condition = Condition::Up;
        let (process, incarnation) = (target.id, target.incarnation);
        self.tell(process, &Event::Restarted { process, incarnation });
        Some(incarnation)
    }

    /// A process whose pause is over goes on; returns what arrived meanwhile.
    pub fn wake_up(&mut self, slot: usize) -> Vec<Input> {
        let target = &mut self.slots[slot];
        let kept = match &mut target.condition {
            Condition::Paused { kept, until }
                if *until <= self.state.now || self.state.is_healed =>
            {
                std::mem::take(kept)
            }
            Condition::Up | Condition::Down | Condition::Paused { .. } => return Vec::new(),
        };
        target.condition = Condition::Up;
        let process = target.id;
        self.tell(process, &Event::Resumed { process });
        kept
    }

    fn ahead_us(&self, slot: usize) -> i64 {
        self.slots[slot].clock.as_ref().map_or(0, |clock| clock.ahead_us(self.state.now))
    }

    /// What the clock of a process shows.
    #[inline]
    pub fn local_time(&self, slot: usize) -> VirtualTime {
        match &self.slots[slot].clock {
            None => self.state.now,
            Some(clock) => clock.read(self.state.now),
        }
    }
}
