//! The source log: the replayable input, in splits.

use std::sync::Arc;

use super::io::{Input, Outbox};
use super::message::{Answer, Fetched, Message, RequestId, ToSourceLog};
use super::trouble::Trouble;
use crate::dataflow;
use crate::protocol::ordered::VecMap;
use crate::protocol::{ProcessId, SplitId};
use crate::trace::Event;

/// Fetches that wait at an idle split at most; those beyond are lost, and come again.
const WAITING_MAX: usize = 1 << 10;

/// The source log. It lets go of what its reader says it will never read again.
#[derive(Clone)]
pub struct SourceLog {
    input: Arc<dataflow::Input>,
    /// By split: the offset before which entries are gone.
    first: Vec<u64>,
    /// Splits that have nothing new to give, each with the fetches that wait for it to go on: a fetch
    /// is answered when there is something to say (Kafka: `fetch.max.wait.ms`).
    idle: VecMap<SplitId, Vec<Fetch>>,
}

/// A fetch, and who wants the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fetch {
    from: ProcessId,
    request: RequestId,
    split: SplitId,
    offset: u64,
    entries_max: u32,
}

impl SourceLog {
    /// A log that holds all of `input`.
    #[must_use]
    pub fn new(input: Arc<dataflow::Input>) -> Self {
        let first = vec![0; usize::from(input.split_count())];
        Self { input, first, idle: VecMap::new() }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, outbox: &mut dyn Outbox) {
        match input {
            Input::Message { from, message: Message::SourceLog(message) } => {
                self.handle_message(from, message, outbox);
            }
            Input::Trouble(Trouble::Split { split, is_idle: true }) => self.idle(split, outbox),
            Input::Trouble(Trouble::Split { split, is_idle: false }) => self.resume(split, outbox),
            Input::Start(_)
            | Input::Message { .. }
            | Input::Timer(_)
            | Input::Trouble(Trouble::Store(_) | Trouble::Sink(_))
            | Input::Rescale(_)
            | Input::ConnectionLost { .. } => {}
        }
    }

    fn handle_message(&mut self, from: ProcessId, message: ToSourceLog, outbox: &mut dyn Outbox) {
        match message {
            ToSourceLog::Fetch { request, split, offset, entries_max } => {
                self.handle_fetch(Fetch { from, request, split, offset, entries_max }, outbox);
            }
            ToSourceLog::CommitOffset { split, offset } => self.commit(split, offset, outbox),
        }
    }

    fn idle(&mut self, split: SplitId, outbox: &mut dyn Outbox) {
        if split.index() < self.first.len() && !self.idle.contains_key(&split) {
            self.idle.insert(split, Vec::new());
            outbox.event(Event::SplitIdle { split });
        }
    }

    fn resume(&mut self, split: SplitId, outbox: &mut dyn Outbox) {
        let Some(waiting) = self.idle.remove(&split) else { return };
        outbox.event(Event::SplitResumed { split });
        for fetch in waiting {
            self.answer(fetch, outbox);
        }
    }

    fn handle_fetch(&mut self, fetch: Fetch, outbox: &mut dyn Outbox) {
        match self.idle.get_mut(&fetch.split) {
            None => self.answer(fetch, outbox),
            Some(waiting) if waiting.contains(&fetch) || waiting.len() >= WAITING_MAX => {}
            Some(waiting) => waiting.push(fetch),
        }
    }

    fn answer(&self, fetch: Fetch, outbox: &mut dyn Outbox) {
        if let Some(fetched) = self.fetch(fetch) {
            outbox.send(fetch.from, Message::Answer(Answer::Fetched(Box::new(fetched))));
        }
    }

    fn fetch(&self, fetch: Fetch) -> Option<Fetched> {
        let Fetch { request, split, offset: requested, entries_max, .. } = fetch;
        let offset = requested.max(*self.first.get(split.index())?);
        let split_end = self.input.len(split);
        let end = split_end.min(offset.saturating_add(u64::from(entries_max)));
        let mut fetched = Fetched {
            request,
            split,
            requested,
            offset,
            bytes: Vec::new(),
            ends: Vec::new(),
            split_end,
        };
        self.input.copy_entries(split, offset..end, &mut fetched.bytes, &mut fetched.ends);
        Some(fetched)
    }

    /// Offsets only move forward, whoever says otherwise, and however late.
    fn commit(&mut self, split: SplitId, offset: u64, outbox: &mut dyn Outbox) {
        if let Some(first) = self.first.get_mut(split.index())
            && offset > *first
        {
            *first = offset;
            outbox.event(Event::OffsetCommitted { split, offset });
        }
    }
}

#[cfg(test)]
mod tests;
