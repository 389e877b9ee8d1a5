//! Faults as they take effect, and as they are healed.

use std::time::Duration;

use super::core::{Arrival, Condition, Core};
use crate::cluster::Input;
use crate::plan::Fault;
use crate::protocol::{Incarnation, ProcessId};
use crate::trace::Event;
use crate::world::observer::Observer;
use crate::world::slot_of;

impl<O: Observer> Core<'_, O> {
    /// The faults aimed at this event strike, right after it.
    #[cold]
    pub fn strike_aimed(&mut self, event: &Event, process: ProcessId) {
        for fault in self.nemesis.handle_event(event) {
            self.strike(fault, process);
        }
    }

    /// A fault strikes; `struck` is where its point was reached.
    pub fn strike(&mut self, index: usize, struck: ProcessId) {
        if self.is_healed {
            return;
        }
        let planned = &self.plan.faults[index];
        match &planned.fault {
            Fault::Crash { process, restart_after_us } => {
                self.crash(index, process.unwrap_or(struck), *restart_after_us);
            }
            Fault::Pause { process, for_us } => {
                self.pause(index, process.unwrap_or(struck), *for_us);
            }
            Fault::Disconnect { from, to, both, for_us } => {
                self.disconnect(index, (*from, *to), *both, *for_us);
            }
            Fault::Message { .. } => self.nemesis.arm_messages(index, planned),
            Fault::Zombie { .. }
            | Fault::Isolate { .. }
            | Fault::Hold { .. }
            | Fault::HalfOpen { .. }
            | Fault::Lose { .. }
            | Fault::Clock { .. } => {}
            Fault::Store { process, for_us, .. } => self.trouble(index, *process, *for_us),
            Fault::Sink { for_us, .. } => self.trouble(index, ProcessId::SinkTarget, *for_us),
            Fault::Idle { for_us, .. } => self.trouble(index, ProcessId::SourceLog, *for_us),
        }
    }

    /// A fault takes effect.
    fn mark(&mut self, index: usize, struck: ProcessId) {
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
        self.observe(process, &Event::Crashed { process });
        if let Some(us) = restart_after_us {
            let incarnation = self.slots[slot].incarnation;
            let at = self.now + Duration::from_micros(us);
            self.schedule_at(at, Arrival::Restart { slot: slot as u32, incarnation });
        }
    }

    /// A process that is still down from the crash of `crashed` is up again, in its next life.
    pub fn revive(
        &mut self,
        slot: usize,
        crashed: Incarnation,
    ) -> Option<(ProcessId, Incarnation)> {
        let target = &mut self.slots[slot];
        if !matches!(target.condition, Condition::Down) || target.incarnation != crashed {
            return None;
        }
        target.incarnation = crashed.next();
        target.condition = Condition::Up;
        let (process, incarnation) = (target.id, target.incarnation);
        self.observe(process, &Event::Restarted { process, incarnation });
        Some((process, incarnation))
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
        self.observe(process, &Event::Paused { process });
        self.schedule_at(until, Arrival::Resume { slot: slot as u32 });
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
        self.observe(process, &Event::Resumed { process });
        kept
    }

    fn disconnect(
        &mut self,
        index: usize,
        (from, to): (ProcessId, ProcessId),
        both: bool,
        for_us: u64,
    ) {
        self.mark(index, from);
        self.cut(index, from, to);
        if both {
            self.cut(index, to, from);
        }
        let at = self.now + Duration::from_micros(for_us);
        self.schedule_at(at, Arrival::Heal { fault: index });
    }

    fn cut(&mut self, fault: usize, from: ProcessId, to: ProcessId) {
        if self.cuts.cut(from, to, fault) {
            self.observe(from, &Event::Disconnected { from, to });
        }
    }

    /// The time of a disconnect is over.
    pub fn heal(&mut self, index: usize) {
        let Fault::Disconnect { from, to, .. } = self.plan.faults[index].fault else { return };
        for (from, to) in [(from, to), (to, from)] {
            if self.cuts.heal(from, to, index) {
                self.observe(from, &Event::Healed { from, to });
            }
        }
        self.release_links();
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

    /// No fault strikes or acts any more, and nothing is cut.
    pub fn heal_links(&mut self) {
        self.nemesis.end();
        self.is_healed = true;
        for (from, to) in self.cuts.heal_all() {
            self.observe(from, &Event::Healed { from, to });
        }
        self.release_links();
    }
}
