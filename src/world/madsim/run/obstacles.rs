//! Faults of the network: cuts, holds, half-open connections, lossy reconnects.
//!
//! A cut is the simulated network's: it keeps connections from carrying anything. All other obstacles
//! lie where a message arrives, behind the driver's sessions: these would make good what is missing.

use std::time::Duration;

use super::{Action, Errand, Run};
use crate::cluster::message::ToWorker;
use crate::cluster::{Input, Message};
use crate::protocol::{ChannelId, ProcessId, VirtualTime};
use crate::trace::Event;
use crate::world::Observer;
use crate::world::madsim::driver::frame::Class;
use crate::world::network::{Cleared, Delivery, Obstacle};

impl<O: Observer> Run<O> {
    /// What becomes of a message that arrives now.
    pub fn delivery(
        &mut self,
        now: VirtualTime,
        (from, to): (ProcessId, ProcessId),
        class: Class,
        message: &Message,
    ) -> Delivery {
        if self.network.is_clear() {
            return Delivery::Open;
        }
        let delivery = match class {
            Class::Ordered => self.network.ordered(from, to),
            Class::Control => self.network.alone(from, to),
        };
        if let (Delivery::Open, Message::Worker(ToWorker::Data { channel, .. })) =
            (delivery, message)
        {
            return self.lose(now, to, *channel);
        }
        delivery
    }

    /// Whether a reconnect loses an element.
    fn lose(&mut self, now: VirtualTime, to: ProcessId, channel: ChannelId) -> Delivery {
        let Some(fault) = self.network.loses(channel) else { return Delivery::Open };
        self.now = self.now.max(now);
        if let Some(index) = fault {
            self.mark(index, to);
        }
        self.tell(to, &Event::ElementLost { channel });
        Delivery::Lost
    }

    /// Something gets into these ways for a while.
    pub(super) fn obstruct(
        &mut self,
        index: usize,
        obstacle: Obstacle,
        directions: &[(ProcessId, ProcessId)],
        for_us: u64,
    ) {
        let Some((first, _)) = directions.first() else { return };
        self.mark(index, *first);
        for (from, to) in directions.iter().copied() {
            if !self.network.obstruct(obstacle, from, to, index) {
                continue;
            }
            if obstacle == Obstacle::Cut {
                self.machines.cut(from, to);
            }
            self.tell(from, &obstacle.begins(from, to));
        }
        self.schedule(self.now + Duration::from_micros(for_us), Action::Clear(index));
    }

    /// A process is cut off from all others, in both directions.
    pub(super) fn isolate(&mut self, index: usize, process: ProcessId, for_us: u64) {
        let others = self.slots.iter().map(|slot| slot.life.process);
        let directions: Vec<_> = others
            .filter(|other| *other != process)
            .flat_map(|other| [(process, other), (other, process)])
            .collect();
        self.obstruct(index, Obstacle::Cut, &directions, for_us);
    }

    /// The time of a fault is over.
    pub(super) fn clear(&mut self, index: usize) {
        let cleared = self.network.clear(index);
        self.reopen(cleared);
    }

    /// Nothing is in the way any more.
    pub(super) fn clear_all(&mut self) {
        let cleared = self.network.clear_all();
        self.reopen(cleared);
    }

    fn reopen(&mut self, cleared: Vec<Cleared>) {
        for (obstacle, from, to) in cleared {
            if obstacle == Obstacle::Cut {
                self.machines.heal(from, to);
            }
            self.tell(from, &obstacle.ends(from, to));
            match obstacle {
                Obstacle::Cut => self.break_off(from, to),
                Obstacle::Hold => {}
                Obstacle::HalfOpen => self.reset(from, to),
            }
            for machine in self.machines_of(to) {
                self.schedule_errand(Errand::Release(machine, from));
            }
        }
    }

    /// A cut leaves no connection behind: after it, both sides connect anew, and send again what they
    /// cannot know to have arrived.
    fn break_off(&mut self, from: ProcessId, to: ProcessId) {
        for (process, peer) in [(from, to), (to, from)] {
            for machine in self.machines_of(process) {
                self.schedule_errand(Errand::BreakOff(machine, peer));
            }
        }
    }

    /// Both ends learn that their connection was lost: whoever lives there, and whoever lived.
    fn reset(&mut self, from: ProcessId, to: ProcessId) {
        for (process, peer) in [(from, to), (to, from)] {
            for machine in self.machines_of(process) {
                self.schedule_errand(Errand::Tell(machine, Input::ConnectionLost { peer }));
            }
        }
    }
}
