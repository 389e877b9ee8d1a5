//! Sessions: they make of connections that break one ordered stream from a life of the sender to a
//! life of the receiver, in which every message arrives once.
//!
//! The sender keeps what is not acknowledged and sends it again on the next connection; the receiver
//! counts, and drops what it has had. That holds also when the receiver was started anew meanwhile:
//! the sender cannot know whether what it wrote was for the former life. When the news of a crash are
//! held up by a cut, it writes to a dead connection what the new life waits for.

use std::collections::VecDeque;

use serde::Serialize;

use super::frame::Frame;
use crate::protocol::Incarnation;

/// After this many messages the receiver says how far it has come.
pub const ACKNOWLEDGED_EVERY: u32 = 32;

/// How many messages wait for a peer at most: credits and requests keep it far below.
pub const MESSAGES_MAX: usize = 1 << 20;

/// The sending end.
#[derive(Debug, Default)]
pub struct SendSession {
    /// The number of the first message kept.
    first: u64,
    /// Everything before it was written at some time.
    seen: u64,
    /// The frames kept, back to back.
    bytes: Vec<u8>,
    /// How long each is.
    lengths: VecDeque<u32>,
    /// How much of `bytes` was written to this connection.
    written: usize,
}

impl SendSession {
    /// Adds a message.
    ///
    /// # Panics
    ///
    /// When more messages wait than [`MESSAGES_MAX`].
    pub fn push<M: Serialize>(&mut self, message: &M) {
        assert!(self.lengths.len() < MESSAGES_MAX, "too many messages wait for one peer");
        let start = self.bytes.len();
        Frame::Data { sequence: self.next(), message }.append_to(&mut self.bytes);
        self.lengths.push_back((self.bytes.len() - start) as u32);
    }

    /// Moves on to the end; `into` gets what is to be written.
    pub fn write(&mut self, into: &mut Vec<u8>) {
        into.extend_from_slice(&self.bytes[self.written..]);
        self.written = self.bytes.len();
        self.seen = self.next();
    }

    /// The receiver has everything before `next`; false if that cannot be.
    pub fn handle_acknowledged(&mut self, next: u64) -> bool {
        if next > self.seen {
            return false;
        }
        self.forget(next);
        true
    }

    /// A new connection leads to a receiver that expects this message next, or whatever comes first;
    /// false if that cannot be.
    pub fn handle_welcome(&mut self, expected: Option<u64>) -> bool {
        self.written = 0;
        let next = expected.unwrap_or(self.first);
        next >= self.first && self.handle_acknowledged(next)
    }

    /// Whether something was not written to this connection.
    pub fn has_unwritten(&self) -> bool {
        self.written < self.bytes.len()
    }

    /// Whether a new connection would have something to do.
    pub fn has_unacknowledged(&self) -> bool {
        !self.bytes.is_empty()
    }

    fn next(&self) -> u64 {
        self.first + self.lengths.len() as u64
    }

    fn forget(&mut self, next: u64) {
        let count = next.saturating_sub(self.first) as usize;
        let bytes = self.lengths.drain(..count).map(|length| length as usize).sum();
        self.bytes.drain(..bytes);
        self.written = self.written.saturating_sub(bytes);
        self.first += count as u64;
    }
}

/// The receiving end.
#[derive(Debug)]
pub struct ReceiveSession {
    /// Which life of the sender is heard.
    peer: Incarnation,
    /// The next message; none before the first.
    expected: Option<u64>,
    /// How many since the last acknowledgement.
    unacknowledged: u32,
}

/// What becomes of a message that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is the next.
    Next,
    /// It has been here.
    Duplicate,
    /// It cannot be: the connection is not to be listened to any more.
    Wrong,
}

impl ReceiveSession {
    /// Of this life of the sender.
    #[must_use]
    pub fn new(peer: Incarnation) -> Self {
        Self { peer, expected: None, unacknowledged: 0 }
    }

    /// A life of the sender connects; false if a later one has done so before.
    pub fn handle_hello(&mut self, peer: Incarnation) -> bool {
        if peer > self.peer {
            *self = Self::new(peer);
        }
        peer == self.peer
    }

    /// The sender is to send this next; none: whatever it has first.
    pub fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// A message of a life of the sender arrives.
    pub fn handle_data(&mut self, peer: Incarnation, sequence: u64) -> Arrival {
        let expected = self.expected.unwrap_or(sequence);
        if peer != self.peer || sequence > expected {
            return Arrival::Wrong;
        }
        if sequence < expected {
            return Arrival::Duplicate;
        }
        self.expected = Some(sequence + 1);
        self.unacknowledged += 1;
        Arrival::Next
    }

