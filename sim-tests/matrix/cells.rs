//! Cells: what is run, and under what.

use std::fmt;

use cutwater::dataflow::BuildError;
use cutwater::plan::scenario::{BufferScenario, RescaleScenario};
use cutwater::plan::{FaultClass, Scenario, Span};
use cutwater::protocol::Protocol;
use strum::IntoEnumIterator as _;

use super::jobs::Topology;

/// How many subtasks each operator has that may have several.
const PARALLELISMS: [u16; 3] = [1, 2, 3];

/// One job under one protocol.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    pub protocol: Protocol,
    pub topology: Topology,
    pub parallelism: u16,
}

/// What befalls the runs of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hazard {
    /// One or two faults of this class, and nothing else.
    Fault(FaultClass),
    /// The job is to go on at another parallelism, and a worker or the coordinator may crash.
    Rescale,
}

/// One protocol, topology, parallelism and hazard.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    pub group: Group,
    pub hazard: Hazard,
}

/// Every protocol, on every topology, at every parallelism.
pub fn groups() -> Vec<Group> {
    let mut groups = Vec::new();
    for protocol in Protocol::iter() {
        for topology in Topology::iter() {
            let group = |parallelism| Group { protocol, topology, parallelism };
            groups.extend(PARALLELISMS.map(group));
        }
    }
    groups
}

/// Every class of faults, and a rescale.
pub fn hazards() -> impl Iterator<Item = Hazard> {
    FaultClass::iter().map(Hazard::Fault).chain([Hazard::Rescale])
}

impl Group {
    /// Why `build` must refuse this job under this protocol; nothing where it must not.
    pub fn refusal(self) -> Option<&'static str> {
        let Self { protocol, topology, .. } = self;
        match topology {
            Topology::Loop if protocol != Protocol::Cyclic => Some("no answer to loops"),
            Topology::Broadcast if protocol.may_overtake() => Some("channel state of its own"),
            _ => None,
        }
    }

    /// What is wrong with what `build` said; nothing where it is as it must be.
    pub fn judge_build<T>(self, built: &Result<T, BuildError>) -> Option<String> {
        match (self.refusal(), built) {
            (None, Ok(_)) => None,
            (Some(reason), Err(refusal)) if refusal.to_string().contains(reason) => None,
            (due, Err(refusal)) => Some(format!("{self}: {due:?} was due, refused: {refusal}")),
            (Some(due), Ok(_)) => Some(format!("{self}: it was built, {due:?} was due")),
        }
    }

    /// Why some of its rescales must be refused; nothing where none must. What overtakes leaves something on
    /// forward edges that nobody has a rule for, unless a checkpoint comes first that keeps its place.
    pub fn rescale_refusal(self) -> Option<&'static str> {
        let has_forward_edge = match self.topology {
            Topology::Chain | Topology::Diamond | Topology::Join => true,
            Topology::Shuffle | Topology::Broadcast | Topology::Loop => false,
        };
        let is_due = self.protocol.may_overtake() && has_forward_edge;
        is_due.then_some("an aligned checkpoint must come first")
    }

    /// Small and quick: what matters is where barriers meet records and faults, not how many there are.
    fn scenario(self) -> Scenario {
        let text = format!(
            r#"
            version = 1
            name = "matrix"
            about = "one cell"
            [job]
            workload = "matrix"
            splits = 3
            [cluster]
            workers = [2, 3]
            credits = [1, 6]
            source_interval_us = [0, 1500]
            sink_batch = [1, 4]
            [checkpoints]
            protocol = "{}"
            aligned_timeout_ms = [0, 12]
            interval_ms = [10, 40]
            timeout_ms = [100, 300]
            [links]
            channels = {{ uniform = [200, 6000] }}
            control = {{ uniform = [200, 4000] }}
            [nemesis]
            window_ms = [1, 80]
            down_ms = [1, 30]
            pause_ms = [1, 40]
            zombie_ms = [1, 60]
            disconnect_ms = [1, 40]
            store_ms = [5, 60]
            sink_ms = [5, 60]
            idle_ms = [5, 60]
            "#,
            self.protocol
        );
        toml::from_str(&text).expect("the scenario parses")
    }
}

impl Cell {
    /// What a seed of this cell draws from.
    pub fn scenario(self) -> Scenario {
        let mut scenario = self.group.scenario();
        match self.hazard {
            Hazard::Fault(class) => {
                scenario.faults.insert(class, Span::new(1, 2));
                if class == FaultClass::CrashAgain {
                    // There must have been a first time.
                    scenario.faults.insert(FaultClass::CrashWorker, Span::new(1, 1));
                }
            }
            Hazard::Rescale => {
                let crashes = [FaultClass::CrashWorker, FaultClass::CrashCoordinator];
                scenario.faults = crashes.map(|class| (class, Span::new(0, 1))).into();
                scenario.rescale = Some(rescale(self.group.parallelism));
            }
        }
        scenario
    }
}

/// The same, and records are put together into buffers: several in one, or one over several.
pub fn with_buffers(mut scenario: Scenario) -> Scenario {
    let (bytes, timeout_ms) = (Span::new(6, 60), Span::new(1, 6));
    scenario.cluster.buffers = Some(BufferScenario { bytes, timeout_ms });
    scenario
}

/// To another parallelism; from 2, one in three is none and refused.
fn rescale(from: u16) -> RescaleScenario {
    let parallelism = match from {
        1 => Span::new(2, 3),
        2 => Span::new(1, 3),
        _ => Span::new(1, 2),
    };
    RescaleScenario {
        count: Span::new(1, 1),
        parallelism,
        within_ms: Span::new(1, 60),
        checkpoint_first_percent: 50,
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} at {}", self.protocol, self.topology, self.parallelism)
    }
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hazard::Fault(class) => write!(f, "{class}"),
            Hazard::Rescale => write!(f, "rescale"),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.group, self.hazard)
    }
}
