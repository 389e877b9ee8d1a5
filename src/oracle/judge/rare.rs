//! Rare events: all but those per record.

use super::Judge;
use super::concern::{Concern, concern, forgotten};
use crate::oracle::kind::Kind;
use crate::oracle::order::Marker;
use crate::oracle::shape::{Scene, Shape};
use crate::protocol::{Attempt, ChannelId, CheckpointId, ProcessId};
use crate::trace::{
    ChannelStateCaptured, ChannelStateDealt, ChannelStateRestored, Event, Point, Restored,
    RunStarted, SnapshotTaken, Stamp,
};

impl Judge {
    /// Takes an event that is not per record.
    pub(super) fn observe_rare(&mut self, stamp: Stamp, event: &Event) {
        if stamp.number == 0 && !matches!(event, Event::RunStarted(_)) {
            let text = "the first event is not the start of a run".to_owned();
            self.report(stamp, Kind::MisplacedStart, text);
        }
        self.splits.handle_time(scene!(self, stamp));
        self.liveness.handle_time(scene!(self, stamp));
        self.liveness.handle_step(event);
        if Point::from(event).tells_of_fault() {
            if !matches!(event, Event::FaultsEnded) {
                self.causes.handle_fault();
            }
            self.output.handle_fault(stamp);
        }
        match concern(event) {
            Concern::Run => self.observe_run(stamp, event),
            Concern::Channel => self.observe_channel(stamp, event),
            Concern::Subtask => self.observe_subtask(stamp, event),
            Concern::Time => self.observe_time(stamp, event),
            Concern::Coordinator => self.observe_coordinator(stamp, event),
            Concern::Savepoints => self.observe_savepoint(stamp, event),
            Concern::Splits => self.observe_splits(stamp, event),
            Concern::Outside => self.observe_outside(stamp, event),
            Concern::Nobody => {}
        }
    }

    fn observe_run(&mut self, stamp: Stamp, event: &Event) {
        match event {
            Event::RunStarted(run) => self.start(stamp, run),
            Event::FaultsEnded => {
                self.liveness.handle_faults_ended(stamp.at);
                self.splits.handle_faults_ended(stamp.at);
                self.causes.handle_faults_ended();
            }
            Event::Zombified { process: ProcessId::Coordinator, .. } => self.zombies += 1,
            Event::ZombieEnded { process: ProcessId::Coordinator, .. } => {
                self.zombies = self.zombies.saturating_sub(1);
            }
            Event::Zombified { .. } | Event::ZombieEnded { .. } => {}
            _ => forgotten(event),
        }
    }

    fn start(&mut self, stamp: Stamp, run: &RunStarted) {
        if stamp.number != 0 {
            self.report(stamp, Kind::MisplacedStart, "a run starts within a run".to_owned());
        }
        match Shape::new(run) {
            Ok(shape) => self.shape = shape,
            Err(text) => self.report(stamp, Kind::UnknownEntity, text),
        }
        self.attempt = None;
        self.zombies = 0;
        self.is_orphaned = false;
        let scene = scene!(self, stamp);
        self.causes.start();
        self.conservation.start();
        self.cut.start(scene);
        self.durability.start();
        self.event_time.start(scene);
        self.lifecycle.start(scene);
        self.liveness.start(scene);
        self.order.start(scene);
        self.output.start(scene);
        self.ownership.start();
        self.recovery.start();
        self.reshaped = None;
        self.splits.start();
        self.state.start(scene);
        self.stopped_world.start(scene);
        self.termination.start();
        self.vector_clock.start(scene);
    }

