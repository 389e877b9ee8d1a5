//! What state a subtask owns, piece by piece: told where a job may be rescaled.

use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use cutwater_protocol::{Digest, KeyGroup};

/// The keyed state and the lists of one subtask.
///
/// A trace without it has no field for it, and its digest is what it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ownership {
    /// In a keyed operator, the first key group of the subtask, and the one after its last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(u16, u16)>,
    /// The digest of each key group that holds anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_groups: Vec<(KeyGroup, Digest)>,
    /// The lists of the subtask.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ListContent>,
}

/// One list of a subtask.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListContent {
    /// Unique in its operator.
    pub name: String,
    /// What becomes of it in another number of subtasks.
    pub mode: ListMode,
    /// The digest of each element, in order.
    pub elements: Vec<Digest>,
}

/// What becomes of a list in another number of subtasks.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ListMode {
    /// Each element goes to one subtask.
    Split,
    /// Each goes to all.
    Union,
    /// All have the same list, and a new one gets a copy.
    Broadcast,
}

impl Ownership {
    /// Whether nothing is told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.range.is_none() && self.key_groups.is_empty() && self.lists.is_empty()
    }
}

impl Hash for Ownership {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        if !self.is_empty() {
            (self.range, &self.key_groups, &self.lists).hash(hasher);
        }
    }
}
