//! Zombies: lives of a process that were replaced and go on, beside the next.
//!
//! A zombie keeps what belonged to it alone: its timers, the connections that led to it, and the answers
//! to what it asked. All other messages find the process where its newest life is.

use super::core::{Condition, Core, Slot, Zombie};
use crate::cluster::Message;
use crate::plan::{Concern, Stream};
use crate::protocol::{Incarnation, ProcessId};
use crate::trace::Event;
use crate::world::injector::Injector as _;
use crate::world::observer::Observer;
use crate::world::slot_of;

/// No more zombies go on at once.
const ZOMBIES_MAX: usize = 8;

impl<O: Observer> Core<'_, O> {
    pub fn may_be_replaced(&self, process: ProcessId) -> bool {
        let slot = slot_of(process);
        match process {
            ProcessId::Coordinator | ProcessId::Worker(_) => {}
            ProcessId::ObjectStore
            | ProcessId::MetaStore
            | ProcessId::SourceLog
            | ProcessId::SinkTarget => return false,
        }
        !matches!(self.slots[slot].condition, Condition::Down)
            && !self.replaced.contains(&slot)
            && self.zombies.len() + self.replaced.len() < ZOMBIES_MAX
    }

    /// A life that was replaced gets a slot of its own, which is returned; its process is down until the
    /// next begins. None when it died in the same breath.
    pub fn go_on_as_zombie(&mut self, home: usize) -> Option<usize> {
        let incarnation = self.slots[home].incarnation;
        let condition = std::mem::replace(&mut self.slots[home].condition, Condition::Down);
        if matches!(condition, Condition::Down) {
            let process = self.slots[home].id;
            self.tell(process, &Event::ZombieEnded { process, incarnation });
            return None;
        }
        let entity = (u64::from(incarnation.0) + 1) << 32 | home as u64;
        let mailbox = Stream::new(self.plan.root(), Concern::Mailbox, entity);
        let (id, clock) = (self.slots[home].id, self.slots[home].clock.clone());
        let slot = Slot { id, home, incarnation, condition, clock, mailbox };
        let place = self.place_ghost(slot);
        self.zombies.push(Zombie { home, slot: place, incarnation, attempt: self.state.attempt });
        Some(place)
    }

    /// A slot of a zombie that is over, or a new one.
    fn place_ghost(&mut self, slot: Slot) -> usize {
        let is_taken = |place: usize| self.zombies.iter().any(|zombie| zombie.slot == place);
        let first = slot_of(ProcessId::Worker(self.plan.cluster.workers));
        let free = (first..self.slots.len()).find(|place| !is_taken(*place));
        match free {
            Some(place) => {
                self.slots[place] = slot;
                place
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        }
    }

    /// The slot in which a life of a process goes on, if it does.
    #[inline]
    pub fn life(&self, home: usize, incarnation: Incarnation) -> Option<usize> {
        let newest = &self.slots[home];
        if newest.incarnation == incarnation && !matches!(newest.condition, Condition::Down) {
            return Some(home);
        }
        let is_it = |zombie: &&Zombie| zombie.home == home && zombie.incarnation == incarnation;
        self.zombies.iter().find(is_it).map(|zombie| zombie.slot)
    }

    /// The zombie to which a connection of this message leads, if it is not to the newest life: the
    /// connections of an attempt lead to those who took part in it.
    pub fn zombie_addressed(&self, to: ProcessId, message: &Message) -> Option<&Zombie> {
        let attempt = message.channel_attempt()?;
        let home = slot_of(to);
        self.zombies.iter().find(|zombie| zombie.home == home && attempt <= zombie.attempt)
    }

    /// Which life of a process a message that travels alone is for: an answer is for whoever asked, all
    /// else for the newest.
    #[inline]
    pub fn addressed(&self, slot: usize, message: &Message) -> Incarnation {
        if !self.zombies.is_empty()
            && let Some(asked) = message.answers().map(|request| request.incarnation())
        {
            return asked;
        }
        self.slots[slot].incarnation
    }

    /// The time of a zombie is over, or it ended with the faults.
    pub fn end_ghost(&mut self, home: usize, incarnation: Incarnation) {
        let is_it = |zombie: &Zombie| zombie.home == home && zombie.incarnation == incarnation;
        let Some(place) = self.zombies.iter().position(is_it) else { return };
        let zombie = self.zombies.remove(place);
        self.slots[zombie.slot].condition = Condition::Down;
        let process = self.slots[home].id;
        self.tell(process, &Event::ZombieEnded { process, incarnation });
    }
}
