//! Why there is no experiment: what was asked for, and what would have been possible.

use thiserror::Error;

use super::Workload;
use crate::dataflow::{BuildError, MigrationError};

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
        workload: String,
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
        workload: String,
        /// How many.
        late: usize,
    },
    /// A record that is not read back as it was written.
    #[error("workload {workload}: {what}: {problem}")]
    Record {
        /// The workload.
        workload: String,
        /// Where the record is from.
        what: String,
        /// What became of it.
        problem: String,
    },
    /// The input is of other sources than the job's.
    #[error(
        "workload {workload}: its input has {splits} splits, and its sources read {read}: expected as many"
    )]
    Splits {
        /// The workload.
        workload: String,
        /// How many splits the input has.
        splits: u16,
        /// How many the sources read.
        read: u16,
    },
    /// The input is one queue, and a source of the job discovers its splits.
    #[error(
        "workload {workload}: its input is one queue, whose consumers are there for good, and a source of it discovers \
         its splits: expected splits that are assigned, by the builder or by an enumerator"
    )]
    DiscoveredQueue {
        /// The workload.
        workload: String,
    },
    /// A version of its job that cannot go on from a savepoint of the one before.
    #[error("workload {workload}: version {version} of its job: {error}")]
    Version {
        /// The workload.
        workload: String,
        /// The number of the version.
        version: u16,
        /// Why not.
        error: MigrationError,
    },
    /// There is only one size and one shape of it.
    #[error("workload {workload}: there is one size of it: {setting} cannot be asked for")]
    Fixed {
        /// The workload.
        workload: String,
        /// The field of [`WorkloadSettings`](super::WorkloadSettings).
        setting: &'static str,
    },
    /// The function that makes it panicked.
    #[error("workload {workload}: the function that makes it panicked: {message}{}", at(place.as_deref()))]
    Panicked {
        /// The workload.
        workload: String,
        /// With these words.
        message: String,
        /// Where in the source, where that is known.
        place: Option<String>,
    },
    /// The workload's own reason.
    #[error("{0}")]
    Own(String),
    /// The settings make a job that is too large.
    #[error(transparent)]
    Job(#[from] BuildError),
    /// The input could not be read.
    #[error(transparent)]
    Input(#[from] InputError),
}

fn at(place: Option<&str>) -> String {
    place.map(|place| format!(", at {place}")).unwrap_or_default()
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

impl UnknownWorkload {
    /// There is no `name` among these.
    pub(crate) fn among<'a>(name: &str, known: impl IntoIterator<Item = &'a Workload>) -> Self {
        let known: Vec<&str> = known.into_iter().map(|workload| &*workload.name).collect();
        Self { name: name.to_owned(), known: known.join(", ") }
    }
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
