//! The life of a checkpoint on a channel: what happened there, and in which order.
//!
//! Bugs of overtaking barriers hide in orders that no single point shows: an abort that is learned while the
//! barrier still waits behind a full receiver, and the barrier that comes ahead all the same. So each step of such a
//! life is counted behind each step before it: a pair is *the first, and later the second, for one checkpoint on
//! one channel*.

use strum::{EnumCount, EnumIter, IntoEnumIterator as _, IntoStaticStr};

use crate::protocol::ordered::VecMap;
use crate::protocol::{ChannelId, CheckpointId, SubtaskId, Topology};
use crate::trace::{About, Event, InFlight, Place, Point};

/// What can happen in the life of a checkpoint on a channel.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumCount,
    EnumIter,
    IntoStaticStr,
    strum::Display,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Step {
    /// The sender takes its snapshot.
    SenderSnapshot,
    /// The barrier enters the channel, or waits for credit.
    BarrierSent,
    /// The sender's part of what was overtaken is captured.
    SenderCaptured,
    /// The sender learns of the abort.
    SenderAborts,
    /// A cancel marker enters the channel.
    CancelSent,
    /// The barrier leaves the channel in its place.
    BarrierReceived,
    /// The barrier leaves the channel ahead of what is in it.
    BarrierOvertook,
    /// The channel delivers nothing until the others have delivered the barrier.
    Blocked,
    /// The receiver takes its snapshot.
    ReceiverSnapshot,
    /// The receiver's part of what was overtaken is captured.
    ReceiverCaptured,
    /// The receiver learns of the abort.
    ReceiverAborts,
    /// A cancel marker leaves the channel.
    CancelReceived,
    /// The checkpoint completes.
    Completed,
    /// The coordinator gives the checkpoint up.
    Aborted,
}

impl Step {
    /// What happens to a barrier or a cancel marker there, or to the channel itself.
    fn on_channel(point: Point) -> Option<Self> {
        match point {
            Point::BarrierSent => Some(Self::BarrierSent),
            Point::BarrierReceived => Some(Self::BarrierReceived),
            Point::BarrierOvertook => Some(Self::BarrierOvertook),
            Point::CancelSent => Some(Self::CancelSent),
            Point::CancelReceived => Some(Self::CancelReceived),
            Point::ChannelBlocked => Some(Self::Blocked),
            _ => None,
        }
    }

    /// What a subtask does is one thing where it sends, and another where it receives.
    fn at_ends(point: Point) -> Option<(Self, Self)> {
        match point {
            Point::SnapshotTaken => Some((Self::SenderSnapshot, Self::ReceiverSnapshot)),
            Point::AbortLearned => Some((Self::SenderAborts, Self::ReceiverAborts)),
            _ => None,
        }
    }

    fn of_coordinator(point: Point) -> Option<Self> {
        match point {
            Point::Completed => Some(Self::Completed),
            Point::Aborted => Some(Self::Aborted),
            _ => None,
        }
    }
}

/// How many pairs there are: of each step with each.
pub const PAIRS: usize = Step::COUNT * Step::COUNT;

/// The pairs, in order.
pub fn pairs() -> impl Iterator<Item = (Step, Step)> {
    Step::iter().flat_map(|first| Step::iter().map(move |second| (first, second)))
}

/// The place of a pair among [`pairs`].
#[must_use]
pub fn place(first: Step, second: Step) -> usize {
    first as usize * Step::COUNT + second as usize
}

/// How many checkpoints are followed at once; older ones are forgotten.
const CHECKPOINTS_MAX: usize = 8;

/// Follows the lives of the newest checkpoints on all channels.
#[derive(Clone, Debug)]
pub(super) struct Lives {
    /// Sender and receiver of each channel.
    ends: Vec<(SubtaskId, SubtaskId)>,
    /// By checkpoint and channel, one bit for each step that was seen.
    seen: VecMap<CheckpointId, Vec<u16>>,
    met: Box<[bool; PAIRS]>,
}

impl Default for Lives {
    fn default() -> Self {
        Self { ends: Vec::new(), seen: VecMap::new(), met: Box::new([false; PAIRS]) }
    }
}

impl Lives {
    /// Sees an event.
    pub fn observe(&mut self, event: &Event) {
        if let Some(topology) = event.shape() {
            self.take_shape(topology);
        } else if let Event::AttemptStarted { .. } = event {
            self.seen.clear();
        } else if let Event::ChannelStateCaptured(captured) = event {
            self.capture(captured.checkpoint, &captured.inputs, Step::ReceiverCaptured);
            self.capture(captured.checkpoint, &captured.outputs, Step::SenderCaptured);
        } else {
            self.live(event);
        }
    }

