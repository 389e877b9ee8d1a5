//! The enumerators of sources: what readers ask, what they are told, and their part in checkpoints.
//!
//! The order of a cut: each enumerator is frozen, and its gateways close; what readers were told before is
//! taken; only then are the sources asked. The enumerators' part is written with the metadata, so that it
//! is durable when the checkpoint completes.

use super::super::io::{CoordinatorWakeUp, Outbox, Timer};
use super::super::message::{Message, ToWorker};
use super::Coordinator;
use crate::protocol::ordered::VecMap;
use crate::protocol::{
    Acknowledgement, Attempt, Barrier, CheckpointId, CheckpointKind, CompletedCheckpoint, Defect,
    EnumeratorOutput, EnumeratorState, OperatorId, ProcessId, SplitEnumerator, SubtaskId,
    VirtualTime,
};
use crate::trace::Event;

/// What was triggered.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// What sources inject.
    pub barrier: Barrier,
    /// Why it is taken.
    pub kind: CheckpointKind,
}

/// The enumerators of a job, and their parts of checkpoints; nothing where a job has none.
#[derive(Clone, Debug, Default)]
pub struct Enumerators {
    /// In the order of their operators; none before the first attempt of this reign.
    live: Vec<(OperatorId, SplitEnumerator)>,
    /// The attempt that they serve, or served last. The record may be ahead: the next attempt has a number before it
    /// is deployed, and a successor's record is not of this reign.
    attempt: Attempt,
    /// Their parts of the checkpoints that are pending or retained, each in the order of operators.
    parts: VecMap<CheckpointId, Vec<EnumeratorState>>,
    /// Checkpoints that lie in the enumerators' mailbox. It is worked off in order, however long each waits: what
    /// is assigned between two cuts belongs to the later one.
    mail: VecMap<CheckpointId, Cut>,
    /// Checkpoints whose sources are asked when the readers have taken what they were told before.
    draining: VecMap<CheckpointId, Cut>,
    /// Checkpoints that every subtask has acknowledged, and that lack the enumerators' part.
    awaiting_part: VecMap<CheckpointId, CompletedCheckpoint>,
}

impl Enumerators {
    /// Their part of this checkpoint. None when it has not been taken: it is asked for again then.
    pub fn part_of(&mut self, completed: &CompletedCheckpoint) -> Option<Vec<EnumeratorState>> {
        let checkpoint = completed.checkpoint;
        match self.parts.get(&checkpoint) {
            Some(part) => Some(part.clone()),
            None if self.live.is_empty() => Some(Vec::new()),
            None => {
                self.awaiting_part.insert(checkpoint, completed.clone());
                None
            }
        }
    }

    /// What a retained checkpoint holds of them.
    pub fn remember(&mut self, checkpoint: CheckpointId, part: Vec<EnumeratorState>) {
        if !part.is_empty() {
            self.parts.insert(checkpoint, part);
        }
    }

    /// The checkpoint is gone.
    pub fn forget(&mut self, checkpoint: CheckpointId) {
        self.parts.remove(&checkpoint);
        self.draining.remove(&checkpoint);
        self.awaiting_part.remove(&checkpoint);
    }

    /// The checkpoint is what recovery goes back to.
    pub fn handle_completed(&mut self, checkpoint: CheckpointId) {
        for enumerator in self.all() {
            enumerator.handle_completed(checkpoint);
        }
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut SplitEnumerator> {
        self.live.iter_mut().map(|(_, enumerator)| enumerator)
    }

    /// The next thing that any of them wants.
    fn poll_output(&mut self) -> Option<(OperatorId, EnumeratorOutput)> {
        self.live.iter_mut().find_map(|(operator, enumerator)| {
            enumerator.poll_output().map(|output| (*operator, output))
        })
    }

    /// A checkpoint whose sources can be asked.
    fn take_drained(&mut self) -> Option<Cut> {
        let is_drained = |checkpoint: &CheckpointId| {
            self.live.iter().all(|(_, enumerator)| enumerator.is_drained(*checkpoint))
        };
        let drained = self.draining.keys().copied().find(is_drained)?;
        self.draining.remove(&drained)
    }
}

impl Coordinator {
    /// A checkpoint was triggered: first the enumerators, which have a mailbox of their own, then the
    /// sources.
    pub(super) fn begin_cut(&mut self, cut: Cut, outbox: &mut dyn Outbox) {
        if !self.enumerators.live.is_empty() {
            let barrier = cut.barrier;
            self.enumerators.mail.insert(barrier.checkpoint, cut);
            outbox.schedule(Timer::Coordinator(CoordinatorWakeUp::Enumerate(barrier)));
            if !self.defects.has(Defect::SourcesBeforeEnumerator) {
                return;
            }
        }
        self.ask_subtasks(cut, outbox);
    }

