//! Channel state: what a barrier overtook in the inputs and outputs of a task, captured and restored.

use serde::{Deserialize, Serialize};

use super::super::buffers::{Parcel, end_within_item};
use super::input_channel::InputChannel;
use super::{Env, Task};
use crate::protocol::ordered::VecMap;
use crate::protocol::{Captured, ChannelId, CheckpointId, Defect, DefectSet, Element};
use crate::trace::{ChannelStateCaptured, ChannelStateRestored, Event, InFlight};

/// What was on its way, by channel, in the order of the channel; empty ones are left out.
pub type ChannelParcels = Vec<(ChannelId, Vec<Parcel>)>;

/// What was on its way at a cut, by channel and in order; channels without anything are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelState {
    /// What had arrived, or was under way ahead of the barrier, and was not processed.
    pub inputs: ChannelParcels,
    /// What had been emitted, and was overtaken before it was sent.
    pub outputs: ChannelParcels,
}

impl ChannelState {
    /// Whether nothing was on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.outputs.is_empty()
    }
}

/// What a task had taken off its inputs at a cut and not processed, and what a restore had put back into them.
#[derive(Clone, Debug, Default)]
pub struct Unprocessed {
    /// How many items of an input a restore had put back, and nobody had processed at the cut.
    pub restored: VecMap<ChannelId, usize>,
    /// What had been taken off an input and not been read at the cut: before all that the gate records.
    pub unread: VecMap<ChannelId, Parcel>,
}

impl Task {
    /// What was on its way at the cut is part of the snapshot.
    pub(super) fn add_channel_state(
        &mut self,
        checkpoint: CheckpointId,
        captured: Captured<Parcel>,
        env: &mut Env<'_>,
    ) {
        let (subtask, attempt) = (self.id, self.attempt);
        let Some(snapshotting) = self.snapshots.get_mut(&checkpoint) else { return };
        let mut unprocessed = std::mem::take(&mut snapshotting.unprocessed);
        let state = ChannelState {
            inputs: whole_inputs(
                self.side.inputs(),
                captured.inputs,
                &mut unprocessed,
                self.defects,
            ),
            outputs: self.outputs.by_channel(captured.outputs),
        };
        for (channel, _) in state.inputs.iter().filter(|(_, parcels)| end_within_item(parcels)) {
            env.outbox.event(Event::RecordCut { channel: *channel, attempt, checkpoint });
        }
        let restored_in = |channel| unprocessed.restored.get(channel).copied().unwrap_or(0);
        let inputs = state.inputs.iter().map(|lane| in_flight(lane, restored_in(&lane.0)));
        let (inputs, outputs) = (inputs.collect(), told(&state.outputs));
        snapshotting.add(&state);
        snapshotting.quiet &= state.is_empty();
        let state = snapshotting.digest();
        let captured =
            ChannelStateCaptured { subtask, attempt, checkpoint, inputs, outputs, state };
        env.outbox.event(Event::ChannelStateCaptured(Box::new(captured)));
    }

    /// Puts back what was on its way at the cut: into the gate what had arrived; what had not been sent
    /// waits until the task runs.
    ///
    /// # Errors
    ///
    /// When a channel is not one of this subtask's.
    pub(super) fn restore_channel_state(
        &mut self,
        checkpoint: CheckpointId,
        state: ChannelState,
        env: &mut Env<'_>,
    ) -> Result<(), String> {
        let (subtask, attempt) = (self.id, self.attempt);
        let (inputs, outputs) = (told(&state.inputs), told(&state.outputs));
        for (channel, parcels) in state.inputs {
            let index = self.side.index_of(channel);
            let foreign = || format!("the snapshot holds records of {channel}, which is no input");
            let input = self.side.inputs_mut().get_mut(index).ok_or_else(foreign)?;
            input.restore(&parcels);
            self.protocol.restore(index, parcels).map_err(|error| error.to_string())?;
        }
        for (channel, parcels) in state.outputs {
            let foreign = || format!("the snapshot holds records of {channel}, which is no output");
            self.resend.push((self.outputs.index_of(channel).ok_or_else(foreign)?, parcels));
        }
        let restored = ChannelStateRestored { subtask, attempt, checkpoint, inputs, outputs };
        env.outbox.event(Event::ChannelStateRestored(Box::new(restored)));
        Ok(())
    }

    /// What was overtaken before it was sent is sent before anything new.
    pub(super) fn send_again(&mut self, env: &mut Env<'_>) {
        for (output, parcels) in std::mem::take(&mut self.resend) {
            for parcel in parcels {
                self.outputs.put(output, Element::Item(parcel), env.outbox);
            }
        }
    }
}

/// By input, what was taken off it and not read, and behind it what was recorded; without the items that a
/// restore had put back, in a seeded bug.
fn whole_inputs(
    inputs: &[InputChannel],
    recorded: Vec<Vec<Parcel>>,
    unprocessed: &mut Unprocessed,
    defects: DefectSet,
) -> ChannelParcels {
    let skipped = match defects.has(Defect::RestoredNotCapturedAgain) {
        true => std::mem::take(&mut unprocessed.restored),
        false => VecMap::new(),
    };
    let whole = |(input, recorded): (&InputChannel, Vec<Parcel>)| {
        let channel = input.id();
        let parcels = unprocessed.unread.remove(&channel).into_iter().chain(recorded);
        (channel, without(parcels, skipped.get(&channel).copied().unwrap_or(0)))
    };
    let lanes = inputs.iter().zip(recorded).map(whole);
    lanes.filter(|(_, parcels)| !parcels.is_empty()).collect()
}

/// The records of some channels, none of which comes from a restore.
fn told(lanes: &ChannelParcels) -> Vec<InFlight> {
    lanes.iter().map(|lane| in_flight(lane, 0)).collect()
}

/// The parcels behind those in which the first `items` items end; all of them where `items` is 0.
fn without(parcels: impl Iterator<Item = Parcel>, items: usize) -> Vec<Parcel> {
    let mut ended = 0;
    let goes = |parcel: &Parcel| {
        ended += parcel.ends().count();
        items > 0 && ended <= items
    };
    parcels.skip_while(goes).collect()
}

/// The records of a channel; the first `restored` items come from a restore.
pub(super) fn in_flight(
    (channel, parcels): &(ChannelId, Vec<Parcel>),
    restored: usize,
) -> InFlight {
    let ends = || parcels.iter().flat_map(Parcel::ends);
    InFlight {
        channel: *channel,
        restored: ends().take(restored).flatten().count() as u64,
        records: ends().flatten().collect(),
    }
}
