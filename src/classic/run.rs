//! One run of a system, judged.

use thiserror::Error;

use super::event::Stamped;
use super::file::SnapFile;
use super::global_state::GlobalState;
use super::kernel::{Kernel, Settings};
use super::oracle::{History, Violation, judge};
use super::script::Script;
use super::system::System;
use super::workload::Refusal;
use crate::protocol::SnapshotId;
use crate::protocol::ordered::VecMap;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// All that happened.
    pub trace: Vec<Stamped>,
    /// The snapshots of which every part was recorded.
    pub snapshots: VecMap<SnapshotId, GlobalState>,
    /// What is wrong.
    pub violations: Vec<Violation>,
}

/// A script that a system cannot carry out under this seed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{line}: under seed {seed}, {refusal}")]
pub struct CannotPlay {
    /// The line of the script.
    pub line: usize,
    /// The seed.
    pub seed: u64,
    /// What is wrong with it.
    pub refusal: Refusal,
}

/// Carries a script out and judges what happened.
///
/// # Errors
///
/// When a process is to send what it has not got.
pub fn run(system: &System, script: &Script, settings: Settings) -> Result<Run, CannotPlay> {
    let mut kernel = Kernel::new(system.clone(), settings);
    let seed = settings.seed;
    kernel.play(script).map_err(|(line, refusal)| CannotPlay { line, seed, refusal })?;
    Ok(judged(kernel.into_trace()))
}

/// A trace with what it says.
#[must_use]
pub fn judged(trace: Vec<Stamped>) -> Run {
    let violations = judge(&trace);
    let snapshots = History::read(&trace).map_or_else(
        |_| VecMap::new(),
        |history| {
            let whole = history.snapshots.iter();
            whole.filter_map(|(id, it)| Some((*id, history.global_state(it)?))).collect()
        },
    );
    Run { trace, snapshots, violations }
}

impl Run {
    /// The snapshots as the course's files hold them.
    pub fn files(&self, system: &System) -> impl Iterator<Item = SnapFile> {
        let file =
            |(id, state): (&SnapshotId, &GlobalState)| SnapFile::new(*id, state, &system.graph);
        self.snapshots.iter().map(file)
    }
}
