//! Randomness: one stream for each (seed, concern, entity), so that what is drawn for one thing
//! depends on nothing else.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

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

/// A range of numbers, both ends included; written `[1, 10]`, or `5` for `[5, 5]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SpanForm", into = "[u64; 2]")]
pub struct Span {
    /// The lowest.
    pub min: u64,
    /// The highest; never below the lowest.
    pub max: u64,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a number, or a pair [lowest, highest]")]
enum SpanForm {
    One(u64),
    Pair([u64; 2]),
}

impl TryFrom<SpanForm> for Span {
    type Error = String;

    fn try_from(form: SpanForm) -> Result<Self, String> {
        match form {
            SpanForm::One(value) => Ok(Self { min: value, max: value }),
            SpanForm::Pair([min, max]) if min <= max => Ok(Self { min, max }),
            SpanForm::Pair([min, max]) => {
                Err(format!("[{min}, {max}] is reversed: expected [lowest, highest]"))
            }
        }
    }
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
