//! Two runs of the same that differ: where, and what of user code makes it so.

use std::fmt;

use crate::dataflow::witness::{Observation, Taken};

/// The first thing that user code did differently when it was run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// Which subtask, by name.
    pub subtask: String,
    /// What it was given, both times.
    pub given: String,
    /// What it made of it the first time.
    pub first: String,
    /// What it made of it the second time.
    pub second: String,
    /// What makes such differences.
    pub cause: Cause,
}

/// What makes user code do something else when it is run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The same records in another order.
    Order,
    /// Numbers that are times of now.
    Clock,
    /// Numbers that go on where the last run ended.
    Statics,
    /// It was given something else: what makes that so is in what the witness does not see.
    Given,
    /// None of these.
    Unknown,
}

/// Where the first two of three runs part; none where they do not.
#[must_use]
pub fn apart(
    first: &[Observation],
    second: &[Observation],
    third: &[Observation],
) -> Option<Apart> {
    let place = (0..first.len().max(second.len()))
        .find(|place| told(first.get(*place)) != told(second.get(*place)))?;
    let (one, two) = (first.get(place), second.get(place));
    let known = one.or(two)?;
    let is_same_given = one
        .zip(two)
        .is_some_and(|(one, two)| (&one.subtask, given(one)) == (&two.subtask, given(two)));
    let cause = match (one, two) {
        (Some(one), Some(two)) if is_same_given => cause(one, two, third.get(place)),
        _ => Cause::Given,
    };
    Some(Apart {
        subtask: known.subtask.clone(),
        given: given(known),
        first: one.map_or_else(|| "nothing more".to_owned(), made),
        second: two.map_or_else(|| "nothing more".to_owned(), made),
        cause,
    })
}

/// What of an observation two runs must have in common.
fn told(observation: Option<&Observation>) -> Option<(&str, String, String)> {
    let observation = observation?;
    Some((&observation.subtask, given(observation), made(observation)))
}

/// What a subtask was given, as people read it.
#[must_use]
pub fn given(observation: &Observation) -> String {
    match observation.taken {
        Taken::Entry { split, offset } => format!("entry {offset} of {split}"),
        Taken::Record => observation.value.clone().unwrap_or_default(),
        Taken::Watermark(watermark) => format!("watermark {watermark}"),
        Taken::End => "the end of an input".to_owned(),
        Taken::Answer => {
            format!("the answer to {}", observation.value.as_deref().unwrap_or("a record"))
        }
        Taken::Clock(now_ms) => format!("{now_ms} ms on the clock"),
        Taken::Outside => "the word of its system or of a checkpoint".to_owned(),
    }
}

/// What it made of it, as people read it.
#[must_use]
pub fn made(observation: &Observation) -> String {
    let values: Vec<&str> = observation.made.iter().map(|(_, value)| value.as_str()).collect();
    if values.is_empty() { "nothing".to_owned() } else { values.join(", ") }
}

fn cause(one: &Observation, two: &Observation, three: Option<&Observation>) -> Cause {
    let values = |observation: &Observation| {
        let mut values: Vec<String> =
            observation.made.iter().map(|(_, value)| value.clone()).collect();
        values.sort_unstable();
        values
    };
    if values(one) == values(two) {
        return Cause::Order;
    }
    let numbers = [Some(one), Some(two), three].map(|one| one.map(numbers).unwrap_or_default());
    let [first, second, third] = &numbers;
    let differing = first.iter().zip(second).zip(third).filter(|((a, b), _)| a != b);
    let differing: Vec<(i128, i128, i128)> = differing.map(|((a, b), c)| (*a, *b, *c)).collect();
    if first.len() != second.len() || differing.is_empty() {
        Cause::Unknown
    } else if differing.iter().all(is_time) {
        Cause::Clock
    } else if differing.iter().all(|(a, b, c)| b > a && b - a == c - b) {
        Cause::Statics
    } else {
        Cause::Unknown
    }
}

/// Seconds since 1970, or anything smaller, of some time after 2001; all three within a day.
fn is_time((a, b, c): &(i128, i128, i128)) -> bool {
    const SECONDS: i128 = 1_000_000_000;
    const DAY: i128 = 86_400;
    [1, 1_000, 1_000_000, 1_000_000_000].into_iter().any(|unit| {
        let is_of_now = |number: &i128| (SECONDS * unit..5 * SECONDS * unit).contains(number);
        [a, b, c].into_iter().all(is_of_now) && (c - a).abs() <= DAY * unit && b >= a
    })
}

/// The numbers in what it made, in order.
fn numbers(observation: &Observation) -> Vec<i128> {
    const DIGITS_MAX: usize = 30;
    let text = made(observation);
    let runs = text.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| (1..=DIGITS_MAX).contains(&run.len()))
        .filter_map(|run| run.parse().ok())
        .collect()
}

impl Cause {
    /// What it is, in a sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Order => {
                "the same records in another order: a HashMap or HashSet that is iterated does that"
            }
            Self::Clock => "the numbers are times of now: it reads the wall clock",
            Self::Statics => {
                "the numbers go on where the last run ended: it keeps something in a static, or outside"
            }
            Self::Given => {
                "what led there is not shown: hash order, a clock, a static or a thread in user code"
            }
            Self::Unknown => {
                "it depends on something that is no input: a random number, a clock, a static, another thread"
            }
        }
    }
}

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { subtask, given, first, second, cause } = self;
        writeln!(f, "{subtask} was given {given}")?;
        writeln!(f, "once it made    {first}")?;
        writeln!(f, "and once        {second}")?;
        write!(f, "{}", cause.sentence())
    }
}
