//! One process: its computation, and its part in every snapshot.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use super::application::{Application, Sends};
use super::defect::{MarkerDefect, MarkerDefectSet};
use super::error::MarkerError;
use super::output::Output;
use super::recording::Recording;
use crate::ids::{ChannelId, SnapshotId};
use crate::ordered::VecMap;

/// A process of the paper, as a plain value: hand something in (`handle_…`), then take out what it does
/// (`poll_output`) until there is nothing more.
///
/// Messages and markers leave through one queue, so that a marker stands in its channel between what was
/// sent before the state was recorded and what was sent after it. Each snapshot has recordings of its own,
/// by id; they share nothing, so that any number may be under way.
#[derive(Clone, Debug)]
pub struct Process<A: Application> {
    application: A,
    inputs: Vec<ChannelId>,
    outputs: Vec<ChannelId>,
    /// Every snapshot that this process has recorded its state for.
    recordings: VecMap<SnapshotId, Recording<A::Message>>,
    outbox: VecDeque<Output<A>>,
    defects: MarkerDefectSet,
    slips: Slips<A::Message>,
}

/// What the seeded defects have to remember; empty in every run that means it.
#[derive(Clone, Debug)]
struct Slips<M> {
    /// Markers that wait for the next message of their channel.
    held: VecMap<ChannelId, Vec<SnapshotId>>,
    /// Channels whose recording goes on for one message.
    overdue: Vec<(SnapshotId, ChannelId)>,
    /// Snapshots whose state is copied behind the next message.
    uncopied: Vec<SnapshotId>,
    /// What came last on each channel.
    last: VecMap<ChannelId, M>,
}

impl<M> Default for Slips<M> {
    fn default() -> Self {
        let (held, overdue) = (VecMap::new(), Vec::new());
        Self { held, overdue, uncopied: Vec::new(), last: VecMap::new() }
    }
}

impl<A: Application> Process<A> {
    /// A process in its first state, with its incoming and outgoing channels.
    #[must_use]
    pub fn new(
        application: A,
        inputs: Vec<ChannelId>,
        outputs: Vec<ChannelId>,
        defects: MarkerDefectSet,
    ) -> Self {
        Self {
            application,
            inputs,
            outputs,
            recordings: VecMap::new(),
            outbox: VecDeque::new(),
            defects,
            slips: Slips::default(),
        }
    }

    /// Something happens to the computation from outside.
    ///
    /// # Errors
    ///
    /// When the state does not allow it; nothing has changed then.
    pub fn handle_command(&mut self, command: A::Command) -> Result<(), A::Refusal> {
        let mut sends = Sends::new();
        self.application.handle_command(command, &mut sends)?;
        self.send(sends);
        Ok(())
    }

    /// The computation goes on by itself.
    pub fn handle_step(&mut self) {
        let mut sends = Sends::new();
        self.application.handle_step(&mut sends);
        self.send(sends);
    }

    /// A message arrives: every snapshot that still records the channel keeps it, then it takes effect.
    pub fn handle_message(&mut self, channel: ChannelId, message: A::Message) {
        let dropped = self.defects.has(MarkerDefect::ChannelNotRecorded)
            && self.inputs.first() == Some(&channel);
        if !dropped {
            for recording in self.recordings.values_mut() {
                recording.keep(channel, message.clone());
            }
        }
        if self.defects.has(MarkerDefect::RecordingStartedEarly) {
            self.slips.last.insert(channel, message.clone());
        }
        self.stop_overdue(channel);
        let mut sends = Sends::new();
        self.application.handle_message(channel, message, &mut sends);
        self.send(sends);
        self.copy_late();
    }

    /// This process starts a snapshot, by itself or as one of several. Where a marker was faster, nothing
    /// is left to do.
    pub fn handle_start(&mut self, snapshot: SnapshotId) {
        if !self.recordings.contains_key(&snapshot) {
            self.record(snapshot);
            self.complete_if_done(snapshot);
        }
    }

