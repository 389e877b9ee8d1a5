//! What somebody asks of a job, and what the job's record says of it.

use serde::{Deserialize, Serialize};

use crate::protocol::{CheckpointId, RequestNumber, Resumption, SavepointMode, SavepointRequest};

/// What a job knows about its savepoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavepointRecord {
    /// All that were completed, oldest first.
    pub completed: Vec<CheckpointId>,
    /// The requests that were carried out: heard again they do nothing.
    pub requests: Vec<RequestNumber>,
    /// The one that the job is stopped at.
    pub stopped: Option<CheckpointId>,
    /// That one was drained: there is nothing to go on with.
    pub is_drained: bool,
    /// The one that it was started from.
    pub origin: Option<CheckpointId>,
}

impl SavepointRecord {
    /// A savepoint was completed for this request.
    pub fn add(&mut self, checkpoint: CheckpointId, request: SavepointRequest) {
        self.completed.push(checkpoint);
        self.requests.push(request.number);
        if request.mode.is_terminal() {
            self.stopped = Some(checkpoint);
            self.is_drained = request.mode == SavepointMode::Drain;
        }
    }

    /// The job is started from where it is stopped; whether it was stopped.
    pub fn resume(&mut self, number: RequestNumber) -> bool {
        self.requests.push(number);
        let stopped = self.stopped.take();
        self.origin = stopped.or(self.origin);
        stopped.is_some()
    }
}

/// What can be asked of the coordinator of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// A savepoint.
    Savepoint {
        /// What becomes of the job.
        mode: SavepointMode,
    },
    /// To start the stopped job again from the savepoint that it is stopped at.
    Resume,
    /// The same, with so many subtasks of each operator that may have several.
    ResumeAt {
        /// How many.
        parallelism: u16,
    },
    /// The same, as another version of the job.
    ResumeAs {
        /// Which, from 0.
        version: u16,
        /// With how many subtasks; absent: as that version was declared.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parallelism: Option<u16>,
    },
}

impl Request {
    /// As what a stopped job is to be started again, if it is.
    #[must_use]
    pub fn resumption(self) -> Option<Resumption> {
        let (version, parallelism) = match self {
            Request::Savepoint { .. } => return None,
            Request::Resume => (None, None),
            Request::ResumeAt { parallelism } => (None, Some(parallelism)),
            Request::ResumeAs { version, parallelism } => (Some(version), parallelism),
        };
        Some(Resumption { version, parallelism })
    }
}
