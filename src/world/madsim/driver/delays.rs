//! Delays that the driver adds to what the network takes.

use std::time::Duration;

use crate::cluster::Message;
use crate::cluster::message::Route;
use crate::plan::{Latency, LinkSettings, Plan};
use crate::protocol::{ProcessId, VirtualTime};
use crate::world::links::Links;
use crate::world::slot_of;

/// The links of a plan, as one process uses them.
///
/// Ordered links take what the network takes, which draws from the range of most channels; only those
/// that differ from it wait in the driver as well.
#[derive(Debug)]
pub struct Delays {
    process: ProcessId,
    links: Links,
    /// What the network takes at least.
    network: Duration,
    /// By ordered link: whether it takes longer than the network does.
    is_slow: Vec<bool>,
}

/// What the network takes, from the lowest to the highest: what channels take in this plan, as far as
/// one range can say it.
#[must_use]
pub fn network_latency(plan: &Plan) -> (Duration, Duration) {
    let (min, max) = match plan.links.channels {
        Latency::Uniform(span) => (span.min, span.max),
        Latency::HeavyTail(span) => (span.min, span.min),
    };
    (Duration::from_micros(min), Duration::from_micros(max))
}

impl Delays {
    /// The delays of what `process` sends.
    #[must_use]
    pub fn new(plan: &Plan, channels_max: usize, process: ProcessId) -> Self {
        let processes = slot_of(ProcessId::Worker(plan.cluster.workers));
        let links = Links::new(plan, channels_max, processes);
        let LinkSettings { channels, byte_ns, priorities, .. } = &plan.links;
        let is_even = matches!(channels, Latency::Uniform(_));
        let all = !is_even || *byte_ns > 0 || !priorities.is_empty();
        let mut is_slow = vec![all; links.ordered_count()];
        for slow in &plan.links.slow {
            let route = Route::Channel(slow.channel);
            if let Some(index) = links.ordered_index(route, process) {
                is_slow[index] = true;
            }
        }
        Self { process, links, network: network_latency(plan).0, is_slow }
    }

    /// When the driver is to do something with an ordered message, if not at once; none of the inner
    /// where the message travels alone.
    pub fn ordered(
        &mut self,
        now: VirtualTime,
        to: ProcessId,
        message: &Message,
    ) -> Option<Departure> {
        let index = self.links.ordered_index(message.route(), self.process)?;
        let is_local = to == self.process;
        if !is_local && !self.is_slow[index] {
            return Some(Departure::AtOnce);
        }
        let arrival = self.links.arrival(index, now, (self.process, to), message);
        let network = if is_local { Duration::ZERO } else { self.network };
        Some(Departure::At(now + arrival.since(now).saturating_sub(network)))
    }

    /// How long a message takes that travels alone.
    pub fn alone(&mut self, now: VirtualTime, to: ProcessId) -> Duration {
        self.links.control_delay(slot_of(self.process), now, self.process, to)
    }

    /// How long a message that is to take `delay` is held back beside what the network takes.
    #[must_use]
    pub fn hold(&self, delay: Duration) -> Duration {
        delay.saturating_sub(self.network)
    }
}

/// When an ordered message leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// At once.
    AtOnce,
    /// Later; no message of the same link overtakes it.
    At(VirtualTime),
}
