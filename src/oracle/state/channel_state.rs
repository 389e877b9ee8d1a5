//! What was on its way at a cut is on the history that survives: sent, and not processed yet.

use super::{Frozen, StateOracle};
use crate::oracle::kind::Kind;
use crate::oracle::shape::Scene;
use crate::oracle::verdict::Violation;
use crate::protocol::{ChannelId, CheckpointId, Fingerprint, LineageId, SubtaskId};
use crate::trace::{ChannelStateCaptured, ChannelStateRestored, InFlight};

/// The channel state of one subtask: records by channel, at its inputs and at its outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OnItsWay {
    inputs: Vec<(ChannelId, Vec<LineageId>)>,
    outputs: Vec<(ChannelId, Vec<LineageId>)>,
}

impl OnItsWay {
    fn new(inputs: &[InFlight], outputs: &[InFlight]) -> Self {
        Self { inputs: by_channel(inputs), outputs: by_channel(outputs) }
    }

    /// What had been emitted, and will be sent again, by channel.
    pub fn sent_again(&self) -> impl Iterator<Item = (ChannelId, Fingerprint)> + '_ {
        self.outputs.iter().map(|(channel, records)| {
            let mut fingerprint = Fingerprint::default();
            records.iter().for_each(|record| fingerprint.add(record.0));
            (*channel, fingerprint)
        })
    }
}

fn by_channel(in_flight: &[InFlight]) -> Vec<(ChannelId, Vec<LineageId>)> {
    let mut sorted: Vec<_> =
        in_flight.iter().map(|one| (one.channel, one.records.clone())).collect();
    sorted.sort_unstable_by_key(|(channel, _)| *channel);
    sorted
}

impl StateOracle {
    /// What a barrier overtook is known; it is stored with the state.
    pub fn handle_captured(&mut self, captured: &ChannelStateCaptured) {
        let saved = self.saved.get_mut(&captured.checkpoint);
        let frozen = saved.and_then(|saved| saved.subtasks[captured.subtask.index()].as_mut());
        if let Some(frozen) = frozen {
            frozen.state = captured.state;
            frozen.on_its_way = OnItsWay::new(&captured.inputs, &captured.outputs);
        }
    }

    /// What was on its way is back in the channels.
    pub fn handle_channels_restored(&mut self, restored: &ChannelStateRestored) {
        let found = OnItsWay::new(&restored.inputs, &restored.outputs);
        if self.is_dealt {
            for (channel, records) in &found.inputs {
                let Some(flow) = self.flows.get_mut(channel.index()) else { continue };
                records.iter().for_each(|record| flow.sent.add(record.0));
            }
        }
        self.put_back[restored.subtask.index()] = found;
    }

    /// A subtask holds the state it starts from: the channel state must be that of the same cut.
    pub(super) fn judge_put_back(
        &self,
        scene: &mut Scene,
        subtask: SubtaskId,
        checkpoint: CheckpointId,
        frozen: &Frozen,
    ) {
        if self.put_back[subtask.index()] == frozen.on_its_way {
            return;
        }
        let name = scene.name(subtask);
        let text =
            format!("{name} put back other records from {checkpoint} than were on their way");
        let violation = Violation::new(Kind::RestoredOtherChannelState, text);
        scene.report(violation.of(checkpoint).by(subtask));
    }
}
