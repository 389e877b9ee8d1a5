//! Kept plans: each with what is expected of it, and why it is kept.
//!
//! A file `name.json` holds one; `name.trace.jsonl` beside it holds its trace, where that is short. They
//! are replayed by `cargo test`, to the byte: a digest that differs is told with the first event at
//! which the traces part.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::determinism::Recorder;
use super::experiments::Experiments;
use super::run::{WorldKind, run_plan};
use super::signature::Signature;
use crate::plan::file::{check_header, check_plan, json_error, read_bounded};
use crate::plan::{Environment, FileError, JobShape, Plan};
use crate::protocol::DefectSet;
use crate::trace::{Divergence, Event, Stamp, TraceReader, diff};
use crate::workload::WorkloadError;

/// How a file of a kept plan begins.
pub const REGRESSION_FORMAT: &str = "cutwater-regression";

/// The version of the format that is written and read here.
pub const REGRESSION_VERSION: u32 = 1;

/// A longer trace is not kept beside its plan.
pub const TRACE_EVENTS_MAX: usize = 1_000;

/// How many events are shown around the place where two traces part.
const CONTEXT: usize = 3;

/// A kept plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regression {
    format: String,
    version: u32,
    /// Why it is kept, in a sentence.
    pub why: String,
    /// What must come of it.
    pub expected: Expected,
    /// The digest of its trace; none where two runs differ, or where it still fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Where it was kept.
    pub environment: Environment,
    /// What its job was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobShape>,
    /// The plan.
    pub plan: Plan,
}

/// What must come of a kept plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// All holds: a bug that was here is gone.
    Held,
    /// It fails so, because of its defects: without them, all holds.
    Fails(Signature),
}

/// What came of a kept plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How it fails; none when all held.
    pub signature: Option<Signature>,
    /// The digest of its trace.
    pub digest: String,
    /// The trace.
    pub trace: Vec<(Stamp, Event)>,
}

/// How a kept plan is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// Something else came of it.
    Outcome {
        /// What was expected.
        expected: Expected,
        /// How it fails; none when all held.
        found: Option<Signature>,
    },
    /// It fails without its defects, too.
    FailsAnyway(Signature),
    /// Its trace differs.
    Trace {
        /// The digest that was kept.
        expected: String,
        /// The digest of now.
        found: String,
        /// Where it parts from the kept trace, where one is kept.
        divergence: Option<Box<Divergence>>,
    },
}

impl Regression {
    /// Runs a plan, and makes it one to be kept.
    ///
    /// With its defects it is expected to fail as it does. A plan without defects is expected to hold,
    /// and fails its replays until the bug is gone that it shows; its digest is not known before.
    ///
    /// # Errors
    ///
    /// When its job cannot be made.
    pub fn new(
        plan: Plan,
        why: &str,
        experiments: &Experiments,
    ) -> Result<(Self, Found), WorkloadError> {
        let found = run(&plan, experiments)?;
        let expected = match &found.signature {
            Some(signature) if !plan.defects.is_empty() => Expected::Fails(signature.clone()),
            Some(_) | None => Expected::Held,
        };
        let is_repeatable = expected.is(found.signature.as_ref())
            && found.signature != Some(Signature::NotDeterministic);
        let regression = Self {
            format: REGRESSION_FORMAT.to_owned(),
            version: REGRESSION_VERSION,
            why: why.to_owned(),
            expected,
            digest: is_repeatable.then(|| found.digest.clone()),
            environment: Environment::of_plan(&plan),
            job: experiments.prepare(&plan.job).ok().map(|prepared| prepared.shape(&plan.job)),
            plan,
        };
        Ok((regression, found))
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or does not hold what it should.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        Self::from_json(&path.display().to_string(), &read_bounded(path)?)
    }

    /// Reads a file's content; `path` is for messages.
    ///
    /// # Errors
    ///
    /// When it does not hold what it should.
    pub fn from_json(path: &str, text: &str) -> Result<Self, FileError> {
        check_header(path, text, REGRESSION_FORMAT, REGRESSION_VERSION)?;
        let read: Self = serde_json::from_str(text).map_err(|error| json_error(path, &error))?;
        check_plan(path, text, &read.plan)?;
        Ok(read)
    }

