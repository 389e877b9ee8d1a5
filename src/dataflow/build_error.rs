//! Why a job cannot be built.

use thiserror::Error;

use super::builder::{CONSUMERS_MAX, PARALLELISM_MAX};
use crate::protocol::{Guarantee, KeyGroup, Protocol, ProtocolError};

/// Why a job cannot be built; the first mistake found, in the order in which the operators were declared.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BuildError {
    /// A stream that goes to all, under barriers that overtake.
    #[error(
        "`{operator}` broadcasts, and {protocol} barriers would leave each receiver with channel state \
         of its own: use aligned, or another partitioner"
    )]
    ChannelStateOfBroadcast {
        /// The operator that emits it.
        operator: String,
        /// The protocol.
        protocol: Protocol,
    },
    /// A version of a job that was not declared.
    #[error("`{job}` has no version {version}: the newest is {newest}")]
    NoSuchVersion {
        /// The job.
        job: String,
        /// What was asked for.
        version: u16,
        /// The number of the newest.
        newest: u16,
    },
    /// A stream that leads nowhere.
    #[error("nothing consumes the stream of `{operator}`: add a sink, or remove the operator")]
    Dangling {
        /// The operator that emits it.
        operator: String,
    },
    /// Two operators with one name.
    #[error("two operators are named `{name}`: names appear in traces and must be unique")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// An operator that declares two pieces of state with one name.
    #[error("`{operator}` declares the state `{state}` twice")]
    DuplicateState {
        /// The operator.
        operator: String,
        /// The state's name.
        state: String,
    },
    /// Two operators with one uid.
    #[error("two operators have the uid `{uid}`: state is found by it, and it must be unique")]
    DuplicateUid {
        /// The uid.
        uid: String,
    },
    /// An operator without a name.
    #[error("operator number {index} has an empty name")]
    EmptyName {
        /// Its place in the order of declaration, from 0.
        index: usize,
    },
    /// A feedback that is closed with the stream of a feedback.
    #[error(
        "the feedback `{feedback}` is closed with a feedback: close it with an operator's stream"
    )]
    FeedbackOfFeedback {
        /// The feedback.
        feedback: String,
    },
    /// A feedback that nobody emits.
    #[error("the feedback `{feedback}` is never closed: nothing is fed back")]
    FeedbackOpen {
        /// The feedback.
        feedback: String,
    },
    /// A feedback that nobody reads.
    #[error("nothing reads the feedback `{feedback}`")]
    FeedbackUnread {
        /// The feedback.
        feedback: String,
    },
    /// A feedback that does not lead back.
    #[error(
        "the feedback `{feedback}` leads from `{from}` to `{reader}`, which does not lead to `{from}`: \
         that is no loop; declare `{reader}` behind `{from}`"
    )]
    FeedbackWithoutLoop {
        /// The feedback.
        feedback: String,
        /// The operator that reads it.
        reader: String,
        /// The operator that emits it.
        from: String,
    },
    /// A source some of whose subtasks would read nothing.
    #[error(
        "`{source_name}` has {subtasks} subtasks for {splits} splits: give it at least one split each"
    )]
    FewerSplitsThanSubtasks {
        /// The source.
        source_name: String,
        /// How many splits it has.
        splits: u16,
        /// How many subtasks it has.
        subtasks: u16,
    },
    /// A feedback that is closed with a stream of another builder.
    #[error("the feedback `{feedback}` is closed with a stream of another job builder")]
    ForeignFeedback {
        /// The feedback.
        feedback: String,
    },
    /// A stream of another builder.
    #[error("`{operator}` is connected to a stream of another job builder")]
    ForeignStream {
        /// The operator.
        operator: String,
    },
    /// A forward edge with a different number of subtasks at its ends.
    #[error(
        "`{from}` ({from_parallelism} subtasks) forwards to `{to}` ({to_parallelism}): \
         forward needs equal parallelism; use rebalance(), shift(), broadcast() or key_by()"
    )]
    ForwardBetweenParallelisms {
        /// The operator that emits.
        from: String,
        /// How many subtasks it has.
        from_parallelism: u16,
        /// The operator that receives.
        to: String,
        /// How many subtasks it has.
        to_parallelism: u16,
    },
    /// A uid for a stream that no operator emits yet.
    #[error(
        "the feedback `{feedback}` is given the uid `{uid}`: give it to the operator that closes it"
    )]
    FeedbackWithUid {
        /// The feedback.
        feedback: String,
        /// The uid.
        uid: String,
    },
    /// What was in flight on an edge that has no rule for other numbers of subtasks.
    #[error("`{from}` sends to `{to}`, and {refusal}")]
    InFlightIndivisible {
        /// Who emits.
        from: String,
        /// Who receives.
        to: String,
        /// What the protocol has against it.
        refusal: ProtocolError,
    },
    /// A name that traces and fixtures could not show.
    #[error("the operator name `{name}` has other characters than a-z, 0-9, `-` and `_`")]
    InvalidName {
        /// The name.
        name: String,
    },
    /// More subtasks than there are key groups.
    #[error(
        "`{operator}` has {parallelism} subtasks, but keyed state is spread over {} key groups",
        KeyGroup::COUNT
    )]
    KeyedParallelismTooHigh {
        /// The operator.
        operator: String,
        /// How many subtasks it has.
        parallelism: u16,
    },
    /// Keyed state in an operator on a stream without a key.
    #[error(
        "`{operator}` declares the keyed state `{state}`, but its input has no key: use key_by()"
    )]
    KeyedStateWithoutKey {
        /// The operator.
        operator: String,
        /// The state's name.
        state: String,
    },
    /// A loop that no record leaves.
    #[error("no sink can be reached from `{operator}`: its loop has no exit")]
    LoopWithoutExit {
        /// An operator of the loop.
        operator: String,
    },
    /// A loop under a protocol that has no answer to loops.
    #[error(
        "`{operator}` is on a loop, and {protocol} barriers have no answer to loops: use cyclic"
    )]
    LoopWithoutLog {
        /// The protocol.
        protocol: Protocol,
        /// An operator of the loop.
        operator: String,
    },
    /// A loop that no record enters.
    #[error("`{operator}` cannot be reached from a source: its loop has no other input")]
    LoopWithoutInput {
        /// An operator of the loop.
        operator: String,
    },
    /// A sink with a protocol of its own, and nobody to speak with.
    #[error(
        "{operator:?} speaks with an external system, and the job names none: `JobBuilder::external_system`"
    )]
    NoExternalSystem {
        /// The operator.
        operator: String,
    },
    /// A job that writes nothing.
    #[error("the job has no sink")]
    NoSink,
    /// A job that reads nothing.
    #[error("the job has no source")]
    NoSource,
    /// A source without splits.
    #[error("`{source_name}` has no splits")]
    NoSplits {
        /// The source.
        source_name: String,
    },
    /// A source with state of its own, in another number of subtasks.
    #[error(
        "`{source_name}` has state of its own, which cannot be divided among another number of \
         subtasks: fix() it"
    )]
    SourceStateIndivisible {
        /// The source.
        source_name: String,
    },
    /// A protocol that gives another guarantee than the job must have.
    #[error("the job is to be {required}, and {protocol} is {}", protocol.guarantee())]
    OtherGuarantee {
        /// The protocol.
        protocol: Protocol,
        /// What the job must be.
        required: Guarantee,
    },
    /// Too many subtasks in one operator.
    #[error("`{operator}` has {parallelism} subtasks, more than {PARALLELISM_MAX}")]
    ParallelismTooHigh {
        /// The operator.
        operator: String,
        /// How many subtasks it has.
        parallelism: u16,
    },
    /// An operator without subtasks.
    #[error("`{operator}` has parallelism 0")]
    ParallelismZero {
        /// The operator.
        operator: String,
    },
    /// More checkpoints at once than the protocol can tell apart.
    #[error("{protocol} takes one checkpoint at a time, not {concurrent_max}")]
    TooManyAtOnce {
        /// The protocol.
        protocol: Protocol,
        /// How many were to be pending at once.
        concurrent_max: u32,
    },
    /// Too many channels in the job.
    #[error("the job has more than {} channels", u16::MAX)]
    TooManyChannels,
    /// Too many consumers of one stream.
    #[error("the stream of `{operator}` has more than {CONSUMERS_MAX} consumers")]
    TooManyConsumers {
        /// The operator that emits it.
        operator: String,
    },
    /// Too many splits over all sources.
    #[error("the sources have more than {} splits", u16::MAX)]
    TooManySplits,
    /// Too many subtasks in the job.
    #[error("the job has more than {} subtasks", u16::MAX)]
    TooManySubtasks,
    /// An operator that was to be fixed, and does not exist.
    #[error("no operator is named `{operator}`, whose parallelism is to stay as it is")]
    UnknownOperator {
        /// The name.
        operator: String,
    },
}
