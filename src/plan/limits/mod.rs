//! Which numbers a scenario and a plan may have: one [table](ALL) for both, held where they are read.
//!
//! What is drawn from a scenario is brought into the same ranges, so that a plan that a run leaves behind can
//! be read again.

mod locate;
mod place;
mod plan;
mod scenario;
mod sense;
mod table;

#[cfg(test)]
mod tests;

pub(super) use locate::{line_at, line_in_json, line_in_toml};
pub use place::{Place, Refusal, Step};
pub use plan::check as check_plan;
pub use scenario::check as check_scenario;
pub use table::*;

use std::fmt;

use super::random::Span;

/// A number, and what it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it is called: its table and its field, as a scenario or a plan has them.
    pub name: &'static str,
    /// Which of the two have it.
    pub files: Files,
    /// The lowest value.
    pub min: u64,
    /// The highest value.
    pub max: u64,
    /// What it counts.
    pub unit: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
}

/// Which kind of file has a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Files {
    /// A scenario alone, as a range or a single number.
    Scenario,
    /// A plan alone.
    Plan,
    /// Both, under one name.
    Both,
}

impl Limit {
    /// The value, brought into the range.
    ///
    /// # Panics
    ///
    /// When the type is too small for the range, which no draw may have.
    #[must_use]
    pub fn clamp<T: TryFrom<u64>>(&self, value: u64) -> T {
        let within = T::try_from(value.clamp(self.min, self.max));
        within.unwrap_or_else(|_| panic!("{} has a type that is too small", self.name))
    }

    /// What is wrong with a range of values, if anything is.
    fn problem(&self, found: Span) -> Option<String> {
        let outside = [found.min, found.max].into_iter().find(|it| !self.holds(*it))?;
        Some(format!("is {outside}, expected {self}"))
    }

    fn holds(&self, value: u64) -> bool {
        (self.min..=self.max).contains(&value)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { min, max, unit, .. } = self;
        write!(f, "{min} to {max}{}{unit}", if unit.is_empty() { "" } else { " " })
    }
}
