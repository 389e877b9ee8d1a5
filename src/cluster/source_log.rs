//! The source log: the replayable input, in splits.

use std::sync::Arc;

use super::message::{Fetched, Message, RequestId};
use super::process::{Input, Outbox};
use crate::dataflow;
use crate::protocol::SplitId;
use crate::trace::Event;

/// The source log. It lets go of what its reader says it will never read again.
#[derive(Clone)]
pub struct SourceLog {
    input: Arc<dataflow::Input>,
    /// By split: the offset before which entries are gone.
    first: Vec<u64>,
}

impl SourceLog {
    /// A log that holds all of `input`.
    #[must_use]
    pub fn new(input: Arc<dataflow::Input>) -> Self {
        let first = vec![0; usize::from(input.split_count())];
        Self { input, first }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: Input, outbox: &mut impl Outbox) {
        match input {
            Input::Message {
                from,
                message: Message::Fetch { request, split, offset, entries_max },
            } => {
                if let Some(fetched) = self.fetch(request, split, offset, entries_max) {
                    outbox.send(from, Message::Fetched(Box::new(fetched)));
                }
            }
            Input::Message { message: Message::CommitOffset { split, offset }, .. } => {
                self.commit(split, offset, outbox);
            }
            Input::Start(_)
            | Input::Message { .. }
            | Input::Timer(_)
            | Input::Trouble(_)
            | Input::ConnectionLost { .. } => {}
        }
    }

    fn fetch(
        &self,
        request: RequestId,
        split: SplitId,
        requested: u64,
        entries_max: u32,
    ) -> Option<Fetched> {
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
    fn commit(&mut self, split: SplitId, offset: u64, outbox: &mut impl Outbox) {
        if let Some(first) = self.first.get_mut(split.index())
            && offset > *first
        {
            *first = offset;
            outbox.event(Event::OffsetCommitted { split, offset });
        }
    }
}
