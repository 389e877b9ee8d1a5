//! Faults of the network: cuts, holds, half-open connections, lossy reconnects.

use std::time::Duration;

use super::core::{Arrival, Core};
use crate::cluster::message::ToWorker;
use crate::cluster::{Input, Message};
use crate::protocol::ProcessId;
use crate::trace::Event;
use crate::world::links::InFlight;
use crate::world::network::{Cleared, Obstacle};
use crate::world::observer::Observer;
use crate::world::slot_of;

impl<O: Observer> Core<'_, O> {
    /// Something gets into these ways for a while.
    pub fn obstruct(
        &mut self,
        index: usize,
        obstacle: Obstacle,
        directions: &[(ProcessId, ProcessId)],
        for_us: u64,
    ) {
        let Some((first, _)) = directions.first() else { return };
        self.mark(index, *first);
        for (from, to) in directions.iter().copied() {
            if self.network.obstruct(obstacle, from, to, index) {
                self.tell(from, &obstacle.begins(from, to));
            }
        }
        let at = self.now + Duration::from_micros(for_us);
        self.schedule_at(at, Arrival::Heal { fault: index });
    }

    /// A process is cut off from all others, in both directions.
    pub fn isolate(&mut self, index: usize, process: ProcessId, for_us: u64) {
        let others = self.slots.iter().enumerate().filter(|(place, slot)| slot.home == *place);
        let directions: Vec<_> = others
            .map(|(_, slot)| slot.id)
            .filter(|other| *other != process)
            .flat_map(|other| [(process, other), (other, process)])
            .collect();
        self.obstruct(index, Obstacle::Cut, &directions, for_us);
    }

    /// The time of a fault is over.
    pub fn heal(&mut self, index: usize) {
        let cleared = self.network.clear(index);
        self.reopen(cleared);
    }

    /// Nothing is in the way any more.
    pub fn heal_all(&mut self) {
        let cleared = self.network.clear_all();
        self.reopen(cleared);
    }

    fn reopen(&mut self, cleared: Vec<Cleared>) {
        for (obstacle, from, to) in cleared {
            self.tell(from, &obstacle.ends(from, to));
            match obstacle {
                Obstacle::Cut => {}
                Obstacle::Hold => self.let_go(from, to),
                Obstacle::HalfOpen => self.reset(from, to),
            }
        }
        self.release_links();
    }

    /// What was held arrives, in order.
    fn let_go(&mut self, from: ProcessId, to: ProcessId) {
        let kept = std::mem::take(&mut self.kept);
        for envelope in kept {
            if envelope.from == from && envelope.to == to {
                let (from, to, message) = (envelope.from, envelope.to, envelope.message);
                self.schedule_at(self.now, Arrival::Message { from, to, message });
            } else {
                self.kept.push(envelope);
            }
        }
    }

    /// Both ends learn that their connection was lost: whoever lives there, and whoever lived.
    fn reset(&mut self, from: ProcessId, to: ProcessId) {
        for (process, peer) in [(from, to), (to, from)] {
            let home = slot_of(process);
            let lives = self.slots.iter().filter(|slot| slot.home == home);
            let lives: Vec<_> = lives.map(|slot| slot.incarnation).collect();
            for incarnation in lives {
                let input = Input::ConnectionLost { peer };
                self.schedule_at(self.now, Arrival::Input { to: home as u32, incarnation, input });
            }
        }
    }

    /// Whether a reconnect loses this. What stays within a process needs no connection.
    #[cold]
    pub fn is_lost_in_reconnect(&mut self, arriving: &InFlight) -> bool {
        let Message::Worker(ToWorker::Data { channel, .. }) = &arriving.message else {
            return false;
        };
        if arriving.from == arriving.to {
            return false;
        }
        let channel = *channel;
        let Some(fault) = self.network.loses(channel) else { return false };
        if let Some(index) = fault {
            self.mark(index, arriving.to);
        }
        self.tell(arriving.to, &Event::ElementLost { channel });
        true
    }
}
