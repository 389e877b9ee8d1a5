//! Faults as they take effect, and their end.

use std::sync::Arc;
use std::time::Duration;

use super::{Action, Errand, Run};
use crate::cluster::Input;
use crate::plan::{ClockChange, Fault};
use crate::protocol::ProcessId;
use crate::trace::Event;
use crate::world::act::Act;
use crate::world::network::Obstacle;
use crate::world::{Observer, slot_of};

/// Within this the services have been told that they are healthy.
const TOLD: Duration = Duration::from_micros(1);

impl<O: Observer> Run<O> {
    /// Something happens that the plan has; `struck` is where its point was reached.
    pub(super) fn act(&mut self, act: Act, struck: ProcessId) {
        match act {
            Act::Request(place) => self.ask(place),
            Act::Fault(_) | Act::Rescale(_) if self.is_healed => {}
            Act::Fault(index) => self.strike(index, struck),
            Act::Rescale(place) => self.ask_for_rescale(place),
        }
    }

    /// A fault strikes; `struck` is where its point was reached.
    fn strike(&mut self, index: usize, struck: ProcessId) {
        let plan = Arc::clone(&self.plan);
        let planned = &plan.faults[index];
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
            Fault::Store { for_us, .. }
            | Fault::Sink { for_us, .. }
            | Fault::Idle { for_us, .. } => {
                self.afflict(index, *for_us);
            }
        }
    }

    /// Asks the coordinator, if it is up; paused, it hears of it later.
    fn ask_for_rescale(&mut self, rescale: usize) {
        let planned = &self.plan.rescales[rescale];
        let machine = self.slots[slot_of(ProcessId::Coordinator)].life.machine;
        self.schedule_errand(Errand::Tell(machine, Input::Rescale(planned.request())));
    }

    /// A fault takes effect.
    pub(super) fn mark(&mut self, index: usize, struck: ProcessId) {
        let moment = self.moment();
        self.nemesis.strike(index, &self.plan.faults[index], struck, moment);
    }

    fn change_clock(&mut self, index: usize, process: ProcessId, change: ClockChange) {
        self.mark(index, process);
        let ahead_us = self.clocks.change(process, self.now, change);
        self.tell(process, &Event::ClockChanged { process, ahead_us });
    }

    /// No clock gains or loses any more; what it has gained stays.
    fn steady_clocks(&mut self) {
        for (slot, ahead_us) in self.clocks.steady(self.now) {
            let process = self.slots[slot].life.process;
            self.tell(process, &Event::ClockChanged { process, ahead_us });
        }
    }

    /// The safety phase is over: everything that is not lost for good is healed.
    pub(super) fn end_faults(&mut self) {
        self.nemesis.end();
        self.is_healed = true;
        self.clear_all();
        let envelopes = self.waiting.release_all();
        self.set_out(envelopes);
        self.steady_clocks();
        self.end_ghosts();
        self.recover_all();
        let mut at = self.now + TOLD;
        for slot in 0..self.slots.len() {
            at = at.max(self.heal_process(slot));
        }
        self.schedule(at, Action::FaultsEnded);
    }
}
