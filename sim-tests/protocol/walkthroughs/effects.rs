//! Carries out what the protocol asks for, and says so.

use cutwater::protocol::subtask::AsyncPart;
use cutwater::protocol::{
    Acknowledgement, CheckpointId, CommitOutput, CoordinatorOutput, Digest, Element, GateOutput,
    ObjectKey, SnapshotHandle, SubtaskOutput, TransactionId,
};

use super::in_flight::{Capture, InFlight};
use super::message::{Content, Message};
use super::node::{Role, Work};
use super::world::{StoreRequest, Upload, World, id_of};

impl World {
    /// One output of the first subtask that has one. A subtask's own steps come before its gate's:
    /// the gate goes on when they are done.
    pub fn step_subtasks(&mut self) -> bool {
        for subtask in 0..self.nodes.len() {
            let node = &mut self.nodes[subtask];
            if let Work::Sink(commit) = &mut node.work
                && let Some(output) = commit.poll_output()
            {
                self.on_commit(subtask, output);
                return true;
            }
            let node = &mut self.nodes[subtask];
            if let Some(output) = node.checkpoint.poll_output() {
                self.on_subtask(subtask, output);
                return true;
            }
            if let Some(output) = node.gate.poll_output() {
                self.on_gate(subtask, output);
                return true;
            }
        }
        false
    }

    /// One output of the coordinator, or else one message.
    pub fn step_coordinator(&mut self) -> bool {
        if let Some(output) = self.coordinator.poll_output() {
            self.on_coordinator(output);
            return true;
        }
        if let Some(message) = self.messages.pop_front() {
            self.receive(message);
            return true;
        }
        false
    }

    /// A control message arrives.
    pub fn receive(&mut self, message: Message) {
        let Message { attempt, subtask, content } = message;
        match content {
            Content::Acknowledge(it) => return self.coordinator.handle_acknowledge(self.now, it),
            Content::Decline(it, reason) => {
                return self.coordinator.handle_decline(self.now, attempt, it, reason);
            }
            Content::Commit(transaction) => return self.commit_at_target(subtask, transaction),
            Content::Trigger(_)
            | Content::Complete(_)
            | Content::LoopOver
            | Content::Abort(_)
            | Content::Confirm(_) => {}
        }
        if attempt != self.attempt || self.nodes.is_empty() {
            return self.tell(subtask, format!("ignore a message of {attempt}"));
        }
        if let Content::Trigger(barrier) = &content {
            self.drain_before(subtask, barrier.checkpoint);
        }
        let node = &mut self.nodes[subtask];
        match (content, &mut node.work) {
            (Content::Trigger(barrier), _) => {
                let before = CheckpointId(barrier.checkpoint.0.saturating_sub(1));
                node.checkpoint.handle_resolved(before);
                node.gate.handle_trigger(barrier);
            }
            (Content::Complete(it), Work::Sink(commit)) => {
                commit.handle_completed(it);
                node.checkpoint.handle_resolved(it);
            }
            (Content::Complete(it), _) => node.checkpoint.handle_resolved(it),
            (Content::LoopOver, _) => node.gate.handle_loop_over(),
            (Content::Confirm(it), Work::Sink(commit)) => commit.handle_committed(it),
            (Content::Abort(checkpoint), _) => {
                node.gate.handle_aborted(checkpoint);
                node.checkpoint.handle_aborted(checkpoint);
                node.checkpoint.handle_resolved(checkpoint);
            }
            (_, Work::Source(_) | Work::Sum(_) | Work::Sink(_)) => {}
        }
    }