    fn observe_channel(&mut self, stamp: Stamp, event: &Event) {
        match *event {
            Event::BarrierSent { channel, attempt, checkpoint, sequence } => {
                if self.counts_on(stamp, channel, attempt) {
                    let marker = Marker::Barrier(checkpoint);
                    let scene = scene!(self, stamp);
                    self.order.handle_marker_sent(scene, channel, marker, sequence);
                    self.cut.handle_barrier_sent(scene, channel, attempt, checkpoint);
                    self.state.handle_barrier_sent(scene, channel, checkpoint);
                }
            }
            Event::CancelSent { channel, attempt, checkpoint, sequence } => {
                self.send_marker(stamp, channel, attempt, Marker::Cancel(checkpoint), sequence);
            }
            Event::EndSent { channel, attempt, sequence } => {
                self.send_marker(stamp, channel, attempt, Marker::End, sequence);
            }
            Event::BarrierReceived { channel, attempt, checkpoint, sequence } => {
                self.receive_marker(stamp, channel, attempt, Marker::Barrier(checkpoint), sequence);
            }
            Event::BarrierOvertook { channel, attempt, checkpoint, sequence } => {
                if self.counts_on(stamp, channel, attempt) {
                    let scene = scene!(self, stamp);
                    self.order.handle_overtook(scene, channel, checkpoint, sequence);
                }
            }
            Event::Replayed { channel, attempt, lineage } => {
                if self.counts_on(stamp, channel, attempt) {
                    self.order.handle_replayed(scene!(self, stamp), channel, lineage);
                    self.cut.handle_replayed(channel);
                    self.state.handle_replayed(channel, lineage);
                    self.give(channel, lineage);
                    self.judge_move(stamp, self.shape.channels[channel.index()].to);
                }
            }
            Event::CancelReceived { channel, attempt, checkpoint, sequence } => {
                self.receive_marker(stamp, channel, attempt, Marker::Cancel(checkpoint), sequence);
            }
            Event::EndReceived { channel, attempt, sequence } => {
                self.receive_marker(stamp, channel, attempt, Marker::End, sequence);
            }
            Event::ChannelBlocked { channel, attempt, checkpoint } => {
                if self.counts_on(stamp, channel, attempt) {
                    self.liveness.handle_blocked(stamp.at, channel, checkpoint);
                }
            }
            Event::ChannelUnblocked { channel, attempt, .. } => {
                if self.counts_on(stamp, channel, attempt) {
                    self.liveness.handle_unblocked(channel);
                }
            }
            _ => forgotten(event),
        }
    }

    fn send_marker(
        &mut self,
        stamp: Stamp,
        channel: ChannelId,
        attempt: Attempt,
        marker: Marker,
        sequence: u64,
    ) {
        if self.counts_on(stamp, channel, attempt) {
            let scene = scene!(self, stamp);
            self.order.handle_marker_sent(scene, channel, marker, sequence);
            if marker == Marker::End {
                self.state.handle_end_sent(scene, channel);
                let sender = self.shape.channels[channel.index()].from;
                self.termination.handle_end_sent(scene!(self, stamp), sender);
            }
        }
    }

    fn receive_marker(
        &mut self,
        stamp: Stamp,
        channel: ChannelId,
        attempt: Attempt,
        marker: Marker,
        sequence: u64,
    ) {
        if self.counts_on(stamp, channel, attempt) {
            self.order.handle_marker_received(scene!(self, stamp), channel, marker, sequence);
            if marker == Marker::End {
                self.event_time.handle_end_received(scene!(self, stamp), channel);
            }
        }
    }

