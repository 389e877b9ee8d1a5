//! Channels with barriers that overtake, and with records that a restore put back.

use super::{Lane, Marker, OrderOracle, report};
use crate::oracle::kind::Kind;
use crate::oracle::shape::Scene;
use crate::oracle::verdict::Violation;
use crate::protocol::ordered::VecMap;
use crate::protocol::{ChannelId, CheckpointId, LineageId, SubtaskId};
use crate::trace::{ChannelStateDealt, ChannelStateRestored};

impl OrderOracle {
    /// A barrier left a channel ahead of what is in it: it may be early, and never late or unsent.
    pub fn handle_overtook(
        &mut self,
        scene: &mut Scene,
        channel: ChannelId,
        checkpoint: CheckpointId,
        sequence: u64,
    ) {
        let lane = &mut self.lanes[channel.index()];
        let marker = Marker::Barrier(checkpoint);
        let position = lane.markers.iter().position(|(other, _)| *other == marker);
        let entered_at = position.and_then(|at| lane.markers.remove(at)).map(|(_, at)| at);
        lane.marker_next = lane.markers.front().map_or(u64::MAX, |(_, at)| *at);
        lane.judge_overtook(scene, channel, checkpoint, (sequence, entered_at));
        lane.barrier_received = lane.barrier_received.max(checkpoint);
        lane.overtook = lane.overtook.max(checkpoint);
    }

    /// A restore puts records back into channels, ahead of everything that arrives.
    pub fn handle_put_back(&mut self, scene: &Scene, restored: &ChannelStateRestored) {
        for in_flight in scene.shape.put_back(restored) {
            let lane = &mut self.lanes[in_flight.channel.index()];
            lane.restored.extend(in_flight.records.iter().copied());
        }
    }

    /// After a rescale these records may be of any key that the subtask owns, whatever their channel: all
    /// are ahead of everything that arrives.
    pub fn handle_dealt(&mut self, told: &ChannelStateDealt) {
        let records: usize = told.dealt.iter().map(|dealt| dealt.records.len()).sum();
        if records > 0 {
            self.dealt.insert(told.subtask, records);
        }
    }

    /// One of them left the channel.
    pub fn handle_replayed(&mut self, scene: &mut Scene, channel: ChannelId, record: LineageId) {
        let receiver = scene.shape.channels[channel.index()].to;
        if let Some(left) = self.dealt.get_mut(&receiver) {
            *left -= 1;
            if *left == 0 {
                self.dealt.remove(&receiver);
            }
        }
        let lane = &mut self.lanes[channel.index()];
        let expected = lane.restored.pop_front();
        if expected == Some(record) {
            return;
        }
        let name = scene.channel(channel);
        let next = expected.map_or_else(|| "nothing".to_owned(), |next| next.to_string());
        let text = format!("{record} left {name} as one that was put back, next was {next}");
        let violation = Violation::new(Kind::ReplayedOutOfOrder, text);
        scene.report(violation.on(channel).with(record));
    }
}

/// A record left a channel: its receiver must have processed all that a rescale dealt out to it.
#[cold]
pub(super) fn judge_behind_dealt(
    dealt: &VecMap<SubtaskId, usize>,
    scene: &mut Scene,
    channel: ChannelId,
    record: LineageId,
) {
    let Some(left) = dealt.get(&scene.shape.channels[channel.index()].to) else { return };
    let name = scene.channel(channel);
    let text = format!("record {record} left {name} ahead of {left} that were dealt out");
    let violation = Violation::new(Kind::OvertookRestored, text);
    scene.report(violation.on(channel).with(record));
}

impl Lane {
    fn judge_overtook(
        &self,
        scene: &mut Scene,
        channel: ChannelId,
        checkpoint: CheckpointId,
        (sequence, entered_at): (u64, Option<u64>),
    ) {
        let marker = Marker::Barrier(checkpoint);
        let counts = self.counts_records();
        let place = match entered_at {
            None => "without having entered it".to_owned(),
            Some(at) if sequence > at && counts => {
                format!("after {sequence} records, it had entered after {at}")
            }
            Some(_) if sequence != self.received && counts => {
                format!("as if after {sequence} records, {} had left", self.received)
            }
            // A newer one that overtook has left this one behind: it comes late, whichever way it comes.
            Some(_) if checkpoint <= self.barrier_received && checkpoint > self.overtook => {
                format!("after the one of {}", self.barrier_received)
            }
            Some(_) => return,
        };
        report(scene, Kind::MarkerDisplaced, (channel, marker), "left", &place);
    }
}
