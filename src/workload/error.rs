//! Why there is no experiment: what was asked for, and what would have been possible.

use thiserror::Error;

use crate::dataflow::BuildError;

/// A workload could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WorkloadError {
    /// There is no workload of this name.
    #[error(transparent)]
    Unknown(#[from] UnknownWorkload),
    /// A setting has a value that this workload cannot use.
    #[error("workload {workload}: {setting} is {got}, expected {expected}")]
    Setting {
        /// The workload.
        workload: &'static str,
        /// The field of [`WorkloadSettings`](super::WorkloadSettings).
        setting: &'static str,
        /// Its value.
        got: u64,
        /// What would have been accepted.
        expected: String,
    },
    /// Its output is a function of its input only as long as one reader reads it in one order.
    #[error(
        "workload {workload}: {late} records of it come late, which depends on the order in which one reader \
         reads them: its splits cannot be assigned by an enumerator, which holds watermarks back"
    )]
    LateRecords {
        /// The workload.
        workload: &'static str,
        /// How many.
        late: usize,
    },
    /// The settings make a job that is too large.
    #[error(transparent)]
    Job(#[from] BuildError),
    /// The input could not be read.
    #[error(transparent)]
    Input(#[from] InputError),
}

/// A name that no workload has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown workload \"{name}\", expected one of {known}")]
pub struct UnknownWorkload {
    /// What was asked for.
    pub name: String,
    /// The names there are, with commas.
    pub known: String,
}

/// A place in an input file that does not say what it should.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{file}:{line}: {field}: \"{got}\", expected {expected}")]
pub struct InputError {
    /// The file.
    pub file: &'static str,
    /// Counted from 1.
    pub line: usize,
    /// The column's name.
    pub field: &'static str,
    /// What stands there.
    pub got: String,
    /// What should stand there.
    pub expected: &'static str,
}
