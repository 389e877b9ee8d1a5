//! Additions that are undone at a restore, after Apache Fluss's undo recovery.
//!
//! What is added counts at once, and cannot be written again without counting twice. The state of the snapshot holds
//! how much its writer had added: the *baseline*. At the beginning a writer takes its name for the new attempt, so
//! that older ones add nothing any more; asks what it has added since the baseline; and adds the inverse of that,
//! key by key. What an attempt undid that then failed is among what it has added, so that undoing once more undoes
//! nothing twice.
//!
//! A writer that finds no state has a name made of the checkpoint that it starts from and of the index of its subtask:
//! the same when that attempt fails before it has a checkpoint, so that it undoes all. There may have been more
//! subtasks in that attempt: those that are there look for writers of the others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::AGAIN;
use super::seat::Seat;
use crate::dataflow::{
    Batch, CheckpointOutcome, CommittingSink, NoAnswer, Opening, RowMaker, SinkOutputs,
};
use crate::external::counter_store::{CounterAnswer, CounterRequest};
use crate::protocol::{CheckpointId, Defect};

/// Where a writer stood at a cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    writer: String,
    /// How many additions it had made.
    total: u64,
}

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CounterToken {
    /// To know which writers began where this one begins.
    Writers,
    /// To take a name, and to undo what was added behind the baseline.
    Take(Baseline),
    /// To know what that is.
    History(Baseline),
    /// To undo it.
    Undo(Baseline),
    /// To know that everything up to this checkpoint is added.
    Flush(CheckpointId),
}

/// Adds records, each a key and what to add, to a [`CounterStore`](crate::external::counter_store::CounterStore).
#[derive(Clone, Debug)]
pub struct CounterSink {
    batch: usize,
    seat: Seat,
    /// How the names of writers begin that found no state.
    prefix: String,
    baselines: Vec<Baseline>,
    own: Baseline,
    /// The number of the next batch.
    next: u64,
    waiting: Vec<(u64, i64)>,
    /// How many names are not taken and undone.
    undoing: usize,
}

impl CounterSink {
    /// A sink that adds so much at once; at least one record.
    #[must_use]
    pub fn new(batch: usize) -> Self {
        Self {
            batch: batch.max(1),
            seat: Seat::none(),
            prefix: String::new(),
            baselines: Vec::new(),
            own: Baseline { writer: String::new(), total: 0 },
            next: 0,
            waiting: Vec::new(),
            undoing: 0,
        }
    }

    /// A younger attempt has a higher one.
    fn epoch(&self) -> u64 {
        self.seat.attempt.0.into()
    }

    fn ask(&self, token: CounterToken, out: &mut SinkOutputs<'_, CounterToken>) {
        let epoch = self.epoch();
        let request = match &token {
            CounterToken::Writers => CounterRequest::Writers { prefix: self.prefix.clone() },
            CounterToken::Take(Baseline { writer, .. }) => {
                CounterRequest::Take { writer: writer.clone(), epoch }
            }
            CounterToken::History(Baseline { writer, total }) => {
                CounterRequest::History { writer: writer.clone(), from: *total }
            }
            CounterToken::Undo(_) | CounterToken::Flush(_) => return,
        };
        out.ask(token, &request);
    }

    fn add(&mut self, additions: Vec<(u64, i64)>) -> CounterRequest {
        let (operator, epoch, number) = (self.seat.operator, self.epoch(), self.next);
        self.next += 1;
        self.own.total += additions.len() as u64;
        CounterRequest::Add { writer: self.own.writer.clone(), epoch, number, operator, additions }
    }

    fn flush(&mut self, out: &mut SinkOutputs<'_, CounterToken>) {
        if !self.waiting.is_empty() {
            let additions = std::mem::take(&mut self.waiting);
            let add = self.add(additions);
            out.tell(&add);
        }
    }

    /// What was added behind the baseline is taken back, key by key.
    fn undo(
        &mut self,
        baseline: Baseline,
        history: &[(u64, i64)],
        out: &mut SinkOutputs<'_, CounterToken>,
    ) {
        let forgets = out.has(Defect::UndoAppliedTwice);
        let added = history.iter().filter(|(_, added)| !forgets || *added > 0);
        let additions = match inverse(added) {
            Ok(additions) => additions,
            Err(key) => {
                let what = "since the checkpoint, and cannot be undone by one addition of 64 bits";
                return out.fail(format!("too much was added to key {key} {what}"));
            }
        };
        let is_own = baseline.writer == self.own.writer;
        if is_own {
            self.own.total = baseline.total + history.len() as u64;
        }
        if additions.is_empty() || out.has(Defect::NothingUndone) {
            return self.open_if_undone(out);
        }
        let (writer, epoch) = (baseline.writer.clone(), self.epoch());
        if is_own {
            (self.own.total, self.next) = (self.own.total + additions.len() as u64, 1);
        }
        let operator = self.seat.operator;
        let undo = CounterRequest::Add { writer, epoch, number: 0, operator, additions };
        out.ask(CounterToken::Undo(baseline), &undo);
    }

