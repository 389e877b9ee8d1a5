//! Where one subtask sits in its job.

use std::sync::Arc;

use super::assignment::SplitAssignment;
use crate::protocol::{OperatorId, SplitId, SubtaskId};

/// What a subtask is told about its place, worked out once when the job is built.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    /// Which subtask.
    pub(crate) subtask: SubtaskId,
    /// Its operator.
    pub(crate) operator: OperatorId,
    /// Its index within the operator.
    pub(crate) index: u16,
    /// How many subtasks the operator has.
    pub(crate) parallelism: u16,
    /// For each input channel, which input of the operator it belongs to.
    pub(crate) ports: Arc<[u8]>,
    /// For each input channel, whether it leads back; empty where none does.
    pub(crate) back_inputs: Arc<[bool]>,
    /// For each edge, the index of the output channel to each of its receivers.
    pub(crate) routes: Vec<Arc<[u16]>>,
    /// The output channels that do not lead back.
    pub(crate) onward: Arc<[u16]>,
    /// The splits it reads from the beginning.
    pub(crate) splits: Vec<SplitId>,
    /// Who decides which splits it reads.
    pub(crate) assignment: SplitAssignment,
}
