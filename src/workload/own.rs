//! Workloads that are made at run time, as users make theirs; and what every workload can do.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::panicked::caught;
use super::{Experiment, Workload, WorkloadError, WorkloadSettings};

/// Makes an experiment from settings that have been checked.
pub(super) type Function = fn(&WorkloadSettings) -> Result<Experiment, WorkloadError>;

/// The same, of a function that keeps something.
type Closure = dyn Fn(&WorkloadSettings) -> Result<Experiment, WorkloadError> + Send + Sync;

/// How a workload makes its experiments.
#[derive(Clone)]
pub(super) enum Build {
    /// By a function: what comes with the library.
    Function(Function),
    /// By a function that keeps something.
    Closure(Arc<Closure>),
    /// There is this one.
    Fixed(Box<Experiment>),
}

impl fmt::Debug for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Function(_) => "Function",
            Self::Closure(_) => "Closure",
            Self::Fixed(_) => "Fixed",
        })
    }
}

/// How many records a workload of one's own has where nothing else is said.
const RECORDS_USUAL: u64 = 300;

/// How many it can have then.
const RECORDS_MAX: u64 = 100_000;

impl Workload {
    /// A workload of one's own: `build` makes job, input and expected output from settings.
    ///
    /// The settings say how many records of input there are, how many subtasks the operators have that may have
    /// several, how many splits each source has and how entries are dealt out to them, and choose among inputs.
    /// They are within what this workload can do: see [`records`](Self::records) and
    /// [`single_split`](Self::single_split). An experiment depends on them alone: what is made twice from the same
    /// settings must be the same, since that is how a plan finds its job again.
    ///
    /// ```
    /// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
    /// use cutwater::workload::{Experiment, Workload, WorkloadSettings};
    ///
    /// let doubles = Workload::new("doubles", |settings: &WorkloadSettings| {
    ///     let numbers: Vec<u64> = (0..settings.records.unwrap_or(300)).collect();
    ///     let job = JobBuilder::new("doubles");
    ///     job.source("numbers", Replay::new(), settings.parallelism, settings.splits)
    ///         .map("double", settings.parallelism, |number: u64| 2 * number)
    ///         .transactional_sink("out", settings.parallelism, EncodedSink::new());
    ///     let input = Input::dealt(numbers.iter().map(Replay::entry), settings.splits);
    ///     let expected: Vec<u64> = numbers.iter().map(|number| number + number).collect();
    ///     Experiment::new(&job, input, &expected)
    /// });
    /// let experiment = doubles.experiment(&doubles.usual_settings(2, 0))?;
    /// assert_eq!(experiment.expected.len(), 300);
    /// # Ok::<(), cutwater::workload::WorkloadError>(())
    /// ```
    #[must_use]
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        build: impl Fn(&WorkloadSettings) -> Result<Experiment, WorkloadError> + Send + Sync + 'static,
    ) -> Self {
        Self::own(name.into(), Build::Closure(Arc::new(build)))
    }

    /// A workload of which there is only one size and one shape: this job with this input.
    ///
    /// Plans of it can be replayed and shrunk, but for their records: which output would be expected of fewer,
    /// nobody says. Better is [`new`](Self::new), where that is known.
    #[must_use]
    pub fn fixed(name: impl Into<Cow<'static, str>>, experiment: Experiment) -> Self {
        Self::own(name.into(), Build::Fixed(Box::new(experiment)))
    }

    fn own(name: Cow<'static, str>, build: Build) -> Self {
        Self {
            name,
            about: Cow::Borrowed("a job of one's own"),
            unit: Cow::Borrowed("records"),
            records_usual: RECORDS_USUAL,
            records_max: RECORDS_MAX,
            single_split: false,
            build,
        }
    }

    /// With a sentence that says what it does.
    #[must_use]
    pub fn about(self, about: impl Into<Cow<'static, str>>) -> Self {
        Self { about: about.into(), ..self }
    }

    /// With `usual` records where nothing else is said and at most `most` of them; `unit` says what is counted, in
    /// the plural. Unless told otherwise 300 and 100,000 records.
    #[must_use]
    pub fn records(self, unit: impl Into<Cow<'static, str>>, usual: u64, most: u64) -> Self {
        Self { unit: unit.into(), records_usual: usual, records_max: most.max(usual), ..self }
    }

    /// With a single source that reads everything from a single split.
    #[must_use]
    pub fn single_split(self) -> Self {
        Self { single_split: true, ..self }
    }

    /// Whether it was made at run time, and does not come with the library.
    #[must_use]
    pub fn is_own(&self) -> bool {
        match self.build {
            Build::Closure(_) | Build::Fixed(_) => true,
            Build::Function(_) => false,
        }
    }

    /// Whether there is only one size and one shape of it.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        match self.build {
            Build::Fixed(_) => true,
            Build::Function(_) | Build::Closure(_) => false,
        }
    }

    /// The experiment that this workload gives with `settings`.
    ///
    /// # Errors
    ///
    /// When this workload cannot do what the settings ask for, the function that makes it says no or panics, or its
    /// experiment contradicts itself ([`Experiment::check`]).
    pub fn experiment(&self, settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
        settings.check(self)?;
        let mut experiment = match &self.build {
            Build::Function(build) => build(settings)?,
            Build::Closure(build) => caught(&self.name, || build(settings))?,
            Build::Fixed(experiment) => (**experiment).clone(),
        };
        experiment.check(&self.name)?;
        if !settings.assignment.is_static() {
            let late = experiment.late.len();
            if late > 0 {
                return Err(WorkloadError::LateRecords { workload: self.name.to_string(), late });
            }
            experiment.job = Arc::new(experiment.job.with_assignment(settings.assignment)?);
            experiment.check(&self.name)?;
        }
        Ok(experiment)
    }

    /// Settings that this workload can do, of its usual size.
    #[must_use]
    pub fn usual_settings(&self, parallelism: u16, seed: u64) -> WorkloadSettings {
        let usual = WorkloadSettings { seed, ..WorkloadSettings::default() };
        match &self.build {
            Build::Fixed(experiment) => {
                WorkloadSettings { parallelism: 1, splits: experiment.job.split_count(), ..usual }
            }
            Build::Function(_) | Build::Closure(_) => {
                let splits = if self.single_split { 1 } else { parallelism };
                WorkloadSettings { parallelism, splits, ..usual }
            }
        }
    }
}
