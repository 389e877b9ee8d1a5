//! What the task sides of a committing sink and of a staging writer have in common: who speaks with the system, what
//! about, and what of the state nobody has taken yet.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::committing_sink::{NoAnswer, Opening, RowMaker, SinkOutputs};
use super::data::{Bytes, Data, encode};
use super::outside::{Heard, Numbers, understood};
use super::placement::Placement;
use super::record::Outputs;
use super::subtask_state::RestoreError;
use crate::external::decode_whole;
use crate::protocol::ordered::VecSet;
use crate::protocol::{Attempt, CheckpointId, DefectSet, LineageId, OperatorId};

/// What was asked, and what came of it.
pub(super) type Told<T, A> = (T, Result<A, NoAnswer>);

/// One subtask's conversation with an external system, about tokens `T`; its user's state is a list of `S`.
#[derive(Clone)]
pub(super) struct Conversation<T, S> {
    pub operator: OperatorId,
    pub index: u16,
    parallelism: u16,
    defects: DefectSet,
    numbers: Numbers<T>,
    /// Whether it has begun: before that, its state is what it was restored with.
    has_begun: bool,
    /// What it was restored with, until it begins.
    states: Vec<S>,
    /// Checkpoints for which not everything is known to be durable.
    preparing: VecSet<CheckpointId>,
}

impl<T, S: Data> Conversation<T, S> {
    pub(super) fn new(placement: &Placement, defects: DefectSet) -> Self {
        Self {
            operator: placement.operator,
            index: placement.index,
            parallelism: placement.parallelism,
            defects,
            numbers: Numbers::new(),
            has_begun: false,
            states: Vec::new(),
            preparing: VecSet::new(),
        }
    }

    /// Takes the states of a snapshot.
    ///
    /// # Errors
    ///
    /// When one of them makes no sense.
    pub(super) fn restore(&mut self, states: &[Bytes]) -> Result<(), RestoreError> {
        self.states = states.iter().map(read).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// It begins, with these committables.
    pub(super) fn begin<C>(
        &mut self,
        attempt: Attempt,
        checkpoint: Option<CheckpointId>,
        committables: Vec<C>,
    ) -> Opening<S, C> {
        self.has_begun = true;
        Opening {
            operator: self.operator,
            index: self.index,
            parallelism: self.parallelism,
            attempt,
            checkpoint,
            states: std::mem::take(&mut self.states),
            committables,
        }
    }

    /// Where its user puts what it wants done.
    pub(super) fn outputs<'a>(&'a mut self, out: &'a mut Outputs) -> SinkOutputs<'a, T> {
        SinkOutputs { defects: self.defects, numbers: &mut self.numbers, out }
    }

    /// What a request or a timer is for; it comes once.
    pub(super) fn take(&mut self, number: u64) -> Option<T> {
        self.numbers.take(number)
    }

    /// What was heard, and what it is about; none where that was heard before.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn hear<A: DeserializeOwned>(
        &mut self,
        number: u64,
        heard: Heard,
    ) -> Result<Option<Told<T, A>>, String> {
        let Some(token) = self.take(number) else { return Ok(None) };
        Ok(Some((token, understood(heard)?)))
    }

    /// The cut is here: from now on the user may say that all is durable.
    pub(super) fn prepare(&mut self, checkpoint: CheckpointId) {
        self.preparing.insert(checkpoint);
    }

    /// The user says so.
    ///
    /// # Errors
    ///
    /// When nothing is being prepared for this checkpoint.
    pub(super) fn confirm_prepared(&mut self, checkpoint: CheckpointId) -> Result<(), String> {
        let is_awaited = self.preparing.remove(&checkpoint);
        is_awaited
            .then_some(())
            .ok_or_else(|| format!("nothing is being prepared for {checkpoint}"))
    }

    /// What a snapshot holds; `own` is asked once it has begun.
    pub(super) fn freeze(&self, own: impl FnOnce() -> Vec<S>) -> Vec<Bytes> {
        let own = if self.has_begun { own() } else { Vec::new() };
        self.states.iter().chain(&own).map(element).collect()
    }

    pub(super) fn row_maker(&self, lineage: LineageId, timestamp: i64) -> RowMaker {
        RowMaker { operator: self.operator, lineage, timestamp }
    }
}

/// An element of a list in a snapshot.
pub(super) fn element<T: Serialize>(value: &T) -> Bytes {
    Bytes(encode(value))
}

/// What [`element`] made.
///
/// # Errors
///
/// When the bytes are of something else.
pub(super) fn read<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, RestoreError> {
    decode_whole(bytes).map_err(|_| RestoreError::Corrupt { what: "state of a sink" })
}
