//! Jobs worth running, each with its input and with what it must give.
//!
//! A workload's **expected output** is a multiset that depends on the input alone: not on parallelism,
//! interleaving, crashes or replays. Each workload's module says why that is so. It is computed by
//! plain loops over the input, which share no code with [`dataflow`](crate::dataflow): a fault-free run
//! of the same engine would hide what both get wrong.
//!
//! ```
//! use cutwater::workload::{self, WorkloadSettings};
//!
//! let settings = WorkloadSettings { records: Some(500), parallelism: 2, splits: 4, ..Default::default() };
//! let experiment = workload::experiment("word-count", &settings)?;
//! assert_eq!(experiment.expected.len(), 500);
//! # Ok::<(), workload::WorkloadError>(())
//! ```

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::dataflow::{Input, Job, JobBuilder};

mod bank;
mod collatz;
mod corrections;
mod draw;
mod error;
mod flights;
mod join;
mod laps;
mod ledger;
mod lookup;
mod mirror;
mod nexmark;
mod parcels;
mod reachability;
mod records;
mod relay;
mod sequence;
mod sessions;
mod settings;
mod window;
mod word_count;

pub use error::{InputError, UnknownWorkload, WorkloadError};
pub use settings::WorkloadSettings;

/// A job with its input and its expected output, in any size.
#[derive(Debug)]
pub struct Workload {
    /// Names it in scenarios and on the command line.
    pub name: &'static str,
    /// What it does and what it is good for, in one sentence.
    pub about: &'static str,
    /// What [`WorkloadSettings::records`] counts, in the plural.
    pub unit: &'static str,
    /// How many records it has when the settings do not say.
    pub records_usual: u64,
    /// How many records it can have.
    pub records_max: u64,
    /// Whether a single source reads everything, from a single split.
    pub single_split: bool,
    /// Makes the experiment from settings that have been checked.
    build: Build,
}

/// Makes an experiment from settings that have been checked.
type Build = fn(&WorkloadSettings) -> Result<Experiment, WorkloadError>;

/// What to run, on what, and what must come out.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The job.
    pub job: Arc<Job>,
    /// What its sources read.
    pub input: Arc<Input>,
    /// The payloads of the output that must be committed, each once, in any order.
    pub expected: Arc<Vec<Vec<u8>>>,
    /// The records that the job must drop because they come after their window was closed, each as it is
    /// encoded where it is dropped; in any order.
    pub late: Arc<Vec<Vec<u8>>>,
}

/// Every workload there is.
static ALL: [Workload; 20] = [
    word_count::WORKLOAD,
    flights::WORKLOAD,
    nexmark::q1::WORKLOAD,
    nexmark::q3::WORKLOAD,
    nexmark::q5::WORKLOAD,
    nexmark::q7::WORKLOAD,
    nexmark::q12::WORKLOAD,
    bank::WORKLOAD,
    sequence::WORKLOAD,
    join::WORKLOAD,
    mirror::WORKLOAD,
    relay::WORKLOAD,
    relay::AT_LEAST_ONCE,
    sessions::WORKLOAD,
    corrections::WORKLOAD,
    ledger::WORKLOAD,
    reachability::WORKLOAD,
    collatz::WORKLOAD,
    parcels::WORKLOAD,
    laps::WORKLOAD,
];

/// Every workload there is.
#[must_use]
pub fn all() -> &'static [Workload] {
    &ALL
}

/// The workload called `name`.
///
/// # Errors
///
/// When there is none; the error lists those there are.
pub fn named(name: &str) -> Result<&'static Workload, UnknownWorkload> {
    ALL.iter().find(|workload| workload.name == name).ok_or_else(|| UnknownWorkload {
        name: name.to_owned(),
        known: ALL.each_ref().map(|workload| workload.name).join(", "),
    })
}

/// The experiment that `name` gives with `settings`.
///
/// Takes time in proportion to the records asked for; callers that need it again keep it.
///
/// # Errors
///
/// When there is no such workload, or it cannot do what the settings ask for.
pub fn experiment(name: &str, settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    named(name)?.experiment(settings)
}

impl Workload {
    /// The experiment that this workload gives with `settings`.
    ///
    /// # Errors
    ///
    /// When this workload cannot do what the settings ask for.
    pub fn experiment(&self, settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
        settings.check(self)?;
        let mut experiment = (self.build)(settings)?;
        if !settings.assignment.is_static() {
            let (workload, late) = (self.name, experiment.late.len());
            if late > 0 {
                return Err(WorkloadError::LateRecords { workload, late });
            }
            experiment.job = Arc::new(experiment.job.with_assignment(settings.assignment)?);
        }
        Ok(experiment)
    }

    /// Settings that this workload can do, of its usual size.
    #[must_use]
    pub fn usual_settings(&self, parallelism: u16, seed: u64) -> WorkloadSettings {
        let splits = if self.single_split { 1 } else { parallelism };
        WorkloadSettings { records: None, parallelism, splits, seed, ..WorkloadSettings::default() }
    }
}

impl Experiment {
    /// The experiment with records that are late.
    fn dropping<T: Serialize>(self, late: &[T]) -> Self {
        Self { late: Arc::new(late.iter().map(encoded).collect()), ..self }
    }

    /// An experiment in which no record is late.
    fn new<T: Serialize>(
        job: &JobBuilder,
        input: Input,
        outputs: &[T],
    ) -> Result<Self, WorkloadError> {
        Ok(Self {
            job: Arc::new(job.build()?),
            input: Arc::new(input),
            expected: Arc::new(outputs.iter().map(encoded).collect()),
            late: Arc::default(),
        })
    }
}

/// How a record of input or output is written down.
fn encoded<T: Serialize>(record: &T) -> Vec<u8> {
    postcard::to_stdvec(record).expect("records are plain data")
}

/// What an entry of an input of this module holds.
fn decoded<T: DeserializeOwned>(entry: &[u8]) -> T {
    postcard::from_bytes(entry).expect("the input is the workload's own")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::SplitAssignment;

    #[test]
    fn what_is_late_in_one_order_is_not_read_in_any() {
        let assignment = SplitAssignment::Enumerated;
        for workload in all() {
            let usual = workload.usual_settings(2, 0);
            let late = workload.experiment(&usual).expect("its usual settings").late.len();
            let enumerated = WorkloadSettings { assignment, ..usual };
            match workload.experiment(&enumerated) {
                Ok(experiment) => {
                    assert_eq!((late, experiment.job.enumerated().count() > 0), (0, true))
                }
                Err(error) => assert!(late > 0, "{error}"),
            }
        }
    }
}
