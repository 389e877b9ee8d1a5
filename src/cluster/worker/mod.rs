//! A worker: hosts tasks, speaks for them to the coordinator, keeps their requests alive.

mod answers;
mod signs;
mod timers;

use std::sync::Arc;
use std::time::Duration;

use super::io::{Input, Outbox};
use super::message::{Deploy, Message, ToCoordinator, ToWorker};
use super::requests::Requests;
use super::settings::ClusterSettings;
use super::task::{Env, Purpose, Task};
use crate::dataflow::Job;
use crate::protocol::{
    Attempt, ChannelId, ChannelShape, CheckpointId, Defect, DefectSet, Incarnation, ProcessId,
    Revision, SubtaskId, VirtualTime,
};
use crate::trace::{Event, SILENCE};

/// A worker process.
#[derive(Clone)]
pub struct Worker {
    index: u16,
    settings: Arc<ClusterSettings>,
    /// The job as it was declared.
    declared: Arc<Job>,
    /// The job in the shape of what is deployed here.
    job: Arc<Job>,
    defects: DefectSet,
    incarnation: Incarnation,
    /// How many signs of life were sent.
    sequence: u64,
    /// When the coordinator was last heard of.
    coordinator_heard: VirtualTime,
    requests: Requests<Purpose>,
    execution: Option<Execution>,
    /// The newest attempt that was deployed or cancelled here. A copy of its deployment that comes late
    /// must not run it a second time: two executions would bear one name.
    newest: Attempt,
    /// The newest attempt that was given up here, and why: its deployment is refused from then on.
    refused: Option<Refusal>,
}

/// The tasks of one attempt.
#[derive(Clone)]
struct Execution {
    attempt: Attempt,
    deploy: Arc<Deploy>,
    /// By subtask; none where another worker hosts it.
    tasks: Vec<Option<Box<Task>>>,
    /// Whether the coordinator knows that all tasks are ready.
    reported_ready: bool,
    /// Whether it knows that all have finished.
    reported_finished: bool,
    /// Whether the coordinator was told that all input of all tasks has ended, and whether everything was
    /// committed then.
    reported_ended: Option<bool>,
}

#[derive(Clone, Debug)]
struct Refusal {
    attempt: Attempt,
    subtask: SubtaskId,
    reason: String,
}

impl Execution {
    fn tasks(&mut self) -> impl Iterator<Item = &mut Box<Task>> {
        self.tasks.iter_mut().flatten()
    }

    fn is_ready(&self) -> bool {
        self.tasks.iter().flatten().all(|task| task.is_ready())
    }
}

