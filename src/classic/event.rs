//! The trace of a run: its own small vocabulary, that of the paper.
//!
//! An event of the paper takes a process from a state to the next one. It is told by one of
//! [`Commanded`](Event::Commanded), [`Received`](Event::Received) and [`Stepped`](Event::Stepped), with the
//! state it led to, and the [`Sent`](Event::Sent) that follow at once. What is about snapshots is no event of
//! the underlying computation.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::graph::{ProcessGraph, ProcessIndex};
use super::message::Message;
use super::workload::{LocalState, Workload};
use crate::protocol::{ChannelId, SnapshotId};
use crate::trace::tagged::{self, Object, TaggedSerializer, from_fields, take};

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stamped {
    /// Counted from 0.
    pub number: u64,
    /// The tick in which it happened.
    pub tick: u64,
    /// What happened at that time.
    #[serde(flatten)]
    pub event: Event,
}

impl<'de> Deserialize<'de> for Stamped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Object(mut fields) = Object::deserialize(deserializer)?;
        let number = take(&mut fields, "number").map_err(D::Error::custom)?;
        let tick = take(&mut fields, "tick").map_err(D::Error::custom)?;
        let event = from_fields(fields, Event::deserialize).map_err(D::Error::custom)?;
        Ok(Self { number, tick, event })
    }
}

/// The first event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStarted {
    /// The processes and channels; all others refer to them by index.
    pub graph: ProcessGraph,
    /// What they compute.
    pub workload: Workload,
    /// The first state of each process.
    pub states: Vec<LocalState>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "kebab-case")]
pub enum Event {
    /// The run begins.
    RunStarted(RunStarted),
    /// A process was told to send.
    Commanded {
        /// The process in which it happened.
        process: ProcessIndex,
        /// Its state afterwards.
        state: LocalState,
    },
    /// A message was taken off a channel.
    Received {
        /// The channel; its end says who.
        channel: ChannelId,
        /// The message.
        message: Message,
        /// The receiver's state afterwards.
        state: LocalState,
    },
    /// A process went on by itself.
    Stepped {
        /// The process in which it happened.
        process: ProcessIndex,
        /// Its state afterwards.
        state: LocalState,
    },
    /// A message was put into a channel; part of the event before.
    Sent {
        /// The channel.
        channel: ChannelId,
        /// The message.
        message: Message,
    },
    /// A process is one of those that start a snapshot.
    SnapshotStarted {
        /// The snapshot that it belongs to.
        snapshot: SnapshotId,
        /// The process in which it happened.
        process: ProcessIndex,
    },
    /// A marker was put into a channel.
    MarkerSent {
        /// The channel.
        channel: ChannelId,
        /// The snapshot it belongs to.
        snapshot: SnapshotId,
    },
    /// A marker was taken off a channel.
    MarkerReceived {
        /// The channel.
        channel: ChannelId,
        /// The snapshot it belongs to.
        snapshot: SnapshotId,
    },
    /// A marker that its receiver had no use for.
    MarkerRefused {
        /// The channel.
        channel: ChannelId,
        /// The snapshot it belongs to.
        snapshot: SnapshotId,
    },
    /// A process recorded its state.
    StateRecorded {
        /// The process in which it happened.
        process: ProcessIndex,
        /// For which snapshot.
        snapshot: SnapshotId,
        /// What was recorded.
        state: LocalState,
    },
    /// The receiver recorded the state of a channel.
    ChannelRecorded {
        /// The channel.
        channel: ChannelId,
        /// For which snapshot.
        snapshot: SnapshotId,
        /// What was recorded, in order.
        messages: Vec<Message>,
    },
    /// A process has recorded its part of a snapshot.
    Completed {
        /// The process in which it happened.
        process: ProcessIndex,
        /// Of which snapshot.
        snapshot: SnapshotId,
    },
    /// The run is over.
    RunEnded {
        /// What is left in channels, messages and markers: none, unless it was cut off.
        in_transit: u64,
    },
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Event::serialize(self, TaggedSerializer::new(serializer))
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        tagged::deserialize(deserializer, Event::deserialize)
    }
}