    /// What happened, at which channels, for which checkpoint: the event says it itself.
    fn live(&mut self, event: &Event) {
        let (About { place, checkpoint, .. }, point) = (event.about(), Point::from(event));
        let Some(checkpoint) = checkpoint else { return };
        match place {
            Place::Into(channel) | Place::OutOf(channel) | Place::Channel(channel) => {
                let step = Step::on_channel(point);
                step.into_iter().for_each(|step| self.step(checkpoint, channel, step));
            }
            Place::Within(subtask) => {
                let steps = Step::at_ends(point);
                steps.into_iter().for_each(|steps| self.steps_of(checkpoint, subtask, steps));
            }
            Place::Concerning(_) | Place::Elsewhere => {
                let step = Step::of_coordinator(point);
                step.into_iter().for_each(|step| self.step_everywhere(checkpoint, step));
            }
        }
    }

    /// The pairs that were met.
    pub fn met(&self) -> [u64; PAIRS] {
        self.met.map(u64::from)
    }

    fn take_shape(&mut self, topology: &Topology) {
        self.ends = topology.channels.iter().map(|channel| (channel.from, channel.to)).collect();
        self.seen.clear();
    }

    fn capture(&mut self, checkpoint: CheckpointId, lanes: &[InFlight], step: Step) {
        for lane in lanes.iter().filter(|lane| !lane.records.is_empty()) {
            self.step(checkpoint, lane.channel, step);
        }
    }

    /// One step at the channels that lead away from the subtask, another at those that lead to it.
    fn steps_of(
        &mut self,
        checkpoint: CheckpointId,
        subtask: SubtaskId,
        (out, into): (Step, Step),
    ) {
        for index in 0..self.ends.len() {
            let (from, to) = self.ends[index];
            if from == subtask {
                self.step_at(checkpoint, index, out);
            }
            if to == subtask {
                self.step_at(checkpoint, index, into);
            }
        }
    }

    fn step_everywhere(&mut self, checkpoint: CheckpointId, step: Step) {
        for index in 0..self.ends.len() {
            self.step_at(checkpoint, index, step);
        }
    }

    fn step(&mut self, checkpoint: CheckpointId, channel: ChannelId, step: Step) {
        self.step_at(checkpoint, channel.index(), step);
    }

    fn step_at(&mut self, checkpoint: CheckpointId, index: usize, step: Step) {
        let channels = self.ends.len();
        if self.seen.len() >= CHECKPOINTS_MAX && !self.seen.contains_key(&checkpoint) {
            self.seen.pop_first();
        }
        let lives = self.seen.entry(checkpoint).or_insert_with(|| vec![0; channels]);
        let Some(seen) = lives.get_mut(index) else { return };
        for before in Step::iter().filter(|before| *seen & (1 << *before as u16) != 0) {
            self.met[place(before, step)] = true;
        }
        *seen |= 1 << step as u16;
    }
}

const _: () = assert!(Step::COUNT <= 16, "one bit a step");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Family;

    /// Whoever adds a kind of event to channels decides here whether it is a step.
    #[test]
    fn what_happens_to_channels_is_a_step_or_left_out() {
        let is_channel = |point: &Point| point.family() == Family::Channel;
        let others: Vec<Point> = Point::iter()
            .filter(is_channel)
            .filter(|point| Step::on_channel(*point).is_none())
            .collect();
        let (records, ends) =
            ([Point::Sent, Point::Received, Point::Replayed], [Point::EndSent, Point::EndReceived]);
        let after_the_fact = [Point::RecordCut, Point::ChannelUnblocked];
        let mut left_out = [&records[..], &ends, &after_the_fact].concat();
        left_out.sort_unstable();
        assert_eq!(others, left_out);
    }

    #[test]
    fn a_pair_is_met_in_its_order_alone() {
        let mut lives = Lives { ends: vec![(SubtaskId(0), SubtaskId(1))], ..Lives::default() };
        let (attempt, checkpoint, subtask) =
            (crate::protocol::Attempt(1), CheckpointId(1), SubtaskId(0));
        let channel = ChannelId(0);
        lives.observe(&Event::BarrierSent { channel, attempt, checkpoint, sequence: 0 });
        lives.observe(&Event::AbortLearned { subtask, attempt, checkpoint });
        lives.observe(&Event::BarrierOvertook {
            channel,
            attempt,
            checkpoint: CheckpointId(2),
            sequence: 0,
        });
        let met = lives.met();
        let met = pairs().zip(met).filter(|(_, runs)| *runs > 0).map(|(pair, _)| pair);
        assert_eq!(met.collect::<Vec<_>>(), [(Step::BarrierSent, Step::SenderAborts)]);
    }
}
