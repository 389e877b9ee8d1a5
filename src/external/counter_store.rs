//! A store of sums by key, to which writers add at once, after Apache Fluss's aggregating merge engine and Redis's
//! `INCRBY`: nothing is idempotent by itself.
//!
//! 1. An addition counts at once, and a reader sees the new sum.
//! 2. A writer has an epoch; additions of a lower one are refused, so that a dead attempt adds nothing behind the
//!    back of its successor. Batches of a writer are numbered within the epoch, and a repetition is dropped.
//! 3. The store keeps what each writer has added, in order, and tells it from any place on: with that a writer that
//!    goes back to a checkpoint can take back what it added since (Fluss's undo recovery, FIP-21).
//! 4. A batch that would bring a sum beyond 64 bits is refused whole (Redis: "increment or decrement would overflow"),
//!    and so is what the writer adds behind it in that epoch.

use serde::{Deserialize, Serialize};

use super::row::Row;
use super::system::{ExternalSystem, Held, Request, SystemOutputs, without_transactions};
use crate::protocol::ordered::VecMap;
use crate::protocol::{LineageId, OperatorId};
use crate::trace::SinkFault;

/// What a store of sums is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CounterRequest {
    /// Take additions of this writer from this epoch on only; answered with [`CounterAnswer::Taken`].
    Take {
        /// The writer.
        writer: String,
        /// The epoch.
        epoch: u64,
    },
    /// Add; answered with [`CounterAnswer::Added`], or [`CounterAnswer::Fenced`].
    Add {
        /// The writer.
        writer: String,
        /// Its epoch.
        epoch: u64,
        /// The number of the batch in the epoch, from 0.
        number: u64,
        /// On whose behalf: what a trace names.
        operator: OperatorId,
        /// By key, what to add.
        additions: Vec<(u64, i64)>,
    },
    /// Which writers are there whose names begin so? Answered with [`CounterAnswer::Writers`].
    Writers {
        /// The beginning.
        prefix: String,
    },
    /// What has the writer added from this place on? Answered with [`CounterAnswer::History`].
    History {
        /// The writer.
        writer: String,
        /// How many of its additions are of no interest.
        from: u64,
    },
}

/// What a store of sums answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CounterAnswer {
    /// Lower epochs are refused.
    Taken,
    /// It counts; the writer has made so many additions in all.
    Added {
        /// How many.
        total: u64,
    },
    /// A newer epoch was taken, or a batch is missing before this one.
    Fenced,
    /// The sum of this key would not fit into 64 bits: nothing of the batch counts, or of a later one.
    Overflow {
        /// Whose sum.
        key: u64,
    },
    /// Their names.
    Writers(Vec<String>),
    /// By key, what was added.
    History(Vec<(u64, i64)>),
}

#[derive(Clone, Debug, Default)]
struct Writer {
    epoch: u64,
    /// The number of the next batch.
    next: u64,
    /// The key whose sum a batch of this epoch would have brought beyond its range.
    overflow: Option<u64>,
    history: Vec<(u64, i64)>,
}

/// The store.
#[derive(Clone, Debug, Default)]
pub struct CounterStore {
    writers: VecMap<String, Writer>,
    sums: VecMap<u64, i64>,
}

impl CounterStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn take(&mut self, writer: String, epoch: u64) -> CounterAnswer {
        let writer = self.writers.entry(writer).or_default();
        if epoch < writer.epoch {
            return CounterAnswer::Fenced;
        }
        if epoch > writer.epoch {
            (writer.epoch, writer.next, writer.overflow) = (epoch, 0, None);
        }
        CounterAnswer::Taken
    }

    fn add(
        &mut self,
        writer: String,
        (epoch, number): (u64, u64),
        operator: OperatorId,
        additions: Vec<(u64, i64)>,
        out: &mut SystemOutputs,
    ) -> CounterAnswer {
        let writer = self.writers.entry(writer).or_default();
        if epoch != writer.epoch {
            return CounterAnswer::Fenced;
        }
        if let Some(key) = writer.overflow {
            return CounterAnswer::Overflow { key };
        }
        if number > writer.next {
            return CounterAnswer::Fenced;
        }
        if number == writer.next {
            let sums = match summed(&self.sums, &additions) {
                Ok(sums) => sums,
                Err(key) => {
                    writer.overflow = Some(key);
                    return CounterAnswer::Overflow { key };
                }
            };
            writer.next += 1;
            writer.history.extend(&additions);
            for ((key, _), sum) in additions.into_iter().zip(sums) {
                let before = self.sums.insert(key, sum).unwrap_or(0);
                out.hide(sum_row(operator, key, before));
                out.show(sum_row(operator, key, sum));
            }
        }
        CounterAnswer::Added { total: writer.history.len() as u64 }
    }

    fn history(&self, writer: &str, from: u64) -> CounterAnswer {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let history = self.writers.get(writer).map_or(&[][..], |writer| &writer.history);
        CounterAnswer::History(history.iter().skip(from).copied().collect())
    }
}

/// What the sum of its key is behind each addition.
///
/// # Errors
///
/// The first key whose sum does not fit.
fn summed(sums: &VecMap<u64, i64>, additions: &[(u64, i64)]) -> Result<Vec<i64>, u64> {
    let mut ahead = VecMap::<u64, i64>::new();
    let add = |(key, added): &(u64, i64)| {
        let before = sums.get(key).copied().unwrap_or(0);
        let sum = ahead.entry(*key).or_insert(before);
        *sum = sum.checked_add(*added).ok_or(*key)?;
        Ok(*sum)
    };
    additions.iter().map(add).collect()
}

/// A sum as readers see it; nobody sees one that is nothing.
fn sum_row(operator: OperatorId, key: u64, sum: i64) -> Vec<Row> {
    let payload = postcard::to_stdvec(&(key, sum)).expect("plain data");
    let row = Row { operator, lineage: LineageId(key), payload };
    if sum == 0 { Vec::new() } else { vec![row] }
}

impl ExternalSystem for CounterStore {
    fn name(&self) -> &'static str {
        "counter-store"
    }

    fn handle_request(&mut self, request: Request<'_>, out: &mut SystemOutputs) {
        let answer = match request.decode::<CounterRequest>() {
            Err(error) => {
                return out.refuse(request.caller, format!("no request of a counter: {error}"));
            }
            Ok(CounterRequest::Take { writer, epoch }) => self.take(writer, epoch),
            Ok(CounterRequest::Add { writer, epoch, number, operator, additions }) => {
                self.add(writer, (epoch, number), operator, additions, out)
            }
            Ok(CounterRequest::Writers { prefix }) => {
                let known = self.writers.keys().filter(|writer| writer.starts_with(&prefix));
                CounterAnswer::Writers(known.cloned().collect())
            }
            Ok(CounterRequest::History { writer, from }) => self.history(&writer, from),
        };
        out.answer(request.caller, &answer);
    }

    fn handle_timer(&mut self, _: u64, _: &mut SystemOutputs) {}

    fn handle_fault(&mut self, fault: Option<SinkFault>, _: &mut SystemOutputs) {
        without_transactions(fault);
    }

    /// Everything is durable.
    fn restart(&mut self, _: &mut SystemOutputs) {}

    /// What it has taken, readers see.
    fn held(&self) -> Vec<Held> {
        Vec::new()
    }

    fn boxed_clone(&self) -> Box<dyn ExternalSystem> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