    fn on_gate(&mut self, subtask: usize, output: GateOutput<i64>) {
        match output {
            GateOutput::Item { channel, item } => {
                self.took(subtask, channel);
                self.process(subtask, item);
            }
            GateOutput::BarrierSeen { channel, checkpoint } => {
                self.took_marker(subtask, channel, &format!("|{checkpoint}|"));
            }
            GateOutput::CancelSeen { channel, checkpoint } => {
                self.took_marker(subtask, channel, &format!("|cancel {checkpoint}|"));
            }
            GateOutput::EndSeen { channel } => self.took_marker(subtask, channel, "|end|"),
            GateOutput::Blocked { channel, .. } => {
                self.tell(subtask, format!("block {}", self.input_name(subtask, channel)));
            }
            GateOutput::Unblocked { channel, .. } => {
                self.tell(subtask, format!("unblock {}", self.input_name(subtask, channel)));
            }
            GateOutput::AlignmentStarted(it) => self.tell(subtask, format!("start to align {it}")),
            GateOutput::BarrierOvertook { channel, checkpoint } => {
                self.take_ahead(subtask, channel, checkpoint);
            }
            GateOutput::Announced(barrier) => {
                self.tell(subtask, format!("note that {} waits in its place", barrier.checkpoint));
            }
            GateOutput::Overtaken(barrier) => {
                self.tell(subtask, format!("let {} overtake", barrier.checkpoint));
                self.nodes[subtask].checkpoint.handle_barrier(barrier);
            }
            GateOutput::Captured(checkpoint) => self.captured(subtask, checkpoint),
            GateOutput::CaptureAbandoned(checkpoint) => {
                self.tell(subtask, format!("stop recording for {checkpoint}"));
                self.nodes[subtask].checkpoint.handle_capture_abandoned(checkpoint);
            }
            GateOutput::Aligned(barrier) => {
                if self.job.members[subtask].role != Role::Source {
                    self.tell(subtask, format!("align {}", barrier.checkpoint));
                }
                self.nodes[subtask].checkpoint.handle_barrier(barrier);
            }
            GateOutput::AlignmentAborted(checkpoint) => {
                self.tell(subtask, format!("give up {checkpoint}"));
                self.nodes[subtask].checkpoint.handle_alignment_aborted(checkpoint);
            }
            GateOutput::AllEnded => self.end(subtask),
        }
    }

    /// A subtask sends its end of input.
    pub fn end(&mut self, subtask: usize) {
        self.nodes[subtask].ended = true;
        self.tell(subtask, "end");
        self.broadcast(subtask, &Element::End);
    }

    /// A record is processed, or read by a source.
    pub fn process(&mut self, subtask: usize, item: i64) {
        let transaction = match &mut self.nodes[subtask].work {
            Work::Source(position) => {
                *position += 1;
                return self.broadcast(subtask, &Element::Item(item));
            }
            Work::Sum(sum) => {
                *sum += item;
                let sum = *sum;
                self.tell(subtask, format!("process {item}, sum={sum}"));
                return self.emit_sum(subtask, item, sum);
            }
            Work::Sink(commit) => commit.open(),
        };
        self.tell(subtask, format!("write {item} to {}", transaction));
        if let Err(trouble) = self.target.write(transaction, item) {
            self.fail(trouble);
        }
    }

    /// A sum goes along every channel but those that close a loop: they get 1 for each odd record.
    fn emit_sum(&mut self, subtask: usize, item: i64, sum: i64) {
        for link in self.job.members[subtask].outputs.clone() {
            if !self.job.links[link].closes_loop {
                self.channels[link].push_back(Element::Item(sum));
            } else if item % 2 != 0 {
                self.channels[link].push_back(Element::Item(1));
            }
        }
    }

    fn on_subtask(&mut self, subtask: usize, output: SubtaskOutput) {
        match output {
            SubtaskOutput::BroadcastBarrier(barrier) => {
                if self.can_mark(subtask) {
                    self.tell(subtask, format!("forward {}", barrier.checkpoint));
                    self.broadcast_barrier(subtask, barrier);
                }
            }
            SubtaskOutput::BroadcastCancel(checkpoint) => {
                if self.can_mark(subtask) {
                    self.tell(subtask, format!("cancel {checkpoint}"));
                    self.broadcast(subtask, &Element::Cancel(checkpoint));
                }
            }
            SubtaskOutput::TakeSnapshot(checkpoint) => self.snapshot(subtask, checkpoint),
            SubtaskOutput::Release(checkpoint) => self.nodes[subtask].gate.release(checkpoint),
            SubtaskOutput::Durable(_) => {}
            SubtaskOutput::Acknowledge(checkpoint) => self.acknowledge(subtask, checkpoint),
            SubtaskOutput::Decline(checkpoint, reason) => {
                self.tell(subtask, format!("decline {checkpoint}"));
                self.send(subtask, Content::Decline(checkpoint, reason));
            }
            SubtaskOutput::DiscardSnapshot(checkpoint) => {
                self.tell(subtask, format!("discard the snapshot for {checkpoint}"));
                self.uploads.retain(|it| it.subtask != subtask || it.checkpoint != checkpoint);
                self.objects.remove(&self.key(subtask, checkpoint));
            }
        }
    }

    /// Sinks have nobody to tell; and nothing follows the end of input.
    fn can_mark(&self, subtask: usize) -> bool {
        !self.nodes[subtask].ended && !self.job.members[subtask].outputs.is_empty()
    }

    /// A barrier that did not wait for its turn: shown where no stimulus shows it.
    fn take_ahead(&mut self, subtask: usize, channel: usize, checkpoint: CheckpointId) {
        if self.took(subtask, channel) {
            let name = self.input_name(subtask, channel);
            self.tell(subtask, format!("take |{checkpoint}| ahead on {name}"));
        }
    }

