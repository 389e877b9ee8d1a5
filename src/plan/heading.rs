//! What a list tells of a scenario, read without the rest of its file.

use serde::Deserialize;

use super::name::Name;
use super::scenario::{Scenario, yes};

/// The beginning of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Heading {
    /// What it is called.
    pub name: Name,
    /// One sentence for people.
    pub about: String,
    /// Whether a sweep that names no scenario runs it.
    #[serde(default = "yes")]
    pub in_sweep: bool,
    job: JobHeading,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct JobHeading {
    workload: Name,
}

impl Heading {
    /// Of a built-in scenario's file, whose first table is that of its job. The tables after it are not read: they
    /// are most of what a parser has to do.
    pub(super) fn of_file(text: &str) -> Result<Self, toml::de::Error> {
        let mut tables = text.match_indices("\n[").skip(1);
        toml::from_str(tables.next().map_or(text, |(second, _)| &text[..=second]))
    }

    /// The name of the workload that it runs.
    #[must_use]
    pub fn workload(&self) -> &str {
        &self.job.workload
    }
}

impl From<&Scenario> for Heading {
    fn from(scenario: &Scenario) -> Self {
        Self {
            name: scenario.name.clone(),
            about: scenario.about.clone(),
            in_sweep: scenario.in_sweep,
            job: JobHeading { workload: scenario.job.workload.clone() },
        }
    }
}
