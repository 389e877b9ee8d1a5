//! Faults of the network: cuts, holds, half-open connections, lossy reconnects.
//!
//! A cut is the simulated network's: it keeps connections from carrying anything. All other obstacles
//! lie where a message arrives, behind the driver's sessions: these would make good what is missing.

use super::{Errand, Run};
use crate::cluster::message::ToWorker;
use crate::cluster::{Input, Message};
use crate::protocol::{ChannelId, ProcessId, VirtualTime};
use crate::world::Observer;
use crate::world::injector::Injector as _;
use crate::world::madsim::driver::frame::Class;
use crate::world::network::Delivery;

impl<O: Observer> Run<O> {
    /// What becomes of a message that arrives now.
    pub fn delivery(
        &mut self,
        now: VirtualTime,
        (from, to): (ProcessId, ProcessId),
        class: Class,
        message: &Message,
    ) -> Delivery {
        if self.state.network.is_clear() {
            return Delivery::Open;
        }
        let delivery = match class {
            Class::Ordered => self.state.network.ordered(from, to),
            Class::Control => self.state.network.alone(from, to),
        };
        if let (Delivery::Open, Message::Worker(ToWorker::Data { channel, .. })) =
            (delivery, message)
        {
            return self.lose(now, to, *channel);
        }
        delivery
    }

    /// Whether a reconnect loses an element. The time of the last event is now only if it does.
    fn lose(&mut self, now: VirtualTime, to: ProcessId, channel: ChannelId) -> Delivery {
        let before = self.state.now;
        self.state.now = before.max(now);
        if self.loses(channel, to) {
            return Delivery::Lost;
        }
        self.state.now = before;
        Delivery::Open
    }

    /// A cut leaves no connection behind: after it, both sides connect anew, and send again what they
    /// cannot know to have arrived.
    pub(super) fn break_off(&mut self, from: ProcessId, to: ProcessId) {
        for (process, peer) in [(from, to), (to, from)] {
            for machine in self.machines_of(process) {
                self.schedule_errand(Errand::BreakOff(machine, peer));
            }
        }
    }

    /// Both ends learn that their connection was lost: whoever lives there, and whoever lived.
    pub(super) fn reset(&mut self, from: ProcessId, to: ProcessId) {
        for (process, peer) in [(from, to), (to, from)] {
            for machine in self.machines_of(process) {
                self.schedule_errand(Errand::Tell(machine, Input::ConnectionLost { peer }));
            }
        }
    }
}
