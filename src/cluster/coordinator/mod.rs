//! The coordinator process: takes leadership, deploys, watches workers, restarts the job, and runs
//! the checkpoint coordinator.

mod checkpoints;
mod deployment;
mod discovery;
mod enumerator;
mod heirs;
mod leadership;
mod ledger;
mod leftovers;
mod metadata;
mod rescaling;
mod savepoint_file;
mod savepoints;
mod workers;

use std::sync::Arc;

use deployment::Deployment;
use enumerator::Enumerators;
use ledger::Ledger;
use workers::Workers;

use super::io::{CoordinatorWakeUp, Input, Outbox, Timer};
use super::message::{Answer, Message, ToCoordinator, ToWorker};
use super::requests::Requests;
use super::settings::ClusterSettings;
use crate::dataflow::Job;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::rescale::Rescaling;
use crate::protocol::{
    Attempt, CheckpointCoordinator, CheckpointId, CompletedCheckpoint, DefectSet, Incarnation,
    ObjectKey, ProcessId, RequestNumber, Resumption, VirtualTime,
};

/// What a request of the coordinator is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Read or write the job's record.
    Record,
    /// Read the metadata of a retained checkpoint.
    LoadMetadata(CheckpointId),
    /// Write the metadata of a checkpoint, or of a savepoint, under this key.
    WriteMetadata(ObjectKey),
    /// Read the savepoint that the job is to be resumed from, as this request says, as this.
    LoadSavepoint(RequestNumber, Resumption),
    /// Delete what belongs to nothing.
    Delete,
    /// See what there is.
    List,
    /// See which splits there are.
    Discover,
}

/// The coordinator process.
#[derive(Clone)]
pub struct Coordinator {
    settings: Arc<ClusterSettings>,
    /// The job as it was declared.
    declared: Arc<Job>,
    /// The job in the shape of the attempt, or of the next.
    job: Arc<Job>,
    rescaling: Rescaling,
    defects: DefectSet,
    incarnation: Incarnation,
    requests: Requests<Purpose>,
    ledger: Ledger,
    workers: Workers,
    /// Ids up to this one were used by predecessors, if at all.
    inherited: CheckpointId,
    /// What they left behind has been looked for.
    is_swept: bool,
    /// The attempt in which the job finished, until that is said.
    farewell: Option<Attempt>,
    /// Those of the sources that have one.
    enumerators: Enumerators,
    /// Whether it looks for splits, again and again.
    is_discovering: bool,
    state: State,
}

/// How far the coordinator has come.
#[derive(Clone)]
enum State {
    /// Reads the job's record, and makes its reign durable.
    TakingLeadership,
    /// Reads the metadata of the retained checkpoints: all of them, or it does not go on (FLINK-22502).
    Loading {
        /// Those that were not read yet.
        wanted: VecSet<CheckpointId>,
        /// Those that were read.
        loaded: VecMap<CheckpointId, CompletedCheckpoint>,
    },
    /// Knows all that is durable.
    Leading {
        /// The checkpoints of the job.
        checkpoints: Box<CheckpointCoordinator>,
        /// The attempt, or the way to the next.
        deployment: Deployment,
    },
    /// The job is stopped at a savepoint.
    Stopped,
    /// Nothing is left to do.
    Finished,
}

