//! What needs no failure to be found: a job is rehearsed, and its operators are restored after every input.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::apart::{Apart, apart, given};
use super::quiet;
use crate::dataflow::conformance::{Divergence, check_subtask};
use crate::dataflow::data::NOT_READ_BACK;
use crate::dataflow::rehearsal::{Rehearsal, can_be_rehearsed, rehearse};
use crate::dataflow::replay::ENTRY_EXPECTED;
use crate::dataflow::witness::{Observation, Witness};
use crate::protocol::ordered::VecMap;
use crate::protocol::{DefectSet, Revision, SubtaskId};
use crate::workload::{Experiment, WorkloadError, panic_message};

/// What is wrong with a job, though nothing failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unprovoked {
    /// User code panicked.
    Panicked {
        /// With these words.
        message: String,
        /// Where in the source.
        place: Option<String>,
        /// Who was at what.
        at: Option<Box<Observation>>,
    },
    /// It does something else when it is run again.
    NotDeterministic(Apart),
    /// An operator that was restored does something else than one that was not.
    Divergence {
        /// The subtask, by name.
        subtask: String,
        /// How they differ.
        divergence: Box<Divergence>,
    },
    /// It does not give what is expected of it.
    Output {
        /// What is expected and not there, the first few.
        missing: Vec<String>,
        /// How many there are of those.
        missing_count: u64,
        /// What is there and not expected, the first few.
        surplus: Vec<String>,
        /// How many there are of those.
        surplus_count: u64,
    },
    /// A later version of the job has something of this. Every version must give what is expected.
    InVersion {
        /// The version.
        version: u16,
        /// What is wrong with it.
        problem: Box<Unprovoked>,
    },
}

/// An input with more entries is not rehearsed.
const ENTRIES_MAX: u64 = 50_000;

/// So many entries of each split show whether records are read back.
const ENTRIES_FIRST: u64 = 50;

/// How many subtasks are restored after every input.
const SUBTASKS_MAX: usize = 32;

/// How many values are told.
const TOLD_MAX: usize = 3;

/// Refuses an experiment whose first records are not read back as they were written, or whose input is of another
/// source.
///
/// # Errors
///
/// Which record of which operator, and what was expected.
pub fn check_types(experiment: &Experiment) -> Result<(), WorkloadError> {
    if !can_be_rehearsed(&experiment.job) {
        return Ok(());
    }
    let Err(Unprovoked::Panicked { message, at, .. }) = observed(experiment, Some(ENTRIES_FIRST))
    else {
        return Ok(());
    };
    if !message.contains(NOT_READ_BACK) && !message.contains(ENTRY_EXPECTED) {
        return Ok(());
    }
    let what = at.map_or_else(|| "a record".to_owned(), |at| format!("what {} takes", at.subtask));
    let workload = experiment.job.name().to_owned();
    Err(WorkloadError::Record { workload, what, problem: message })
}

/// Rehearses a job three times, and restores its operators after every input; and so each later version of it.
///
/// A job with a loop, one whose splits are assigned while it runs, and a long input are passed over.
///
/// # Errors
///
/// The first thing that is wrong.
pub fn check(experiment: &Experiment) -> Result<(), Unprovoked> {
    check_version(experiment)?;
    for version in 1..=experiment.job.newest_version() {
        let job = experiment.job.in_revision(Revision { version, parallelism: None });
        let Ok(job) = job.map(Arc::new) else { continue };
        check_version(&Experiment { job, ..experiment.clone() })
            .map_err(|problem| Unprovoked::InVersion { version, problem: Box::new(problem) })?;
    }
    Ok(())
}

fn check_version(experiment: &Experiment) -> Result<(), Unprovoked> {
    let entries: u64 = experiment.input.lengths().iter().sum();
    if !can_be_rehearsed(&experiment.job) || entries > ENTRIES_MAX {
        return Ok(());
    }
    let (rehearsal, first) = observed(experiment, None)?;
    let (_, second) = observed(experiment, None)?;
    let (_, third) = observed(experiment, None)?;
    if let Some(apart) = apart(&first, &second, &third) {
        return Err(Unprovoked::NotDeterministic(apart));
    }
    check_restores(experiment, &rehearsal)?;
    check_output(experiment, &rehearsal)
}

