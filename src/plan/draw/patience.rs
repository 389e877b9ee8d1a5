//! Patience: how long a checkpoint may take at the least, so that liveness is still owed.
//!
//! A job comes to its end with a checkpoint that completes. Where nearly every checkpoint takes longer than it
//! may, the job is restarted again and again, and the run fails without any bug. So a drawn timeout is raised
//! to what a checkpoint of a busy job takes on average, with the links and stores that were drawn with it: some
//! checkpoints expire then, and others complete.
//!
//! The timeout stays within the scenario's range. A range that is too short as a whole is what the scenario
//! asks for, and is told as a violation of liveness.
//!
//! Nor does a job come to its end in time whose slowest channel needs longer for its records. So the bound on
//! liveness is raised to what that takes, with the credits and latencies that were drawn, where the scenario states
//! none of its own.

use crate::plan::limits;
use crate::plan::scenario::LIVENESS_DEFAULT_MS;
use crate::plan::{Latency, Plan, Span};
use crate::protocol::ordered::VecMap;
use crate::protocol::{ChannelId, Loops, SubtaskId, Topology};

/// Raises the timeout of a checkpoint as far as it must be, and as far as `range` goes. Where that is not far enough
/// for what is ahead of barriers, no channel is slow.
pub fn grant(plan: &mut Plan, topology: &Topology, range: Span) {
    if takes_ms(plan, topology) > range.max {
        plan.links.slow.clear();
    }
    let takes_ms = takes_ms(plan, topology);
    let timeout_ms = &mut plan.cluster.checkpoints.timeout_ms;
    *timeout_ms = (*timeout_ms).max(takes_ms.min(range.max));
}

/// Whether checkpoints have the time that [`grant`] gives them where it can: what they take on average.
#[must_use]
pub fn is_granted(plan: &Plan, topology: &Topology) -> bool {
    takes_ms(plan, topology) <= plan.cluster.checkpoints.timeout_ms
}

/// What a checkpoint takes on average, with what is ahead of its barriers.
fn takes_ms(plan: &Plan, topology: &Topology) -> u64 {
    let busy = Busy { plan, topology, backlog: 0 };
    (busy.checkpoint_us() + busy.ahead_us()).div_ceil(1_000)
}

/// How often a record passes a channel. A sliding window of five slides makes five of it.
const FAN_OUT: u64 = 5;

/// How often it does where it goes round in loops.
pub const LAPS: u64 = 32;

/// All that goes round follows closely upon something else: a channel keeps order, and the slower of two counts.
pub const FOLLOWING: u64 = 2;

/// Raises the time that the job has behind the faults, where its slowest channel needs nearly all of it: to twice
/// what that needs, for checkpoints and what is read anew. A bound that a scenario states is left alone.
pub fn grant_time(plan: &mut Plan, topology: &Topology) {
    if plan.liveness_ms != LIVENESS_DEFAULT_MS {
        return;
    }
    let flow_ms = flow_ms(plan, topology, plan.job.records.unwrap_or(0));
    if flow_ms.saturating_mul(5) / 4 > plan.liveness_ms {
        plan.liveness_ms = limits::LIVENESS_MS.clamp(flow_ms.saturating_mul(2));
    }
}

/// What so many records take through the slowest channel on average.
#[must_use]
pub fn flow_ms(plan: &Plan, topology: &Topology, records: u64) -> u64 {
    Busy { plan, topology, backlog: 0 }.flow_us(records).div_ceil(1_000)
}

/// How many times as long as on average a checkpoint may take, where most of them must complete. With less than
/// that, queues that are longer than usual explain that nearly all of them expire.
const AMPLE: u64 = 2;

/// How many records a full channel makes wait in its sender: what one input makes, a line of words.
pub const BACKLOG: u64 = 32;

/// Whether checkpoints have so much more time than they take on average that most of them complete, though each
/// barrier waits for what is ahead of it in its sender. It cannot be told where processes speak by priority: the
/// average does not know for how long they are held back.
#[must_use]
pub fn is_ample(plan: &Plan, topology: &Topology) -> bool {
    let timeout_us = plan.cluster.checkpoints.timeout_ms.saturating_mul(1_000);
    let needed_us = Busy { plan, topology, backlog: BACKLOG }.checkpoint_us().saturating_mul(AMPLE);
    plan.links.priorities.is_empty() && needed_us <= timeout_us
}

/// What a checkpoint of a busy job takes on average, from its trigger to its record in the meta store, in
/// microseconds.
pub fn checkpoint_us(plan: &Plan, topology: &Topology) -> u64 {
    Busy { plan, topology, backlog: 0 }.checkpoint_us()
}

/// A job whose channels are full.
struct Busy<'a> {
    plan: &'a Plan,
    topology: &'a Topology,
    /// How many records wait in a sender, ahead of a barrier.
    backlog: u64,
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
            let latency = self.latency(channel);
            let waits_us = self.passing_us(self.backlog, 2 * latency.mean_us());
            Some(sent_us + waits_us + 2 * latency.slowest_us(inputs.max(self.rescaled())))
        };
        self.topology.inputs(to).filter_map(arrival_us).max().unwrap_or(0)
    }

    fn has_loops(&self) -> bool {
        Loops::of(self.topology, self.plan.defects).back_edges().next().is_some()
    }

    /// For how long barriers wait on average, where they wait longest. What is ahead of one that has come to a loop
    /// enters it as others leave it, which have gone round; ahead of a slow channel is what waits in its sender.
    fn ahead_us(&self) -> u64 {
        if self.has_loops() {
            return LAPS * self.lap_us();
        }
        let waits = !self.plan.cluster.checkpoints.protocol.may_overtake();
        let records = if waits && !self.plan.links.slow.is_empty() { BACKLOG } else { 0 };
        self.passing_us(records, self.round_trip_us())
    }

    /// What so many records take through the slowest channel on average.
    fn flow_us(&self, records: u64) -> u64 {
        let passes = if self.has_loops() { LAPS } else { FAN_OUT };
        self.passing_us(records.saturating_mul(passes), self.round_trip_us())
    }

    /// Through the slowest channel, and back, on average.
    fn round_trip_us(&self) -> u64 {
        self.there_and_back_us(1)
    }

    /// The same in a loop.
    fn lap_us(&self) -> u64 {
        self.there_and_back_us(FOLLOWING)
    }

    /// Through the slowest channel, and back, with the slowest of so many messages.
    fn there_and_back_us(&self, messages: u64) -> u64 {
        let links = &self.plan.links;
        let all = links.slow.iter().map(|slow| slow.latency).chain([links.channels]);
        2 * all.map(|latency| latency.slowest_us(messages)).max().unwrap_or(0)
    }

    /// What so many records take through a channel on average, and through whoever receives them: as many as there
    /// are credits are on their way, and the credits take as long to come back.
    fn passing_us(&self, records: u64, round_trip_us: u64) -> u64 {
        let cluster = &self.plan.cluster;
        let work_ns = cluster.cost.map_or(0, |cost| cost.record_ns);
        let way_ns = 1_000 * round_trip_us / u64::from(cluster.credits.max(1));
        records.saturating_mul(way_ns.saturating_add(work_ns)) / 1_000
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
