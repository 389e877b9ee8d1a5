//! A task: one subtask in one attempt on one worker, its network side and its task side.

mod asking;
mod assignment;
mod channel_state;
mod checkpoints;
mod commit;
mod dividing;
mod input_channel;
mod output_channel;
mod outputs;
mod outside;
mod processing_time;
mod reading;
mod restoring;
mod side;
mod snapshot;
mod source;
mod time;
mod timers;

use commit::SinkWriter;
use input_channel::InputChannel;
use output_channel::OutputChannel;
use outputs::OutputSide;
use processing_time::Wake;
use restoring::Read;
pub use restoring::Shapes;
use side::{InputSide, Side};
use snapshot::Snapshotting;
pub use snapshot::StoredSnapshot;
use source::{Fetcher, SourceReader};

use std::sync::Arc;

use super::buffers::Parcel;
use super::io::{Outbox, TaskTimer};
use super::message::Fetched;
use super::requests::Requests;
use super::settings::ClusterSettings;
use crate::dataflow::{Item, Job, Outputs, Subtask};
use crate::protocol::ordered::VecMap;
use crate::protocol::{
    Attempt, Barrier, ChannelId, CheckpointId, Defect, DefectSet, Element, LoopPlace, OperatorRole,
    ProcessId, SplitId, SubtaskId, SubtaskOutput, SubtaskProtocol, TransactionId, VirtualTime,
};
use crate::trace::{Event, SplitPosition};

/// What a request of a worker is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are named after the ids they hold")]
pub enum Purpose {
    /// Read a snapshot that a subtask starts from, one of several after a rescale.
    Restore { subtask: SubtaskId, part: u16 },
    /// Fence older producers.
    Fence { subtask: SubtaskId },
    /// Write a snapshot.
    Upload { subtask: SubtaskId, checkpoint: CheckpointId },
    /// Prepare (or flush) what was written before a barrier.
    PreCommit { subtask: SubtaskId, checkpoint: CheckpointId },
    /// Commit.
    Commit { subtask: SubtaskId, transaction: TransactionId },
    /// Read entries.
    Fetch { subtask: SubtaskId, split: SplitId },
    /// What a sink asked of its system.
    Outside { subtask: SubtaskId, number: u64 },
    /// Delete a snapshot that belongs to nothing.
    Delete,
}

/// What a task works with beside its own memory.
pub struct Env<'a> {
    /// Now.
    pub now: VirtualTime,
    /// The settings.
    pub settings: &'a ClusterSettings,
    /// The worker's unanswered requests.
    pub requests: &'a mut Requests<Purpose>,
    /// Where consequences go.
    pub outbox: &'a mut dyn Outbox,
}

/// One subtask in one attempt.
#[derive(Clone)]
pub struct Task {
    id: SubtaskId,
    attempt: Attempt,
    defects: DefectSet,
    subtask: Subtask,
    protocol: SubtaskProtocol<Parcel>,
    side: Side,
    /// While any element waits here for credit, nothing is processed.
    outputs: OutputSide,
    /// Why it cannot go on, if it cannot.
    failure: Option<String>,
    /// Whether a `TaskTimer::Flush` is under way.
    flushes: bool,
    /// The processor is taken until a `TaskTimer::Work`.
    busy: bool,
    phase: Phase,
    sink: Option<SinkWriter>,
    /// Whether it speaks with an external system by a protocol of its own.
    is_outside: bool,
    /// What its sink wants done is being carried out.
    carries_out: bool,
    snapshots: VecMap<CheckpointId, Snapshotting>,
    /// What has been read of the snapshots that it starts from, where there are several.
    read: Read,
    /// Whether it tells what state it owns.
    tells_ownership: Option<Arc<Job>>,
    /// What was overtaken in the output queues at the cut that it is restored from: sent first.
    resend: Vec<(usize, Vec<Parcel>)>,
    /// Whether it starts from a snapshot.
    is_restored: bool,
    /// Whether it tells what befalls event time.
    observes_time: bool,
    /// Whether it asks a service.
    is_asynchronous: bool,
    /// Whether answers came since what they allow was emitted.
    has_answers: bool,
    /// Whether all input has ended, and its output ends with the last answers.
    awaits_last_answers: bool,
    /// The cut of a drain whose turn has come, and which waits for the last answers, or for the rest of an entry.
    awaiting_cut: Option<Barrier>,
    /// When user code wants to be woken.
    wake: Wake,
    /// Room for what one step produces.
    produced: Outputs,
}