    /// A marker arrives. The first of a snapshot makes the process record its state; each ends the
    /// recording of its channel, whose state is what came between the two.
    ///
    /// # Errors
    ///
    /// When the channel has brought a marker of this snapshot before.
    pub fn handle_marker(
        &mut self,
        channel: ChannelId,
        snapshot: SnapshotId,
    ) -> Result<(), MarkerError> {
        let mut snapshot = snapshot;
        if self.defects.has(MarkerDefect::SnapshotIdsIgnored) {
            snapshot = self.oldest_open().unwrap_or(snapshot);
        }
        let is_first = !self.recordings.contains_key(&snapshot);
        if is_first {
            self.record(snapshot);
        } else if self.defects.has(MarkerDefect::StateRecordedAgain) {
            self.copy_state(snapshot);
        }
        if !is_first && self.defects.has(MarkerDefect::RecordingStoppedLate) {
            self.slips.overdue.push((snapshot, channel));
            return Ok(());
        }
        self.stop(channel, snapshot)
    }

    /// The next thing it does.
    pub fn poll_output(&mut self) -> Option<Output<A>> {
        self.outbox.pop_front()
    }

    /// The state of its computation.
    #[must_use]
    pub fn application(&self) -> &A {
        &self.application
    }

    /// Whether its part in `snapshot` is recorded.
    #[must_use]
    pub fn has_completed(&self, snapshot: SnapshotId) -> bool {
        self.recordings.get(&snapshot).is_some_and(Recording::is_complete)
    }

    /// The sending rule: record the state, and send a marker on every outgoing channel before any
    /// further message. All incoming channels are recorded from here on.
    fn record(&mut self, snapshot: SnapshotId) {
        let initial = |channel: &ChannelId| self.slips.last.get(channel).cloned();
        let channels =
            self.inputs.iter().map(|input| (*input, initial(input).into_iter().collect()));
        self.recordings.insert(snapshot, Recording::of(channels.collect()));
        if self.defects.has(MarkerDefect::StateRecordedLate) {
            self.slips.uncopied.push(snapshot);
        } else {
            self.copy_state(snapshot);
        }
        let skipped = usize::from(self.defects.has(MarkerDefect::MarkerNotForwarded));
        for channel in self.outputs.clone().into_iter().skip(skipped) {
            self.send_marker(channel, snapshot);
        }
    }

    fn copy_state(&mut self, snapshot: SnapshotId) {
        let state = self.application.clone();
        self.outbox.push_back(Output::RecordState { snapshot, state });
    }

    fn send_marker(&mut self, channel: ChannelId, snapshot: SnapshotId) {
        if self.defects.has(MarkerDefect::MarkerAfterNextMessage) {
            self.slips.held.entry(channel).or_default().push(snapshot);
        } else {
            self.outbox.push_back(Output::SendMarker { channel, snapshot });
        }
    }

    fn send(&mut self, sends: Sends<A::Message>) {
        for (channel, message) in sends {
            self.outbox.push_back(Output::Send { channel, message });
            for snapshot in self.slips.held.remove(&channel).unwrap_or_default() {
                self.outbox.push_back(Output::SendMarker { channel, snapshot });
            }
        }
    }

    /// The receiving rule: the state of the channel is what came between the recording and the marker.
    fn stop(&mut self, channel: ChannelId, snapshot: SnapshotId) -> Result<(), MarkerError> {
        let recording = self.recordings.get_mut(&snapshot);
        let messages = recording
            .and_then(|recording| recording.stop(channel))
            .ok_or(MarkerError::SecondMarker { snapshot, channel })?;
        self.outbox.push_back(Output::RecordChannel { snapshot, channel, messages });
        self.complete_if_done(snapshot);
        Ok(())
    }

    fn complete_if_done(&mut self, snapshot: SnapshotId) {
        if self.has_completed(snapshot) {
            self.copy_late();
            self.outbox.push_back(Output::Complete { snapshot });
        }
    }

    fn oldest_open(&self) -> Option<SnapshotId> {
        let mut open = self.recordings.iter().filter(|(_, recording)| !recording.is_complete());
        open.next().map(|(snapshot, _)| *snapshot)
    }

    /// Ends the recordings that went on for the message that came on `channel`.
    fn stop_overdue(&mut self, channel: ChannelId) {
        let overdue = mem::take(&mut self.slips.overdue);
        let (ended, rest): (Vec<_>, Vec<_>) =
            overdue.into_iter().partition(|(_, awaited)| *awaited == channel);
        self.slips.overdue = rest;
        for (snapshot, channel) in ended {
            // A second marker that comes late is as little use as one that comes in time.
            let _ = self.stop(channel, snapshot);
        }
    }

    fn copy_late(&mut self) {
        for snapshot in mem::take(&mut self.slips.uncopied) {
            self.copy_state(snapshot);
        }
    }
}
