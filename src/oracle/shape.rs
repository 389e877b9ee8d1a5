//! The job's shape as oracles use it: dense, checked once, so that nothing in a trace can lead astray.

use std::sync::Arc;
use std::time::Duration;

use super::course::Course;
use super::findings::Findings;
use super::verdict::Violation;
use crate::protocol::{
    Attempt, ChannelId, DefectSet, Guarantee, Loops, OperatorId, OperatorRole, Protocol, SubtaskId,
    SubtaskShape, Topology, TransactionId,
};
use crate::trace::{ChannelStateRestored, InFlight, RunStarted, Stamp};

/// The two ends of a channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// Who sends.
    pub from: SubtaskId,
    /// Who receives.
    pub to: SubtaskId,
}

/// What [`RunStarted`] says, checked and indexed; empty before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    topology: Arc<Topology>,
    /// Those before it, oldest first, each with the first attempt that was not of it any more.
    earlier: Vec<(Attempt, Arc<Topology>)>,
    /// By channel.
    pub channels: Vec<Ends>,
    /// By subtask, the channels into it.
    pub inputs: Vec<Vec<ChannelId>>,
    /// By subtask, the channels out of it.
    pub outputs: Vec<Vec<ChannelId>>,
    /// By split, how many entries it holds.
    pub split_lengths: Vec<u64>,
    /// How many completed checkpoints are kept.
    pub retained: usize,
    /// How many checkpoints may be pending at once.
    pub concurrent_max: usize,
    /// Within this after the last fault the job must finish.
    pub liveness_bound: Duration,
    /// How cuts are made.
    pub protocol: Protocol,
    /// The edges that lead back, where the protocol logs them.
    loops: Loops,
    /// By subtask, whether what goes round a loop comes to it; empty where nothing does.
    behind_loops: Vec<bool>,
}

impl Shape {
    /// The shape of the run, or what is wrong with its description.
    pub fn new(run: &RunStarted) -> Result<Self, String> {
        Self::check(&run.topology)?;
        let subtasks = run.topology.subtasks.len();
        let mut shape = Self {
            topology: Arc::new(run.topology.clone()),
            earlier: Vec::new(),
            channels: Vec::with_capacity(run.topology.channels.len()),
            inputs: vec![Vec::new(); subtasks],
            outputs: vec![Vec::new(); subtasks],
            split_lengths: run.split_lengths.clone(),
            retained: run.retained as usize,
            concurrent_max: run.concurrent_max as usize,
            liveness_bound: Duration::from_millis(run.liveness_bound_ms),
            protocol: run.protocol,
            loops: Loops::default(),
            behind_loops: Vec::new(),
        };
        shape.index();
        Ok(shape)
    }

    /// From `attempt` on the job has this shape; what is wrong with it, if it is none. Whether it is another.
    pub fn reshape(&mut self, attempt: Attempt, topology: &Topology) -> Result<bool, String> {
        Self::check(topology)?;
        if *self.topology == *topology {
            return Ok(false);
        }
        let before = std::mem::replace(&mut self.topology, Arc::new(topology.clone()));
        self.earlier.push((attempt, before));
        self.channels.clear();
        self.inputs = vec![Vec::new(); topology.subtasks.len()];
        self.outputs = self.inputs.clone();
        self.index();
        Ok(true)
    }

    fn index(&mut self) {
        for (channel, ends) in self.topology.channel_ids().zip(&self.topology.channels) {
            self.channels.push(Ends { from: ends.from, to: ends.to });
            self.outputs[ends.from.index()].push(channel);
            self.inputs[ends.to.index()].push(channel);
        }
        if self.protocol.traits().has_loops {
            self.loops = Loops::of(&self.topology, DefectSet::NONE);
        }
        self.behind_loops = self.find_behind_loops();
    }