/// How far a task has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Waits for its snapshot.
    Restoring,
    /// Holds its state, and waits for the target to fence older producers.
    Fencing,
    /// Waits for the word to run.
    Ready,
    /// Processes.
    Running,
    /// All input has ended; takes part in checkpoints only.
    Ended,
}

impl Task {
    /// A task that holds nothing yet. `placement` tells, by subtask, which worker hosts it.
    #[must_use]
    pub fn new(
        job: &Arc<Job>,
        id: SubtaskId,
        (attempt, placement): (Attempt, &[u16]),
        settings: &ClusterSettings,
        defects: DefectSet,
    ) -> Self {
        let (protocol, buffers) = (settings.checkpoints.protocol, settings.buffers);
        let topology = job.topology();
        let host = |subtask: SubtaskId| ProcessId::Worker(placement[subtask.index()]);
        let shape = |channel: ChannelId| topology.channels[channel.index()];
        let role = topology.operator_of(id).role;
        let input = |channel| InputChannel::new(channel, host(shape(channel).from));
        let side = match role {
            OperatorRole::Source => Side::Source(SourceReader::new(&[], &[], false)),
            OperatorRole::Operator
            | OperatorRole::TransactionalSink
            | OperatorRole::AtLeastOnceSink
            | OperatorRole::CommittingSink
            | OperatorRole::ConvergingSink
            | OperatorRole::StagingWriter => Side::Inputs(InputSide {
                channels: topology.inputs(id).map(input).collect(),
                reading: None,
            }),
        };
        let has_loops = protocol.traits().has_loops;
        let outputs = topology
            .outputs(id)
            .map(|channel| {
                let free = has_loops && job.loops().leads_back(channel);
                OutputChannel::new(channel, host(shape(channel).to), free, buffers)
            })
            .collect();
        let place = if has_loops {
            LoopPlace::of(topology, job.loops_seen(defects), id)
        } else {
            LoopPlace::default()
        };
        let subtask = job.subtask(id, defects);
        Self {
            id,
            attempt,
            defects,
            is_restored: false,
            observes_time: settings.observe_time && !job.is_asynchronous(),
            is_asynchronous: subtask.is_asynchronous(),
            has_answers: false,
            awaits_last_answers: false,
            awaiting_cut: None,
            subtask,
            protocol: SubtaskProtocol::new(role, side.inputs().len(), protocol, place, defects),
            side,
            outputs: OutputSide::new(outputs, attempt, defects),
            failure: None,
            flushes: false,
            busy: false,
            phase: Phase::Restoring,
            sink: SinkWriter::for_role(role),
            is_outside: role.is_outside(),
            carries_out: false,
            snapshots: VecMap::new(),
            read: Read::default(),
            tells_ownership: job.is_rescalable().then(|| Arc::clone(job)),
            resend: Vec::new(),
            wake: Wake::default(),
            produced: Outputs::default(),
        }
    }

    /// Which subtask this is.
    #[must_use]
    pub fn id(&self) -> SubtaskId {
        self.id
    }

