//! Randomness: one stream for each (seed, concern, entity), so that what is drawn for one thing
//! depends on nothing else.

use std::fmt;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, SeqAccess, Unexpected, Visitor};

/// What a stream is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// Job and cluster settings of a plan.
    Shape,
    /// The faults of a plan; the entity is the class and the number of the fault.
    Faults,
    /// Delays of a link; the entity is the link.
    Link,
    /// Delays of mailboxes; the entity is the process.
    Mailbox,
    /// A workload's input.
    Workload,
    /// What a swarm varies; the entity is what.
    Swarm,
    /// What faults are aimed at; the entity is the number of the aim in its plan.
    Aim,
    /// Priorities of processes.
    Priorities,
    /// The requests of a plan; the entity is the kind and the number of the request.
    Requests,
}

/// A stream of random numbers. ChaCha8: the same on every platform, for ever.
#[derive(Clone, Debug)]
pub struct Stream {
    rng: ChaCha8Rng,
}

impl Stream {
    /// The stream of this seed, concern and entity.
    #[must_use]
    pub fn new(seed: u64, concern: Concern, entity: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = concern as u8;
        key[16..24].copy_from_slice(&entity.to_le_bytes());
        Self { rng: ChaCha8Rng::from_seed(key) }
    }

    /// A number below `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.rng.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `range`, both ends included.
    pub fn within(&mut self, range: Span) -> u64 {
        range.min + self.below(range.max.saturating_sub(range.min).saturating_add(1))
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u8) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// One of `choices`; none where there is none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(usize::try_from(self.below(choices.len() as u64)).unwrap_or(usize::MAX))
    }

    /// 32 random bits: the cheapest draw.
    pub fn bits(&mut self) -> u32 {
        self.rng.next_u32()
    }
}

/// What all streams of a plan come from: its seed, mixed with what its scenario adds, so that one seed draws
/// otherwise in each scenario. Where nothing is added it is the seed.
#[must_use]
pub fn root(salt: u64, seed: u64) -> u64 {
    if salt == 0 {
        return seed;
    }
    // The finaliser of SplitMix64 (Steele, Lea and Flood 2014): one to one, so that no two seeds meet.
    let mixed = salt ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What a scenario of this name adds to its seeds: FNV-1a, the same everywhere, and never 0.
#[must_use]
pub fn salt(name: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, mix).max(1)
}

/// A range of numbers, both ends included; written `[1, 10]`, or `5` for `[5, 5]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "[u64; 2]")]
pub struct Span {
    /// The lowest.
    pub min: u64,
    /// The highest; never below the lowest.
    pub max: u64,
}

impl From<Span> for [u64; 2] {
    fn from(span: Span) -> Self {
        [span.min, span.max]
    }
}

impl Span {
    /// From `min` to `max`, both included.
    ///
    /// # Panics
    ///
    /// When `min` is above `max`.
    #[must_use]
    pub const fn new(min: u64, max: u64) -> Self {
        assert!(min <= max, "a span leads from the lowest to the highest");
        Self { min, max }
    }
}

/// Read by hand: serde's untagged enums copy the value into a buffer first, and read it once a variant,
/// which was a seventh of what it takes to read a scenario.
impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SpanVisitor)
    }
}

struct SpanVisitor;

impl<'de> Visitor<'de> for SpanVisitor {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a pair [lowest, highest]")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Span, E> {
        Ok(Span { min: value, max: value })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Span, E> {
        match u64::try_from(value) {
            Ok(value) => self.visit_u64(value),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(value), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Span, A::Error> {
        let min = pair.next_element()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let max = pair.next_element()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
        if pair.next_element::<IgnoredAny>()?.is_some() {
            return Err(A::Error::invalid_length(3, &self));
        }
        if min > max {
            let problem = format!("[{min}, {max}] is reversed: expected [lowest, highest]");
            return Err(A::Error::custom(problem));
        }
        Ok(Span { min, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct File {
        span: Span,
    }

    /// The same text in both formats that spans are written in.
    fn read(text: &str) -> [Result<Span, String>; 2] {
        let toml = toml::from_str::<File>(&format!("span = {text}"));
        let json = serde_json::from_str(text).map_err(|error| error.to_string());
        [toml.map(|file| file.span).map_err(|error| error.message().to_owned()), json]
    }

    #[test]
    fn a_span_is_a_number_or_a_pair() {
        for (text, min, max) in [("5", 5, 5), ("[1, 10]", 1, 10), ("[7, 7]", 7, 7), ("0", 0, 0)] {
            for span in read(text) {
                assert_eq!(span, Ok(Span::new(min, max)), "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_span_is_refused_with_what_it_is() {
        let expected = "a number, or a pair [lowest, highest]";
        for (text, found) in [
            ("-1", "integer `-1`"),
            ("\"many\"", "string \"many\""),
            ("1.5", "floating point `1.5`"),
            ("true", "boolean `true`"),
            ("[]", "invalid length 0"),
            ("[1]", "invalid length 1"),
            ("[1, 2, 3]", "invalid length 3"),
        ] {
            for error in read(text).map(|span| span.expect_err(text)) {
                assert!(error.contains(found) && error.contains(expected), "{text}: {error}");
            }
        }
        for error in read("[10, 1]").map(|span| span.expect_err("reversed")) {
            assert!(error.starts_with("[10, 1] is reversed"), "{error}");
        }
    }
}
