//! What one subtask's snapshot holds of its task side.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::backend::KeyEntry;
use super::data::Bytes;
use super::positions::Positions;
use super::state::StateShape;
use crate::protocol::{Digest, KeyGroup, ProtocolError, SplitId, SubtaskId};
use crate::trace::SplitPosition;

/// The frozen state of a subtask: equal states have equal values and equal encodings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubtaskState {
    /// What state the operator declares.
    pub shapes: Vec<StateShape>,
    /// The encoded keys, state and timers of each key group that has any, by group.
    pub key_groups: Vec<(KeyGroup, Bytes)>,
    /// The elements of each operator state.
    pub operator_lists: Vec<Vec<Bytes>>,
    /// In a source, where reading goes on.
    pub positions: Positions,
    /// In a source, the splits that have been read to their end.
    pub ended: Vec<SplitId>,
    /// The watermark of each input channel, or of each split of a source.
    pub watermarks: Vec<i64>,
    /// Their minimum, as far as it was forwarded.
    pub watermark: i64,
    /// Per outgoing edge, how far it has come in taking turns.
    pub counters: Vec<u64>,
    /// In a source, its [`State`](super::Source::State), encoded.
    pub source: Bytes,
}

impl SubtaskState {
    /// The state as bytes.
    ///
    /// # Panics
    ///
    /// Never: everything in it is plain data.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("plain data is encodable")
    }

    /// The state that [`encode`](Self::encode) made these bytes of.
    ///
    /// # Errors
    ///
    /// When the bytes are not of a state, or not whole.
    pub fn decode(bytes: &[u8]) -> Result<Self, RestoreError> {
        match postcard::take_from_bytes(bytes) {
            Ok((state, [])) => Ok(state),
            Ok(_) | Err(_) => Err(RestoreError::Corrupt { what: "snapshot" }),
        }
    }

    /// The digest of the encoded state.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.encode())
    }
}

impl SubtaskState {
    /// In a source, where reading goes on.
    #[must_use]
    pub fn reading(&self) -> &[SplitPosition] {
        self.positions.reading()
    }

    /// In a source, by split whose next entry was read in part: how many records of it were emitted.
    pub fn paused(&self) -> impl Iterator<Item = (SplitId, u32)> + '_ {
        self.positions.paused()
    }

    /// Whether anything would be missing without it: keyed state, timers, lists, positions.
    pub(crate) fn holds_anything(&self) -> bool {
        !self.key_groups.is_empty()
            || self.operator_lists.iter().any(|list| !list.is_empty())
            || !self.positions.is_empty()
    }

    /// Checks that this is the state of an operator that declares `expected`.
    pub(crate) fn check_shapes(&self, expected: &[StateShape]) -> Result<(), RestoreError> {
        let lists = expected.iter().filter(|shape| shape.kind.is_operator_list()).count();
        if self.shapes == expected && self.operator_lists.len() == lists {
            return Ok(());
        }
        Err(RestoreError::other_state(&self.shapes, expected))
    }
}

/// Why a subtask cannot start from a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RestoreError {
    /// Bytes that do not decode.
    #[error("the {what} in the snapshot is corrupt")]
    Corrupt {
        /// Which part.
        what: &'static str,
    },
    /// What was in flight on an edge that cannot divide it.
    #[error(transparent)]
    InFlight(#[from] ProtocolError),
    /// A key group of another subtask.
    #[error("{group} in the snapshot does not belong to {subtask}")]
    ForeignKeyGroup {
        /// The group.
        group: KeyGroup,
        /// The subtask that was given it.
        subtask: SubtaskId,
    },
    /// A key group that its own subtask did not own: the groups were numbered otherwise.
    #[error(
        "the snapshot of {name} holds {group}, which is not its own of {maximum} key groups: it was taken \
         with another maximum parallelism"
    )]
    OtherMaximum {
        /// The group.
        group: KeyGroup,
        /// Whose snapshot it is.
        name: String,
        /// How many groups the job has.
        maximum: u16,
    },
    /// The snapshot of a source, given to what is not one.
    #[error("the snapshot is of a source, and {subtask} reads no splits")]
    NotASource {
        /// The subtask that was given it.
        subtask: SubtaskId,
    },
    /// The snapshot of an operator with other outgoing edges.
    #[error("the snapshot has {found} outgoing edges, the subtask has {expected}")]
    OtherEdges {
        /// Edges in the snapshot.
        found: usize,
        /// Edges of the subtask.
        expected: usize,
    },
    /// The state of a source that is not the same in all its subtasks: there is no rule that divides it.
    #[error("the source's own state differs between its subtasks, and cannot be divided anew")]
    SourceStateIndivisible,
    /// The snapshot of a subtask with other input channels or splits.
    #[error("the snapshot has {found} inputs, the subtask has {expected}")]
    OtherInputs {
        /// Channels or splits in the snapshot.
        found: usize,
        /// Channels or splits of the subtask.
        expected: usize,
    },
    /// The snapshot of a source with other splits.
    #[error("the snapshot lacks {split}")]
    OtherSplits {
        /// A split of the subtask that the snapshot does not know.
        split: SplitId,
    },
    /// The snapshot of an operator with other state.
    #[error("the snapshot holds the states {found:?}, the operator declares {expected:?}")]
    OtherState {
        /// Names in the snapshot.
        found: Vec<String>,
        /// Names in the operator.
        expected: Vec<String>,
    },
}

impl RestoreError {
    /// The error of two different lists of declarations.
    fn other_state(found: &[StateShape], expected: &[StateShape]) -> Self {
        let names = |shapes: &[StateShape]| shapes.iter().map(|shape| shape.name.clone()).collect();
        Self::OtherState { found: names(found), expected: names(expected) }
    }
}

/// The content of one key group, to be encoded.
#[derive(Serialize)]
pub(crate) struct KeyGroupRef<'a> {
    pub(crate) entries: &'a BTreeMap<Bytes, KeyEntry>,
    /// In the order in which they fire.
    pub(crate) timers: &'a [&'a (i64, Bytes)],
}

/// The decoded content of one key group.
#[derive(Deserialize)]
pub(crate) struct KeyGroupContent {
    pub(crate) entries: BTreeMap<Bytes, KeyEntry>,
    pub(crate) timers: Vec<(i64, Bytes)>,
}
