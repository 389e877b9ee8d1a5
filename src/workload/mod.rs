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
//!
//! A workload of one's own is a [`Workload`] as well, made by [`Workload::new`] or [`Workload::fixed`].

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

mod agents;
mod bank;
mod batches;
mod collatz;
mod corrections;
mod delayed_answers;
mod draw;
mod error;
mod experiment;
mod flights;
mod join;
mod laps;
mod ledger;
mod lookup;
mod meters;
mod mirror;
mod nexmark;
mod outbox;
mod own;
mod panicked;
mod parcels;
mod payments;
mod reachability;
mod records;
mod relay;
mod requests;
mod sequence;
mod sessions;
mod settings;
mod tariffs;
mod tickets;
mod turnstiles;
mod visits;
mod window;
mod word_count;

pub use error::{InputError, UnknownWorkload, WorkloadError};
pub use experiment::Experiment;
pub(crate) use panicked::panic_message;
pub use settings::WorkloadSettings;

use own::{Build, Function};

/// A job with its input and its expected output, in any size.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Names it in scenarios and on the command line.
    pub name: Cow<'static, str>,
    /// What it does and what it is good for, in one sentence.
    pub about: Cow<'static, str>,
    /// What [`WorkloadSettings::records`] counts, in the plural.
    pub unit: Cow<'static, str>,
    /// How many records it has when the settings do not say.
    pub records_usual: u64,
    /// How many records it can have.
    pub records_max: u64,
    /// Whether a single source reads everything, from a single split.
    pub single_split: bool,
    /// Makes the experiment from settings that have been checked.
    build: Build,
}

/// Every workload that comes with the library.
static ALL: [Workload; 37] = [
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
    visits::WORKLOAD,
    tariffs::WORKLOAD,
    payments::WORKLOAD,
    meters::WORKLOAD,
    batches::WORKLOAD,
    tickets::WORKLOAD,
    turnstiles::WORKLOAD,
    requests::WORKLOAD,
    delayed_answers::WORKLOAD,
    agents::WORKLOAD,
    outbox::TO_LOG,
    outbox::TO_TABLE,
    outbox::TO_DATABASE,
    outbox::TO_BUCKET,
    outbox::TO_QUEUE,
    outbox::TO_UPSERTS,
    outbox::TO_COUNTERS,
];

/// Every workload that comes with the library.
#[must_use]
pub fn all() -> &'static [Workload] {
    &ALL
}

/// The workload that comes with the library and is called `name`.
///
/// # Errors
///
/// When there is none; the error lists those there are.
pub fn named(name: &str) -> Result<&'static Workload, UnknownWorkload> {
    let found = ALL.iter().find(|workload| workload.name == name);
    found.ok_or_else(|| UnknownWorkload::among(name, &ALL))
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
    fn a_queue_has_no_consumers_that_are_discovered() {
        let usual = tickets::WORKLOAD.usual_settings(2, 0);
        let with = |assignment| {
            tickets::WORKLOAD.experiment(&WorkloadSettings { assignment, ..usual.clone() })
        };
        let assigned = with(SplitAssignment::Enumerated).expect("an enumerator may assign them");
        assert!(assigned.input.is_queue());
        let error = with(SplitAssignment::Discovered).err();
        let workload = "tickets".to_owned();
        assert_eq!(error, Some(WorkloadError::DiscoveredQueue { workload }));
    }

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
