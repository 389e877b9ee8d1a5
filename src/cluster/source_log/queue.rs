//! A queue with several consumers: it gives each message to one of them, and gives it again, to any of them and in
//! another order, when the session is over in which nobody acknowledged it.
//!
//! A consumer is a split of the source. What it is given in a session is numbered on from where its reader stands, so
//! that the position of a reader counts what it has read, and a commit acknowledges what it was given before that
//! number. All consumers of an attempt have sessions of that attempt. Those of the attempt before are over when the
//! first of the next asks: what was not acknowledged in them is due again, the newest first, behind what nobody was
//! given yet, and what is acknowledged of them later counts for nothing.
//!
//! It has ended when all messages were acknowledged, and not when all were given out: they may come again.
//!
//! After RabbitMQ (a delivery tag belongs to a channel, and what a closed channel has not acknowledged is queued again)
//! and shared subscriptions of Apache Pulsar.

use std::collections::VecDeque;

use super::Fetch;
use crate::cluster::io::Outbox;
use crate::cluster::message::{Answer, Fetched, Message, RequestId};
use crate::dataflow::Input;
use crate::protocol::ordered::VecMap;
use crate::protocol::{Attempt, MessageId, ProcessId, SplitId};
use crate::trace::Event;

/// The messages of an input, as its consumers have them.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Where each message lies in the input, in the order in which they were published.
    places: Vec<(SplitId, u64)>,
    /// By message, whether it was ever given out.
    given: Vec<bool>,
    /// Those that no consumer has, in the order in which they will be given out.
    ready: VecDeque<MessageId>,
    /// How many were not acknowledged.
    left: usize,
    /// Whose sessions these are.
    attempt: Attempt,
    sessions: VecMap<SplitId, Session>,
    /// At most one fetch of each consumer, in the order in which they came.
    waiting: Vec<Fetch>,
}

/// What a consumer has of this attempt.
#[derive(Clone, Debug)]
struct Session {
    /// The number of the first message that it was given and has not acknowledged.
    first: u64,
    unacknowledged: VecDeque<MessageId>,
    /// The fetch that was answered last, and the number of the first message of the answer.
    answered: Option<(ProcessId, RequestId, u64)>,
}

impl Session {
    fn beginning_at(number: u64) -> Self {
        Self { first: number, unacknowledged: VecDeque::new(), answered: None }
    }

    /// The number of the message that it is given next.
    fn next(&self) -> u64 {
        self.first + self.unacknowledged.len() as u64
    }

    /// The number of the first message of the answer, if this fetch was answered and has come again.
    fn answered(&self, fetch: &Fetch) -> Option<u64> {
        let (from, request, number) = self.answered?;
        (from == fetch.from && request == fetch.request).then_some(number.max(self.first))
    }

    /// The messages that it was given from this number on.
    fn given_since(&self, number: u64) -> impl Iterator<Item = MessageId> + '_ {
        let before = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        self.unacknowledged.iter().copied().skip(before)
    }

    fn acknowledge(&mut self) -> bool {
        let is_one = self.unacknowledged.pop_front().is_some();
        self.first += u64::from(is_one);
        is_one
    }
}

impl Queue {
    /// A queue with everything that the input holds, published in turns.
    pub fn new(input: &Input) -> Self {
        let splits = || (0..input.split_count()).map(SplitId);
        let longest = splits().map(|split| input.len(split)).max().unwrap_or(0);
        let at = |offset| splits().map(move |split| (split, offset));
        let places = (0..longest).flat_map(at).filter(|(split, at)| *at < input.len(*split));
        let places: Vec<_> = places.collect();
        Self {
            given: vec![false; places.len()],
            ready: (0..places.len() as u64).map(MessageId).collect(),
            left: places.len(),
            attempt: Attempt::default(),
            sessions: VecMap::new(),
            waiting: Vec::new(),
            places,
        }
    }

    /// A consumer wants messages. It waits until there are any, or all were acknowledged.
    pub fn handle_fetch(&mut self, fetch: Fetch, input: &Input, outbox: &mut dyn Outbox) {
        if fetch.attempt < self.attempt {
            return;
        }
        if fetch.attempt > self.attempt {
            self.end_sessions(fetch.attempt);
        }
        let session = self.sessions.entry(fetch.split);
        let session = session.or_insert_with(|| Session::beginning_at(fetch.offset));
        if let Some(number) = session.answered(&fetch) {
            return self.answer(fetch, number, input, outbox);
        }
        if fetch.offset == session.next() {
            self.waiting.retain(|waiting| waiting.split != fetch.split);
            self.waiting.push(fetch);
            self.serve(input, outbox);
        }
    }

    /// A consumer acknowledges what it was given before this number.
    pub fn acknowledge(
        &mut self,
        split: SplitId,
        number: u64,
        input: &Input,
        outbox: &mut dyn Outbox,
    ) {
        let Some(session) = self.sessions.get_mut(&split) else { return };
        while session.first < number && session.acknowledge() {
            self.left -= 1;
        }
        self.serve(input, outbox);
    }

    /// The next attempt has begun: whoever consumed in the last is gone.
    fn end_sessions(&mut self, attempt: Attempt) {
        self.attempt = attempt;
        self.waiting.clear();
        for session in std::mem::take(&mut self.sessions).into_values() {
            self.ready.extend(session.unacknowledged.into_iter().rev());
        }
    }

    /// Gives those who wait what there is.
    fn serve(&mut self, input: &Input, outbox: &mut dyn Outbox) {
        while !self.waiting.is_empty() && (!self.ready.is_empty() || self.left == 0) {
            let fetch = self.waiting.remove(0);
            self.give(fetch, input, outbox);
        }
    }

    fn give(&mut self, fetch: Fetch, input: &Input, outbox: &mut dyn Outbox) {
        let Some(session) = self.sessions.get_mut(&fetch.split) else { return };
        let number = session.next();
        session.answered = Some((fetch.from, fetch.request, number));
        let wanted = usize::try_from(fetch.entries_max).unwrap_or(usize::MAX);
        for message in self.ready.drain(..wanted.min(self.ready.len())) {
            let Some(given) = self.given.get_mut(message.index()) else { continue };
            if std::mem::replace(given, true) {
                let (consumer, number) = (fetch.split, session.next());
                outbox.event(Event::MessageRedelivered { message, consumer, number });
            }
            session.unacknowledged.push_back(message);
        }
        self.answer(fetch, number, input, outbox);
    }

    /// What the consumer of the fetch was given from this number on; if it is nothing, there will be nothing more.
    fn answer(&self, fetch: Fetch, number: u64, input: &Input, outbox: &mut dyn Outbox) {
        let Some(session) = self.sessions.get(&fetch.split) else { return };
        let Fetch { from, request, split, offset: requested, .. } = fetch;
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        let places = session.given_since(number).filter_map(|one| self.places.get(one.index()));
        places.for_each(|(split, at)| {
            input.copy_entries(*split, *at..*at + 1, &mut bytes, &mut ends)
        });
        let split_end = if ends.is_empty() { number } else { u64::MAX };
        let fetched = Fetched { request, split, requested, offset: number, bytes, ends, split_end };
        outbox.send(from, Message::Answer(Answer::Fetched(Box::new(fetched))));
    }
}

#[cfg(test)]
mod tests;
