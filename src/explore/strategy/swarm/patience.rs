//! How patient a job must be with the shape that was varied for it, so that liveness is still owed. Every drawn
//! plan has a little patience as well, whatever strategy draws it: see `plan::draw`.
//!
//! A checkpoint that cannot complete before it expires, a worker whose heartbeats cannot come in time, an
//! input that cannot be read before the run ends: each would fail a run without any bug. So the drawn
//! settings are raised, and the input shortened, to what the drawn latencies allow:
//!
//! - a checkpoint expires no earlier than twice the time it takes on average, nor before what is ahead of its barriers
//!   in a loop has gone round;
//! - the failure detector waits for two heartbeats and the slowest control message;
//! - a request is repeated no earlier than its answer takes at worst;
//! - the input is short enough to be read within [`READING_MAX_US`] on average;
//! - and the job has, beside what the scenario says, four times the time of reading everything at worst,
//!   and twenty times the timeout of a checkpoint.
//!
//! What is pinned is left alone, and what the scenario itself says is always taken for possible.

use crate::plan::draw::patience::{BACKLOG, FOLLOWING, LAPS};
use crate::plan::scenario::LinkScenario;
use crate::plan::{Latency, Scenario, Setting, Span};
use crate::protocol::Protocol;

/// How many channels a barrier passes one after the other, in the deepest job that is asked for.
const HOPS: u64 = 5;

/// How large a record is, with what is sent around it.
const RECORD_BYTES: u64 = 128;

/// How long reading the input may take on average, in microseconds.
const READING_MAX_US: u64 = 10_000_000;

/// Changes what must be; `original` is the scenario before anything was varied.
pub fn grant(varied: &mut Scenario, original: &Scenario) {
    if same_pace(varied, original) {
        return;
    }
    let usual = Pace::of(varied, Latency::mean_us);
    let worst = Pace::of(varied, Latency::max_us);
    shorten(varied, &usual);
    let swarm = &original.swarm;
    if !swarm.is_pinned(Setting::Timeout) {
        let checkpoint_us = (2 * usual.checkpoint_us()).max(loop_us(varied));
        raise(&mut varied.checkpoints.timeout_ms, checkpoint_us / 1_000);
    }
    if !swarm.is_pinned(Setting::Cluster) {
        let cluster = &mut varied.cluster;
        let silence_us = 2 * cluster.heartbeat_ms.max * 1_000 + worst.control_us;
        raise(&mut cluster.heartbeat_timeout_ms, silence_us.div_ceil(1_000));
        let answer_us = 2 * worst.control_us + worst.store_us;
        raise(&mut cluster.request_retry_ms, answer_us.div_ceil(1_000));
    }
    let records = varied.job.records.map_or(0, |records| records.max);
    let reading_ms = records.saturating_mul(worst.record_us) / 1_000;
    varied.liveness_ms += 4 * reading_ms + 20 * varied.checkpoints.timeout_ms.max;
}

/// Whether everything that decides how long things take is as it was.
fn same_pace(varied: &Scenario, original: &Scenario) -> bool {
    varied.job == original.job
        && varied.cluster == original.cluster
        && varied.checkpoints == original.checkpoints
        && varied.links == original.links
}

fn raise(range: &mut Span, least: u64) {
    *range = Span::new(range.min.max(least), range.max.max(least));
}

/// Halves the input until it can be read in time: a job that is one of few sizes is prepared once.
fn shorten(varied: &mut Scenario, usual: &Pace) {
    const RECORDS_MIN: u64 = 60;
    if varied.swarm.is_pinned(Setting::Records) {
        return;
    }
    let Some(records) = &mut varied.job.records else { return };
    while records.max > RECORDS_MIN && records.max * usual.record_us > READING_MAX_US {
        *records = Span::new(records.min / 2, records.max / 2);
    }
}

/// How long things take, at worst or on average.
struct Pace {
    /// A message in a channel, to its receiver.
    channel_us: u64,
    /// A control message.
    control_us: u64,
    /// A request to a store.
    store_us: u64,
    /// The mailbox of a subtask.
    mailbox_us: u64,
    /// From one record in a channel to the next.
    record_us: u64,
}

impl Pace {
    fn of(scenario: &Scenario, latency: impl Fn(&Latency) -> u64) -> Self {
        let (cluster, links) = (&scenario.cluster, &scenario.links);
        let slow = Latency::Uniform(Span::new(links.slow_us.min / 2, links.slow_us.max));
        let slow_us = if links.slow.max > 0 { latency(&slow) } else { 0 };
        let bytes_us = links.byte_ns.max * RECORD_BYTES / 1_000;
        let channel_us = latency(&links.channels).max(slow_us) + bytes_us;
        let granted = cluster.credits.min.max(1).div_ceil(2);
        let parcels =
            cluster.buffers.map_or(1, |buffers| RECORD_BYTES.div_ceil(buffers.bytes.min.max(1)));
        let work_ns = cluster.cost.map_or(0, |cost| cost.record_ns + cost.byte_ns * RECORD_BYTES);
        let work_us = work_ns / 1_000;
        let waiting_us = (2 * channel_us * parcels).div_ceil(granted).max(bytes_us);
        Self {
            channel_us,
            control_us: control_us(links, &latency),
            store_us: latency(&Latency::Uniform(cluster.object_store_us))
                .max(latency(&Latency::Uniform(cluster.meta_store_us))),
            mailbox_us: latency(&Latency::Uniform(cluster.mailbox_us)),
            record_us: cluster.source_interval_us.max.max(waiting_us) + work_us,
        }
    }

    /// From the trigger to the record in the meta store: three round trips to stores or the coordinator,
    /// and at each hop what waits before the barrier.
    fn checkpoint_us(&self) -> u64 {
        let hop_us = 2 * self.channel_us + BACKLOG * self.record_us + self.mailbox_us;
        HOPS * hop_us + 8 * self.control_us + 3 * self.store_us
    }
}

/// For how long a barrier that closes a loop waits there, as every drawn plan allows it.
fn loop_us(scenario: &Scenario) -> u64 {
    let has_loops = scenario.checkpoints.protocol == Protocol::Cyclic;
    if has_loops { LAPS * 2 * scenario.links.channels.slowest_us(FOLLOWING) } else { 0 }
}

/// What a control message takes on the slowest of all links that there may be.
fn control_us(links: &LinkScenario, latency: impl Fn(&Latency) -> u64) -> u64 {
    let slow = links.slow_control_latency.iter().filter(|_| links.slow_control.max > 0);
    slow.map(&latency).fold(latency(&links.control), u64::max)
}