impl Coordinator {
    /// A coordinator that knows nothing.
    #[must_use]
    pub fn new(settings: Arc<ClusterSettings>, job: Arc<Job>, defects: DefectSet) -> Self {
        let retry = settings.request_retry(defects);
        let incarnation = Incarnation::default();
        Self {
            settings,
            declared: Arc::clone(&job),
            job,
            rescaling: Rescaling::Idle,
            defects,
            incarnation,
            requests: Requests::new(incarnation, retry),
            ledger: Ledger::default(),
            workers: Workers::default(),
            inherited: CheckpointId::default(),
            is_swept: false,
            enumerators: Enumerators::default(),
            is_discovering: false,
            farewell: None,
            state: State::TakingLeadership,
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: VirtualTime, input: Input, outbox: &mut dyn Outbox) {
        match input {
            Input::Start(incarnation) => self.start(now, incarnation, outbox),
            Input::Message { from, message } => self.handle_message(now, from, message, outbox),
            Input::Timer(timer) => self.handle_timer(now, timer, outbox),
            Input::Rescale(request) => self.handle_rescale(now, request, outbox),
            Input::Trouble(_) | Input::ConnectionLost { .. } => {}
        }
        self.carry_out_checkpoints(now, outbox);
        self.say_farewell(outbox);
    }

    fn start(&mut self, now: VirtualTime, incarnation: Incarnation, outbox: &mut dyn Outbox) {
        self.incarnation = incarnation;
        let retry = self.settings.request_retry(self.defects);
        self.requests = Requests::new(incarnation, retry);
        self.read_record(now, outbox);
        self.watch_workers(outbox);
    }

    fn handle_message(
        &mut self,
        now: VirtualTime,
        from: ProcessId,
        message: Message,
        outbox: &mut dyn Outbox,
    ) {
        match message {
            Message::Coordinator(message) => self.handle_own(now, from, message, outbox),
            Message::Answer(answer) => self.handle_answer(now, answer, outbox),
            Message::Worker(_)
            | Message::ObjectStore { .. }
            | Message::MetaStore { .. }
            | Message::SourceLog(_)
            | Message::SinkTarget(_) => {}
        }
    }

    fn handle_own(
        &mut self,
        now: VirtualTime,
        from: ProcessId,
        message: ToCoordinator,
        outbox: &mut dyn Outbox,
    ) {
        match message {
            ToCoordinator::Heartbeat(sign) => {
                let term = self.ledger.record().term;
                outbox.send(from, Message::Worker(ToWorker::HeartbeatSeen { term }));
                self.handle_sign(now, from, sign, outbox);
            }
            ToCoordinator::Ready(sign) => {
                if self.handle_sign(now, from, sign, outbox) {
                    self.handle_ready(from, sign, outbox);
                }
            }
            ToCoordinator::Running(sign) => {
                if self.handle_sign(now, from, sign, outbox) {
                    self.handle_running(now, from, sign, outbox);
                }
            }
            ToCoordinator::Ended(sign) => {
                if self.handle_sign(now, from, sign, outbox) {
                    self.handle_ended(now, from, sign);
                }
            }
            ToCoordinator::Finished(sign) => {
                if self.handle_sign(now, from, sign, outbox) {
                    self.handle_finished(from, sign, outbox);
                }
            }
            ToCoordinator::Request { number, request } => {
                self.handle_request(now, number, request, outbox);
            }
            ToCoordinator::SubtaskFailed { attempt, subtask, reason } => {
                let name = self.job.topology().name(subtask);
                self.fail_current(now, attempt, &format!("{name}: {reason}"), outbox);
            }
            ToCoordinator::Acknowledge(acknowledgement) => {
                if let Some(checkpoints) = self.checkpoints() {
                    checkpoints.handle_acknowledge(now, *acknowledgement);
                }
            }
            ToCoordinator::Decline { attempt, checkpoint, reason, subtask: _ } => {
                if let Some(checkpoints) = self.checkpoints() {
                    checkpoints.handle_decline(now, attempt, checkpoint, reason);
                }
            }
            ToCoordinator::RequestSplit { attempt, subtask, taken } => {
                self.handle_split_request(attempt, subtask, taken, outbox);
            }
            ToCoordinator::SplitTaken { attempt, subtask, taken } => {
                self.handle_split_taken(attempt, subtask, taken, outbox);
            }
        }
    }

    fn handle_answer(&mut self, now: VirtualTime, answer: Answer, outbox: &mut dyn Outbox) {
        match answer {
            Answer::SplitsListed { request, listing } => {
                self.handle_splits_listed(request, &listing, outbox);
            }
            Answer::Meta { request, written, version, record } => {
                let purpose = self.requests.answered(request);
                if purpose == Some(Purpose::Record) {
                    self.handle_record(now, written, version, record, outbox);
                }
            }
            Answer::Object { request, result } => {
                self.handle_object_answer(now, request, result, outbox);
            }
            Answer::Fetched(_) | Answer::Sink { .. } | Answer::System { .. } => {}
        }
    }

    fn handle_timer(&mut self, now: VirtualTime, timer: Timer, outbox: &mut dyn Outbox) {
        match timer {
            Timer::Retry => self.requests.handle_retry(now, outbox),
            Timer::Coordinator(CoordinatorWakeUp::CheckWorkers) => self.check_workers(now, outbox),
            Timer::Coordinator(CoordinatorWakeUp::Restart) => self.handle_restart_due(now, outbox),
            Timer::Coordinator(CoordinatorWakeUp::Checkpoint(timer)) => {
                if let Some(checkpoints) = self.checkpoints() {
                    checkpoints.handle_timer(now, timer);
                }
            }
            Timer::Coordinator(CoordinatorWakeUp::Enumerate(barrier)) => {
                self.handle_enumerate(now, barrier, outbox);
            }
            Timer::Coordinator(CoordinatorWakeUp::Discover) => {
                self.handle_discovery_due(now, outbox);
            }
            Timer::Heartbeat
            | Timer::Task { .. }
            | Timer::Split(_)
            | Timer::Serve(_)
            | Timer::System(_)
            | Timer::HeldBack(_) => {}
        }
    }

    fn checkpoints(&mut self) -> Option<&mut CheckpointCoordinator> {
        match &mut self.state {
            State::Leading { checkpoints, .. } => Some(checkpoints),
            State::TakingLeadership | State::Loading { .. } | State::Stopped | State::Finished => {
                None
            }
        }
    }

    fn deployment(&mut self) -> Option<&mut Deployment> {
        match &mut self.state {
            State::Leading { deployment, .. } => Some(deployment),
            State::TakingLeadership | State::Loading { .. } | State::Stopped | State::Finished => {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
