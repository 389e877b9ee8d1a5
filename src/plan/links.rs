//! How long messages take.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::random::{Span, Stream};
use crate::protocol::{ChannelId, ProcessId};

/// The links of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// Of channels between subtasks, and of streams to the sink target.
    pub channels: Latency,
    /// Of everything else.
    pub control: Latency,
    /// Within one process.
    pub local_us: u64,
    /// What a channel takes more for each byte, in nanoseconds; 0: unlimited bandwidth.
    #[serde(default)]
    pub byte_ns: u64,
    /// Channels that differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slow: Vec<SlowLink>,
    /// Control links that differ; of several for one, the first counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slow_control: Vec<ControlLink>,
    /// Processes that are slower than the others until the faults end, so that what they send comes in
    /// another order; of several for one process, the one that began last counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priorities: Vec<Priority>,
}

/// How much later everything arrives that a process sends, from some time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Priority {
    /// The sender.
    pub process: ProcessId,
    /// From when on, in microseconds after the beginning.
    pub from_us: u64,
    /// By how much.
    pub extra_us: u64,
}

/// A channel slower than the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowLink {
    /// The channel whose link is another.
    pub channel: ChannelId,
    /// How long it takes.
    pub latency: Latency,
}

/// What one process sends another by itself, one message at a time, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlLink {
    /// The sender.
    pub from: ProcessId,
    /// The receiver.
    pub to: ProcessId,
    /// How long it takes.
    pub latency: Latency,
}

/// The distribution of a link's latency. Integer arithmetic only: the same on every platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Latency {
    /// Every value in the range is as likely, in microseconds.
    Uniform(Span),
    /// Mostly near the lower end, seldom near the upper: the fourth power of a uniform draw.
    HeavyTail(Span),
}

impl Latency {
    /// Draws the latency of the next message.
    pub fn draw(&self, stream: &mut Stream) -> Duration {
        let bits = u64::from(stream.bits());
        let (span, share) = match self {
            Latency::Uniform(span) => (span, bits),
            Latency::HeavyTail(span) => {
                let square = (bits * bits) >> 32;
                (span, (square * square) >> 32)
            }
        };
        let width_ns = u128::from(span.max - span.min) * 1_000 + 1;
        let drawn = u64::try_from((width_ns * u128::from(share)) >> 32).unwrap_or(u64::MAX);
        Duration::from_micros(span.min) + Duration::from_nanos(drawn)
    }
}

impl Latency {
    /// The shortest, in microseconds.
    #[must_use]
    pub fn min_us(&self) -> u64 {
        match self {
            Latency::Uniform(span) | Latency::HeavyTail(span) => span.min,
        }
    }

    /// The longest, in microseconds.
    #[must_use]
    pub fn max_us(&self) -> u64 {
        match self {
            Latency::Uniform(span) | Latency::HeavyTail(span) => span.max,
        }
    }

    /// What it is on average, in microseconds, rounded up.
    #[must_use]
    pub fn mean_us(&self) -> u64 {
        self.slowest_us(1)
    }

    /// What the slowest of so many messages takes on average, in microseconds, rounded up.
    #[must_use]
    pub fn slowest_us(&self, messages: u64) -> u64 {
        // Of n numbers between 0 and 1, the largest is n / (n + 1) on average, and its k-th power n / (n + k).
        let (span, power) = match self {
            Latency::Uniform(span) => (span, 1),
            Latency::HeavyTail(span) => (span, 4),
        };
        let width = u128::from(span.max.saturating_sub(span.min));
        let (messages, all) = (u128::from(messages), u128::from(messages) + power);
        let above = u64::try_from((width * messages).div_ceil(all)).unwrap_or(u64::MAX);
        span.min.saturating_add(above)
    }
}
