//! Faults as they take effect, and as they are healed.

use std::time::Duration;

use super::core::{Arrival, Condition, Core};
use crate::cluster::Input;
use crate::plan::{ClockChange, Fault};
use crate::protocol::{Incarnation, ProcessId, VirtualTime};
use crate::trace::Event;
use crate::world::act::Act;
use crate::world::network::Obstacle;
use crate::world::observer::Observer;
use crate::world::slot_of;

impl<O: Observer> Core<'_, O> {
    /// What is aimed at this event happens, right after it.
    #[cold]
    pub fn act_after(&mut self, event: &Event, process: ProcessId) {
        for act in self.nemesis.handle_event(event) {
            self.act(act, process);
        }
    }

    /// Something happens that the plan has; `struck` is where its point was reached.
    pub fn act(&mut self, act: Act, struck: ProcessId) {
        match act {
            Act::Request(place) => self.ask(place),
            Act::Fault(_) | Act::Rescale(_) if self.is_healed => {}
            Act::Fault(index) => self.strike(index, struck),
            Act::Rescale(place) => self.ask_for_rescale(place),
        }
    }

    /// A fault strikes; `struck` is where its point was reached.
    fn strike(&mut self, index: usize, struck: ProcessId) {
        let planned = &self.plan.faults[index];
        match &planned.fault {
            Fault::Crash { process, restart_after_us } => {
                self.crash(index, process.unwrap_or(struck), *restart_after_us);
            }
            Fault::Pause { process, for_us } => {
                self.pause(index, process.unwrap_or(struck), *for_us);
            }
            Fault::Zombie { process, restart_after_us, for_us } => {
                self.zombify(index, process.unwrap_or(struck), *restart_after_us, *for_us);
            }
            Fault::Disconnect { from, to, both, for_us } => {
                let directions = [(*from, *to), (*to, *from)];
                let number = if *both { 2 } else { 1 };
                self.obstruct(index, Obstacle::Cut, &directions[..number], *for_us);
            }
            Fault::Isolate { process, for_us } => {
                self.isolate(index, process.unwrap_or(struck), *for_us);
            }
            Fault::Hold { from, to, for_us } => {
                self.obstruct(index, Obstacle::Hold, &[(*from, *to)], *for_us);
            }
            Fault::HalfOpen { from, to, for_us } => {
                self.obstruct(index, Obstacle::HalfOpen, &[(*from, *to)], *for_us);
            }
            Fault::Lose { channel, count } => self.network.arm_loss(index, *channel, *count),
            Fault::Clock { process, change } => {
                self.change_clock(index, process.unwrap_or(struck), *change);
            }
            Fault::Message { .. } => self.nemesis.arm_messages(index, planned),
            Fault::Store { process, for_us, .. } => self.trouble(index, *process, *for_us),
            Fault::Sink { for_us, .. } => self.trouble(index, ProcessId::SinkTarget, *for_us),
            Fault::Idle { for_us, .. } => self.trouble(index, ProcessId::SourceLog, *for_us),
        }
    }

    /// Asks the coordinator, if it is up; paused, it hears of it later.
    fn ask_for_rescale(&mut self, rescale: usize) {
        let planned = &self.plan.rescales[rescale];
        let slot = slot_of(ProcessId::Coordinator);
        let incarnation = self.slots[slot].incarnation;
        let input = Input::Rescale(planned.request());
        self.schedule_at(self.now, Arrival::Input { to: slot as u32, incarnation, input });
    }

    /// A fault takes effect.
    pub fn mark(&mut self, index: usize, struck: ProcessId) {
        let moment = self.moment();
        self.nemesis.strike(index, &self.plan.faults[index], struck, moment);
    }

    fn crash(&mut self, index: usize, process: ProcessId, restart_after_us: Option<u64>) {
        let slot = slot_of(process);
        if matches!(self.slots[slot].condition, Condition::Down) {
            return;
        }
        self.mark(index, process);
        self.slots[slot].condition = Condition::Down;
        self.tell(process, &Event::Crashed { process });
        if let Some(us) = restart_after_us {
            let incarnation = self.slots[slot].incarnation;
            let at = self.now + Duration::from_micros(us);
            self.schedule_at(at, Arrival::Restart { slot: slot as u32, incarnation });
        }
    }

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

    fn pause(&mut self, index: usize, process: ProcessId, for_us: u64) {
        let slot = slot_of(process);
        match self.slots[slot].condition {
            Condition::Up => {}
            Condition::Down | Condition::Paused { .. } => return,
        }
        let until = self.now + Duration::from_micros(for_us);
        self.slots[slot].condition = Condition::Paused { kept: Vec::new(), until };
        self.mark(index, process);
        self.tell(process, &Event::Paused { process });
        let (slot, incarnation) = (slot as u32, self.slots[slot].incarnation);
        self.schedule_at(until, Arrival::Resume { slot, incarnation });
    }

    /// A process whose pause is over goes on; returns what arrived meanwhile.
    pub fn wake_up(&mut self, slot: usize) -> Vec<Input> {
        let target = &mut self.slots[slot];
        let kept = match &mut target.condition {
            Condition::Paused { kept, until } if *until <= self.now || self.is_healed => {
                std::mem::take(kept)
            }
            Condition::Up | Condition::Down | Condition::Paused { .. } => return Vec::new(),
        };
        target.condition = Condition::Up;
        let process = target.id;
        self.tell(process, &Event::Resumed { process });
        kept
    }

    fn change_clock(&mut self, index: usize, process: ProcessId, change: ClockChange) {
        let home = slot_of(process);
        self.mark(index, process);
        let now = self.now;
        for slot in self.slots.iter_mut().filter(|slot| slot.home == home) {
            slot.clock.get_or_insert_default().change(now, change);
        }
        self.tell_clock(home);
    }

    fn tell_clock(&mut self, home: usize) {
        let slot = &self.slots[home];
        let ahead_us = slot.clock.as_ref().map_or(0, |clock| clock.ahead_us(self.now));
        let process = slot.id;
        self.tell(process, &Event::ClockChanged { process, ahead_us });
    }

    /// No clock gains or loses any more; what it has gained stays.
    fn steady_clocks(&mut self) {
        let now = self.now;
        for place in 0..self.slots.len() {
            let slot = &mut self.slots[place];
            let has_drifted = slot.clock.as_mut().is_some_and(|clock| clock.steady(now));
            if has_drifted && slot.home == place {
                self.tell_clock(place);
            }
        }
    }

    /// What the clock of a process shows.
    #[inline]
    pub fn local_time(&self, slot: usize) -> VirtualTime {
        match &self.slots[slot].clock {
            None => self.now,
            Some(clock) => clock.read(self.now),
        }
    }

    /// A service is told at once of its trouble (it may be handling an input now), and of its end.
    fn trouble(&mut self, index: usize, process: ProcessId, for_us: u64) {
        if self.troubles.begin(index, &self.plan.faults[index].fault) {
            self.mark(index, process);
            self.schedule_at(self.now, Arrival::Trouble { fault: index });
            let at = self.now + Duration::from_micros(for_us);
            self.schedule_at(at, Arrival::Heal { fault: index });
        }
    }

    /// No fault strikes or acts any more, and nothing is in the way.
    pub fn heal_links(&mut self) {
        self.nemesis.end();
        self.is_healed = true;
        self.heal_all();
        self.release_all_waiting();
        self.steady_clocks();
    }
}
