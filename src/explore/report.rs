//! What is said about failures, and whether a sweep reached what it should: a fault that is enabled and
//! never strikes tests nothing.

use serde::Serialize;

use super::sweep::SweepReport;
use crate::oracle::{Verdict, Violation};
use crate::plan::{FaultClass, Scenario, Span};

/// A class of faults that a scenario asks for, and that never struck in a sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreached {
    /// The scenario.
    pub scenario: String,
    /// The class.
    pub class: FaultClass,
    /// How many faults of the class were to be expected in so many seeds.
    pub expected: u64,
}

/// From how many expected faults on a class must have struck.
///
/// A fault that is aimed at a protocol point does not always find it, and a sweep of few seeds may draw
/// few faults of a class. Chance alone keeps twenty faults, of which three in ten strike, from striking
/// in one sweep of a thousand; so fewer than that prove nothing, and that many prove that the scenario
/// does not do what it says.
pub const EXPECTED_MIN: u64 = 20;

/// The classes that were enabled and expected often enough, and never struck.
#[must_use]
pub fn unreached(scenarios: &[Scenario], report: &SweepReport) -> Vec<Unreached> {
    let mut missing = Vec::new();
    for (scenario, found) in scenarios.iter().zip(&report.scenarios) {
        for (class, range) in &scenario.faults {
            let expected = expected_faults(*range, found.seeds);
            if expected >= EXPECTED_MIN && found.statistics.struck(*class) == 0 {
                missing.push(Unreached {
                    scenario: scenario.name.to_string(),
                    class: *class,
                    expected,
                });
            }
        }
    }
    missing
}

/// How many faults so many seeds draw on average.
fn expected_faults(range: Span, seeds: u64) -> u64 {
    let twice = u128::from(seeds) * (u128::from(range.min) + u128::from(range.max));
    u64::try_from(twice / 2).unwrap_or(u64::MAX)
}

/// The first line about a failure: the property, the record, the checkpoint and the channel.
#[must_use]
pub fn headline(verdict: &Verdict, scenario: &str, seed: u64) -> String {
    let place = format!("{scenario}, seed {seed}");
    match verdict {
        Verdict::Held => format!("held: {place}"),
        Verdict::NotOwed { why } => format!("not owed ({place}): {why}"),
        Verdict::Violated(violations) => match violations.first() {
            Some(first) => {
                let (oracle, text, details) = (first.oracle, &first.text, details(first));
                format!("{oracle} violated ({place}): {text} [{details}]")
            }
            None => format!("violated: {place}"),
        },
        Verdict::Panicked { message } => {
            format!("panicked ({place}): {}", message.lines().next().unwrap_or_default())
        }
        Verdict::Undecided => format!("liveness not shown ({place}): the job never finished"),
    }
}

/// What a violation is about, each by the name that people read.
fn details(violation: &Violation) -> String {
    let mut details = Vec::new();
    if let Some(record) = violation.record {
        details.push(format!("record {record}"));
    }
    if let Some(checkpoint) = violation.checkpoint {
        details.push(checkpoint.to_string());
    }
    details.extend(violation.names.places());
    details.push(format!("event {} at {}", violation.event, violation.at));
    details.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::scenario::built_in;

    #[test]
    fn a_class_is_missed_once_enough_of_it_was_to_be_expected() {
        let mut scenario = built_in().remove(0);
        scenario.faults = [(FaultClass::Disconnect, Span::new(0, 1))].into();
        let scenarios = [scenario];
        let mut report = SweepReport::new(&scenarios);
        report.scenarios[0].seeds = 39;
        assert_eq!(unreached(&scenarios, &report), []);
        report.scenarios[0].seeds = 40;
        let missing = unreached(&scenarios, &report);
        assert_eq!(missing.len(), 1);
        assert_eq!((missing[0].class, missing[0].expected), (FaultClass::Disconnect, 20));
        report.scenarios[0].statistics.struck.count(FaultClass::Disconnect);
        assert_eq!(unreached(&scenarios, &report), []);
    }
}
