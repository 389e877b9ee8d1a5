//! An experiment: what to run, on what, and what must come out; and whether the three fit together.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::{WorkloadError, encoded};
use crate::dataflow::data::{Show, show};
use crate::dataflow::witness::bounded;
use crate::dataflow::{Data, Input, Job, JobBuilder};

/// What to run, on what, and what must come out.
#[derive(Clone)]
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
    /// Shows a payload of the output as its type does; nothing is known of the type where there is none.
    pub show: Option<Show>,
}

/// How many of the expected records are read back.
const READ_BACK: usize = 100;

impl Experiment {
    /// The experiment that `job`, fed with `input`, commits exactly the records `expected`, each once, in any
    /// order, as its sink writes them with [`EncodedSink`](crate::dataflow::EncodedSink).
    ///
    /// # Errors
    ///
    /// When the job cannot be built, or the first records expected are not read back as they were written
    /// ([`Data`] says which types are not).
    pub fn new<T: Data>(
        job: &JobBuilder,
        input: Input,
        expected: &[T],
    ) -> Result<Self, WorkloadError> {
        let job = Arc::new(job.build()?);
        for record in expected.iter().take(READ_BACK) {
            read_back(record).map_err(|problem| WorkloadError::Record {
                workload: job.name().to_owned(),
                what: "the expected output".to_owned(),
                problem,
            })?;
        }
        Ok(Self {
            job,
            input: Arc::new(input),
            expected: Arc::new(expected.iter().map(encoded).collect()),
            late: Arc::default(),
            show: Some(show::<T>),
        })
    }

    /// The same experiment, whose job may go on as `next` from a savepoint that it was stopped at: see
    /// [`Job::upgraded_to`]. What is expected stays the same.
    ///
    /// # Errors
    ///
    /// When the other version cannot be built, or cannot go on from a savepoint of the one before.
    pub fn upgraded_to(self, next: &JobBuilder) -> Result<Self, WorkloadError> {
        let job = self.job.upgraded_to(&next.build()?).map_err(|error| WorkloadError::Version {
            workload: self.job.name().to_owned(),
            version: self.job.newest_version().saturating_add(1),
            error,
        })?;
        Ok(Self { job: Arc::new(job), ..self })
    }

    /// The experiment with records that are late.
    #[must_use]
    pub fn dropping<T: Serialize>(self, late: &[T]) -> Self {
        Self { late: Arc::new(late.iter().map(encoded).collect()), ..self }
    }

    /// Whether job and input fit together.
    ///
    /// # Errors
    ///
    /// When the input has fewer or more splits than the sources of the job read, or is a queue of which a source
    /// discovers consumers.
    pub fn check(&self, workload: &str) -> Result<(), WorkloadError> {
        let workload = workload.to_owned();
        let (splits, read) = (self.input.split_count(), self.job.split_count());
        let discovers = self.job.enumerated().any(|(source, ..)| self.job.discovers(source));
        if splits != read {
            return Err(WorkloadError::Splits { workload, splits, read });
        }
        if self.input.is_queue() && discovers {
            return Err(WorkloadError::DiscoveredQueue { workload });
        }
        Ok(())
    }

    /// A payload of the output, as people wrote it; as bytes where its type is not known, or it is of another.
    #[must_use]
    pub fn shown(&self, payload: &[u8]) -> String {
        let known = self.show.and_then(|show| show(payload));
        bounded(known.unwrap_or_else(|| format!("{} bytes of another type", payload.len())))
    }
}

impl fmt::Debug for Experiment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Experiment")
            .field("job", &self.job.name())
            .field("input", &self.input.lengths())
            .field("expected", &self.expected.len())
            .field("late", &self.late.len())
            .finish()
    }
}

/// Whether a record is the same again once it was written and read; says what is wrong with its type.
fn read_back<T: Data>(record: &T) -> Result<(), String> {
    const KNOWN: &str = "#[serde(untagged)], #[serde(tag = …)], #[serde(flatten)] and \
                         #[serde(skip_serializing_if = …)] need a format that describes itself, and postcard does not";
    let name = type_name::<T>();
    let bytes = postcard::to_stdvec(record)
        .map_err(|error| format!("{record:?}, a {name}, cannot be encoded: {error}; {KNOWN}"))?;
    let again: T = postcard::from_bytes(&bytes).map_err(|error| {
        format!("{record:?}, a {name}, is not read back from its encoding: {error}; {KNOWN}")
    })?;
    let same = postcard::to_stdvec(&again).is_ok_and(|again| again == bytes);
    let differs = || format!("{record:?}, a {name}, is read back as {again:?}; {KNOWN}");
    if same { Ok(()) } else { Err(differs()) }
}
