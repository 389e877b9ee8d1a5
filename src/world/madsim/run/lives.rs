//! The lives of processes: how each fares, the next one's beginning, and those that go on beside it.

use std::sync::Arc;
use std::time::Duration;

use super::{Action, Errand, Run};
use crate::cluster::Message;
use crate::protocol::{Attempt, Incarnation, ProcessId, VirtualTime};
use crate::trace::Event;
use crate::world::injector::Injector as _;
use crate::world::madsim::driver::process_instance::{Admission, Status};
use crate::world::madsim::driver::{Life, Machine};
use crate::world::{Observer, slot_of};

/// From a crash to the death of the process's tasks: what was handed to connections before it leaves.
pub(super) const LINGER: Duration = Duration::from_micros(50);

/// No more zombies go on at once.
const ZOMBIES_MAX: usize = 8;

/// A life of a process and how it fares.
pub(super) struct Slot {
    pub life: Life,
    pub condition: Condition,
    /// What its tasks see of it.
    pub status: Arc<Status>,
}

pub(super) enum Condition {
    Up,
    /// Its tasks end at this time.
    Down {
        killed: VirtualTime,
    },
    Paused {
        until: VirtualTime,
    },
}

/// A life that was replaced, and goes on.
pub(super) struct Zombie {
    pub slot: Slot,
    /// The newest attempt when it was replaced: the connections of this attempt and of older ones lead
    /// to it, those of newer ones to a later life.
    attempt: Attempt,
}

impl Slot {
    /// The first life of a process.
    pub fn first(process: ProcessId) -> Self {
        let machine = Machine(slot_of(process) as u16);
        let life = Life { process, incarnation: Incarnation::default(), machine };
        Self { life, condition: Condition::Up, status: Arc::default() }
    }

    pub fn is_down(&self) -> bool {
        matches!(self.condition, Condition::Down { .. })
    }
}

impl<O: Observer> Run<O> {
    /// The life that is about to begin on a machine.
    pub fn life(&self, machine: Machine) -> Option<(Life, Arc<Status>)> {
        let slot = self.slots.iter().find(|slot| slot.life.machine == machine)?;
        Some((slot.life, Arc::clone(&slot.status)))
    }

    /// Whether a life goes on.
    pub(super) fn is_alive(&self, life: Life) -> bool {
        let zombies = self.zombies.iter().map(|zombie| &zombie.slot);
        let mut slots = zombies.chain(self.slots.get(slot_of(life.process)));
        slots.any(|slot| slot.life == life && !slot.is_down())
    }

    /// The machine to which a message leads: an answer to whoever asked, a channel to those who took
    /// part in its attempt, all else to the newest life.
    pub fn machine_of(&self, to: ProcessId, message: &Message) -> Machine {
        let asked = message.answers().map(|request| request.incarnation());
        let attempt = message.channel_attempt();
        let is_meant = |zombie: &&Zombie| {
            zombie.slot.life.process == to
                && (asked == Some(zombie.slot.life.incarnation)
                    || attempt.is_some_and(|attempt| attempt <= zombie.attempt))
        };
        let zombie = self.zombies.iter().find(is_meant).map(|zombie| zombie.slot.life);
        zombie.unwrap_or(self.slots[slot_of(to)].life).machine
    }

    /// The machines of all lives of a process.
    pub(super) fn machines_of(&self, process: ProcessId) -> Vec<Machine> {
        let zombies = self.zombies.iter().map(|zombie| zombie.slot.life);
        let lives = zombies.chain([self.slots[slot_of(process)].life]);
        lives.filter(|life| life.process == process).map(|life| life.machine).collect()
    }

    pub(super) fn schedule_end(&mut self, machine: Machine) {
        self.schedule_errand(Errand::Flush(machine));
        self.schedule(self.state.now + LINGER, Action::Errand(Errand::Kill(machine)));
    }

    pub(super) fn restart(&mut self, process: ProcessId, crashed: Incarnation) {
        let slot = &mut self.slots[slot_of(process)];
        if !slot.is_down() || slot.life.incarnation != crashed {
            return;
        }
        slot.life.incarnation = crashed.next();
        slot.condition = Condition::Up;
        slot.status = Arc::default();
        let Life { incarnation, machine, .. } = slot.life;
        self.tell(process, &Event::Restarted { process, incarnation });
        self.schedule_errand(Errand::Start(process, machine));
    }

    pub(super) fn resume(&mut self, life: Life) {
        let zombies = self.zombies.iter_mut().map(|zombie| &mut zombie.slot);
        let mut slots = zombies.chain(self.slots.get_mut(slot_of(life.process)));
        let Some(slot) = slots.find(|slot| slot.life == life) else { return };
        match slot.condition {
            Condition::Paused { until } if until <= self.state.now || self.state.is_healed => {}
            Condition::Up | Condition::Down { .. } | Condition::Paused { .. } => return,
        }
        slot.condition = Condition::Up;
        slot.status.set(Admission::Up);
        let process = life.process;
        self.tell(process, &Event::Resumed { process });
        self.machines.resume(life.machine);
    }

    pub(super) fn may_be_replaced(&self, process: ProcessId) -> bool {
        let is_replaceable = matches!(process, ProcessId::Coordinator | ProcessId::Worker(_));
        is_replaceable
            && !self.slots[slot_of(process)].is_down()
            && self.zombies.len() < ZOMBIES_MAX
    }

    /// Nobody is where the process is looked for, until its next life begins there.
    pub(super) fn go_on_as_zombie(&mut self, home: usize) {
        let slot = &mut self.slots[home];
        let down = Condition::Down { killed: self.state.now };
        let (life, status) = (slot.life, Arc::clone(&slot.status));
        let condition = std::mem::replace(&mut slot.condition, down);
        slot.life.machine = self.next_machine;
        self.next_machine.0 += 1;
        let slot = Slot { life, condition, status };
        self.zombies.push(Zombie { slot, attempt: self.state.attempt });
    }

    /// The time of a zombie is over, or it ended with the faults.
    pub(super) fn end_ghost(&mut self, life: Life) {
        let is_it = |zombie: &Zombie| zombie.slot.life == life;
        let Some(place) = self.zombies.iter().position(is_it) else { return };
        let zombie = self.zombies.remove(place);
        zombie.slot.status.set(Admission::Gone);
        let Life { process, incarnation, machine } = life;
        self.tell(process, &Event::ZombieEnded { process, incarnation });
        self.schedule_end(machine);
    }

    /// Heals a process that is not lost for good; returns when it will have been healed.
    pub(super) fn heal_process(&mut self, slot: usize) -> VirtualTime {
        let life = self.slots[slot].life;
        match self.slots[slot].condition {
            Condition::Up => {}
            Condition::Paused { .. } => self.resume(life),
            Condition::Down { .. } if self.plan.lost.contains(&life.process) => {}
            Condition::Down { killed } => {
                let at = self.state.now.max(killed);
                self.schedule(at, Action::Restart(life.process, life.incarnation));
                return at;
            }
        }
        self.state.now
    }
}