impl Worker {
    /// A worker that hosts nothing.
    #[must_use]
    pub fn new(
        index: u16,
        settings: Arc<ClusterSettings>,
        job: Arc<Job>,
        defects: DefectSet,
    ) -> Self {
        let retry = settings.request_retry(defects);
        let incarnation = Incarnation::default();
        Self {
            index,
            settings,
            declared: Arc::clone(&job),
            job,
            defects,
            incarnation,
            sequence: 0,
            coordinator_heard: VirtualTime::ZERO,
            requests: Requests::new(incarnation, retry),
            execution: None,
            newest: Attempt::default(),
            refused: None,
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: VirtualTime, input: Input, outbox: &mut dyn Outbox) {
        match input {
            Input::Start(incarnation) => self.start(now, incarnation, outbox),
            Input::Message { message, .. } => self.handle_message(now, message, outbox),
            Input::Timer(timer) => self.handle_timer(now, timer, outbox),
            Input::ConnectionLost { peer } => self.handle_connection_lost(peer, outbox),
            Input::Rescale(_) | Input::Trouble(_) => {}
        }
    }

    /// What was under way may be gone: an attempt that depends on it cannot go on (Flink:
    /// `RemoteTransportException`). Requests are sent again anyway.
    fn handle_connection_lost(&mut self, peer: ProcessId, outbox: &mut dyn Outbox) {
        let Some(execution) = &self.execution else { return };
        let attempt = execution.attempt;
        let mut tasks = execution.tasks.iter().flatten();
        let cut_off = tasks.find(|task| task.depends_on(peer)).map(|task| task.id());
        if let Some(subtask) = cut_off {
            self.refuse(attempt, subtask, format!("the connection to {peer} was lost"), outbox);
        }
    }

    /// Which worker it is.
    #[must_use]
    pub fn index(&self) -> u16 {
        self.index
    }

    fn start(&mut self, now: VirtualTime, incarnation: Incarnation, outbox: &mut dyn Outbox) {
        let retry = self.settings.request_retry(self.defects);
        self.incarnation = incarnation;
        self.requests = Requests::new(incarnation, retry);
        self.coordinator_heard = now;
        self.beat(outbox);
    }

    fn handle_message(&mut self, now: VirtualTime, message: Message, outbox: &mut dyn Outbox) {
        match message {
            Message::Worker(message) => self.handle_own(now, message, outbox),
            Message::Answer(answer) => self.handle_answer(now, answer, outbox),
            Message::Coordinator(_)
            | Message::ObjectStore { .. }
            | Message::MetaStore { .. }
            | Message::SourceLog(_)
            | Message::SinkTarget(_) => {}
        }
    }

    fn handle_own(&mut self, now: VirtualTime, message: ToWorker, outbox: &mut dyn Outbox) {
        match message {
            ToWorker::Data { attempt, channel, sequence, element } => {
                let Some(ChannelShape { to, .. }) = self.ends_of(channel) else { return };
                self.with_task(now, attempt, to, outbox, |task, env| {
                    task.handle_element((channel, sequence), element, env)
                });
            }
            ToWorker::Tally { attempt, channel, elements } => {
                let Some(ChannelShape { to, .. }) = self.ends_of(channel) else { return };
                self.with_task(now, attempt, to, outbox, |task, _| {
                    task.handle_tally(channel, elements)
                });
            }
            ToWorker::Credit { attempt, channel, credits } => {
                self.handle_credit(now, attempt, channel, credits, outbox);
            }
            ToWorker::HeartbeatSeen { .. } => self.coordinator_heard = now,
            ToWorker::Deploy { to, deploy } => {
                if to == self.incarnation {
                    self.handle_deploy(now, deploy, outbox);
                }
            }
            ToWorker::Run { attempt } => self.handle_run(now, attempt, outbox),
            ToWorker::Cancel { attempt } => self.handle_cancel(attempt),
            ToWorker::Trigger { attempt, barrier } => {
                self.for_each_task(now, attempt, outbox, |task, env| {
                    task.handle_trigger(barrier, env);
                });
            }
            ToWorker::Stop { attempt, checkpoint } => {
                self.for_each_task(now, attempt, outbox, |task, env| {
                    task.handle_stopped(checkpoint, env);
                });
                self.report_finished(true, outbox);
            }
            ToWorker::TellReader { attempt, subtask, number, event } => {
                self.with_task(now, attempt, subtask, outbox, |task, env| {
                    task.handle_split_event(number, event, env);
                    Ok(())
                });
            }
            ToWorker::NotifyComplete { attempt, checkpoint } => {
                self.handle_notify_complete(now, attempt, checkpoint, outbox);
            }
            ToWorker::LoopsOver { attempt, over } => {
                self.for_each_task(now, attempt, outbox, |task, env| {
                    task.handle_loops_over(&over, env);
                });
            }
            ToWorker::NotifyAborted { attempt, checkpoint } => {
                self.for_each_task(now, attempt, outbox, |task, env| {
                    task.handle_aborted(checkpoint, env);
                });
            }
        }
    }

    /// Hands something to a task of the current attempt; a task that cannot go on ends the attempt here.
    fn with_task(
        &mut self,
        now: VirtualTime,
        attempt: Attempt,
        subtask: SubtaskId,
        outbox: &mut dyn Outbox,
        action: impl FnOnce(&mut Task, &mut Env<'_>) -> Result<(), String>,
    ) {
        let Some(execution) = &mut self.execution else { return };
        if execution.attempt != attempt {
            return;
        }
        let Some(Some(task)) = execution.tasks.get_mut(subtask.index()) else { return };
        let (settings, requests) = (&self.settings, &mut self.requests);
        let mut env = Env { now, settings, requests, outbox };
        match action(task, &mut env).and_then(|()| task.health()) {
            Ok(()) => self.report_ended(false, outbox),
            Err(reason) => self.refuse(attempt, subtask, reason, outbox),
        }
    }

    fn for_each_task(
        &mut self,
        now: VirtualTime,
        attempt: Attempt,
        outbox: &mut dyn Outbox,
        mut action: impl FnMut(&mut Task, &mut Env<'_>),
    ) {
        let Some(execution) = &mut self.execution else { return };
        if execution.attempt != attempt {
            return;
        }
        let (settings, requests) = (&self.settings, &mut self.requests);
        let mut env = Env { now, settings, requests, outbox };
        let mut failure = None;
        for task in execution.tasks() {
            action(task, &mut env);
            let problem = task.health().err().map(|reason| (task.id(), reason));
            failure = failure.or(problem);
        }
        match failure {
            None => self.report_ended(false, outbox),
            Some((subtask, reason)) => self.refuse(attempt, subtask, reason, outbox),
        }
    }

    /// A channel of the current shape; another shape's may not exist in it.
    fn ends_of(&self, channel: ChannelId) -> Option<ChannelShape> {
        self.job.topology().channels.get(channel.index()).copied()
    }

    fn handle_credit(
        &mut self,
        now: VirtualTime,
        attempt: Attempt,
        channel: ChannelId,
        credits: u32,
        outbox: &mut dyn Outbox,
    ) {
        let Some(ChannelShape { from, .. }) = self.ends_of(channel) else { return };
        self.with_task(now, attempt, from, outbox, |task, env| {
            task.handle_credit(channel, credits, env);
            Ok(())
        });
    }

    /// A notification counts for the attempt that it was sent to, and for no other.
    fn handle_notify_complete(
        &mut self,
        now: VirtualTime,
        sent_to: Attempt,
        checkpoint: CheckpointId,
        outbox: &mut dyn Outbox,
    ) {
        let Some(current) = self.execution.as_ref().map(|execution| execution.attempt) else {
            return;
        };
        if sent_to == current || self.defects.has(Defect::NotificationCrossesRestart) {
            self.for_each_task(now, current, outbox, |task, env| {
                task.handle_completed(checkpoint, sent_to, env);
            });
        }
    }

    /// A repeated deployment is answered with what is already known of it.
    fn handle_deploy(&mut self, now: VirtualTime, deploy: Arc<Deploy>, outbox: &mut dyn Outbox) {
        self.coordinator_heard = now;
        if let Some(refusal) = &self.refused
            && deploy.attempt <= refusal.attempt
        {
            outbox.send(ProcessId::Coordinator, refusal.message());
            return;
        }
        if deploy.attempt > self.newest {
            self.deploy(now, deploy, outbox);
        }
        self.report_ready(true, outbox);
    }

    fn deploy(&mut self, now: VirtualTime, deploy: Arc<Deploy>, outbox: &mut dyn Outbox) {
        self.drop_execution();
        self.newest = deploy.attempt;
        self.take_shape(&deploy);
        let here = self.index;
        let task = |subtask: SubtaskId| {
            let local = deploy.placement.get(subtask.index()) == Some(&here);
            local.then(|| {
                let (job, placement) = (&self.job, &deploy.placement);
                let place = (deploy.attempt, placement.as_slice());
                Box::new(Task::new(job, subtask, place, &self.settings, self.defects))
            })
        };
        let tasks = self.job.topology().subtask_ids().map(task).collect();
        let mut execution = Execution {
            attempt: deploy.attempt,
            deploy: Arc::clone(&deploy),
            tasks,
            reported_ready: false,
            reported_finished: false,
            reported_ended: None,
        };
        let (settings, requests) = (&self.settings, &mut self.requests);
        let mut env = Env { now, settings, requests, outbox };
        for task in execution.tasks() {
            task.begin_restore(&deploy, &mut env);
        }
        self.execution = Some(execution);
    }

    /// The shape was accepted by the coordinator, which has the same job.
    fn take_shape(&mut self, deploy: &Deploy) {
        let revision = deploy.shape.as_ref().map(|shape| shape.revision);
        self.job = self.job_in(revision.unwrap_or_default());
    }

    fn job_in(&self, revision: Revision) -> Arc<Job> {
        if revision == Revision::default() {
            return Arc::clone(&self.declared);
        }
        let job = self.declared.in_revision(revision);
        Arc::new(job.expect("the coordinator has accepted the revision"))
    }

    fn handle_run(&mut self, now: VirtualTime, attempt: Attempt, outbox: &mut dyn Outbox) {
        self.for_each_task(now, attempt, outbox, |task, env| task.start(env));
        if self.execution.as_ref().is_some_and(|execution| execution.attempt == attempt) {
            let sign = self.sign_of_life();
            outbox.send(ProcessId::Coordinator, Message::Coordinator(ToCoordinator::Running(sign)));
        }
    }

    fn handle_cancel(&mut self, attempt: Attempt) {
        self.newest = self.newest.max(attempt);
        if self.execution.as_ref().is_some_and(|execution| execution.attempt <= attempt) {
            self.drop_execution();
        }
    }

    /// What the dead attempt asked for is no longer asked for; what it asked already may still be done.
    fn drop_execution(&mut self) {
        self.execution = None;
        self.requests.retain(|purpose| *purpose == Purpose::Delete);
    }

    fn refuse(
        &mut self,
        attempt: Attempt,
        subtask: SubtaskId,
        reason: String,
        outbox: &mut dyn Outbox,
    ) {
        outbox.event(Event::SubtaskFailed { subtask, attempt, reason: reason.clone() });
        let refusal = Refusal { attempt, subtask, reason };
        outbox.send(ProcessId::Coordinator, refusal.message());
        self.refused = Some(refusal);
        self.drop_execution();
    }

    fn with_current(
        &mut self,
        now: VirtualTime,
        subtask: SubtaskId,
        outbox: &mut dyn Outbox,
        action: impl FnOnce(&mut Task, &mut Env<'_>) -> Result<(), String>,
    ) {
        if let Some(attempt) = self.execution.as_ref().map(|execution| execution.attempt) {
            self.with_task(now, attempt, subtask, outbox, action);
        }
    }

    /// A worker that the coordinator may have given up gives its tasks up, so that no two attempts
    /// go on side by side for long (Flink: the task manager's heartbeat timeout).
    fn handle_heartbeat_due(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        // A clock that was set back must not hide a silence until it has caught up.
        self.coordinator_heard = self.coordinator_heard.min(now);
        let silence = now - self.coordinator_heard;
        if silence > Duration::from_millis(self.settings.session_timeout_ms)
            && let Some(execution) = &self.execution
        {
            let attempt = execution.attempt;
            let first = execution.tasks.iter().flatten().next().map(|task| task.id());
            if let Some(subtask) = first {
                let reason = format!("the coordinator {SILENCE}");
                self.refuse(attempt, subtask, reason, outbox);
            }
        }
        let here = ProcessId::Worker(self.index);
        for task in self.execution.iter_mut().flat_map(Execution::tasks) {
            task.tell_tallies(here, outbox);
            task.ask_again(outbox);
        }
        self.report_ended(true, outbox);
        self.beat(outbox);
    }
}

impl Refusal {
    fn message(&self) -> Message {
        let Refusal { attempt, subtask, reason } = self.clone();
        Message::Coordinator(ToCoordinator::SubtaskFailed { attempt, subtask, reason })
    }
}