/// A rehearsal, with what was seen of it.
fn observed(
    experiment: &Experiment,
    entries: Option<u64>,
) -> Result<(Rehearsal, Vec<Observation>), Unprovoked> {
    let witness = Witness::new();
    let job = experiment.job.witnessed(witness.clone());
    let run = || rehearse(&job, &experiment.input, entries);
    match quiet::within(|| catch_unwind(AssertUnwindSafe(run))) {
        Ok(rehearsal) => Ok((rehearsal, witness.take())),
        Err(panic) => Err(panicked(panic.as_ref(), witness.last())),
    }
}

fn panicked(panic: &(dyn Any + Send), at: Option<Observation>) -> Unprovoked {
    let at = at.filter(|at| !at.is_done).map(Box::new);
    Unprovoked::Panicked { message: panic_message(panic), place: quiet::place(), at }
}

fn check_restores(experiment: &Experiment, rehearsal: &Rehearsal) -> Result<(), Unprovoked> {
    let witness = Witness::new();
    let job = experiment.job.witnessed(witness.clone());
    let topology = job.topology();
    for (number, stimuli) in rehearsal.given.iter().enumerate().take(SUBTASKS_MAX) {
        let Ok(number) = u16::try_from(number) else { break };
        let id = SubtaskId(number);
        let fresh = || job.subtask(id, DefectSet::NONE);
        let checked =
            quiet::within(|| catch_unwind(AssertUnwindSafe(|| check_subtask(&fresh, stimuli))));
        match checked {
            Ok(Ok(())) => {}
            Ok(Err(divergence)) => {
                let (subtask, divergence) = (topology.name(id), Box::new(divergence));
                return Err(Unprovoked::Divergence { subtask, divergence });
            }
            Err(panic) => return Err(panicked(panic.as_ref(), witness.last())),
        }
    }
    Ok(())
}

/// The visible output is what is expected, in any order.
fn check_output(experiment: &Experiment, rehearsal: &Rehearsal) -> Result<(), Unprovoked> {
    let mut balance: VecMap<&[u8], i64> = VecMap::new();
    let mut payloads: Vec<(&[u8], i64)> =
        experiment.expected.iter().map(|payload| (payload.as_slice(), -1)).collect();
    payloads.extend(rehearsal.written.iter().map(|(_, record)| (&record.payload[..], 1)));
    payloads.sort_unstable();
    for (payload, count) in payloads {
        *balance.entry(payload).or_insert(0) += count;
    }
    let tell = |is_told: fn(&i64) -> bool| {
        let told = balance.iter().filter(|(_, count)| is_told(count));
        let values: Vec<String> =
            told.clone().take(TOLD_MAX).map(|(payload, _)| experiment.shown(payload)).collect();
        (values, told.map(|(_, count)| count.unsigned_abs()).sum::<u64>())
    };
    let (missing, missing_count) = tell(|count| *count < 0);
    let (surplus, surplus_count) = tell(|count| *count > 0);
    if missing_count == 0 && surplus_count == 0 {
        return Ok(());
    }
    Err(Unprovoked::Output { missing, missing_count, surplus, surplus_count })
}

impl fmt::Display for Unprovoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked { message, place, at } => {
                writeln!(f, "user code panics, and nothing had failed: {message}")?;
                if let Some(at) = at {
                    writeln!(f, "{} was at {}", at.subtask, given(at))?;
                }
                write!(f, "at {}", place.as_deref().unwrap_or("a place that is not known"))
            }
            Self::NotDeterministic(apart) => {
                write!(
                    f,
                    "not deterministic: the job does something else when it is run again\n{apart}"
                )
            }
            Self::Divergence { subtask, divergence } => {
                write!(
                    f,
                    "{subtask} is not what it was when it is restored from its snapshot\n{divergence}"
                )
            }
            Self::Output { missing, missing_count, surplus, surplus_count } => {
                write!(f, "the job does not give what is expected of it, and nothing had failed")?;
                let mut tell = |what: &str, values: &[String], count: u64| {
                    let more = count.saturating_sub(values.len() as u64);
                    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
                    match values {
                        [] => Ok(()),
                        values => write!(f, "\n{what}  {}{more}", values.join(", ")),
                    }
                };
                tell("expected, not there:", missing, *missing_count)?;
                tell("there, not expected:", surplus, *surplus_count)
            }
            Self::InVersion { version, problem } => {
                write!(f, "as version {version}: {problem}")
            }
        }
    }
}

impl std::error::Error for Unprovoked {}