    /// Those that nobody else sees to are undone as well.
    fn begin(&mut self, writers: Vec<String>, out: &mut SinkOutputs<'_, CounterToken>) {
        let index = |writer: &str| writer.strip_prefix(&self.prefix)?.parse::<u16>().ok();
        let is_ours =
            |writer: &String| index(writer).is_some_and(|index| self.seat.succeeds(index.into()));
        let mut baselines = std::mem::take(&mut self.baselines);
        for writer in writers.into_iter().filter(is_ours) {
            if baselines.iter().all(|known| known.writer != writer) {
                baselines.push(Baseline { writer, total: 0 });
            }
        }
        if let Some(own) = baselines.first() {
            self.own = own.clone();
        }
        self.undoing = baselines.len();
        baselines.into_iter().for_each(|baseline| self.ask(CounterToken::Take(baseline), out));
    }

    fn open_if_undone(&mut self, out: &mut SinkOutputs<'_, CounterToken>) {
        self.undoing -= 1;
        if self.undoing == 0 {
            out.opened();
        }
    }
}

/// What undoes these additions, key by key.
///
/// # Errors
///
/// The first key for which that does not fit into 64 bits.
fn inverse<'a>(history: impl Iterator<Item = &'a (u64, i64)>) -> Result<Vec<(u64, i64)>, u64> {
    let mut sums = BTreeMap::<u64, i128>::new();
    for (key, added) in history {
        *sums.entry(*key).or_default() += i128::from(*added);
    }
    let sums = sums.into_iter().filter(|(_, sum)| *sum != 0);
    sums.map(|(key, sum)| i64::try_from(-sum).map(|undo| (key, undo)).map_err(|_| key)).collect()
}

impl CommittingSink for CounterSink {
    type In = (u64, i64);
    type Committable = ();
    type State = Baseline;
    type Token = CounterToken;
    type Answer = CounterAnswer;

    fn open(&mut self, opening: Opening<Baseline, ()>, out: &mut SinkOutputs<'_, CounterToken>) {
        self.seat = Seat::of(&opening);
        self.prefix = format!("{}-{}-", self.seat.operator.0, self.seat.restored);
        self.baselines = opening.states;
        if self.baselines.is_empty() {
            let writer = format!("{}{}", self.prefix, opening.index);
            self.baselines.push(Baseline { writer, total: 0 });
        }
        self.ask(CounterToken::Writers, out);
    }

    fn write(&mut self, record: (u64, i64), _: RowMaker, out: &mut SinkOutputs<'_, CounterToken>) {
        self.waiting.push(record);
        if self.waiting.len() >= self.batch {
            self.flush(out);
        }
    }

    /// Nothing is promised: what was added before the cut counts.
    fn pre_commit(
        &mut self,
        checkpoint: CheckpointId,
        out: &mut SinkOutputs<'_, CounterToken>,
    ) -> Vec<()> {
        self.flush(out);
        let flush = self.add(Vec::new());
        out.ask_in_order(CounterToken::Flush(checkpoint), &flush);
        Vec::new()
    }

    fn freeze(&self) -> Vec<Baseline> {
        vec![self.own.clone()]
    }

    fn commit(&mut self, batch: Batch<()>, out: &mut SinkOutputs<'_, CounterToken>) {
        batch.parts.into_iter().for_each(|(part, ())| out.committed(part));
    }

    fn handle_answer(
        &mut self,
        token: CounterToken,
        answer: Result<CounterAnswer, NoAnswer>,
        out: &mut SinkOutputs<'_, CounterToken>,
    ) {
        match (token, answer) {
            (CounterToken::Writers, Ok(CounterAnswer::Writers(writers))) => {
                self.begin(writers, out);
            }
            (CounterToken::Take(baseline), Ok(CounterAnswer::Taken)) => {
                self.ask(CounterToken::History(baseline), out);
            }
            (CounterToken::History(baseline), Ok(CounterAnswer::History(history))) => {
                self.undo(baseline, &history, out);
            }
            (CounterToken::Undo(_), Ok(CounterAnswer::Added { .. })) => self.open_if_undone(out),
            (CounterToken::Flush(checkpoint), Ok(CounterAnswer::Added { .. })) => {
                out.prepared(checkpoint);
            }
            (CounterToken::Undo(baseline), Err(NoAnswer::Unavailable | NoAnswer::Unknown)) => {
                // An earlier copy of the request may have been carried out: look again.
                out.wake(AGAIN, CounterToken::History(baseline));
            }
            (token, Err(NoAnswer::Unavailable | NoAnswer::Unknown)) => out.wake(AGAIN, token),
            (token, Ok(answer)) => out.fail(format!("the store answers {token:?} with {answer:?}")),
        }
    }

    fn handle_timer(&mut self, token: CounterToken, out: &mut SinkOutputs<'_, CounterToken>) {
        self.ask(token, out);
    }

    fn handle_outcome(
        &mut self,
        _: CheckpointId,
        _: CheckpointOutcome,
        _: &mut SinkOutputs<'_, CounterToken>,
    ) {
    }

    fn is_settled(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests;