    fn observe_subtask(&mut self, stamp: Stamp, event: &Event) {
        match event {
            Event::Restored(restored) => self.restore(stamp, restored),
            Event::SnapshotTaken(snapshot) => self.snapshot(stamp, snapshot),
            Event::ChannelStateCaptured(captured) => self.capture(stamp, captured),
            Event::ChannelStateDealt(dealt) => self.deal(stamp, dealt),
            Event::ChannelStateRestored(restored) => self.put_back(stamp, restored),
            Event::AlignmentOvertaken { subtask, attempt, checkpoint } => {
                if self.counts_in(stamp, *subtask, *attempt) {
                    let scene = scene!(self, stamp);
                    self.cut.handle_overtaken(scene, *subtask, *attempt, *checkpoint);
                }
            }
            Event::AlignmentStarted { subtask, attempt, checkpoint } => {
                if self.counts_in(stamp, *subtask, *attempt) {
                    let scene = scene!(self, stamp);
                    self.order.handle_alignment_started(scene, *subtask, *checkpoint);
                }
            }
            Event::AlignmentAborted { subtask, attempt, checkpoint } => {
                if self.counts_in(stamp, *subtask, *attempt) {
                    let scene = scene!(self, stamp);
                    self.order.handle_alignment_aborted(scene, *subtask, *checkpoint);
                }
            }
            Event::Acknowledged { subtask, attempt, checkpoint } => {
                if self.knows(stamp, *subtask) {
                    let scene = scene!(self, stamp);
                    self.durability.handle_acknowledged(scene, *subtask, *attempt, *checkpoint);
                    self.lifecycle.handle_acknowledged(*subtask, *attempt, *checkpoint);
                }
            }
            Event::CompletionLearned { subtask, attempt, checkpoint, sent_to } => {
                if self.knows(stamp, *subtask) {
                    let attempts = (*attempt, *sent_to);
                    let scene = scene!(self, stamp);
                    self.lifecycle.handle_learned(scene, *subtask, attempts, *checkpoint);
                }
            }
            Event::SubtaskFailed { subtask, attempt, reason } => {
                if self.counts_in(stamp, *subtask, *attempt) {
                    self.causes.handle_subtask_failed(scene!(self, stamp), *subtask, reason);
                }
            }
            Event::AbortLearned { subtask, attempt, checkpoint } => {
                if self.counts_in(stamp, *subtask, *attempt) {
                    self.lifecycle.handle_abort_learned(*subtask, *checkpoint);
                }
            }
            _ => forgotten(event),
        }
    }

    fn restore(&mut self, stamp: Stamp, restored: &Restored) {
        if self.counts_in(stamp, restored.subtask, restored.attempt) {
            self.recovery.handle_restored(scene!(self, stamp), restored);
            self.splits.handle_restored(scene!(self, stamp), restored);
            self.state.handle_restored(scene!(self, stamp), restored);
            self.ownership.handle_restored(scene!(self, stamp), restored);
        }
    }

    fn capture(&mut self, stamp: Stamp, captured: &ChannelStateCaptured) {
        if !self.knows(stamp, captured.subtask) {
            return;
        }
        self.durability.handle_captured(captured);
        if self.counts_in(stamp, captured.subtask, captured.attempt) {
            self.cut.handle_captured(scene!(self, stamp), captured);
            self.state.handle_captured(captured);
            self.conservation.handle_captured(captured);
            self.ownership.handle_captured(&self.shape, captured);
        }
    }

    fn deal(&mut self, stamp: Stamp, dealt: &ChannelStateDealt) {
        if self.counts_in(stamp, dealt.subtask, dealt.attempt) {
            self.ownership.handle_dealt(scene!(self, stamp), dealt);
            self.order.handle_dealt(dealt);
        }
    }

    fn put_back(&mut self, stamp: Stamp, restored: &ChannelStateRestored) {
        if !self.counts_in(stamp, restored.subtask, restored.attempt) {
            return;
        }
        self.state.handle_channels_restored(restored);
        self.ownership.handle_put_back(scene!(self, stamp), restored);
        let inputs = &self.shape.inputs[restored.subtask.index()];
        for in_flight in restored.inputs.iter().filter(|one| inputs.contains(&one.channel)) {
            self.order.handle_put_back(in_flight);
            self.cut.handle_put_back(in_flight);
        }
    }

