//! The source log: the replayable input, in splits.

mod queue;
mod splits;

use std::sync::Arc;

use queue::Queue;
use splits::{Change, Splits};

use super::io::{Input, Outbox, Timer};
use super::message::{Answer, Fetched, Message, RequestId, ToSourceLog};
use super::settings::DiscoverySettings;
use super::trouble::Trouble;
use crate::dataflow;
use crate::protocol::ordered::VecMap;
use crate::protocol::{Attempt, ProcessId, SplitId, VirtualTime};
use crate::trace::Event;

/// Fetches that wait at an idle split at most; those beyond are lost, and come again.
const WAITING_MAX: usize = 1 << 10;

/// The source log. It lets go of what its reader says it will never read again; where splits come and go, at the
/// end of a split, and of all of it.
#[derive(Clone)]
pub struct SourceLog {
    input: Arc<dataflow::Input>,
    /// By split: the offset before which entries are gone, or said not to be needed.
    first: Vec<u64>,
    splits: Splits,
    /// The input as one queue, where it is one; its consumers are the splits.
    queue: Option<Queue>,
    /// Splits that have nothing new to give, each with the fetches that wait for it to go on: a fetch
    /// is answered when there is something to say (Kafka: `fetch.max.wait.ms`).
    idle: VecMap<SplitId, Vec<Fetch>>,
}

/// A fetch, and who wants the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fetch {
    from: ProcessId,
    request: RequestId,
    attempt: Attempt,
    split: SplitId,
    offset: u64,
    entries_max: u32,
}

impl SourceLog {
    /// A log that holds all of `input`, in splits that come and go as `discovery` says.
    #[must_use]
    pub fn new(input: Arc<dataflow::Input>, discovery: Option<DiscoverySettings>) -> Self {
        let first = vec![0; usize::from(input.split_count())];
        let splits = Splits::new(input.split_count(), discovery);
        let queue = input.is_queue().then(|| Queue::new(&input));
        Self { input, first, splits, queue, idle: VecMap::new() }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: VirtualTime, input: Input, outbox: &mut dyn Outbox) {
        match input {
            Input::Message { from, message: Message::SourceLog(message) } => {
                self.handle_message(from, message, outbox);
            }
            Input::Start(_) => {
                for (split, after) in self.splits.due(now) {
                    outbox.set_timer(after, Timer::Split(split));
                }
            }
            Input::Timer(Timer::Split(split)) => self.handle_due(split, outbox),
            Input::Trouble(Trouble::Split { split, is_idle: true }) => self.idle(split, outbox),
            Input::Trouble(Trouble::Split { split, is_idle: false }) => self.resume(split, outbox),
            Input::Message { .. }
            | Input::Timer(_)
            | Input::Trouble(Trouble::Store(_) | Trouble::Sink(_))
            | Input::Rescale(_)
            | Input::ConnectionLost { .. } => {}
        }
    }

    fn handle_message(&mut self, from: ProcessId, message: ToSourceLog, outbox: &mut dyn Outbox) {
        match message {
            ToSourceLog::Fetch { request, attempt, split, offset, entries_max } => {
                let fetch = Fetch { from, request, attempt, split, offset, entries_max };
                self.handle_fetch(fetch, outbox);
            }
            ToSourceLog::ListSplits { request } => {
                let listing = Box::new(self.splits.list(|split| self.idle.contains_key(&split)));
                outbox.send(from, Message::Answer(Answer::SplitsListed { request, listing }));
            }
            ToSourceLog::CommitOffset { split, offset } => self.commit(split, offset, outbox),
        }
    }

    fn handle_due(&mut self, split: SplitId, outbox: &mut dyn Outbox) {
        match self.splits.handle_due(split) {
            Some(Change::Appeared) => outbox.event(Event::SplitAppeared { split }),
            Some(Change::Removed) => outbox.event(Event::SplitRemoved { split }),
            None => {}
        }
    }

    /// Nothing is to be heard of a split; of one that has not come up, nothing is heard anyway.
    fn idle(&mut self, split: SplitId, outbox: &mut dyn Outbox) {
        let is_there = split.index() < self.first.len() && !self.splits.awaits(split);
        if is_there && !self.idle.contains_key(&split) {
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

    fn answer(&mut self, fetch: Fetch, outbox: &mut dyn Outbox) {
        if let Some(queue) = &mut self.queue {
            queue.handle_fetch(fetch, &self.input, outbox);
        } else if let Some(fetched) = self.fetch(fetch) {
            outbox.send(fetch.from, Message::Answer(Answer::Fetched(Box::new(fetched))));
        }
    }

    fn fetch(&self, fetch: Fetch) -> Option<Fetched> {
        let Fetch { request, split, offset: requested, entries_max, .. } = fetch;
        let first = *self.first.get(split.index())?;
        if self.splits.awaits(split) {
            return None;
        }
        let offset = if self.splits.retains(split) { requested } else { requested.max(first) };
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
        if let Some(queue) = &mut self.queue {
            queue.acknowledge(split, offset, &self.input, outbox);
        } else if offset >= self.input.len(split)
            && let Some(after) = self.splits.consume(split)
        {
            outbox.set_timer(after, Timer::Split(split));
        }
    }
}

#[cfg(test)]
mod tests;