    fn snapshot(&mut self, subtask: usize, checkpoint: CheckpointId) {
        let terminal = self.nodes[subtask].is_terminal(&self.target);
        let quiet = self.is_quiet(subtask);
        if let Work::Sink(commit) = &mut self.nodes[subtask].work {
            commit.handle_barrier(checkpoint);
            while let Work::Sink(commit) = &mut self.nodes[subtask].work
                && let Some(output) = commit.poll_output()
            {
                self.on_commit(subtask, output);
            }
        }
        self.halt_behind(subtask, checkpoint);
        let state = self.nodes[subtask].state();
        self.tell(subtask, format!("snapshot {checkpoint} {}", state.show()));
        let may_overtake = self.job.settings.protocol.may_overtake();
        let capture = match self.nodes[subtask].gate.capture(checkpoint) {
            true => Capture::Recording,
            false if may_overtake => Capture::Recorded,
            false => Capture::None,
        };
        let in_flight = InFlight::default();
        self.uploads.push(Upload {
            subtask,
            checkpoint,
            state,
            terminal,
            quiet,
            capture,
            in_flight,
        });
    }

    fn acknowledge(&mut self, subtask: usize, checkpoint: CheckpointId) {
        self.tell(subtask, format!("acknowledge {checkpoint}"));
        let key = self.key(subtask, checkpoint);
        let terminal = self.terminal.get(&key).copied().unwrap_or(false);
        let quiet = self.quiet.get(&key).copied().unwrap_or(false);
        let handle =
            SnapshotHandle { subtask: id_of(subtask), key, digest: Digest::default(), bytes: 0 };
        let attempt = self.attempt;
        let acknowledgement = Acknowledgement { attempt, checkpoint, handle, terminal, quiet };
        self.send(subtask, Content::Acknowledge(acknowledgement));
    }

    fn on_commit(&mut self, subtask: usize, output: CommitOutput) {
        match output {
            CommitOutput::Fence => self.fence(subtask),
            CommitOutput::PreCommit { transaction, checkpoint } => {
                match self.target.prepare(transaction) {
                    Ok(records) => {
                        self.tell(subtask, format!("pre-commit {transaction} {records:?}"));
                    }
                    Err(trouble) => self.fail(trouble),
                }
                let part = AsyncPart::PreCommit;
                self.nodes[subtask].checkpoint.handle_part_durable(checkpoint, part);
            }
            CommitOutput::Commit { transaction, .. } => {
                self.tell(subtask, format!("commit {}", transaction));
                self.send(subtask, Content::Commit(transaction));
            }
        }
    }

    fn fence(&mut self, subtask: usize) {
        let Work::Sink(commit) = &self.nodes[subtask].work else { return };
        let kept: Vec<TransactionId> = commit.uncommitted().map(|(_, id)| id).collect();
        for transaction in self.target.abort_all_but(id_of(subtask), &kept) {
            self.say("target", format!("abort {}", transaction));
        }
    }

    fn commit_at_target(&mut self, subtask: usize, transaction: TransactionId) {
        match self.target.commit(transaction) {
            Ok(Some(records)) => {
                self.say("target", format!("make {transaction} {records:?} visible"))
            }
            Ok(None) => self.say("target", format!("find {transaction} visible already")),
            Err(trouble) => self.fail(trouble),
        }
        self.send(subtask, Content::Confirm(transaction));
    }