    /// Asks every subtask of the attempt for its snapshot.
    fn ask_subtasks(&mut self, Cut { barrier, .. }: Cut, outbox: &mut dyn Outbox) {
        let attempt = self.ledger.record().attempt;
        self.tell_hosts(&ToWorker::Trigger { attempt, barrier }, outbox);
    }

    /// The enumerators' mailbox has come to this checkpoint.
    pub(super) fn handle_enumerate(
        &mut self,
        now: VirtualTime,
        barrier: Barrier,
        outbox: &mut dyn Outbox,
    ) {
        let later = self.enumerators.mail.split_off(&barrier.checkpoint.next());
        let due = std::mem::replace(&mut self.enumerators.mail, later);
        for cut in due.into_values() {
            self.freeze_enumerators(now, cut, outbox);
        }
    }

    /// A checkpoint may have been given up meanwhile: nobody would open again what is closed for it now.
    fn freeze_enumerators(&mut self, now: VirtualTime, cut: Cut, outbox: &mut dyn Outbox) {
        let checkpoint = cut.barrier.checkpoint;
        let is_pending = self.checkpoints().is_some_and(|all| all.is_pending(checkpoint));
        if !is_pending && !self.defects.has(Defect::EnumeratorOfAbortedSnapshots) {
            return;
        }
        for enumerator in self.enumerators.all() {
            enumerator.handle_checkpoint(checkpoint);
        }
        self.enumerators.draining.insert(checkpoint, cut);
        self.carry_out_enumerators(outbox);
        if let Some(completed) = self.enumerators.awaiting_part.remove(&checkpoint) {
            self.write_metadata(now, completed, cut.kind, outbox);
        }
    }

    /// The reader has passed the cut.
    pub(super) fn reopen_gateway(
        &mut self,
        acknowledgement: &Acknowledgement,
        outbox: &mut dyn Outbox,
    ) {
        let (reader, checkpoint) = (acknowledgement.handle.subtask, acknowledgement.checkpoint);
        for enumerator in self.enumerators.all() {
            enumerator.handle_acknowledged(reader, checkpoint);
        }
        self.carry_out_enumerators(outbox);
    }

    /// There will be no cut.
    pub(super) fn abandon_cut(&mut self, checkpoint: CheckpointId, outbox: &mut dyn Outbox) {
        self.enumerators.forget(checkpoint);
        for enumerator in self.enumerators.all() {
            enumerator.handle_aborted(checkpoint);
        }
        self.carry_out_enumerators(outbox);
    }

    pub(super) fn handle_split_request(
        &mut self,
        attempt: Attempt,
        reader: SubtaskId,
        taken: u32,
        outbox: &mut dyn Outbox,
    ) {
        if !self.takes_splits() {
            return; // It asks again if the job goes on.
        }
        self.with_enumerators(attempt, outbox, |one| one.handle_request(reader, taken));
    }

    pub(super) fn handle_split_taken(
        &mut self,
        attempt: Attempt,
        reader: SubtaskId,
        taken: u32,
        outbox: &mut dyn Outbox,
    ) {
        self.with_enumerators(attempt, outbox, |one| one.handle_taken(reader, taken));
    }

    /// What readers of other attempts than the deployed one say is of no interest.
    fn with_enumerators(
        &mut self,
        attempt: Attempt,
        outbox: &mut dyn Outbox,
        action: impl Fn(&mut SplitEnumerator),
    ) {
        let deployed = self.deployment().and_then(|deployment| deployment.deploy());
        if deployed.is_some_and(|deploy| deploy.attempt == attempt) {
            self.enumerators.all().for_each(action);
            self.carry_out_enumerators(outbox);
        }
    }

    /// Tells readers again what they have not confirmed. An attempt in which one of them cannot be told is
    /// over: the split would be nobody's.
    pub(super) fn repeat_split_events(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        let deployed = self.deployment().and_then(|deployment| deployment.deploy());
        let Some(attempt) = deployed.map(|deploy| deploy.attempt) else { return };
        let repeats_max = self.settings.session_timeout_ms / self.settings.heartbeat_ms.max(1);
        let repeats_max = u32::try_from(repeats_max).unwrap_or(u32::MAX);
        let unreachable: Vec<SubtaskId> = self
            .enumerators
            .all()
            .filter_map(|enumerator| enumerator.handle_repeat_due(repeats_max).err())
            .collect();
        self.carry_out_enumerators(outbox);
        if let Some(reader) = unreachable.first() {
            let name = self.job.topology().name(*reader);
            let reason = format!("{name} does not take what its enumerator tells it");
            self.fail_current(now, attempt, &reason, outbox);
        }
    }

