//! Attempts: placing subtasks on workers, starting them, noticing that they failed, starting again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::super::io::{CoordinatorWakeUp, Outbox, Timer};
use super::super::message::{Deploy, Heartbeat, Message, ToWorker};
use super::ledger::Change;
use super::workers::News;
use super::{Coordinator, State};
use crate::protocol::ordered::VecSet;
use crate::protocol::{
    Attempt, CheckpointId, CompletedCheckpoint, Defect, ProcessId, SnapshotHandle, VirtualTime,
};
use crate::trace::{Event, SILENCE};

/// The attempt, or the way to the next.
#[derive(Clone, Debug)]
pub enum Deployment {
    /// For enough workers, and first for the restart delay.
    Waiting { delayed: bool },
    /// The attempt's number is being made durable.
    Starting,
    /// Workers restore their subtasks.
    Deploying { deploy: Arc<Deploy>, ready: VecSet<u16> },
    /// All are ready; workers are told to run.
    Launching { deploy: Arc<Deploy>, running: VecSet<u16> },
    /// All run; all input has ended at these workers.
    Running { deploy: Arc<Deploy>, ended: VecSet<u16> },
    /// The savepoint that the job stops at is there; these workers have committed and finished.
    Stopping { deploy: Arc<Deploy>, checkpoint: CheckpointId, finished: VecSet<u16> },
}

impl Deployment {
    /// What is deployed, if anything.
    pub fn deploy(&self) -> Option<&Arc<Deploy>> {
        match self {
            Deployment::Waiting { .. } | Deployment::Starting => None,
            Deployment::Deploying { deploy, .. }
            | Deployment::Launching { deploy, .. }
            | Deployment::Running { deploy, .. }
            | Deployment::Stopping { deploy, .. } => Some(deploy),
        }
    }
}

/// The workers that host something.
pub(super) fn hosts(deploy: &Deploy) -> VecSet<u16> {
    deploy.placement.iter().copied().collect()
}

impl Coordinator {
    pub(super) fn watch_workers(&self, outbox: &mut dyn Outbox) {
        outbox.set_timer(
            Duration::from_millis(self.settings.heartbeat_ms),
            Timer::Coordinator(CoordinatorWakeUp::CheckWorkers),
        );
    }

    /// Looks who is silent, and repeats what may have been lost.
    pub(super) fn check_workers(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        let mut timeout = Duration::from_millis(self.settings.heartbeat_timeout_ms);
        if self.defects.has(Defect::ImpatientDetector) {
            timeout /= 10;
        }
        for worker in self.workers.forget_silent(now, timeout) {
            self.fail_if_hosting(now, worker, SILENCE, outbox);
        }
        self.repeat_deployment(outbox);
        self.repeat_split_events(now, outbox);
        if !matches!(self.state, State::Finished) {
            self.watch_workers(outbox);
        }
    }

    /// A worker that is back with empty memory, or runs something else, has lost its subtasks. Whether
    /// the sign is the newest: one of an older life says nothing about the worker any more.
    pub(super) fn handle_sign(
        &mut self,
        now: VirtualTime,
        from: ProcessId,
        sign: Heartbeat,
        outbox: &mut dyn Outbox,
    ) -> bool {
        let ProcessId::Worker(worker) = from else { return false };
        match self.workers.handle_sign(now, worker, sign) {
            News::Stale => return false,
            News::Started => self.fail_if_hosting(now, worker, "was restarted", outbox),
            News::Alive(attempt) => {
                if self.must_run(worker).is_some_and(|expected| attempt != Some(expected)) {
                    self.fail_if_hosting(now, worker, "has given its subtasks up", outbox);
                }
            }
        }
        self.start_when_possible(now, outbox);
        true
    }

    /// The attempt that `worker` has said it holds, and must not have lost since.
    fn must_run(&mut self, worker: u16) -> Option<Attempt> {
        match self.deployment()? {
            Deployment::Waiting { .. } | Deployment::Starting => None,
            Deployment::Deploying { deploy, ready } => {
                ready.contains(&worker).then_some(deploy.attempt)
            }
            Deployment::Launching { deploy, .. }
            | Deployment::Running { deploy, .. }
            | Deployment::Stopping { deploy, .. } => {
                hosts(deploy).contains(&worker).then_some(deploy.attempt)
            }
        }
    }

    fn fail_if_hosting(
        &mut self,
        now: VirtualTime,
        worker: u16,
        what: &str,
        outbox: &mut dyn Outbox,
    ) {
        let Some(deploy) = self.deployment().and_then(|deployment| deployment.deploy()) else {
            return;
        };
        if hosts(deploy).contains(&worker) {
            let attempt = deploy.attempt;
            let name = ProcessId::Worker(worker);
            self.fail_current(now, attempt, &format!("{name} {what}"), outbox);
        }
    }