    /// Whoever receives what leads back, and all that come after.
    fn find_behind_loops(&self) -> Vec<bool> {
        let back = self.topology.channel_ids().filter(|channel| self.is_logged(*channel));
        let receiver = |channel: ChannelId| self.channels[channel.index()].to;
        let mut open: Vec<SubtaskId> = back.map(receiver).collect();
        let mut found = vec![false; if open.is_empty() { 0 } else { self.subtasks() }];
        while let Some(subtask) = open.pop() {
            if !std::mem::replace(&mut found[subtask.index()], true) {
                open.extend(self.outputs[subtask.index()].iter().copied().map(receiver));
            }
        }
        found
    }

    /// The job.
    pub fn topology(&self) -> &Arc<Topology> {
        &self.topology
    }

    /// How often the job was reshaped: what was noted in one shape says nothing in another.
    pub fn version(&self) -> usize {
        self.earlier.len()
    }

    /// The job as it was in `attempt`.
    fn topology_in(&self, attempt: Attempt) -> &Topology {
        let earlier = self.earlier.iter().find(|(until, _)| attempt < *until);
        earlier.map_or(&*self.topology, |(_, topology)| topology)
    }

    /// Whether any shape that the job has had has this subtask.
    pub fn ever_had_subtask(&self, subtask: SubtaskId) -> bool {
        let mut earlier = self.earlier.iter();
        self.has_subtask(subtask)
            || earlier.any(|(_, topology)| subtask.index() < topology.subtasks.len())
    }

    /// Whether any shape that the job has had has this channel.
    pub fn ever_had_channel(&self, channel: ChannelId) -> bool {
        let mut earlier = self.earlier.iter();
        self.has_channel(channel)
            || earlier.any(|(_, topology)| channel.index() < topology.channels.len())
    }

    /// The operator and the index of a subtask.
    pub fn subtask(&self, subtask: SubtaskId) -> Option<SubtaskShape> {
        self.topology.subtasks.get(subtask.index()).copied()
    }

    /// How many subtasks an operator has.
    pub fn parallelism(&self, operator: OperatorId) -> u16 {
        self.topology.operators.get(operator.index()).map_or(0, |shape| shape.parallelism)
    }

    /// What an operator is called.
    pub fn operator_name(&self, operator: OperatorId) -> String {
        let shape = self.topology.operators.get(operator.index());
        shape.map_or_else(|| operator.to_string(), |shape| shape.name.clone())
    }

    /// The form people read of whoever opened a transaction.
    pub fn producer(&self, transaction: TransactionId) -> String {
        self.topology_in(transaction.attempt).name(transaction.sink)
    }

    /// Whether a record may count more than once after a failure.
    pub fn allows_repeats(&self) -> bool {
        self.protocol.guarantee() == Guarantee::AtLeastOnce
    }

    /// Whether what is on its way in this channel is part of every cut.
    pub fn is_logged(&self, channel: ChannelId) -> bool {
        self.loops.leads_back(channel)
    }

    /// Whether records that go round a loop come to this subtask, in the loop or behind it.
    pub fn is_behind_loop(&self, subtask: SubtaskId) -> bool {
        self.behind_loops.get(subtask.index()).copied().unwrap_or(false)
    }