    /// As a file's content.
    ///
    /// # Panics
    ///
    /// Never: it is plain data.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data can be encoded");
        text.push('\n');
        text
    }

    /// Runs it again, and says how it is not what it was. `kept` is the trace beside it, if there is one.
    ///
    /// # Errors
    ///
    /// When its job cannot be made.
    pub fn replay(
        &self,
        experiments: &Experiments,
        kept: Option<&[(Stamp, Event)]>,
    ) -> Result<Vec<Complaint>, WorkloadError> {
        let found = run(&self.plan, experiments)?;
        let mut complaints = Vec::new();
        if !self.expected.is(found.signature.as_ref()) {
            let expected = self.expected.clone();
            complaints.push(Complaint::Outcome { expected, found: found.signature.clone() });
        }
        if matches!(self.expected, Expected::Fails(_)) {
            let clean = Plan { defects: DefectSet::NONE, ..self.plan.clone() };
            complaints.extend(run(&clean, experiments)?.signature.map(Complaint::FailsAnyway));
        }
        complaints.extend(self.compare(found, kept));
        Ok(complaints)
    }

    /// The trace as well as its digest, which leaves out what follows from the rest.
    fn compare(&self, found: Found, kept: Option<&[(Stamp, Event)]>) -> Option<Complaint> {
        let expected = self.digest.clone()?;
        let kept = kept.map(|kept| kept.iter().cloned());
        let divergence = kept.and_then(|kept| diff(kept, found.trace, CONTEXT)).map(Box::new);
        let differs = expected != found.digest || divergence.is_some();
        differs.then_some(Complaint::Trace { expected, found: found.digest, divergence })
    }
}

impl Expected {
    fn is(&self, found: Option<&Signature>) -> bool {
        match self {
            Self::Held => found.is_none(),
            Self::Fails(signature) => found == Some(signature),
        }
    }
}

/// Runs a plan; twice where nothing else is wrong with it, since that may be what is.
fn run(plan: &Plan, experiments: &Experiments) -> Result<Found, WorkloadError> {
    let prepared = experiments.prepare(&plan.job)?;
    let recorder = Recorder::default();
    let (outcome, _) = run_plan(plan, &prepared, WorldKind::Kernel, recorder.clone());
    let mut signature = Signature::of(&outcome.verdict);
    if signature.is_none() {
        let (again, _) = run_plan(plan, &prepared, WorldKind::Kernel, ());
        signature = (again.digest != outcome.digest).then_some(Signature::NotDeterministic);
    }
    Ok(Found { signature, digest: outcome.digest, trace: recorder.take() })
}

/// Reads the trace beside a kept plan, `name.trace.jsonl`; none where there is none.
///
/// # Errors
///
/// What is wrong with it, in words that name the file.
pub fn read_trace(plan: &Path) -> Result<Option<Vec<(Stamp, Event)>>, String> {
    let path = plan.with_extension("trace.jsonl");
    let Ok(file) = std::fs::File::open(&path) else { return Ok(None) };
    let told = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
    let reader = TraceReader::new(std::io::BufReader::new(file)).map_err(|error| told(&error))?;
    let events: Result<Vec<_>, _> = reader.take(TRACE_EVENTS_MAX + 1).collect();
    events.map(Some).map_err(|error| told(&error))
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("held"),
            Self::Fails(signature) => signature.fmt(f),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outcome { expected, found: None } => write!(f, "held, expected {expected}"),
            Self::Outcome { expected, found: Some(found) } => {
                write!(f, "{found}, expected {expected}")
            }
            Self::FailsAnyway(found) => write!(f, "without its defects: {found}, expected held"),
            Self::Trace { expected, found, divergence } => {
                write!(f, "the digest is {found}, expected {expected}")?;
                match divergence {
                    Some(divergence) => write!(f, "\n{divergence}"),
                    None => f.write_str("; no trace is kept to compare with"),
                }
            }
        }
    }
}