    pub(super) fn handle_restart_due(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        if let Some(Deployment::Waiting { delayed }) = self.deployment() {
            *delayed = false;
        }
        self.start_when_possible(now, outbox);
    }

    /// Begins the next attempt once the delay is over, the workers suffice, and no checkpoint is on
    /// its way into the store (whether it arrives decides what to restore).
    pub(super) fn start_when_possible(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        if self.may_start()
            && self.placement().is_some()
            && let Some(deployment) = self.deployment()
        {
            *deployment = Deployment::Starting;
            let attempt = self.ledger.record().attempt.next();
            self.change(now, Change::StartAttempt(attempt), outbox);
        }
    }

    fn may_start(&self) -> bool {
        match &self.state {
            State::Leading { checkpoints, deployment: Deployment::Waiting { delayed: false } } => {
                !checkpoints.is_adding()
            }
            State::Leading { .. }
            | State::TakingLeadership
            | State::Loading { .. }
            | State::Stopped
            | State::Finished => false,
        }
    }

    /// Spreads the subtasks over the workers that live; none when their slots do not suffice.
    fn placement(&self) -> Option<Vec<u16>> {
        let subtasks = self.job.topology().subtasks.len();
        let mut alive: Vec<u16> = self.workers.alive().collect();
        if alive.is_empty() || subtasks > alive.len() * usize::from(self.settings.slots) {
            return None;
        }
        if self.defects.has(Defect::StateLeaksBetweenRuns) {
            let turn = LEAKED.fetch_add(1, Ordering::Relaxed) as usize % alive.len();
            alive.rotate_left(turn);
        }
        Some((0..subtasks).map(|subtask| alive[subtask % alive.len()]).collect())
    }

    /// The attempt's number is durable: from here on, what older attempts say does not count.
    pub(super) fn deploy(&mut self, now: VirtualTime, attempt: Attempt, outbox: &mut dyn Outbox) {
        let placement = self.placement();
        let term = self.ledger.record().term;
        let State::Leading { checkpoints, deployment } = &mut self.state else { return };
        let Some(placement) = placement else {
            *deployment = Deployment::Waiting { delayed: false };
            return;
        };
        let latest = checkpoints.latest().cloned();
        let deploy = self.deploy_of(attempt, placement, latest.as_ref());
        let restored = deploy.checkpoint;
        if deploy.shape.is_some() {
            let topology = Box::new(self.job.topology().clone());
            outbox.event(Event::Reshaped { attempt, term, topology });
        }
        if let Some(deployment) = self.deployment() {
            let (deploy, ready) = (Arc::new(deploy), VecSet::new());
            *deployment = Deployment::Deploying { deploy, ready };
        }
        outbox.event(Event::AttemptStarted { attempt, term, restored });
        self.restart_enumerators(now, restored, outbox);
        self.repeat_deployment(outbox);
        self.look_for_leftovers(now, outbox);
        self.start_when_possible(now, outbox);
    }

    fn deploy_of(
        &self,
        attempt: Attempt,
        placement: Vec<u16>,
        latest: Option<&CompletedCheckpoint>,
    ) -> Deploy {
        let plan =
            self.restore_plan(latest).expect("a checkpoint of this job has one of its shapes");
        let shape = self.deployed_shape(latest, &plan);
        let is_divided = shape.as_ref().is_some_and(|shape| shape.redistribution.is_some());
        let subtasks = self.job.topology().subtask_ids();
        let snapshots = subtasks.filter_map(|id| plan.snapshot_of(id).filter(|_| !is_divided));
        let (term, checkpoint) = (self.ledger.record().term, plan.checkpoint());
        let snapshots: Vec<_> = snapshots.collect();
        let unions = self.unions(&snapshots);
        Deploy { attempt, term, checkpoint, placement, snapshots, unions, shape }
    }

    /// By subtask, what of these it reads because of a union list (Flink: `UNION` is united at every restore).
    fn unions(&self, snapshots: &[SnapshotHandle]) -> Vec<Vec<SnapshotHandle>> {
        if snapshots.is_empty() || !self.job.has_union_list() {
            return Vec::new();
        }
        let subtasks = self.job.topology().subtask_ids();
        let read = |subtask| {
            let united = self.job.united_with(subtask);
            united.into_iter().filter_map(|peer| snapshots.get(peer.index()).copied()).collect()
        };
        subtasks.map(read).collect()
    }

