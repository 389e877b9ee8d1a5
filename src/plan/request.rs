//! What somebody asks of the coordinator in a run, and when.

use serde::{Deserialize, Serialize};

use super::fault::When;
use crate::cluster::message::Request;

/// A request of a plan; its number is its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedRequest {
    /// When it is made, once.
    pub when: When,
    /// What is asked for.
    pub request: Request,
}
