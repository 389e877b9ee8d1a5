//! What is written down of one run of a sweep: enough to count it, to group it with others, and to run
//! it again. A report is made of records alone, so it does not matter who made them, where, or when.

use serde::{Deserialize, Serialize};

use super::reach::Reach;
use super::report::headline;
use super::run::Outcome;
use super::signature::Signature;
use super::statistics::Statistics;
use crate::oracle::VerdictClass;

/// One run, as it is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its place in the sweep.
    pub index: u64,
    /// Its scenario's name.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// How it ended.
    pub class: RunClass,
    /// What is wrong; none when all held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The digest of its trace; empty where there is none to tell.
    pub digest: String,
    /// What was counted.
    pub statistics: Statistics,
    /// What it reached.
    pub reach: Reach,
    /// The second run of the same plan, where there was one that differed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub divergent: Option<SecondRun>,
}

/// What is wrong with a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What it has in common with others that fail the same way.
    pub signature: Signature,
    /// The first line about it.
    pub headline: String,
}

/// A second run of a plan, which differs from the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondRun {
    /// The digest of its trace.
    pub digest: String,
    /// Where two more runs part, with what led there; none where those two are equal.
    pub parting: Option<String>,
}

/// How a run ended: the class of its verdict, or that it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunClass {
    /// Something happened that must not. The worst, so the first.
    Safety,
    /// The system under test panicked.
    Panicked,
    /// The process that ran it died.
    Died,
    /// Something that must happen did not.
    Liveness,
    /// It gave no answer within the time that one may take on the wall clock.
    Hung,
    /// Too short to say.
    Undecided,
    /// All held that was owed: recovery was not, since the plan destroyed every copy.
    NotOwed,
    /// All held.
    Held,
    /// There was nothing to run: the strategy has no plan of this number.
    NoPlan,
}

impl From<VerdictClass> for RunClass {
    fn from(class: VerdictClass) -> Self {
        match class {
            VerdictClass::Held => Self::Held,
            VerdictClass::Safety => Self::Safety,
            VerdictClass::Liveness => Self::Liveness,
            VerdictClass::Panicked => Self::Panicked,
            VerdictClass::Undecided => Self::Undecided,
            VerdictClass::NotOwed => Self::NotOwed,
        }
    }
}

/// Which run of a sweep: its place, its scenario, its seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunName {
    /// Its place in the sweep.
    pub index: u64,
    /// Its scenario's name.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
}

impl Record {
    /// The record of a run that came to an end.
    #[must_use]
    pub fn of(name: RunName, outcome: &Outcome) -> Self {
        let RunName { index, scenario, seed } = name;
        let failure = Signature::of(&outcome.verdict).map(|signature| {
            let headline = headline(&outcome.verdict, &scenario, seed);
            Failure { signature, headline }
        });
        Self {
            index,
            scenario,
            seed,
            class: outcome.verdict.class().into(),
            failure,
            digest: outcome.digest.clone(),
            statistics: outcome.statistics,
            reach: outcome.reach.clone(),
            divergent: None,
        }
    }

    /// The record of a run whose process died of it: `cause` in words that do not differ from death to
    /// death, `details` in those that do.
    #[must_use]
    pub fn died(name: RunName, cause: &str, details: &str) -> Self {
        let place = format!("{}, seed {}", name.scenario, name.seed);
        let signature = Signature::Died(cause.to_owned());
        let headline = match details {
            "" => format!("died ({place}): {cause}"),
            details => format!("died ({place}): {cause}: {details}"),
        };
        Self::without_outcome(name, RunClass::Died, Some(Failure { signature, headline }))
    }

    /// The record of a run that gave no answer within so many milliseconds of the wall clock.
    #[must_use]
    pub fn hung(name: RunName, limit_ms: u128) -> Self {
        let place = format!("{}, seed {}", name.scenario, name.seed);
        let headline = format!("hung ({place}): no answer within {limit_ms} ms");
        let failure = Some(Failure { signature: Signature::Hung, headline });
        Self::without_outcome(name, RunClass::Hung, failure)
    }

    /// The record of a run for which the strategy has no plan.
    #[must_use]
    pub fn no_plan(name: RunName) -> Self {
        Self::without_outcome(name, RunClass::NoPlan, None)
    }

    fn without_outcome(name: RunName, class: RunClass, failure: Option<Failure>) -> Self {
        Self {
            index: name.index,
            scenario: name.scenario,
            seed: name.seed,
            class,
            failure,
            digest: String::new(),
            statistics: Statistics::default(),
            reach: Reach::default(),
            divergent: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> RunName {
        RunName { index: 7, scenario: "relay".to_owned(), seed: 3 }
    }

    #[test]
    fn a_record_is_read_as_it_is_written() {
        let mut record = Record::died(name(), "signal 6", "out of memory");
        record.divergent = Some(SecondRun { digest: "ab".to_owned(), parting: None });
        record.statistics.struck.count(crate::plan::FaultClass::CrashWorker);
        let line = serde_json::to_string(&record).expect("plain data");
        assert_eq!(serde_json::from_str::<Record>(&line).expect("it was written so"), record);
        assert!(!line.contains('\n'), "one line a record: {line}");
    }

    #[test]
    fn runs_without_an_outcome_say_how_they_ended() {
        let died = Record::died(name(), "signal 6", "");
        let failure = died.failure.expect("it failed");
        assert_eq!(failure.headline, "died (relay, seed 3): signal 6");
        assert_eq!(failure.signature.to_string(), "died: signal 6");
        let hung = Record::hung(name(), 500);
        let headline = hung.failure.expect("it failed").headline;
        assert_eq!(headline, "hung (relay, seed 3): no answer within 500 ms");
    }

    #[test]
    fn the_worst_class_comes_first() {
        assert!(RunClass::Safety < RunClass::Panicked && RunClass::Panicked < RunClass::Died);
        assert!(RunClass::Died < RunClass::Liveness && RunClass::Undecided < RunClass::Held);
    }
}