    /// Tells those that have not answered, again.
    pub(super) fn repeat_deployment(&mut self, outbox: &mut dyn Outbox) {
        let State::Leading { deployment, .. } = &self.state else { return };
        match deployment {
            Deployment::Waiting { .. } | Deployment::Starting | Deployment::Running { .. } => {}
            Deployment::Deploying { deploy, ready } => {
                for worker in hosts(deploy).difference(ready) {
                    if let Some(to) = self.workers.incarnation(*worker) {
                        let message =
                            Message::Worker(ToWorker::Deploy { to, deploy: Arc::clone(deploy) });
                        outbox.send(ProcessId::Worker(*worker), message);
                    }
                }
            }
            Deployment::Stopping { deploy, checkpoint, finished } => {
                for worker in hosts(deploy).difference(finished) {
                    let (attempt, checkpoint) = (deploy.attempt, *checkpoint);
                    let message = Message::Worker(ToWorker::Stop { attempt, checkpoint });
                    outbox.send(ProcessId::Worker(*worker), message);
                }
            }
            Deployment::Launching { deploy, running } => {
                for worker in hosts(deploy).difference(running) {
                    let message = Message::Worker(ToWorker::Run { attempt: deploy.attempt });
                    outbox.send(ProcessId::Worker(*worker), message);
                }
            }
        }
    }

    pub(super) fn handle_ready(
        &mut self,
        from: ProcessId,
        sign: Heartbeat,
        outbox: &mut dyn Outbox,
    ) {
        let ProcessId::Worker(worker) = from else { return };
        let Some(deployment) = self.deployment() else { return };
        let Deployment::Deploying { deploy, ready } = deployment else { return };
        if sign.attempt != Some(deploy.attempt) {
            return;
        }
        ready.insert(worker);
        if ready.is_superset(&hosts(deploy)) {
            let deploy = Arc::clone(deploy);
            *deployment = Deployment::Launching { deploy, running: VecSet::new() };
            self.repeat_deployment(outbox);
        }
    }

    pub(super) fn handle_running(
        &mut self,
        now: VirtualTime,
        from: ProcessId,
        sign: Heartbeat,
        outbox: &mut dyn Outbox,
    ) {
        let ProcessId::Worker(worker) = from else { return };
        let State::Leading { checkpoints, deployment } = &mut self.state else { return };
        let Deployment::Launching { deploy, running } = deployment else { return };
        let attempt = deploy.attempt;
        if sign.attempt != Some(attempt) {
            return;
        }
        running.insert(worker);
        if running.is_superset(&hosts(deploy)) {
            let (deploy, ended) = (Arc::clone(deploy), VecSet::new());
            *deployment = Deployment::Running { deploy, ended };
            outbox.event(Event::AttemptRunning { attempt });
            let subtasks = self.job.topology().subtask_ids().collect();
            checkpoints.start_attempt(now, attempt, subtasks);
            self.begin_rescale(now, outbox);
        }
    }

    /// All input has ended at this worker. Where it has at all of them nothing but a checkpoint is left to
    /// wait for, and so it is not waited for (FLINK-28386). One that fails, or leaves something to commit,
    /// is followed by another when the workers say this again.
    pub(super) fn handle_ended(&mut self, now: VirtualTime, from: ProcessId, sign: Heartbeat) {
        let ProcessId::Worker(worker) = from else { return };
        let State::Leading { checkpoints, deployment: Deployment::Running { deploy, ended } } =
            &mut self.state
        else {
            return;
        };
        if sign.attempt != Some(deploy.attempt) || self.defects.has(Defect::FinalCheckpointAwaited)
        {
            return;
        }
        let is_news = ended.insert(worker);
        if ended.is_superset(&hosts(deploy)) && (is_news || !checkpoints.is_busy()) {
            checkpoints.request(now);
        }
    }

    /// The attempt is over, if it is still the current one: everything restarts from the latest
    /// completed checkpoint.
    pub(super) fn fail_current(
        &mut self,
        now: VirtualTime,
        attempt: Attempt,
        reason: &str,
        outbox: &mut dyn Outbox,
    ) {
        let State::Leading { checkpoints, deployment } = &mut self.state else { return };
        let Some(deploy) = deployment.deploy().filter(|deploy| deploy.attempt == attempt) else {
            return;
        };
        if let Deployment::Stopping { checkpoint, .. } = deployment {
            let checkpoint = *checkpoint;
            return self.stopped(checkpoint, false, outbox);
        }
        outbox.event(Event::AttemptFailed { attempt, reason: reason.to_owned() });
        for worker in hosts(deploy) {
            outbox.send(ProcessId::Worker(worker), Message::Worker(ToWorker::Cancel { attempt }));
        }
        let given_up = self.defects.has(Defect::AddingGivenUp).then(|| checkpoints.adding());
        checkpoints.stop_attempt(now);
        self.rescaling.handle_attempt_ended();
        *deployment = Deployment::Waiting { delayed: true };
        let delay = Duration::from_millis(self.settings.restart_delay_ms);
        outbox.set_timer(delay, Timer::Coordinator(CoordinatorWakeUp::Restart));
        for handle in given_up.flatten().into_iter().flatten() {
            self.delete(now, handle.key, outbox);
        }
    }
}

/// What [`Defect::StateLeaksBetweenRuns`] leaks: the one thing here that outlives a run.
static LEAKED: AtomicU64 = AtomicU64::new(0);
