//! Which processes a job has, and where a message goes next.

use crate::protocol::independent::Edge;
use crate::protocol::lineage::mix;
use crate::protocol::{LineageId, OperatorId};

/// A job of several operators, each with as many processes; the n-th process of each lives on worker n.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    operators: usize,
    parallelism: usize,
    /// Where the last operator sends back to, and how often it does.
    back: Option<Back>,
    edges: Vec<Edge>,
}

/// The way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Back {
    to: usize,
    per_million: u32,
}

/// How an operator spreads what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spread {
    /// By key, over all processes of the next operator.
    Hash,
    /// To the process on the same worker.
    Forward,
}

/// At most so many operators, and so many processes of each.
pub const SIZE_MAX: usize = 100;

impl Shape {
    /// A source and operators behind one another; records are dealt out by key at each step.
    ///
    /// # Panics
    ///
    /// When a number is 0 or above [`SIZE_MAX`].
    #[must_use]
    pub fn pipeline(operators: usize, parallelism: usize) -> Self {
        Self::of(operators, parallelism, None)
    }

    /// A source, a join, a selection and a projection, which sends so many of a million records back to the join:
    /// the query of reachability in CheckMate. From join to projection records stay on their worker.
    ///
    /// # Panics
    ///
    /// When the parallelism is 0 or above [`SIZE_MAX`], or all or more come back, so that the job never ends.
    #[must_use]
    pub fn cycle(parallelism: usize, back_per_million: u32) -> Self {
        assert!(back_per_million < 1_000_000, "{back_per_million} of a million come back");
        Self::of(4, parallelism, Some(Back { to: 1, per_million: back_per_million }))
    }

    fn of(operators: usize, parallelism: usize, back: Option<Back>) -> Self {
        let range = 1..=SIZE_MAX;
        assert!(range.contains(&operators) && range.contains(&parallelism), "a size is 1 to 100");
        let mut shape = Self { operators, parallelism, back, edges: Vec::new() };
        for operator in 1..operators {
            shape.connect(operator - 1, operator, shape.spread_into(operator));
        }
        if let Some(back) = back {
            shape.connect(operators - 1, back.to, Spread::Hash);
        }
        shape
    }

    fn connect(&mut self, from: usize, to: usize, spread: Spread) {
        for sender in 0..self.parallelism {
            for receiver in 0..self.parallelism {
                if spread == Spread::Hash || sender == receiver {
                    let (from, to) = (self.process(from, sender), self.process(to, receiver));
                    self.edges.push(Edge { from, to, is_local: sender == receiver });
                }
            }
        }
    }

    fn spread_into(&self, operator: usize) -> Spread {
        if self.back.is_some() && operator > 1 { Spread::Forward } else { Spread::Hash }
    }

    fn process(&self, operator: usize, index: usize) -> usize {
        operator * self.parallelism + index
    }

    /// How many processes there are.
    #[must_use]
    pub fn processes(&self) -> usize {
        self.operators * self.parallelism
    }

    /// How many of them are sources: the first ones.
    #[must_use]
    pub fn sources(&self) -> usize {
        self.parallelism
    }

    /// All channels.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// Whether records come back.
    #[must_use]
    pub fn has_cycle(&self) -> bool {
        self.back.is_some()
    }

    /// What a process sends for a message, and to whom. It depends on the message alone, so that the order in which
    /// messages come changes nothing.
    #[must_use]
    pub fn next(&self, process: usize, message: LineageId) -> Option<(usize, LineageId)> {
        let (operator, index) = (process / self.parallelism, process % self.parallelism);
        let number = OperatorId(u16::try_from(operator).unwrap_or(u16::MAX));
        let child = message.child(number, 0);
        let to = if operator + 1 < self.operators {
            operator + 1
        } else {
            self.back.filter(|back| mix(child.0) % 1_000_000 < u64::from(back.per_million))?.to
        };
        let is_forward = to == operator + 1 && self.spread_into(to) == Spread::Forward;
        let receiver = if is_forward { index } else { self.by_key(child) };
        Some((self.process(to, receiver), child))
    }

    fn by_key(&self, message: LineageId) -> usize {
        let spread = mix(mix(message.0)) % self.parallelism as u64;
        usize::try_from(spread).unwrap_or(0)
    }
}