    fn snapshot(&mut self, stamp: Stamp, snapshot: &SnapshotTaken) {
        if !self.knows(stamp, snapshot.subtask) {
            return;
        }
        let scene = scene!(self, stamp);
        self.durability.handle_snapshot(scene, snapshot);
        if !self.counts_in(stamp, snapshot.subtask, snapshot.attempt) {
            return;
        }
        let scene = scene!(self, stamp);
        self.lifecycle.handle_snapshot(scene, snapshot.subtask, snapshot.checkpoint);
        self.cut.handle_snapshot(scene, snapshot);
        self.vector_clock.handle_snapshot(scene, snapshot);
        self.splits.handle_snapshot(scene, snapshot);
        self.state.handle_snapshot(scene, snapshot);
        self.event_time.handle_snapshot(scene, snapshot.subtask, snapshot.checkpoint);
        self.stopped_world.handle_snapshot(snapshot.subtask, snapshot.checkpoint);
        self.conservation.handle_snapshot(scene, snapshot);
        self.ownership.handle_snapshot(scene, snapshot);
        self.output.handle_snapshot(snapshot);
        self.termination.handle_snapshot(scene!(self, stamp), snapshot);
    }

    /// Whether this is said by a coordinator that was replaced, goes on, and does not know that it has
    /// been deposed: of an attempt that is over, or that its successor has yet to replace. What it says
    /// binds nobody: it is not what the job does.
    pub(super) fn is_of_deposed(&self, event: &Event) -> bool {
        if self.zombies == 0 {
            return false;
        }
        let is_over = |attempt: Attempt| {
            Some(attempt) < self.attempt || (Some(attempt) == self.attempt && self.is_orphaned)
        };
        match event {
            Event::LeadershipTaken { term }
            | Event::Reshaped { term, .. }
            | Event::JobStopped { term, .. }
            | Event::AttemptStarted { term, .. } => self.recovery.is_deposed(*term),
            Event::Triggered { attempt, .. }
            | Event::EnumeratorSnapshot { attempt, .. }
            | Event::SplitsKnown { attempt, .. }
            | Event::SavepointTriggered { attempt, .. }
            | Event::AttemptFailed { attempt, .. }
            | Event::RescaleRequested { attempt, .. }
            | Event::RescaleStarted { attempt, .. } => is_over(*attempt),
            Event::AcknowledgementCounted { from_attempt, .. } => is_over(*from_attempt),
            Event::Assembled { checkpoint, .. } => self.lifecycle.is_abandoned(*checkpoint),
            _ => false,
        }
    }

    pub(super) fn observe_deposed(&mut self, event: &Event) {
        match event {
            Event::AttemptStarted { attempt, .. } => self.recovery.handle_deposed_start(*attempt),
            Event::Triggered { checkpoint, .. } | Event::SavepointTriggered { checkpoint, .. } => {
                self.lifecycle.abandon(*checkpoint);
            }
            _ => {}
        }
    }

    fn observe_coordinator(&mut self, stamp: Stamp, event: &Event) {
        if self.is_of_deposed(event) {
            return self.observe_deposed(event);
        }
        let scene = scene!(self, stamp);
        match event {
            Event::LeadershipTaken { term } => {
                self.recovery.handle_leadership_taken(scene, *term);
                self.lifecycle.handle_leadership_taken();
                self.liveness.handle_leadership_taken();
                self.ownership.handle_leadership_taken();
                self.is_orphaned = true;
                self.durability.handle_leadership_taken();
                self.liveness.handle_lost(self.durability.unrecoverable());
            }
            Event::AttemptStarted { attempt, term, restored } => {
                self.start_attempt(stamp, *attempt, *term, *restored);
            }
            Event::RescaleRequested { .. }
            | Event::RescaleStarted { .. }
            | Event::Reshaped { .. } => self.observe_rescale(stamp, event),
            Event::AttemptRunning { attempt } => {
                self.liveness.handle_running();
                self.causes.handle_running();
                if self.attempt == Some(*attempt) {
                    self.splits.handle_running(stamp.at);
                    self.ownership.handle_running(scene!(self, stamp));
                }
            }
            Event::AttemptFailed { attempt, reason } => {
                self.causes.handle_attempt_failed(scene, *attempt, reason);
                self.splits.handle_over();
                self.output.handle_attempt_failed();
                self.liveness.handle_attempt_failed(scene, reason);
            }
            Event::Triggered { attempt, checkpoint } => {
                self.trigger(stamp, *attempt, *checkpoint);
                self.causes.handle_triggered(stamp.at, *checkpoint);
            }
            Event::AcknowledgementCounted { subtask, from_attempt, checkpoint } => {
                if self.knows(stamp, *subtask) {
                    self.durability.handle_counted(*subtask, *from_attempt, *checkpoint);
                    let scene = scene!(self, stamp);
                    self.lifecycle.handle_counted(scene, *subtask, *from_attempt, *checkpoint);
                }
            }
            Event::Assembled { checkpoint, snapshots } => {
                self.lifecycle.handle_assembled(scene, *checkpoint, snapshots);
                self.durability.handle_assembled(*checkpoint, snapshots);
            }
            Event::Completed { attempt, checkpoint } => {
                if self.lifecycle.handle_completed(scene, *attempt, *checkpoint) {
                    self.complete(stamp, *checkpoint);
                }
            }
            Event::CompletionNotified { checkpoint, .. } => {
                self.lifecycle.handle_notified(scene, *checkpoint);
            }
            Event::Aborted { checkpoint, reason, .. } => {
                let is_held_up =
                    !self.shape.protocol.may_overtake() && self.order.is_held_up(*checkpoint);
                self.causes.handle_aborted(scene, *checkpoint, *reason, is_held_up);
                self.abort(stamp, *checkpoint);
            }
            Event::Discarded { checkpoint } => self.durability.handle_discarded(scene, *checkpoint),
            Event::JobFinished { .. } => self.finish_job(stamp),
            _ => forgotten(event),
        }
    }

