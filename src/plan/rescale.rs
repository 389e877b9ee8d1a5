//! Rescales of a plan: the job is to go on at another parallelism.

use serde::{Deserialize, Serialize};

use super::When;
use crate::protocol::RescaleRequest;

/// A rescale of a plan. It is asked of the coordinator; one that is down does not hear it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRescale {
    /// When it is asked for, once.
    pub when: When,
    /// How many subtasks each operator is to have that may have several.
    pub parallelism: u16,
    /// Whether a checkpoint must complete before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checkpoint_first: bool,
}

impl PlannedRescale {
    /// What the coordinator is asked for.
    #[must_use]
    pub fn request(&self) -> RescaleRequest {
        let Self { parallelism, checkpoint_first, .. } = *self;
        RescaleRequest { parallelism, checkpoint_first }
    }
}
