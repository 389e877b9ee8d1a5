//! Plans: everything that decides a run, as data. A seed only draws one; a plan replays without it.

#![deny(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod built_in;
pub mod draw;
pub mod environment;
pub mod expectation;
pub mod fault;
pub mod fault_class;
pub mod file;
mod heading;
pub mod job_shape;
pub mod limits;
pub mod links;
pub mod name;
pub mod random;
pub mod request;
pub mod rescale;
pub mod scenario;
pub mod swarm;
pub mod words;

pub use draw::draw;
pub use environment::Environment;
pub use expectation::{Expectation, Situation};
pub use fault::{ClockChange, Fault, MessageAction, PlannedFault, When};
pub use fault_class::{FaultClass, FaultFamily, FaultKind};
pub use file::{FileError, PLAN_FORMAT, PLAN_VERSION, PlanFile};
pub use job_shape::JobShape;
pub use links::{ControlLink, Latency, LinkSettings, Priority, SlowLink};
pub use name::{NAME_CHARS_MAX, Name, NameError};
pub use random::{Concern, Span, Stream, salt};
pub use request::PlannedRequest;
pub use rescale::PlannedRescale;
pub use scenario::{Breadth, NemesisScenario, Scenario};
pub use swarm::{Setting, SwarmScenario};

use serde::{Deserialize, Serialize};

use crate::cluster::ClusterSettings;
use crate::dataflow::{Deal, SplitAssignment};
use crate::protocol::{DefectSet, ProcessId, Resumption, Revision};

/// Everything that decides a run, but for the job's code and input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Which scenario it was drawn for.
    pub scenario: Name,
    /// The seed: of the plan, and of delays in the run.
    pub seed: u64,
    /// What the scenario adds to the seed, so that one seed is another draw in each scenario: [`Plan::root`].
    /// Nothing in plans that were kept before scenarios did so.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub salt: u64,
    /// The job and its input.
    pub job: JobPlan,
    /// The processes.
    pub cluster: ClusterSettings,
    /// The links between them.
    pub links: LinkSettings,
    /// How long mail waits in a mailbox, in microseconds.
    pub mailbox_us: Span,
    /// What goes wrong.
    pub faults: Vec<PlannedFault>,
    /// What is asked of the coordinator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<PlannedRequest>,
    /// When the job is to go on at another parallelism, before the faults end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rescales: Vec<PlannedRescale>,
    /// When faults end and everything is healed, but for `lost`.
    pub safety_ms: u64,
    /// Within how long after that the job must finish.
    pub liveness_ms: u64,
    /// Workers that are not healed: the others must do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<ProcessId>,
    /// Bugs that are switched on.
    #[serde(default, skip_serializing_if = "DefectSet::is_empty")]
    pub defects: DefectSet,
}

fn is_nothing(salt: &u64) -> bool {
    *salt == 0
}

impl Plan {
    /// What the streams of the run come from.
    #[must_use]
    pub fn root(&self) -> u64 {
        random::root(self.salt, self.seed)
    }

    /// The numbers of subtasks that the job may be asked to go on with.
    pub fn parallelisms(&self) -> impl Iterator<Item = u16> {
        let resumed = self.resumptions().filter_map(|resumption| resumption.parallelism);
        self.rescales.iter().map(|planned| planned.parallelism).chain(resumed)
    }

    /// As what the job may be asked to go on, and more: all its versions that are asked for, with all numbers of
    /// subtasks.
    pub fn revisions(&self) -> impl Iterator<Item = Revision> {
        let versions = self.resumptions().filter_map(|resumption| resumption.version);
        std::iter::once(0).chain(versions).flat_map(|version| {
            let sizes = self.parallelisms().map(Some);
            let of_version = move |parallelism| Revision { version, parallelism };
            std::iter::once(None).chain(sizes).map(of_version)
        })
    }

    /// Whether the job may be asked to go on in another shape.
    #[must_use]
    pub fn is_reshaped(&self) -> bool {
        self.revisions().any(|revision| revision != Revision::default())
    }

    fn resumptions(&self) -> impl Iterator<Item = Resumption> {
        self.requests.iter().filter_map(|planned| planned.request.resumption())
    }

    /// Whether a store is to lose everything that it keeps, or the sink target what was promised to it: then the
    /// end of the job is not owed any more.
    #[must_use]
    pub fn loses_for_good(&self) -> bool {
        let anywhere = ProcessId::Coordinator; // It does not depend on the process.
        self.faults.iter().any(|planned| planned.class(anywhere).loses_for_good())
    }
}

/// The job of a plan: a workload by name, and its settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobPlan {
    /// The workload's name.
    pub workload: Name,
    /// How many records of its input; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// Subtasks of each operator that may have several.
    pub parallelism: u16,
    /// Splits of each source.
    pub splits: u16,
    /// How entries are dealt out to them.
    #[serde(default, skip_serializing_if = "Deal::is_even")]
    pub deal: Deal,
    /// Who decides which subtask reads which of them.
    #[serde(default, skip_serializing_if = "SplitAssignment::is_static")]
    pub assignment: SplitAssignment,
}