    fn trigger(&mut self, stamp: Stamp, attempt: Attempt, checkpoint: CheckpointId) {
        self.lifecycle.handle_triggered(scene!(self, stamp), attempt, checkpoint);
        self.liveness.handle_triggered(checkpoint);
        self.ownership.handle_triggered(checkpoint);
        self.splits.handle_triggered(checkpoint);
        if self.attempt != Some(attempt) {
            let text = format!("{checkpoint} was triggered in {attempt}, which does not run");
            self.report(stamp, Kind::TriggeredElsewhere, text);
        }
    }

    pub(super) fn complete(&mut self, stamp: Stamp, checkpoint: CheckpointId) {
        let scene = scene!(self, stamp);
        self.cut.handle_completed(scene, checkpoint);
        self.conservation.handle_completed(scene, checkpoint);
        self.durability.handle_completed(scene, checkpoint);
        self.splits.handle_settled(checkpoint);
        self.settle_completed(stamp, checkpoint);
    }

    /// Recovery goes back to this from here on.
    pub(super) fn settle_completed(&mut self, stamp: Stamp, checkpoint: CheckpointId) {
        let scene = scene!(self, stamp);
        self.stopped_world.handle_over(checkpoint);
        self.state.handle_completed(scene, checkpoint);
        self.event_time.handle_completed(scene, checkpoint);
        self.output.handle_completed(checkpoint);
        self.ownership.handle_completed(checkpoint);
        self.recovery.handle_completed(checkpoint);
        self.causes.handle_completed(checkpoint);
        self.liveness.handle_completed(scene, checkpoint);
        self.liveness.handle_lost(self.durability.unrecoverable());
        self.judge_expired();
    }

    /// What is lost at the sink target is lost for good, unless it is found again.
    pub(super) fn judge_expired(&mut self) {
        let expired = self.output.expired();
        if expired.is_some() {
            self.causes.handle_lost();
        }
        self.liveness.handle_expired(expired);
    }

    fn abort(&mut self, stamp: Stamp, checkpoint: CheckpointId) {
        self.termination.handle_aborted(checkpoint);
        let scene = scene!(self, stamp);
        self.lifecycle.handle_aborted(scene, checkpoint);
        self.cut.handle_aborted(checkpoint);
        self.durability.handle_aborted(checkpoint);
        self.output.handle_aborted(checkpoint);
        self.splits.handle_settled(checkpoint);
        self.state.handle_aborted(checkpoint);
        self.event_time.handle_aborted(checkpoint);
        self.stopped_world.handle_over(checkpoint);
        self.liveness.handle_aborted(scene, checkpoint);
    }
}