    fn on_coordinator(&mut self, output: CoordinatorOutput) {
        match output {
            CoordinatorOutput::SetTimer { at, timer } => self.timers.push((at, timer)),
            CoordinatorOutput::ReserveId(it) => self.coordinator.handle_reserved(self.now, it),
            CoordinatorOutput::Trigger(barrier) => {
                let it = barrier.checkpoint;
                self.say("coordinator", format!("trigger {it}"));
                self.counted.remove(&it);
                self.send_to_all(&Content::Trigger(barrier));
            }
            CoordinatorOutput::Counted(acknowledgement) => self.show_counted(&acknowledgement),
            CoordinatorOutput::Ignored { acknowledgement, discard } => {
                self.show_ignored(&acknowledgement, discard);
            }
            CoordinatorOutput::WriteMetadata(completed) => {
                self.say("coordinator", format!("write the metadata of {}", completed.checkpoint));
                self.store_requests.push_back(StoreRequest::Metadata(completed.checkpoint));
            }
            CoordinatorOutput::AddToStore { completed, retained } => {
                let names: Vec<_> = retained.iter().map(ToString::to_string).collect();
                let (it, names) = (completed.checkpoint, names.join(", "));
                self.say("coordinator", format!("add {it} to the store, retain [{names}]"));
                self.store_requests.push_back(StoreRequest::Add(it));
            }
            CoordinatorOutput::Completed { checkpoint, terminal } => {
                let suffix = if terminal { ", nothing is left to do" } else { "" };
                self.say("coordinator", format!("complete {checkpoint}{suffix}"));
            }
            CoordinatorOutput::NotifyComplete(checkpoint) => {
                self.say("coordinator", format!("notify: {checkpoint} completed"));
                self.send_to_all(&Content::Complete(checkpoint));
            }
            CoordinatorOutput::LoopsQuiet(quiet) => self.end_loops(&quiet),
            CoordinatorOutput::Aborted { checkpoint, reason } => {
                self.go_on_without(checkpoint);
                self.say("coordinator", format!("abort {checkpoint} ({reason})"));
                self.store_requests.retain(|request| match request {
                    StoreRequest::Metadata(it) => *it != checkpoint,
                    StoreRequest::Add(_) => true,
                });
            }
            CoordinatorOutput::NotifyAborted(it) => self.send_to_all(&Content::Abort(it)),
            CoordinatorOutput::DeleteSnapshots(handles) => self.delete(&handles),
            CoordinatorOutput::Discard(completed) => {
                self.say("coordinator", format!("discard {}", completed.checkpoint));
                self.delete(&completed.snapshots);
            }
            CoordinatorOutput::TriggerSavepoint { .. }
            | CoordinatorOutput::WriteSavepoint(_)
            | CoordinatorOutput::AddSavepoint { .. }
            | CoordinatorOutput::SavepointCompleted { .. }
            | CoordinatorOutput::Stop(_)
            | CoordinatorOutput::Refused { .. } => self.on_savepoint(output),
            CoordinatorOutput::FailAttempt => self.say("coordinator", "fail the attempt"),
        }
    }

    fn show_counted(&mut self, acknowledgement: &Acknowledgement) {
        let checkpoint = acknowledgement.checkpoint;
        let counted = self.counted.entry(checkpoint).or_default();
        *counted += 1;
        let (counted, all) = (*counted, self.job.members.len());
        self.say("coordinator", format!("count {checkpoint} {counted}/{all}"));
    }

    fn show_ignored(&mut self, acknowledgement: &Acknowledgement, discard: bool) {
        let name = &self.job.members[acknowledgement.handle.subtask.index()].name;
        let ignore = format!("ignore {} from {name}", acknowledgement.checkpoint);
        self.say("coordinator", ignore);
        if discard {
            self.delete(&[acknowledgement.handle]);
        }
    }

    fn delete(&mut self, handles: &[SnapshotHandle]) {
        let names: Vec<_> = handles.iter().map(|handle| self.show_handle(handle)).collect();
        self.say("coordinator", format!("delete {}", names.join(", ")));
        handles.iter().for_each(|handle| {
            self.objects.remove(&handle.key);
        });
    }

    fn show_handle(&self, handle: &SnapshotHandle) -> String {
        let name = &self.job.members[handle.subtask.index()].name;
        match handle.key {
            ObjectKey::Snapshot { checkpoint, .. } => format!("{checkpoint}/{name}"),
            ObjectKey::Metadata { checkpoint } => format!("{checkpoint}/metadata"),
            ObjectKey::Savepoint { checkpoint } => format!("{checkpoint}/savepoint"),
        }
    }

    pub fn send_to_all(&mut self, content: &Content) {
        (0..self.job.members.len()).for_each(|subtask| self.send(subtask, content.clone()));
    }

    /// Where a subtask of this attempt puts its snapshot.
    pub fn key(&self, subtask: usize, checkpoint: CheckpointId) -> ObjectKey {
        ObjectKey::Snapshot { checkpoint, attempt: self.attempt, subtask: id_of(subtask) }
    }

    fn input_name(&self, subtask: usize, channel: usize) -> String {
        self.job.links[self.job.members[subtask].inputs[channel]].name.clone()
    }

    /// An element left the gate; tells whether it had been kept there.
    fn took(&mut self, subtask: usize, channel: usize) -> bool {
        let link = self.job.members[subtask].inputs[channel];
        self.in_gate[link] -= 1;
        let was_kept = self.kept[link] > 0;
        self.kept[link] = self.kept[link].saturating_sub(1);
        was_kept
    }

    /// Shows a marker where no stimulus does: when it comes out of the gate later.
    fn took_marker(&mut self, subtask: usize, channel: usize, marker: &str) {
        if self.took(subtask, channel) {
            let name = self.input_name(subtask, channel);
            self.tell(subtask, format!("take {marker} kept from {name}"));
        }
    }
}
