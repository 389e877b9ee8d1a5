//! Carries out what the protocol asks for, and says so.

use cutwater::protocol::{
    Acknowledgement, Addition, Barrier, CheckpointId, CheckpointKind, CoordinatorOutput, Digest,
    Element, ObjectKey, ProtocolStep, SnapshotHandle, SubtaskOutput, TransactionId,
};

use super::in_flight::InFlight;
use super::message::{Content, Message};
use super::node::{Role, Work};
use super::world::{StoreRequest, Upload, World, id_of};

impl World {
    /// One output of the first subtask that has one.
    pub fn step_subtasks(&mut self) -> bool {
        let mut nodes = self.nodes.iter_mut().enumerate();
        let next = nodes.find_map(|(at, node)| Some((at, node.protocol.poll_output()?)));
        let Some((subtask, output)) = next else { return false };
        self.on_subtask(subtask, output);
        true
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
            Content::Trigger(..)
            | Content::Complete(_)
            | Content::LoopOver
            | Content::Abort(_)
            | Content::Confirm(_) => {}
        }
        if attempt != self.attempt || self.nodes.is_empty() {
            return self.tell(subtask, format!("ignore a message of {attempt}"));
        }
        let protocol = &mut self.nodes[subtask].protocol;
        match content {
            Content::Trigger(barrier, savepoint) => protocol.handle_trigger(barrier, savepoint),
            Content::Complete(checkpoint) => protocol.handle_completed(checkpoint),
            Content::LoopOver => protocol.handle_loop_over(),
            Content::Confirm(transaction) => protocol.handle_committed(transaction),
            Content::Abort(checkpoint) => protocol.handle_aborted(checkpoint),
            Content::Acknowledge(_) | Content::Decline(..) | Content::Commit(_) => {}
        }
    }

    /// Something that a subtask's protocol wants done.
    fn on_subtask(&mut self, subtask: usize, output: SubtaskOutput<i64>) {
        match output {
            SubtaskOutput::Process { input, item } => {
                self.took(subtask, input);
                self.process(subtask, item);
            }
            SubtaskOutput::EndInput { input } => self.took_marker(subtask, input, "|end|"),
            SubtaskOutput::End => self.end(subtask),
            SubtaskOutput::EndSource if self.nodes[subtask].ended => {}
            SubtaskOutput::EndSource => self.end(subtask),
            SubtaskOutput::Post(barrier) => self.nodes[subtask].protocol.handle_mail(barrier),
            SubtaskOutput::Watch(_) => {}
            SubtaskOutput::Forward(barrier) => self.forward(subtask, barrier),
            SubtaskOutput::Hurry(checkpoint) => self.hurry_outputs(subtask, checkpoint),
            SubtaskOutput::Cancel(checkpoint) => {
                if self.can_mark(subtask) {
                    self.tell(subtask, format!("cancel {checkpoint}"));
                    self.broadcast(subtask, &Element::Cancel(checkpoint));
                }
            }
            SubtaskOutput::PreCommit { transaction, checkpoint } => {
                self.pre_commit(subtask, transaction, checkpoint);
            }
            SubtaskOutput::Commit { transaction, .. } => {
                self.tell(subtask, format!("commit {transaction}"));
                self.send(subtask, Content::Commit(transaction));
            }
            SubtaskOutput::Freeze(checkpoint) => self.snapshot(subtask, checkpoint),
            SubtaskOutput::Persist { checkpoint, captured } => {
                self.persist(subtask, checkpoint, captured);
            }
            SubtaskOutput::Acknowledge(checkpoint) => self.acknowledge(subtask, checkpoint),
            SubtaskOutput::Decline(checkpoint, reason) => {
                self.tell(subtask, format!("decline {checkpoint}"));
                self.send(subtask, Content::Decline(checkpoint, reason));
            }
            SubtaskOutput::Discard(checkpoint) => self.discard(subtask, checkpoint),
            SubtaskOutput::Flush(_) => self.fail("all sinks are transactional".to_owned()),
            SubtaskOutput::Step(step) => self.on_step(subtask, step),
        }
    }

    /// What a trace would tell.
    fn on_step(&mut self, subtask: usize, step: ProtocolStep) {
        match step {
            ProtocolStep::BarrierSeen { input, checkpoint } => {
                self.took_marker(subtask, input, &format!("|{checkpoint}|"));
            }
            ProtocolStep::BarrierOvertook { input, checkpoint } => {
                self.take_ahead(subtask, input, checkpoint);
            }
            ProtocolStep::CancelSeen { input, checkpoint } => {
                self.took_marker(subtask, input, &format!("|cancel {checkpoint}|"));
            }
            ProtocolStep::Blocked { input, .. } => {
                self.tell(subtask, format!("block {}", self.input_name(subtask, input)));
            }
            ProtocolStep::Unblocked { input, .. } => {
                self.tell(subtask, format!("unblock {}", self.input_name(subtask, input)));
            }
            ProtocolStep::Announced(it) => {
                self.tell(subtask, format!("note that {it} waits in its place"));
            }
            ProtocolStep::AlignmentStarted(it) => {
                self.tell(subtask, format!("start to align {it}"))
            }
            ProtocolStep::AlignmentCompleted(it) => self.tell(subtask, format!("align {it}")),
            ProtocolStep::AlignmentOvertaken(it) => {
                self.tell(subtask, format!("let {it} overtake"))
            }
            ProtocolStep::AlignmentAborted(it) => self.tell(subtask, format!("give up {it}")),
            ProtocolStep::CaptureAbandoned(it) => {
                self.tell(subtask, format!("stop recording for {it}"));
            }
            ProtocolStep::SnapshotDurable(_) => {}
        }
    }

    fn forward(&mut self, subtask: usize, barrier: Barrier) {
        if self.can_mark(subtask) {
            self.tell(subtask, format!("forward {}", barrier.checkpoint));
            self.broadcast_barrier(subtask, barrier);
        }
        self.look_for_forwarded(subtask);
    }

    fn discard(&mut self, subtask: usize, checkpoint: CheckpointId) {
        self.tell(subtask, format!("discard the snapshot for {checkpoint}"));
        self.uploads.retain(|it| it.subtask != subtask || it.checkpoint != checkpoint);
        self.objects.remove(&self.key(subtask, checkpoint));
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
            Work::Sink => self.nodes[subtask].protocol.open_transaction(),
        };
        let Some(transaction) = transaction else { return };
        self.tell(subtask, format!("write {item} to {transaction}"));
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
        let (node, in_flight) = (&self.nodes[subtask], InFlight::default());
        let (terminal, quiet) = (node.is_terminal(&self.target), node.protocol.is_quiet());
        let (state, whole) = (node.state(), false);
        self.tell(subtask, format!("snapshot {checkpoint} {}", state.show()));
        let upload = Upload { subtask, checkpoint, state, terminal, quiet, whole, in_flight };
        self.uploads.push(upload);
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

    /// What was written into the transaction is prepared, and durable at once.
    fn pre_commit(&mut self, subtask: usize, transaction: TransactionId, checkpoint: CheckpointId) {
        match self.target.prepare(transaction) {
            Ok(records) => self.tell(subtask, format!("pre-commit {transaction} {records:?}")),
            Err(trouble) => self.fail(trouble),
        }
        self.nodes[subtask].protocol.handle_pre_committed(checkpoint);
    }

    /// A sink refuses its producers of older attempts, but for what its snapshot holds prepared.
    pub fn fence(&mut self, subtask: usize) {
        if self.job.members[subtask].role != Role::Sink {
            return;
        }
        let uncommitted = self.nodes[subtask].protocol.uncommitted();
        let kept: Vec<TransactionId> = uncommitted.into_iter().map(|(_, id)| id).collect();
        for transaction in self.target.abort_all_but(id_of(subtask), &kept) {
            self.say("target", format!("abort {transaction}"));
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
            CoordinatorOutput::Trigger { barrier, kind } => self.on_trigger(barrier, kind),
            CoordinatorOutput::Counted(acknowledgement) => self.show_counted(&acknowledgement),
            CoordinatorOutput::Ignored { acknowledgement, discard } => {
                self.show_ignored(&acknowledgement, discard);
            }
            CoordinatorOutput::WriteMetadata { completed, kind } => {
                let what = if is_savepoint(kind) { "savepoint" } else { "the metadata of" };
                self.say("coordinator", format!("write {what} {}", completed.checkpoint));
                self.store_requests.push_back(StoreRequest::Metadata(completed.checkpoint));
            }
            CoordinatorOutput::Add { checkpoint, addition } => self.on_add(checkpoint, &addition),
            CoordinatorOutput::Completed { checkpoint, kind, terminal } => {
                let what = if is_savepoint(kind) { "savepoint " } else { "" };
                let suffix = if terminal { ", nothing is left to do" } else { "" };
                self.say("coordinator", format!("complete {what}{checkpoint}{suffix}"));
            }
            CoordinatorOutput::NotifyComplete(checkpoint) => {
                self.say("coordinator", format!("notify: {checkpoint} completed"));
                self.send_to_all(&Content::Complete(checkpoint));
            }
            CoordinatorOutput::LoopsQuiet(quiet) => self.end_loops(&quiet),
            CoordinatorOutput::Aborted { checkpoint, reason } => {
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
            CoordinatorOutput::Stop(_) => self.fail("no job stops here".to_owned()),
            CoordinatorOutput::Refused { reason, .. } => {
                self.say("coordinator", format!("refuse: {reason}"));
            }
            CoordinatorOutput::FailAttempt => self.say("coordinator", "fail the attempt"),
        }
    }

    fn on_trigger(&mut self, barrier: Barrier, kind: CheckpointKind) {
        let checkpoint = barrier.checkpoint;
        match kind.savepoint() {
            None => self.say("coordinator", format!("trigger {checkpoint}")),
            Some(mode) => {
                self.say("coordinator", format!("trigger savepoint {checkpoint}, {mode}"));
            }
        }
        self.counted.remove(&checkpoint);
        self.send_to_all(&Content::Trigger(barrier, kind.savepoint()));
    }

    fn on_add(&mut self, checkpoint: CheckpointId, addition: &Addition) {
        let told = match addition {
            Addition::Retain(retained) => {
                let names: Vec<_> = retained.iter().map(ToString::to_string).collect();
                format!("add {checkpoint} to the store, retain [{}]", names.join(", "))
            }
            Addition::Savepoint(request) => {
                let stopped = if request.mode.is_terminal() { ", stopped at it" } else { "" };
                format!("record savepoint {checkpoint}{stopped}")
            }
        };
        self.say("coordinator", told);
        self.store_requests.push_back(StoreRequest::Add(checkpoint));
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

fn is_savepoint(kind: CheckpointKind) -> bool {
    kind.savepoint().is_some()
}
