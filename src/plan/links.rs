//! How long messages take.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::random::{Span, Stream};
use crate::protocol::ChannelId;

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
}

/// A channel slower than the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlowLink {
    /// Which.
    pub channel: ChannelId,
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
