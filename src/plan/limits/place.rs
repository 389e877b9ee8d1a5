//! Where in a file a number stands.

use std::fmt;

use super::Limit;
use crate::plan::links::Latency;
use crate::plan::random::Span;

/// One step into a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// To the field of this name.
    Field(&'static str),
    /// To the item of a list, from 0.
    Item(usize),
    /// To whatever the only field is: the variant of an enum.
    Variant,
}

/// A place on the way into a file: a chain of steps, the last one first.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    above: Option<&'a Place<'a>>,
    step: Step,
}

/// What a file must not say, and where it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The way to it.
    pub path: Vec<Step>,
    /// What was found, and what was expected.
    pub problem: String,
}

/// A field with its limit and its value, or the range of its values.
pub(super) type Held = (&'static str, &'static Limit, Span);

impl<'a> Place<'a> {
    /// A field of the file itself.
    pub fn root(field: &'static str) -> Self {
        Self { above: None, step: Step::Field(field) }
    }

    /// A field of what is here.
    pub fn field(&'a self, field: &'static str) -> Place<'a> {
        self.down(Step::Field(field))
    }

    /// An item of the list that is here.
    pub fn item(&'a self, number: usize) -> Place<'a> {
        self.down(Step::Item(number))
    }

    /// What the enum holds that is here.
    pub fn variant(&'a self) -> Place<'a> {
        self.down(Step::Variant)
    }

    fn down(&'a self, step: Step) -> Place<'a> {
        Place { above: Some(self), step }
    }

    fn path(&self) -> Vec<Step> {
        let mut path = self.above.map(Place::path).unwrap_or_default();
        path.push(self.step);
        path
    }

    /// Refuses what is here.
    pub(super) fn refuse(&self, problem: impl fmt::Display) -> Refusal {
        let path = self.path();
        let problem = format!("{} {problem}", Shown(&path));
        Refusal { path, problem }
    }

    /// Refuses what is here and not within its limit.
    pub(super) fn hold_one(&self, limit: &Limit, found: Span) -> Result<(), Refusal> {
        limit.problem(found).map_or(Ok(()), |problem| Err(self.refuse(problem)))
    }

    /// Refuses the first field here that is not within its limit.
    pub(super) fn hold(&self, fields: &[Held]) -> Result<(), Refusal> {
        fields
            .iter()
            .try_for_each(|(field, limit, found)| self.field(field).hold_one(limit, *found))
    }
}

/// Refuses the first field of the file itself that is not within its limit.
pub(super) fn hold(fields: &[Held]) -> Result<(), Refusal> {
    fields.iter().try_for_each(|(field, limit, found)| Place::root(field).hold_one(limit, *found))
}

/// A single number, as a range.
pub(super) fn one(value: impl Into<u64>) -> Span {
    let value = value.into();
    Span::new(value, value)
}

/// How many there are, as a range.
pub(super) fn number_of<T>(list: &[T]) -> Span {
    let number = u64::try_from(list.len()).unwrap_or(u64::MAX);
    Span::new(number, number)
}

/// All that a latency may be.
pub(super) fn ends(latency: Latency) -> Span {
    match latency {
        Latency::Uniform(span) | Latency::HeavyTail(span) => span,
    }
}

/// A path as it is told: `faults[3].when.us`.
struct Shown<'a>(&'a [Step]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Field(field) if place == 0 => f.write_str(field)?,
                Step::Field(field) => write!(f, ".{field}")?,
                Step::Item(number) => write!(f, "[{number}]")?,
                Step::Variant => {}
            }
        }
        Ok(())
    }
}
