//! Patience: how long a checkpoint may take at the least, so that liveness is still owed.
//!
//! A job comes to its end with a checkpoint that completes. Where nearly every checkpoint takes longer than it
//! may, the job is restarted again and again, and the run fails without any bug. So a drawn timeout is raised
//! to what a checkpoint of a busy job takes on average, with the links and stores that were drawn with it: some
//! checkpoints expire then, and others complete.
//!
//! The timeout stays within the scenario's range. A range that is too short as a whole is what the scenario
//! asks for, and is told as a violation of liveness.

use crate::plan::{Latency, Plan, Span};
use crate::protocol::ordered::VecMap;
use crate::protocol::{ChannelId, SubtaskId, Topology};

/// Raises the timeout of a checkpoint as far as it must be, and as far as `range` goes.
pub fn grant(plan: &mut Plan, topology: &Topology, range: Span) {
    let takes_ms = checkpoint_us(plan, topology).div_ceil(1_000);
    let timeout_ms = &mut plan.cluster.checkpoints.timeout_ms;
    *timeout_ms = (*timeout_ms).max(takes_ms.min(range.max));
}

/// How many times as long as on average a checkpoint may take, where most of them must complete. With less than
/// that, queues that are longer than usual explain that nearly all of them expire.
const AMPLE: u64 = 2;

/// Whether checkpoints have so much more time than they take on average that most of them complete. It cannot be
/// told where processes speak by priority: the average does not know for how long they are held back.
#[must_use]
pub fn is_ample(plan: &Plan, topology: &Topology) -> bool {
    let timeout_us = plan.cluster.checkpoints.timeout_ms.saturating_mul(1_000);
    let needed_us = checkpoint_us(plan, topology).saturating_mul(AMPLE);
    plan.links.priorities.is_empty() && needed_us <= timeout_us
}

/// What a checkpoint of a busy job takes on average, from its trigger to its record in the meta store, in
/// microseconds.
pub fn checkpoint_us(plan: &Plan, topology: &Topology) -> u64 {
    Busy { plan, topology }.checkpoint_us()
}

/// A job whose channels are full.
struct Busy<'a> {
    plan: &'a Plan,
    topology: &'a Topology,
}

impl Busy<'_> {
    /// The trigger, the barrier's way, the upload of the last snapshot and its acknowledgement; then the metadata
    /// and the record, which one process writes one after the other.
    fn checkpoint_us(&self) -> u64 {
        let (cluster, width) = (&self.plan.cluster, self.width());
        let trigger_us = self.control_us(width);
        let snapshot_us = 3 * self.control_us(width) + cluster.object_store.latency_us;
        let metadata_us = 2 * self.control_us(1) + cluster.object_store.latency_us;
        let record_us = 2 * self.control_us(1) + cluster.meta_store.latency_us;
        trigger_us + self.barrier_us() + snapshot_us + metadata_us + record_us
    }

    /// From the sources to whoever sees the last barrier. Where a loop closes, the barrier has come round.
    fn barrier_us(&self) -> u64 {
        let mut aligned_us = VecMap::new();
        for subtask in self.topology.subtask_ids() {
            let at = self.last_barrier_us(subtask, &aligned_us) + self.mailbox_us();
            aligned_us.insert(subtask, at);
        }
        let came_round =
            self.topology.subtask_ids().map(|to| self.last_barrier_us(to, &aligned_us));
        came_round.chain(aligned_us.values().copied()).max().unwrap_or(0)
    }

    /// When the last of the inputs brings the barrier, of those whose senders are known to have it.
    fn last_barrier_us(&self, to: SubtaskId, aligned_us: &VecMap<SubtaskId, u64>) -> u64 {
        let inputs = self.topology.inputs(to).count() as u64;
        let arrival_us = |channel: ChannelId| {
            let sent_us = aligned_us.get(&self.topology.channels[channel.index()].from)?;
            // A barrier leaves a full channel's sender when what is ahead of it has arrived.
            Some(sent_us + 2 * self.latency(channel).slowest_us(inputs.max(self.rescaled())))
        };
        self.topology.inputs(to).filter_map(arrival_us).max().unwrap_or(0)
    }

    fn mailbox_us(&self) -> u64 {
        Latency::Uniform(self.plan.mailbox_us).slowest_us(self.width())
    }

    fn latency(&self, channel: ChannelId) -> Latency {
        let links = &self.plan.links;
        let slow = links.slow.iter().find(|slow| slow.channel == channel);
        slow.map_or(links.channels, |slow| slow.latency)
    }

    /// The slowest of so many control messages at once, over the slowest link that there is.
    fn control_us(&self, messages: u64) -> u64 {
        let links = &self.plan.links;
        let all = links.slow_control.iter().map(|link| link.latency).chain([links.control]);
        all.map(|latency| latency.slowest_us(messages)).max().unwrap_or(0)
    }

    /// How many subtasks the widest operator has, in any shape that is asked for.
    fn width(&self) -> u64 {
        let operators = self.topology.operators.iter();
        let at_first = operators.map(|operator| u64::from(operator.parallelism)).max();
        at_first.unwrap_or(1).max(self.rescaled())
    }

    fn rescaled(&self) -> u64 {
        self.plan.parallelisms().max().unwrap_or(1).into()
    }
}
