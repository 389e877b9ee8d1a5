//! Channel state: what a barrier overtook in the inputs and outputs of a task, captured and restored.

use serde::{Deserialize, Serialize};

use super::super::buffers::{Parcel, end_within_item};
use super::super::process::Timer;
use super::input_channel::InputChannel;
use super::outputs::ChannelParcels;
use super::snapshot::Snapshotting;
use super::{Env, Task};
use crate::protocol::ordered::VecMap;
use crate::protocol::{ChannelId, CheckpointId, Defect, Element};
use crate::trace::{ChannelStateCaptured, ChannelStateRestored, Event, InFlight};

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

/// The channel state of a snapshot, while it is not whole.
#[derive(Clone, Debug)]
pub struct Capturing {
    /// Whether the gate still records.
    inputs_missing: bool,
    /// Whether the barrier may still overtake something in an output queue.
    outputs_missing: bool,
    /// How many items of an input a restore had put back, and nobody had processed at the cut.
    restored: VecMap<ChannelId, usize>,
    /// What had been taken off an input and not been read at the cut: before all that the gate records.
    unread: VecMap<ChannelId, Parcel>,
    state: ChannelState,
}

impl Capturing {
    fn is_whole(&self) -> bool {
        !self.inputs_missing && !self.outputs_missing
    }

    fn restored_in(&self, channel: ChannelId) -> usize {
        self.restored.get(&channel).copied().unwrap_or(0)
    }
}

impl Task {
    /// A snapshot was taken: what must be captured before it is uploaded, if anything.
    pub(super) fn begin_capture(&mut self, checkpoint: CheckpointId) -> Option<Capturing> {
        let restored = self.inputs.iter().map(|input| (input.id(), input.restored()));
        let restored = restored.filter(|(_, items)| *items > 0).collect();
        let inputs_missing = self.gate.capture(checkpoint);
        let outputs_missing = self.outputs.may_overtake(checkpoint);
        let outputs = std::mem::take(&mut self.kept);
        let (unread, state) = (self.unread(), ChannelState { inputs: Vec::new(), outputs });
        let capturing = Capturing { inputs_missing, outputs_missing, restored, unread, state };
        (inputs_missing || outputs_missing).then_some(capturing)
    }

    /// By input, what was taken off it and not read.
    fn unread(&self) -> VecMap<ChannelId, Parcel> {
        if self.defects.has(Defect::UnreadNotCaptured) {
            return VecMap::new();
        }
        let processed = self.defects.has(Defect::ProcessedCaptured);
        let rest = |input: &InputChannel| {
            if processed { input.latest() } else { input.unread().map(Parcel::Buffer) }
        };
        let unread = |input: &InputChannel| Some((input.id(), rest(input)?));
        self.inputs.iter().filter_map(unread).collect()
    }

    /// The gate has recorded all that came before the barriers.
    pub(super) fn handle_captured(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let Some(lanes) = self.gate.take_captured(checkpoint) else { return };
        let forgets = self.defects.has(Defect::RestoredNotCapturedAgain);
        let ids = self.inputs.iter().map(|input| input.id());
        let Some(capturing) = capturing(&mut self.snapshots, checkpoint) else { return };
        let restored =
            if forgets { std::mem::take(&mut capturing.restored) } else { VecMap::new() };
        let mut unread = std::mem::take(&mut capturing.unread);
        let lanes = ids.zip(lanes).map(|(channel, waiting)| {
            let begun = unread.remove(&channel);
            let skipped = restored.get(&channel).copied().unwrap_or(0);
            (channel, without(begun.into_iter().chain(waiting), skipped))
        });
        capturing.state.inputs = lanes.filter(|(_, parcels)| !parcels.is_empty()).collect();
        capturing.inputs_missing = false;
        self.upload_if_whole(checkpoint, env);
    }

    /// Whether barriers have left every output queue: what they overtook there is known then.
    pub(super) fn look_for_captured_outputs(&mut self, env: &mut Env<'_>) {
        while let Some((checkpoint, parcels)) = self.outputs.take_overtaken() {
            if let Some(capturing) = capturing(&mut self.snapshots, checkpoint) {
                capturing.state.outputs.extend(parcels);
                capturing.outputs_missing = false;
                self.upload_if_whole(checkpoint, env);
            }
        }
    }

    /// The snapshot is worth nothing, and so is what was captured for it.
    pub(super) fn discard_captured(&mut self, capturing: Option<Capturing>) {
        if self.defects.has(Defect::AbortedCaptureKept) {
            self.kept.extend(capturing.into_iter().flat_map(|capturing| capturing.state.outputs));
        }
    }

    /// The asynchronous part starts when the channel state is whole.
    fn upload_if_whole(&mut self, checkpoint: CheckpointId, env: &mut Env<'_>) {
        let (subtask, attempt) = (self.id, self.attempt);
        let hasty = self.defects.has(Defect::AcknowledgeBeforeCaptured);
        let Some(snapshotting) = self.snapshots.get_mut(&checkpoint) else { return };
        let whole = |capturing: &mut Capturing| capturing.is_whole() || hasty;
        let Some(capturing) = snapshotting.capturing.take_if(whole) else { return };
        for (channel, parcels) in &capturing.state.inputs {
            if end_within_item(parcels) {
                let channel = *channel;
                env.outbox.event(Event::RecordCut { channel, attempt, checkpoint });
            }
        }
        let inputs = capturing.state.inputs.iter();
        let inputs = inputs.map(|lane| in_flight(lane, capturing.restored_in(lane.0))).collect();
        let outputs = capturing.state.outputs.iter().map(|lane| in_flight(lane, 0)).collect();
        snapshotting.add(&capturing.state);
        snapshotting.quiet &= capturing.state.is_empty();
        let state = snapshotting.digest();
        let captured =
            ChannelStateCaptured { subtask, attempt, checkpoint, inputs, outputs, state };
        env.outbox.event(Event::ChannelStateCaptured(Box::new(captured)));
        env.outbox.schedule(Timer::Upload { subtask, attempt, checkpoint });
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
        let inputs = state.inputs.iter().map(|lane| in_flight(lane, 0)).collect();
        let outputs = state.outputs.iter().map(|lane| in_flight(lane, 0)).collect();
        for (channel, parcels) in state.inputs {
            let index = self.input_index(channel);
            let foreign = || format!("the snapshot holds records of {channel}, which is no input");
            let input = self.inputs.get_mut(index).ok_or_else(foreign)?;
            input.restore(&parcels);
            self.gate.restore(index, parcels).map_err(|error| error.to_string())?;
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

fn capturing(
    snapshots: &mut VecMap<CheckpointId, Snapshotting>,
    checkpoint: CheckpointId,
) -> Option<&mut Capturing> {
    snapshots.get_mut(&checkpoint)?.capturing.as_mut()
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
