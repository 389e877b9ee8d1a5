//! What the network did to messages, and what becomes of them when it is over.

use super::core::{Arrival, Core};
use crate::cluster::message::ToWorker;
use crate::cluster::{Input, Message};
use crate::protocol::ProcessId;
use crate::world::injector::Injector as _;
use crate::world::links::InFlight;
use crate::world::observer::Observer;
use crate::world::slot_of;

impl<O: Observer> Core<'_, O> {
    /// What was held arrives, in order.
    pub fn let_go(&mut self, from: ProcessId, to: ProcessId) {
        let kept = std::mem::take(&mut self.kept);
        for envelope in kept {
            if envelope.from == from && envelope.to == to {
                let (from, to, message) = (envelope.from, envelope.to, envelope.message);
                self.schedule_at(self.state.now, Arrival::Message { from, to, message });
            } else {
                self.kept.push(envelope);
            }
        }
    }

    /// Both ends learn that their connection was lost: whoever lives there, and whoever lived.
    pub fn reset(&mut self, from: ProcessId, to: ProcessId) {
        for (process, peer) in [(from, to), (to, from)] {
            let home = slot_of(process);
            let lives = self.slots.iter().filter(|slot| slot.home == home);
            let lives: Vec<_> = lives.map(|slot| slot.incarnation).collect();
            for incarnation in lives {
                let (now, input) = (self.state.now, Input::ConnectionLost { peer });
                self.schedule_at(now, Arrival::Input { to: home as u32, incarnation, input });
            }
        }
    }

    /// Whether a reconnect loses this. What stays within a process needs no connection.
    #[cold]
    pub fn is_lost_in_reconnect(&mut self, arriving: &InFlight) -> bool {
        let Message::Worker(ToWorker::Data { channel, .. }) = &arriving.message else {
            return false;
        };
        arriving.from != arriving.to && self.loses(*channel, arriving.to)
    }
}