    /// What to acknowledge, every now and then.
    pub fn poll_acknowledgement(&mut self) -> Option<u64> {
        if self.unacknowledged < ACKNOWLEDGED_EVERY {
            return None;
        }
        self.unacknowledged = 0;
        self.expected
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::FrameReader;
    use super::*;

    /// What a connection brings, as far as it holds.
    fn written(session: &mut SendSession) -> Vec<(u64, u64)> {
        let (mut bytes, mut reader) = (Vec::new(), FrameReader::default());
        session.write(&mut bytes);
        reader.feed(&bytes);
        let mut found = Vec::new();
        while let Some(frame) = reader.take::<u64>().expect("a session writes frames") {
            let Frame::Data { sequence, message } = frame else { panic!("{frame:?} is no data") };
            found.push((sequence, message));
        }
        found
    }

    fn deliver(receiver: &mut ReceiveSession, frames: &[(u64, u64)]) -> Vec<u64> {
        let next = |(sequence, _): &&(u64, u64)| {
            receiver.handle_data(Incarnation(0), *sequence) == Arrival::Next
        };
        frames.iter().filter(next).map(|(_, message)| *message).collect()
    }

    fn sender(messages: u64) -> SendSession {
        let mut session = SendSession::default();
        (0..messages).for_each(|message| session.push(&message));
        assert!(session.handle_welcome(None));
        session
    }

    #[test]
    fn a_connection_that_breaks_in_the_middle_is_continued_without_gap_or_duplicate() {
        for arrived in 0..=8 {
            let (mut sender, mut receiver) = (sender(8), ReceiveSession::new(Incarnation(0)));
            let mut got = deliver(&mut receiver, &written(&mut sender)[..arrived]);
            sender.push(&8_u64);
            assert!(sender.handle_welcome(receiver.expected()));
            got.extend(deliver(&mut receiver, &written(&mut sender)));
            assert_eq!(got, (0..=8).collect::<Vec<_>>(), "{arrived} arrived before");
        }
    }

    #[test]
    fn what_the_broken_connection_still_brings_is_dropped_once_it_was_repeated() {
        let (mut sender, mut receiver) = (sender(4), ReceiveSession::new(Incarnation(0)));
        let first = written(&mut sender);
        assert_eq!(deliver(&mut receiver, &first[..1]), [0]);
        assert!(sender.handle_welcome(receiver.expected()));
        let second = written(&mut sender);
        assert_eq!(deliver(&mut receiver, &second[..2]), [1, 2]);
        assert_eq!(deliver(&mut receiver, &first[1..]), [3]);
        assert_eq!(deliver(&mut receiver, &second[2..]), [0; 0]);
    }

    #[test]
    fn a_restarted_receiver_gets_once_what_its_former_life_has_not_acknowledged() {
        let mut sender = sender(3);
        assert_eq!(written(&mut sender).len(), 3);
        assert!(sender.handle_acknowledged(1));
        sender.push(&3_u64);
        let mut restarted = ReceiveSession::new(Incarnation(0));
        assert!(sender.handle_welcome(restarted.expected()));
        assert_eq!(deliver(&mut restarted, &written(&mut sender)), [1, 2, 3]);
        assert!(sender.handle_welcome(restarted.expected()));
        assert_eq!(deliver(&mut restarted, &written(&mut sender)), [0; 0]);
    }

    #[test]
    fn a_restarted_sender_begins_anew_and_its_former_life_is_not_heard_any_more() {
        let mut receiver = ReceiveSession::new(Incarnation(0));
        assert_eq!(receiver.handle_data(Incarnation(0), 0), Arrival::Next);
        assert!(receiver.handle_hello(Incarnation(1)));
        assert_eq!(receiver.expected(), None);
        assert_eq!(receiver.handle_data(Incarnation(0), 1), Arrival::Wrong);
        assert_eq!(receiver.handle_data(Incarnation(1), 0), Arrival::Next);
        assert!(!receiver.handle_hello(Incarnation(0)));
    }

    #[test]
    fn a_gap_is_wrong_and_so_is_an_acknowledgement_of_what_was_not_sent() {
        let mut receiver = ReceiveSession::new(Incarnation(0));
        assert_eq!(receiver.handle_data(Incarnation(0), 0), Arrival::Next);
        assert_eq!(receiver.handle_data(Incarnation(0), 2), Arrival::Wrong);
        let mut sender = sender(2);
        assert!(!sender.handle_acknowledged(1), "nothing was written yet");
        written(&mut sender);
        assert!(sender.handle_acknowledged(2));
        assert!(!sender.has_unacknowledged());
        assert!(!sender.handle_welcome(Some(1)), "message 1 is gone");
    }

    #[test]
    fn acknowledgements_are_rare_and_free_what_they_cover() {
        let count = u64::from(ACKNOWLEDGED_EVERY);
        let (mut sender, mut receiver) = (sender(count + 1), ReceiveSession::new(Incarnation(0)));
        let frames = written(&mut sender);
        deliver(&mut receiver, &frames[..frames.len() - 2]);
        assert_eq!(receiver.poll_acknowledgement(), None);
        deliver(&mut receiver, &frames[frames.len() - 2..]);
        assert_eq!(receiver.poll_acknowledgement(), Some(count + 1));
        assert!(sender.handle_acknowledged(count));
        assert!(sender.has_unacknowledged() && !sender.has_unwritten());
    }
}
