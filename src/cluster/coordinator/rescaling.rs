//! Rescaling: the attempt is ended, and the next one starts at another parallelism.
//!
//! The new parallelism is made durable before the attempt is ended for it, so that a successor goes on in
//! the shape that was wanted. A request that waits for its checkpoint is known to this life only, and is
//! lost with it: whoever asked must ask again.

use std::sync::Arc;

use super::super::io::Outbox;
use super::super::message::{DeployedShape, Redistribution};
use super::deployment::Deployment;
use super::heirs::heirs;
use super::ledger::Change;
use super::{Coordinator, State};
use crate::dataflow::{BuildError, Job};
use crate::protocol::rescale::{FormerName, Rescaling, Stretch, successor};
use crate::protocol::{
    AtCut, Attempt, CheckpointId, CompletedCheckpoint, Defect, ProtocolError, RescaleRequest,
    RestorePlan, Revision, SubtaskId, Succession, VirtualTime,
};
use crate::trace::Event;

impl Coordinator {
    /// Somebody wants another parallelism. What cannot be is refused, and the job goes on.
    pub(super) fn handle_rescale(
        &mut self,
        now: VirtualTime,
        request: RescaleRequest,
        outbox: &mut dyn Outbox,
    ) {
        let RescaleRequest { parallelism, checkpoint_first } = request;
        if let Err(reason) = self.judge_request(request) {
            return outbox.event(Event::RescaleRefused { parallelism, reason });
        }
        let attempt = self.ledger.record().attempt;
        outbox.event(Event::RescaleRequested { attempt, parallelism, checkpoint_first });
        self.rescaling = Rescaling::Wanted(request);
        self.begin_rescale(now, outbox);
    }

    fn judge_request(&self, request: RescaleRequest) -> Result<(), String> {
        let RescaleRequest { parallelism, checkpoint_first } = request;
        match &self.state {
            State::Leading { .. } => {}
            State::TakingLeadership | State::Loading { .. } => {
                return Err("the coordinator does not know the job yet".to_owned());
            }
            State::Stopped => return Err("the job is stopped".to_owned()),
            State::Finished => return Err("the job has finished".to_owned()),
        }
        if self.rescaling != Rescaling::Idle {
            return Err("another rescale is under way".to_owned());
        }
        let job = self.resized(parallelism).map_err(|error| error.to_string())?;
        if job.topology() == self.job.topology() {
            return Err(format!("the job runs at parallelism {parallelism}"));
        }
        self.judge_in_flight(&job, checkpoint_first)?;
        self.judge_slots(&job)
    }

    /// The workers must hold the job.
    pub(super) fn judge_slots(&self, job: &Job) -> Result<(), String> {
        let (needed, slots) = (job.topology().subtasks.len(), self.settings.slots);
        let held = usize::from(self.settings.workers) * usize::from(slots);
        if needed > held {
            return Err(format!("{needed} subtasks need as many slots, the workers have {held}"));
        }
        Ok(())
    }

    /// What is in flight must have somewhere to go. Barriers that overtake can keep their place, so that
    /// nothing is; the log of a loop is always there.
    fn judge_in_flight(&self, job: &Job, checkpoint_first: bool) -> Result<(), String> {
        let protocol = self.settings.checkpoints.protocol;
        let Err(refusal) = self.job.can_deal_in_flight(job, protocol) else { return Ok(()) };
        match protocol.traits().at_cut {
            AtCut::ChannelState
                if checkpoint_first || self.defects.has(Defect::ForwardStateDealtOut) =>
            {
                Ok(())
            }
            AtCut::ChannelState => Err(format!("{refusal}: an aligned checkpoint must come first")),
            AtCut::Logs => Err(refusal.to_string()),
            AtCut::Nothing | AtCut::Repeats => Ok(()),
        }
    }

    /// Whether the checkpoint that a rescale waits for must leave nothing in flight.
    fn needs_alignment(&self, request: RescaleRequest) -> bool {
        let protocol = self.settings.checkpoints.protocol;
        let is_divisible = |job: Job| self.job.can_deal_in_flight(&job, protocol).is_ok();
        !self.resized(request.parallelism).is_ok_and(is_divisible)
            && !self.defects.has(Defect::ForwardStateDealtOut)
    }

    /// Goes on with what was asked for, once the attempt runs.
    pub(super) fn begin_rescale(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        let Rescaling::Wanted(request) = self.rescaling else { return };
        let is_aligned = self.needs_alignment(request);
        let State::Leading { checkpoints, deployment: Deployment::Running { .. } } =
            &mut self.state
        else {
            return;
        };
        // One that is under way is not the final one: what was read after it would be read again.
        let is_skipped = self.defects.has(Defect::FinalCheckpointSkipped) && checkpoints.is_busy();
        if request.checkpoint_first && !is_skipped {
            let after = checkpoints.last_reserved();
            self.rescaling = Rescaling::Awaiting { request, after };
            if is_aligned {
                checkpoints.keep_barriers_in_order();
            }
            checkpoints.request(now);
        } else {
            self.write_rescale(now, request, outbox);
        }
    }

    /// A checkpoint completed: it may be the one that is waited for.
    pub(super) fn rescale_after(
        &mut self,
        now: VirtualTime,
        checkpoint: CheckpointId,
        outbox: &mut dyn Outbox,
    ) {
        match self.rescaling {
            Rescaling::Awaiting { request, after } if checkpoint > after => {
                self.write_rescale(now, request, outbox);
            }
            Rescaling::Awaiting { .. }
            | Rescaling::Idle
            | Rescaling::Wanted(_)
            | Rescaling::Writing(_) => {}
        }
    }