    /// An attempt starts from this checkpoint. A coordinator that has just begun to reign, or that goes on with
    /// other readers, knows from the checkpoint what is unassigned; one that goes on with the same takes back what
    /// was assigned since.
    pub(super) fn restart_enumerators(
        &mut self,
        now: VirtualTime,
        restored: Option<CheckpointId>,
        outbox: &mut dyn Outbox,
    ) {
        let is_new = self.enumerators.live.is_empty();
        let attempt = self.ledger.record().attempt;
        self.enumerators.attempt = attempt;
        self.enumerators.draining.clear();
        self.enumerators.mail.clear();
        if is_new || self.has_other_readers() {
            self.enumerators.live = self.restored_enumerators(restored);
        } else {
            self.enumerators.all().for_each(SplitEnumerator::handle_restart);
        }
        self.carry_out_enumerators(outbox);
        for (operator, enumerator) in &self.enumerators.live {
            let (operator, unassigned) = (*operator, enumerator.state().unassigned);
            outbox.event(Event::EnumeratorRestored { operator, attempt, unassigned });
        }
        if is_new {
            self.begin_discovery(now, restored, outbox);
        }
    }

    /// Whether the job was rescaled: an enumerator knows its readers by what they are called.
    fn has_other_readers(&self) -> bool {
        let mut live = self.enumerators.live.iter();
        self.job.enumerated().any(|(_, readers, _)| {
            live.next().is_none_or(|(_, enumerator)| enumerator.readers() != readers)
        })
    }

    fn restored_enumerators(
        &self,
        restored: Option<CheckpointId>,
    ) -> Vec<(OperatorId, SplitEnumerator)> {
        let part = restored.and_then(|checkpoint| self.enumerators.parts.get(&checkpoint));
        let restored = |(index, (operator, readers, splits)): (usize, (_, Vec<_>, Vec<_>))| {
            let state = part.and_then(|part| part.get(index));
            let enumerator = match state {
                state if self.job.discovers(operator) => {
                    SplitEnumerator::discovering(&readers, state, self.defects)
                }
                Some(state) => SplitEnumerator::restored(&readers, &splits, state, self.defects),
                None => SplitEnumerator::new(&readers, &splits, self.defects),
            };
            (operator, enumerator)
        };
        self.job.enumerated().enumerate().map(restored).collect()
    }

    pub(super) fn carry_out_enumerators(&mut self, outbox: &mut dyn Outbox) {
        while let Some((operator, output)) = self.enumerators.poll_output() {
            self.carry_out_enumerator(operator, output, outbox);
        }
        while let Some(cut) = self.enumerators.take_drained() {
            self.ask_subtasks(cut, outbox);
        }
    }

    fn carry_out_enumerator(
        &mut self,
        operator: OperatorId,
        output: EnumeratorOutput,
        outbox: &mut dyn Outbox,
    ) {
        let attempt = self.enumerators.attempt;
        match output {
            EnumeratorOutput::Assigned { reader: subtask, split } => {
                outbox.event(Event::SplitAssigned { subtask, attempt, split });
            }
            EnumeratorOutput::Discovered { split } => {
                outbox.event(Event::SplitDiscovered { operator, attempt, split });
            }
            EnumeratorOutput::Exhausted { reader: subtask } => {
                outbox.event(Event::SplitsExhausted { subtask, attempt });
            }
            EnumeratorOutput::Send { reader: subtask, number, event } => {
                if let Some(host) = self.host_of(subtask) {
                    outbox.send(
                        host,
                        Message::Worker(ToWorker::TellReader { attempt, subtask, number, event }),
                    );
                }
            }
            EnumeratorOutput::Snapshot { checkpoint, state } => {
                let EnumeratorState { unassigned, known } = state.clone();
                self.enumerators.parts.entry(checkpoint).or_default().push(state);
                if self.job.discovers(operator) {
                    outbox.event(Event::SplitsKnown { operator, attempt, checkpoint, known });
                }
                let event = Event::EnumeratorSnapshot { operator, attempt, checkpoint, unassigned };
                outbox.event(event);
            }
            EnumeratorOutput::Closed { reader: subtask, checkpoint } => {
                outbox.event(Event::GatewayClosed { subtask, attempt, checkpoint });
            }
            EnumeratorOutput::Reopened { reader: subtask, checkpoint } => {
                outbox.event(Event::GatewayReopened { subtask, attempt, checkpoint });
            }
            EnumeratorOutput::Returned { reader: subtask, splits } => {
                outbox.event(Event::SplitsReturned { subtask, attempt, splits });
            }
        }
    }

    fn host_of(&mut self, subtask: SubtaskId) -> Option<ProcessId> {
        let deploy = self.deployment()?.deploy()?;
        deploy.placement.get(subtask.index()).map(|worker| ProcessId::Worker(*worker))
    }
}