    /// Whether it waits for nothing but the word to run, or has had it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        match self.phase {
            Phase::Restoring | Phase::Fencing => false,
            Phase::Ready | Phase::Running | Phase::Ended => true,
        }
    }

    /// Whether all its input has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Whether nothing that it wrote waits for its commit.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.sink.as_ref().is_none_or(|sink| sink.is_settled()) && self.subtask.is_settled()
    }

    /// The word to run: senders get their first credits, a source begins to read.
    pub fn start(&mut self, env: &mut Env<'_>) {
        if self.phase != Phase::Ready {
            return;
        }
        self.phase = Phase::Running;
        if self.is_restored {
            self.subtask.open();
        }
        self.produced.observes_time = self.observes_time;
        for input in self.side.inputs_mut() {
            input.grant(env.settings.credits, self.attempt, env.outbox);
        }
        self.send_again(env);
        self.request_again(env.outbox);
        self.wake_again(env);
        if let Some(source) = self.side.source() {
            source.start(Fetcher { subtask: self.id, attempt: self.attempt }, env);
        }
        self.run(env);
    }

    /// An element arrived in one of its channels.
    ///
    /// # Errors
    ///
    /// What the protocol says of an element that cannot be, or of one that did not arrive before it.
    pub fn handle_element(
        &mut self,
        (channel, sequence): (ChannelId, u32),
        element: Element<Parcel>,
        env: &mut Env<'_>,
    ) -> Result<(), String> {
        let index = self.side.index_of(channel);
        if let Some(input) = self.side.inputs_mut().get_mut(index) {
            input.arrive(sequence, self.defects)?;
        }
        match self.protocol.handle_element(index, element, env.now) {
            Ok(()) => self.run(env),
            Err(error) => return Err(error.to_string()),
        }
        Ok(())
    }

    /// The sender of one of its channels says how many elements it has sent.
    ///
    /// # Errors
    ///
    /// When some of them did not arrive.
    pub fn handle_tally(&self, channel: ChannelId, elements: u32) -> Result<(), String> {
        let input = self.side.inputs().get(self.side.index_of(channel));
        input.map_or(Ok(()), |input| input.judge_tally(elements, self.defects))
    }

    /// Tells receivers elsewhere what they should have got, where nothing else would show them.
    pub fn tell_tallies(&mut self, here: ProcessId, outbox: &mut dyn Outbox) {
        self.outputs.tell_tallies(here, outbox);
    }

    /// Whether anything it cannot do without goes over a connection to this process.
    #[must_use]
    pub fn depends_on(&self, peer: ProcessId) -> bool {
        let writes_to = (self.sink.is_some() || self.is_outside) && peer == ProcessId::SinkTarget;
        writes_to || self.side.reads_from(peer) || self.outputs.leads_to(peer)
    }

    /// The receiver of `channel` can take more.
    pub fn handle_credit(&mut self, channel: ChannelId, credits: u32, env: &mut Env<'_>) {
        self.outputs.handle_credit(channel, credits, env.outbox);
        self.look_for_forwarded();
        self.run(env);
    }

    /// The processor is free again.
    pub fn handle_work_done(&mut self, env: &mut Env<'_>) {
        self.busy = false;
        self.run(env);
    }

    /// The next source entry is due.
    pub fn handle_pace(&mut self, env: &mut Env<'_>) {
        if let Some(source) = self.side.source() {
            source.handle_pace();
        }
        self.run(env);
    }

    /// Entries arrived.
    pub fn handle_fetched(&mut self, fetched: Fetched, env: &mut Env<'_>) {
        if self.defects.has(Defect::MessagesAcknowledgedOnDelivery) {
            let offset = fetched.offset + fetched.ends.len() as u64;
            Self::commit_offsets(&[SplitPosition { split: fetched.split, offset }], env);
        }
        if let Some(source) = self.side.source() {
            source.handle_fetched(fetched);
        }
        self.cut_if_complete();
        self.run(env);
    }

    /// Works until there is nothing to do, an output waits for credit, or the processor is taken.
    fn run(&mut self, env: &mut Env<'_>) {
        self.tell_time(env);
        while self.work(env) {}
        self.read_source(env);
    }

    /// Does the next thing, if there is one.
    #[inline]
    fn work(&mut self, env: &mut Env<'_>) -> bool {
        match self.poll_protocol() {
            Some(output) => self.handle_output(output, env),
            None => {
                return self.read_on(env)
                    || self.emit_answered(env)
                    || self.fire_processing_timers(env);
            }
        }
        true
    }

    /// Whether something that may emit records can be done.
    fn can_work(&self) -> bool {
        self.is_free() && !self.outputs.is_stalled()
    }

    /// Whether what no input leads to may be emitted now: no cut waits for its snapshot, and the job is not about to
    /// stop.
    fn may_emit_of_itself(&self) -> bool {
        self.phase == Phase::Running && !self.protocol.is_held() && !self.protocol.halts()
    }

    /// What is to be done: while an output is stalled or a buffer is being read, only what cannot wait; while the
    /// processor is taken, only what was decided before.
    #[inline]
    fn poll_protocol(&mut self) -> Option<SubtaskOutput<Parcel>> {
        if !self.is_free() {
            self.protocol.poll_step()
        } else if self.outputs.is_stalled() || self.side.reading().is_some() || self.asks_enough() {
            self.protocol.poll_urgent()
        } else {
            self.protocol.poll_output()
        }
    }

    fn is_free(&self) -> bool {
        let started = match self.phase {
            Phase::Running | Phase::Ended => true,
            Phase::Restoring | Phase::Fencing | Phase::Ready => false,
        };
        started && !self.busy && self.failure.is_none()
    }

    fn process(&mut self, channel: usize, item: Item, env: &mut Env<'_>) {
        let bytes = match &item {
            Item::Record(record) => record.payload.len(),
            Item::Watermark(_) => 0,
        };
        self.produced.now = env.now;
        self.subtask.process(channel, item, &mut self.produced);
        self.deliver(env);
        self.spend(|cost| cost.item(bytes), env);
    }

    /// The processor is taken for as long as the cost model says.
    fn spend(
        &mut self,
        cost: impl FnOnce(&super::CostModel) -> std::time::Duration,
        env: &mut Env<'_>,
    ) {
        if let Some(model) = &env.settings.cost {
            self.busy = true;
            let timer = TaskTimer::Work.of(self.id, self.attempt);
            env.outbox.set_timer(cost(model), timer);
        }
    }

    /// Sends what a step produced: items into channels, records of a sink to its target.
    fn deliver(&mut self, env: &mut Env<'_>) {
        if self.observes_time {
            self.deliver_observed(env.outbox);
        }
        for (output, item) in self.produced.items.drain(..) {
            self.outputs.emit(usize::from(output), item, env.outbox);
        }
        self.ask(env.outbox);
        if let Some(due_ms) = self.produced.wake_at_ms.take() {
            self.see_to_wake(Some(due_ms), env);
        }
        self.see_to_flush(env);
        if !self.produced.steps.is_empty() {
            self.carry_out_steps(env);
        }
        if let Some(sink) = &mut self.sink {
            sink.write(&mut self.produced.written, self.protocol.open_transaction(), env);
        }
    }

    /// Nothing is left to process: say so downstream.
    fn end(&mut self, env: &mut Env<'_>) {
        assert_eq!(self.phase, Phase::Running, "a task ends once, while it runs");
        self.phase = Phase::Ended;
        self.end_back_edges(env);
        self.stage(None, env);
        self.outputs.broadcast(&Element::End, env.outbox);
        env.outbox.event(Event::SubtaskEnded { subtask: self.id, attempt: self.attempt });
    }

    /// What leads back has ended, before its end has come: that comes round when this task has ended.
    fn end_back_edges(&mut self, env: &mut Env<'_>) {
        for input in 0..self.side.inputs().len() {
            if self.protocol.leads_back(input) {
                self.subtask.end_channel(input, &mut self.produced);
                self.deliver(env);
            }
        }
    }

    /// Where a source goes on reading.
    fn positions(&self) -> Vec<SplitPosition> {
        self.subtask.splits().to_vec()
    }
}