    /// A checkpoint was given up: where one is waited for, the next is asked for.
    pub(super) fn request_again(&mut self, now: VirtualTime) {
        if let Rescaling::Awaiting { .. } = self.rescaling
            && let Some(checkpoints) = self.checkpoints()
        {
            checkpoints.request(now);
        }
    }

    fn write_rescale(
        &mut self,
        now: VirtualTime,
        request: RescaleRequest,
        outbox: &mut dyn Outbox,
    ) {
        self.rescaling = Rescaling::Writing(request);
        self.change(now, Change::Rescale(request.parallelism), outbox);
    }

    /// The new parallelism is durable: the next attempt has it.
    pub(super) fn rescale(&mut self, now: VirtualTime, parallelism: u16, outbox: &mut dyn Outbox) {
        let attempt = self.ledger.record().attempt;
        self.rescaling = Rescaling::Idle;
        self.take_shape();
        let State::Leading { checkpoints, .. } = &self.state else { return };
        let newest = checkpoints.latest().map(|latest| latest.checkpoint);
        outbox.event(Event::RescaleStarted { attempt, parallelism, newest });
        let reason = format!("the job goes on at parallelism {parallelism}");
        self.fail_current(now, attempt, &reason, outbox);
    }

    /// The job in the shape that the record says.
    pub(super) fn take_shape(&mut self) {
        self.job = self.job_in(self.ledger.record().revision);
    }

    fn job_in(&self, revision: Revision) -> Arc<Job> {
        if revision == Revision::default() {
            return Arc::clone(&self.declared);
        }
        let job = self.declared.in_revision(revision);
        Arc::new(job.expect("the revision was accepted when it was asked for"))
    }

    /// The version that runs, with so many subtasks.
    fn resized(&self, parallelism: u16) -> Result<Job, BuildError> {
        self.declared.in_revision(self.ledger.record().revision.resized(parallelism))
    }

    /// What the next attempt restores.
    pub(super) fn restore_plan(
        &self,
        latest: Option<&CompletedCheckpoint>,
    ) -> Result<RestorePlan, ProtocolError> {
        let subtasks = self.job.topology().subtasks.len();
        let Some(completed) = latest.filter(|latest| self.is_of_other_shape(latest)) else {
            return RestorePlan::new(latest, subtasks);
        };
        let before = self.job_of(completed);
        let (old, new) = (before.topology(), self.job.topology());
        let heirs = heirs(&self.job, &before, self.defects);
        let (ranges, left) = (&heirs.ranges[..], &heirs.left[..]);
        let succession = Succession { old, new: &heirs.topology, ranges, left };
        let plan = RestorePlan::rescaled(completed, succession, self.defects)?;
        let protocol = self.settings.checkpoints.protocol;
        Ok(if protocol.may_overtake() { plan.with_senders(completed, old, new) } else { plan })
    }

    /// The job in the shape in which this was taken.
    pub(super) fn job_of(&self, completed: &CompletedCheckpoint) -> Arc<Job> {
        self.job_in(self.revision_of(completed))
    }

    fn revision_of(&self, completed: &CompletedCheckpoint) -> Revision {
        self.ledger.record().shapes.revision_in(completed.attempt)
    }

    fn is_of_other_shape(&self, completed: &CompletedCheckpoint) -> bool {
        let revision = self.revision_of(completed);
        revision != self.ledger.record().revision
            && self.job_in(revision).topology() != self.job.topology()
    }

    /// What workers must know of the shape; nothing where the job runs as it was declared.
    pub(super) fn deployed_shape(
        &self,
        latest: Option<&CompletedCheckpoint>,
        plan: &RestorePlan,
    ) -> Option<Box<DeployedShape>> {
        let stretches = self.ledger.record().shapes.stretches();
        let Stretch { from: since, revision, .. } = *stretches.get(1..)?.last()?;
        let subtasks = || self.job.topology().subtask_ids();
        let former = subtasks().map(|sink| self.former_names(sink, since, &stretches)).collect();
        let other = latest.filter(|latest| self.is_of_other_shape(latest));
        let redistribution = other.map(|completed| Redistribution {
            revision: self.revision_of(completed),
            snapshots: subtasks().map(|subtask| plan.snapshots_of(subtask).to_vec()).collect(),
            senders: subtasks().map(|subtask| plan.senders_of(subtask).to_vec()).collect(),
        });
        Some(Box::new(DeployedShape { revision, since, former, redistribution }))
    }

    /// What this sink's transactions, and those that it takes over, were called before `since`.
    fn former_names(
        &self,
        sink: SubtaskId,
        since: Attempt,
        stretches: &[Stretch],
    ) -> Vec<FormerName> {
        if !self.job.topology().is_sink(sink) {
            return Vec::new();
        }
        let older = stretches.iter().filter(|stretch| stretch.from < since);
        older.flat_map(|stretch| self.names_in(sink, *stretch)).collect()
    }

    fn names_in(&self, sink: SubtaskId, stretch: Stretch) -> Vec<FormerName> {
        let topology = self.job.topology();
        let (own, operator) = (topology.subtasks[sink.index()], topology.operator_of(sink));
        let parallelism = operator.parallelism;
        let job = self.job_in(stretch.revision);
        let before = job.topology();
        let is_ours = |subtask: &SubtaskId| {
            let shape = before.subtasks[subtask.index()];
            let heir = if self.defects.has(Defect::VanishedSinkForgotten) {
                shape.index
            } else {
                successor(shape.index, parallelism)
            };
            before.operator_of(*subtask).uid() == operator.uid() && heir == own.index
        };
        let Stretch { from, until, .. } = stretch;
        let name = |sink| FormerName { sink, from, until };
        before.subtask_ids().filter(is_ours).map(name).collect()
    }
}
