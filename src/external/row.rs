//! What is written to a system.

use serde::{Deserialize, Serialize};

use crate::protocol::{Digest, LineageId, OperatorId};
use crate::trace::OutputRecord;

/// One row: what a sink wrote, with where it came from, so that a row that is lost, doubled or early can be named.
///
/// A sink makes one of each record that it is given; it does not read the origin, and keeps it with the payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Whose record it is: the operator that was given it.
    pub operator: OperatorId,
    /// Where the record came from.
    pub lineage: LineageId,
    /// What is written.
    pub payload: Vec<u8>,
}

impl Row {
    /// How a trace names it.
    #[must_use]
    pub fn shown(&self) -> OutputRecord {
        OutputRecord { lineage: self.lineage, digest: Digest::of(&self.payload) }
    }
}
