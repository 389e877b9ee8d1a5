//! What faults do to the simulated machines, and how everything is healed.

use std::sync::Arc;
use std::time::Duration;

use super::lives::{Condition, LINGER};
use super::{Action, Envelope, Errand, Run};
use crate::cluster::{Input, Trouble};
use crate::plan::{ClockChange, MessageAction, Plan};
use crate::protocol::{ProcessId, RescaleRequest};
use crate::trace::{Event, MessageKind, Point};
use crate::world::injector::Injector;
use crate::world::madsim::driver::Life;
use crate::world::madsim::driver::process_instance::Admission;
use crate::world::network::Obstacle;
use crate::world::run_state::RunState;
use crate::world::{Observer, slot_of};

/// Within this the services have been told that they are healthy.
const TOLD: Duration = Duration::from_micros(1);

impl<O: Observer> Injector for Run<O> {
    type Observer = O;
    type Plan = Arc<Plan>;

    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    fn state(&mut self) -> &mut RunState<O> {
        &mut self.state
    }

    fn tell(&mut self, process: ProcessId, event: &Event) {
        if self.state.ending.is_some() {
            return;
        }
        self.state.observe(process, event);
        let point = Point::from(event);
        if self.waiting.is_awaited(point) {
            let envelopes = self.waiting.release(point);
            self.set_out(envelopes);
        }
    }

    fn release_all_waiting(&mut self) {
        let envelopes = self.waiting.release_all();
        self.set_out(envelopes);
    }

    /// Somebody on the coordinator's machine asks it for something.
    fn ask(&mut self, request: usize) {
        let plan = Arc::clone(&self.plan);
        let message = self.state.planned_requests.message(&plan, request);
        let (from, to) = (ProcessId::Coordinator, ProcessId::Coordinator);
        let delay = Duration::from_micros(plan.links.local_us);
        let (now, with) = (self.state.now, (delay, &message));
        let copies = match self.strike_message(from, now, to, MessageKind::Request, with) {
            None => vec![delay],
            Some(MessageAction::Drop | MessageAction::Until { .. }) => Vec::new(),
            Some(MessageAction::Delay { us }) => vec![delay + Duration::from_micros(us)],
            Some(MessageAction::Duplicate { us }) => vec![delay, delay + Duration::from_micros(us)],
        };
        for delay in copies {
            let message = message.clone();
            self.schedule(now + delay, Action::Arrive(Envelope { from, to, delay, message }));
        }
    }

    fn rescale(&mut self, request: RescaleRequest) {
        let machine = self.slots[slot_of(ProcessId::Coordinator)].life.machine;
        self.schedule_errand(Errand::Tell(machine, Input::Rescale(request)));
    }

    fn crash(&mut self, fault: usize, process: ProcessId, restart_after_us: Option<u64>) {
        let killed = self.state.now + LINGER;
        let slot = &mut self.slots[slot_of(process)];
        if slot.is_down() {
            return;
        }
        slot.condition = Condition::Down { killed };
        slot.status.set(Admission::Gone);
        let Life { incarnation, machine, .. } = slot.life;
        self.mark(fault, process);
        self.tell(process, &Event::Crashed { process });
        self.schedule_end(machine);
        if let Some(us) = restart_after_us {
            let at = killed.max(self.state.now + Duration::from_micros(us));
            self.schedule(at, Action::Restart(process, incarnation));
        }
    }

    fn pause(&mut self, fault: usize, process: ProcessId, for_us: u64) {
        let until = self.state.now + Duration::from_micros(for_us);
        let slot = &mut self.slots[slot_of(process)];
        if !matches!(slot.condition, Condition::Up) {
            return;
        }
        slot.condition = Condition::Paused { until };
        slot.status.set(Admission::Paused);
        let life = slot.life;
        self.machines.pause(life.machine);
        self.mark(fault, process);
        self.tell(process, &Event::Paused { process });
        self.schedule(until, Action::Resume(life));
    }

    /// The next life begins on another machine.
    fn zombify(&mut self, fault: usize, process: ProcessId, restart_after_us: u64, for_us: u64) {
        if !self.may_be_replaced(process) {
            return;
        }
        self.mark(fault, process);
        let home = slot_of(process);
        let life = self.slots[home].life;
        self.go_on_as_zombie(home);
        self.tell(process, &Event::Zombified { process, incarnation: life.incarnation });
        self.schedule_after(restart_after_us, Action::Restart(process, life.incarnation));
        self.schedule_after(for_us, Action::EndZombie(life));
    }

    fn end_zombies(&mut self) {
        let lives: Vec<Life> = self.zombies.iter().map(|zombie| zombie.slot.life).collect();
        lives.into_iter().for_each(|life| self.end_ghost(life));
    }

    fn change_clock(&mut self, process: ProcessId, change: ClockChange) -> i64 {
        self.clocks.change(process, self.state.now, change)
    }

    fn steady_clocks(&mut self) -> Vec<(ProcessId, i64)> {
        let drifted = self.clocks.steady(self.state.now).into_iter();
        drifted.map(|(slot, ahead_us)| (self.slots[slot].life.process, ahead_us)).collect()
    }

    fn trouble(&mut self, fault: usize) {
        let told = self.state.troubles.told(fault, &self.plan.faults[fault].fault);
        if let Some((process, trouble)) = told {
            self.tell_service(process, trouble);
        }
    }

    /// A cut is the simulated network's; see the head of `obstacles`.
    fn block(&mut self, obstacle: Obstacle, from: ProcessId, to: ProcessId) {
        if obstacle == Obstacle::Cut {
            self.machines.cut(from, to);
        }
    }

    fn unblock(&mut self, obstacle: Obstacle, from: ProcessId, to: ProcessId) {
        match obstacle {
            Obstacle::Cut => {
                self.machines.heal(from, to);
                self.break_off(from, to);
            }
            Obstacle::Hold => {}
            Obstacle::HalfOpen => self.reset(from, to),
        }
        for machine in self.machines_of(to) {
            self.schedule_errand(Errand::Release(machine, from));
        }
    }

    fn schedule_heal(&mut self, fault: usize, for_us: u64) {
        self.schedule_after(for_us, Action::Heal(fault));
    }
}

impl<O: Observer> Run<O> {
    /// The time of a trouble is over: the service recovers, unless another has begun meanwhile.
    pub(super) fn recover(&mut self, fault: usize) {
        let over = self.state.troubles.end(fault, &self.plan.faults[fault].fault);
        if let Some((process, trouble)) = over {
            self.tell_service(process, trouble);
        }
    }

    fn tell_service(&mut self, process: ProcessId, trouble: Trouble) {
        let machine = self.slots[slot_of(process)].life.machine;
        self.schedule_errand(Errand::Afflict(machine, trouble));
    }

    /// The safety phase is over: everything that is not lost for good is healed.
    pub(super) fn heal_all(&mut self) {
        self.end_faults();
        for (process, trouble) in self.state.troubles.end_all() {
            self.tell_service(process, trouble);
        }
        let mut at = self.state.now + TOLD;
        for slot in 0..self.slots.len() {
            at = at.max(self.heal_process(slot));
        }
        self.schedule(at, Action::FaultsEnded);
    }
}
