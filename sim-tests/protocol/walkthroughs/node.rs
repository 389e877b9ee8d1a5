//! A toy subtask: a source that reads numbers, an operator that sums them, a sink that writes them.

use cutwater::protocol::subtask::AsyncPart;
use cutwater::protocol::{
    Attempt, CheckpointId, DefectSet, InputGate, Protocol, SubtaskCheckpoint, SubtaskId,
    TransactionId, TwoPhaseCommit,
};

use super::target::Target;

/// What a subtask does with records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads its log.
    Source,
    /// Adds every record to its sum and emits the sum.
    Sum,
    /// Writes every record into its open transaction.
    Sink,
}

/// What a snapshot holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The offset of the next entry.
    Position(usize),
    /// The sum so far.
    Sum(i64),
    /// What is prepared and not known to be committed.
    Prepared(Vec<(CheckpointId, TransactionId)>),
}

impl State {
    /// The state that a subtask starts from where there is no checkpoint.
    pub fn initial(role: Role) -> Self {
        match role {
            Role::Source => State::Position(0),
            Role::Sum => State::Sum(0),
            Role::Sink => State::Prepared(Vec::new()),
        }
    }

    /// The form that walk-throughs show.
    pub fn show(&self) -> String {
        match self {
            State::Position(position) => format!("position={position}"),
            State::Sum(sum) => format!("sum={sum}"),
            State::Prepared(prepared) => {
                let names: Vec<_> = prepared.iter().map(|(_, id)| id.to_string()).collect();
                format!("prepared=[{}]", names.join(", "))
            }
        }
    }
}

/// The live part of a subtask.
#[derive(Clone, Debug)]
pub enum Work {
    /// A source at this position.
    Source(usize),
    /// An operator with this sum.
    Sum(i64),
    /// A sink with these transactions.
    Sink(TwoPhaseCommit),
}

/// One subtask of one attempt.
#[derive(Clone, Debug)]
pub struct Node {
    /// Aligns its inputs.
    pub gate: InputGate<i64>,
    /// Decides about snapshots.
    pub checkpoint: SubtaskCheckpoint,
    /// Does the work.
    pub work: Work,
    /// Whether it has sent its end of input.
    pub ended: bool,
    /// Whether it has passed the barrier of a savepoint that the job is to stop at.
    pub halted: bool,
}

impl Node {
    /// A subtask that starts from `state`.
    pub fn new(
        subtask: SubtaskId,
        attempt: Attempt,
        (protocol, back): (Protocol, Vec<bool>),
        restored: Option<CheckpointId>,
        state: State,
        defects: DefectSet,
    ) -> Self {
        let (work, parts): (_, &'static [AsyncPart]) = match state {
            State::Position(position) => (Work::Source(position), &[AsyncPart::Upload]),
            State::Sum(sum) => (Work::Sum(sum), &[AsyncPart::Upload]),
            State::Prepared(prepared) => {
                let commit = TwoPhaseCommit::new(subtask, attempt, prepared, defects);
                (Work::Sink(commit), &[AsyncPart::Upload, AsyncPart::PreCommit])
            }
        };
        let gate = InputGate::of(protocol, back.len(), defects).with_back_edges(back);
        let mut checkpoint = SubtaskCheckpoint::new(restored, parts, defects);
        if protocol == Protocol::StopTheWorld {
            checkpoint = checkpoint.stopping_the_world();
        }
        Self { gate, checkpoint, work, ended: false, halted: false }
    }

    /// The state as a snapshot would freeze it.
    pub fn state(&self) -> State {
        match &self.work {
            Work::Source(position) => State::Position(*position),
            Work::Sum(sum) => State::Sum(*sum),
            Work::Sink(commit) => State::Prepared(commit.uncommitted().collect()),
        }
    }

    /// Whether nothing is left to do after a snapshot taken now. A sink that has written since its last
    /// snapshot has: the commit of what it is about to prepare.
    pub fn is_terminal(&self, target: &Target) -> bool {
        match &self.work {
            Work::Source(_) | Work::Sum(_) => self.ended,
            Work::Sink(commit) => {
                let committed = commit.uncommitted().next().is_none();
                self.ended && committed && !target.has_records(commit.open())
            }
        }
    }
}
