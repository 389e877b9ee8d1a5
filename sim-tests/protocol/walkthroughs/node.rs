//! A toy subtask: a source that reads numbers, an operator that sums them, a sink that writes them.

use cutwater::protocol::{
    Attempt, CheckpointId, DefectSet, LoopPlace, OperatorRole, Protocol, SubtaskId,
    SubtaskProtocol, TransactionId,
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
    /// A sink: what it wrote is at the target.
    Sink,
}

/// One subtask of one attempt.
#[derive(Clone, Debug)]
pub struct Node {
    /// Decides.
    pub protocol: SubtaskProtocol<i64>,
    /// Does the work.
    pub work: Work,
    /// Whether it has sent its end of input.
    pub ended: bool,
}

impl Node {
    /// A subtask with so many inputs that starts from `state`.
    pub fn new(
        (subtask, attempt): (SubtaskId, Attempt),
        inputs: usize,
        (protocol, place): (Protocol, LoopPlace),
        restored: Option<CheckpointId>,
        state: State,
        defects: DefectSet,
    ) -> Self {
        let role = match state {
            State::Position(_) => OperatorRole::Source,
            State::Sum(_) => OperatorRole::Operator,
            State::Prepared(_) => OperatorRole::TransactionalSink,
        };
        let mut protocol = SubtaskProtocol::new(role, inputs, protocol, place, defects);
        protocol.handle_restored(restored);
        let work = match state {
            State::Position(position) => Work::Source(position),
            State::Sum(sum) => Work::Sum(sum),
            State::Prepared(prepared) => {
                protocol.open_sink(subtask, attempt, prepared);
                Work::Sink
            }
        };
        Self { protocol, work, ended: false }
    }

    /// The state as a snapshot would freeze it.
    pub fn state(&self) -> State {
        match &self.work {
            Work::Source(position) => State::Position(*position),
            Work::Sum(sum) => State::Sum(*sum),
            Work::Sink => State::Prepared(self.protocol.uncommitted()),
        }
    }

    /// Whether nothing is left to do after a snapshot taken now: not even a commit that makes something visible.
    pub fn is_terminal(&self, target: &Target) -> bool {
        let mut uncommitted = self.protocol.uncommitted().into_iter();
        self.ended && !uncommitted.any(|(_, transaction)| target.has_records(transaction))
    }
}
