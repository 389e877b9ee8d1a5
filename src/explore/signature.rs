//! What makes two failures the same one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::oracle::{Kind, Verdict};

/// The way in which a run fails: two runs with one signature fail the same way.
///
/// Of a violation it is the first oracle that fired, and the kind of what it found; never the record,
/// the checkpoint or the time, which differ from plan to plan. Written as one word for most:
/// `cut/orphan-record`, `hung`; as `panic: words` or `died: words` where there are words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Signature {
    /// A property was broken.
    Violation(Kind),
    /// The system under test panicked, with these words; see [`panic`](Self::panic).
    Panic(String),
    /// Two runs of one plan differed.
    NotDeterministic,
    /// The run did not end, or its virtual time stood still.
    Hung,
    /// The process that ran it died, in this way.
    Died(String),
    /// The run ended before it owed its end, for no reason that an oracle knows.
    Undecided,
}

/// How much of a panic's words counts, in characters.
const WORDS_MAX: usize = 160;

/// What stands between an oracle and a kind.
const SEPARATOR: char = '/';

impl Signature {
    /// The signature of a run that ended with this verdict; none when all held.
    #[must_use]
    pub fn of(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Held | Verdict::NotOwed { .. } => None,
            Verdict::Violated(violations) => {
                violations.first().map(|first| Self::Violation(first.kind))
            }
            Verdict::Panicked { message } => Some(Self::panic(message)),
            Verdict::Undecided => Some(Self::Undecided),
        }
    }

    /// The signature of a panic: its first line, with every number, address included, as `#`.
    #[must_use]
    pub fn panic(message: &str) -> Self {
        let line = message.lines().next().unwrap_or_default();
        Self::Panic(without_numbers(line).chars().take(WORDS_MAX).collect())
    }

    /// Who noticed, in a word: the oracle, or what stands in for one.
    #[must_use]
    pub fn oracle(&self) -> &'static str {
        match self {
            Self::Violation(kind) => kind.oracle().into(),
            Self::Panic(_) => "panic",
            Self::NotDeterministic => "determinism",
            Self::Hung | Self::Died(_) => "watchdog",
            Self::Undecided => "liveness",
        }
    }

    /// What was expected, in a sentence.
    #[must_use]
    pub fn property(&self) -> &'static str {
        match self {
            Self::Violation(kind) => kind.property(),
            Self::Panic(_) => "The system under test does not panic.",
            Self::NotDeterministic => "One plan gives one trace, however often it is run.",
            Self::Hung => "A run comes to its end.",
            Self::Died(_) => "The process that runs a plan outlives it.",
            Self::Undecided => "A run goes on until the job has finished, or is late.",
        }
    }
}

/// Every run of digits, and every hexadecimal number after `0x`, becomes one `#`.
fn without_numbers(text: &str) -> String {
    let mut plain = String::new();
    let mut left = text.chars().peekable();
    while let Some(first) = left.next() {
        if !first.is_ascii_digit() {
            plain.push(first);
            continue;
        }
        let is_hexadecimal = first == '0' && left.next_if_eq(&'x').is_some();
        let counts = |c: &char| c.is_ascii_digit() || (is_hexadecimal && c.is_ascii_hexdigit());
        while left.next_if(counts).is_some() {}
        plain.push('#');
    }
    plain
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violation(kind) => write!(f, "{}{SEPARATOR}{kind}", kind.oracle()),
            Self::Panic(words) => write!(f, "panic: {words}"),
            Self::NotDeterministic => f.write_str("not-deterministic"),
            Self::Hung => f.write_str("hung"),
            Self::Died(words) => write!(f, "died: {words}"),
            Self::Undecided => f.write_str("undecided"),
        }
    }
}

/// A text that is no signature.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no signature: expected `oracle/kind`, `panic: …`, `not-deterministic`, `hung`, …"
)]
pub struct SignatureError(String);

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let error = || SignatureError(text.to_owned());
        if let Some((kind, words)) = text.split_once(": ") {
            return match kind {
                "panic" => Ok(Self::Panic(words.to_owned())),
                "died" => Ok(Self::Died(words.to_owned())),
                _ => Err(error()),
            };
        }
        match text {
            "not-deterministic" => Ok(Self::NotDeterministic),
            "hung" => Ok(Self::Hung),
            "undecided" => Ok(Self::Undecided),
            _ => {
                let (oracle, kind) = text.split_once(SEPARATOR).ok_or_else(error)?;
                let kind: Kind = kind.parse().map_err(|_| error())?;
                let is_its = oracle == <&str>::from(kind.oracle());
                if is_its { Ok(Self::Violation(kind)) } else { Err(error()) }
            }
        }
    }
}

impl TryFrom<String> for Signature {
    type Error = SignatureError;

    fn try_from(text: String) -> Result<Self, SignatureError> {
        text.parse()
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> Self {
        signature.to_string()
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn every_signature_is_read_as_it_is_written() {
        let mut all: Vec<Signature> = Kind::iter().map(Signature::Violation).collect();
        all.extend([Signature::NotDeterministic, Signature::Hung, Signature::Undecided]);
        all.push(Signature::panic("index out of bounds: the len is 3 but the index is 7"));
        all.push(Signature::Died("signal: 9 (SIGKILL)".to_owned()));
        for signature in all {
            assert_eq!(signature.to_string().parse(), Ok(signature.clone()));
            assert!(!signature.property().is_empty(), "{signature}");
        }
    }

    #[test]
    fn numbers_of_a_panic_do_not_count() {
        let first = Signature::panic("slot 17 at 0x7f00beef is taken\nby 3");
        assert_eq!(first, Signature::panic("slot 4 at 0xa1 is taken\nby 4"));
        assert_eq!(first.to_string(), "panic: slot # at # is taken");
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for text in ["", "cut", "cut/duplicate-output", "cut/orphan", "oops: words"] {
            assert!(text.parse::<Signature>().is_err(), "{text}");
        }
    }
}
