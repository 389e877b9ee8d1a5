//! Who decides which subtask of a source reads which split.

use serde::{Deserialize, Serialize};

/// Who decides which subtask of a source reads which split.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum SplitAssignment {
    /// The job: the *s*-th split of a source with *k* subtasks belongs to its subtask *s* mod *k*.
    #[default]
    Static,
    /// An enumerator beside the coordinator, while the job runs: whoever has nothing left to read asks it.
    Enumerated,
    /// An enumerator that knows of no split when the job starts, and discovers them while it runs.
    Discovered,
}

impl SplitAssignment {
    /// Whether it is the default.
    #[must_use]
    pub fn is_static(&self) -> bool {
        *self == Self::Static
    }
}