    /// What a restore puts back into channels that are the subtask's own.
    pub fn put_back<'a>(
        &self,
        restored: &'a ChannelStateRestored,
    ) -> impl Iterator<Item = &'a InFlight> {
        let inputs = &self.inputs[restored.subtask.index()];
        restored.inputs.iter().filter(|one| inputs.contains(&one.channel))
    }

    /// How many subtasks there are.
    pub fn subtasks(&self) -> usize {
        self.inputs.len()
    }

    /// All subtasks, in order.
    pub fn subtask_ids(&self) -> impl Iterator<Item = SubtaskId> + use<> {
        self.topology.subtask_ids()
    }

    /// Whether the topology has this subtask.
    pub fn has_subtask(&self, subtask: SubtaskId) -> bool {
        subtask.index() < self.inputs.len()
    }

    /// Whether the topology has this channel.
    pub fn has_channel(&self, channel: ChannelId) -> bool {
        channel.index() < self.channels.len()
    }

    /// The dense number of the operator of `subtask`, for keys; 0 where there is none.
    pub fn operator(&self, subtask: SubtaskId) -> u16 {
        self.subtask(subtask).map_or(0, |shape| shape.operator.0)
    }

    /// The number of the operator that opened a transaction, for keys; 0 where there is none. It is the same in all
    /// versions of the job that have an operator with that uid.
    pub fn opened_by(&self, transaction: TransactionId) -> u16 {
        let topology = self.topology_in(transaction.attempt);
        let subtask = topology.subtasks.get(transaction.sink.index());
        subtask.map_or(0, |shape| self.lasting(topology, shape.operator))
    }

    /// The number that an operator had in the first shape that has its uid, above those of the shapes before.
    fn lasting(&self, topology: &Topology, operator: OperatorId) -> u16 {
        let Some(shape) = topology.operators.get(operator.index()) else { return operator.0 };
        let mut above = 0;
        for (_, known) in &self.earlier {
            if let Some(found) = known.operator_with_uid(shape.uid()) {
                return above + found.0;
            }
            above = above.saturating_add(u16::try_from(known.operators.len()).unwrap_or(u16::MAX));
        }
        above.saturating_add(operator.0)
    }

    /// Whether some sink writes outside transactions.
    pub fn has_direct_sink(&self) -> bool {
        self.topology.operators.iter().any(|shape| shape.role == OperatorRole::AtLeastOnceSink)
    }

    /// The form people read: `count/1`.
    pub fn name(&self, subtask: SubtaskId) -> String {
        self.topology.name(subtask)
    }

    /// The form people read: `lines/0->count/1`.
    pub fn channel_name(&self, channel: ChannelId) -> String {
        self.topology.channel_name(channel)
    }

    fn check(topology: &Topology) -> Result<(), String> {
        let (subtasks, channels) = (topology.subtasks.len(), topology.channels.len());
        let limit = usize::from(u16::MAX);
        if subtasks > limit || channels > limit {
            return Err(format!(
                "{subtasks} subtasks and {channels} channels: {limit} is the most"
            ));
        }
        for (id, subtask) in topology.subtask_ids().zip(&topology.subtasks) {
            if subtask.operator.index() >= topology.operators.len() {
                return Err(format!("{id} is of {}, which does not exist", subtask.operator));
            }
        }
        for (id, channel) in topology.channel_ids().zip(&topology.channels) {
            for end in [channel.from, channel.to] {
                if end.index() >= subtasks {
                    return Err(format!("{id} touches {end}, which does not exist"));
                }
            }
        }
        Ok(())
    }
}

/// What an oracle sees besides the event: where, when, what is known of the job, and whom to tell.
pub(super) struct Scene<'a> {
    /// The job so far.
    pub course: &'a Course,
    /// Its shape.
    pub shape: &'a Shape,
    /// Number, time and process of the event.
    pub stamp: Stamp,
    /// Where violations go, and what excuses them.
    pub found: &'a mut Findings,
}

impl Scene<'_> {
    /// Tells of a violation at this event.
    #[cold]
    pub fn report(&mut self, violation: Violation) {
        self.found.report(self.shape, self.stamp, violation);
    }

    /// Whether nothing acts that can make things fail, and nothing is broken for good.
    pub fn is_calm(&self) -> bool {
        self.course.weather.is_calm() && self.found.excuses.expiries() == 0
    }

    /// The same, and nothing that a fault held up is on its way either.
    pub fn is_settled(&self) -> bool {
        self.is_calm() && self.course.weather.is_settled()
    }

    /// The form people read: `count/1`.
    pub fn name(&self, subtask: SubtaskId) -> String {
        self.shape.name(subtask)
    }

    /// The form people read: `lines/0->count/1`.
    pub fn channel(&self, channel: ChannelId) -> String {
        self.shape.channel_name(channel)
    }
}
