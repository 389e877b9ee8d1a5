//! What subtasks take and make, value by value, so that a failure can be told in the user's own words.
//!
//! A trace holds lineages and digests, and no values. A job that is [witnessed](super::Job::witnessed) behaves as it
//! does otherwise, and notes beside that what passes through it; nothing that decides anything asks a witness.

use std::sync::{Arc, Mutex, PoisonError};

use super::async_queue::Emission;
use super::data::Show;
use super::record::{Item, Outputs, Payload, Record};
use crate::protocol::ordered::VecSet;
use crate::protocol::{LineageId, SplitId};

/// What a subtask was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The entry at this place of the input.
    Entry {
        /// The split.
        split: SplitId,
        /// Its place in it.
        offset: u64,
    },
    /// A record.
    Record,
    /// A watermark: event time has come so far.
    Watermark(i64),
    /// The end of a channel or of a split.
    End,
    /// The answer of a service to the request of a record.
    Answer,
    /// The clock says this, in milliseconds of processing time: timers that are due fire.
    Clock(i64),
    /// In a sink with a protocol of its own, something about its system, or about a checkpoint.
    Outside,
}

/// What a subtask did with what it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which subtask, by the name that people read.
    pub subtask: String,
    /// What it was given.
    pub taken: Taken,
    /// Where that comes from; nowhere, where it is neither an entry nor a record.
    pub lineage: Option<LineageId>,
    /// The record as its type shows it; of an entry nothing.
    pub value: Option<String>,
    /// What it made of it, each record as its type shows it.
    pub made: Vec<(LineageId, String)>,
    /// Whether it came to an end with it: user code that panics does not.
    pub is_done: bool,
}

/// How many observations are kept.
const KEPT_MAX: usize = 100_000;

/// No value is shown with more characters.
const SHOWN_CHARS_MAX: usize = 200;

/// Notes what passes through the subtasks of a job. Clones share their notes.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    notes: Arc<Mutex<Notes>>,
}

#[derive(Debug, Default)]
struct Notes {
    /// Which records are wanted; all, where none are named.
    wanted: Option<VecSet<LineageId>>,
    kept: Vec<Observation>,
    last: Option<Observation>,
}

impl Witness {
    /// A witness of everything, up to a bound.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A witness of these records, and of what is made of them at once.
    #[must_use]
    pub fn of(wanted: VecSet<LineageId>) -> Self {
        let notes = Notes { wanted: Some(wanted), ..Notes::default() };
        Self { notes: Arc::new(Mutex::new(notes)) }
    }

    /// What was seen, in order. Nothing is left.
    #[must_use]
    pub fn take(&self) -> Vec<Observation> {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner).kept)
    }

    /// The last thing that any subtask did, wanted or not.
    #[must_use]
    pub fn last(&self) -> Option<Observation> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).last.clone()
    }

    fn begin(&self, observation: Observation) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).last = Some(observation);
    }

    fn end(&self, made: Vec<(LineageId, String)>) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let Notes { wanted, kept, last } = &mut *notes;
        let Some(last) = last else { return };
        (last.made, last.is_done) = (made, true);
        let is_wanted = |wanted: &VecSet<LineageId>| {
            let mut all = last.lineage.iter().chain(last.made.iter().map(|(lineage, _)| lineage));
            all.any(|lineage| wanted.contains(lineage))
        };
        if kept.len() < KEPT_MAX && wanted.as_ref().is_none_or(is_wanted) {
            kept.push(last.clone());
        }
    }
}

/// How the records of one subtask are shown to a witness.
#[derive(Clone)]
pub(crate) struct Watch {
    witness: Witness,
    /// What the subtask is called.
    name: Arc<str>,
    /// By input channel.
    inputs: Arc<[Option<Show>]>,
    output: Option<Show>,
}

impl Watch {
    pub(crate) fn new(
        witness: Witness,
        name: Arc<str>,
        inputs: Arc<[Option<Show>]>,
        output: Option<Show>,
    ) -> Self {
        Self { witness, name, inputs, output }
    }

    pub(crate) fn begin_item(&self, channel: usize, item: &Item) {
        let (taken, lineage, value) = match item {
            Item::Record(record) => {
                let value = self.shown_item(channel, record);
                (Taken::Record, Some(record.lineage), Some(value))
            }
            Item::Watermark(watermark) => (Taken::Watermark(*watermark), None, None),
        };
        self.begin(taken, lineage, value);
    }

    pub(crate) fn begin_entry(&self, split: SplitId, offset: u64) {
        let lineage = LineageId::of_entry(split, offset);
        self.begin(Taken::Entry { split, offset }, Some(lineage), None);
    }

    pub(crate) fn begin_end(&self) {
        self.begin(Taken::End, None, None);
    }

    /// What is emitted of itself by a subtask that asks a service: all its input is of one type.
    pub(crate) fn begin_emission(&self, emission: &Emission) {
        match emission {
            Emission::Answer(record) => {
                let value = self.shown_item(0, record);
                self.begin(Taken::Answer, Some(record.lineage), Some(value));
            }
            Emission::Watermark(watermark) => self.begin(Taken::Watermark(*watermark), None, None),
        }
    }

    pub(crate) fn begin_clock(&self, now_ms: i64) {
        self.begin(Taken::Clock(now_ms), None, None);
    }

    pub(crate) fn begin_outside(&self) {
        self.begin(Taken::Outside, None, None);
    }

    /// How what an input channel brings is shown.
    pub(crate) fn shown_item(&self, channel: usize, record: &Record) -> String {
        shown(self.inputs.get(channel).copied().flatten(), &record.payload)
    }

    /// How what the subtask gives out is shown.
    pub(crate) fn shown_output(&self, record: &Record) -> String {
        shown(self.output, &record.payload)
    }

    fn begin(&self, taken: Taken, lineage: Option<LineageId>, value: Option<String>) {
        let (made, is_done, subtask) = (Vec::new(), false, self.name.to_string());
        self.witness.begin(Observation { subtask, taken, lineage, value, made, is_done });
    }

    /// What the subtask gave out behind the first `items` and `written`.
    pub(crate) fn end(&self, out: &Outputs, (items, written): (usize, usize)) {
        let sent = out.items[items..].iter().filter_map(|(_, item)| match item {
            Item::Record(record) => Some((record.lineage, self.shown_output(record))),
            Item::Watermark(_) => None,
        });
        let written = out.written[written..].iter();
        let written = written.map(|record| (record.lineage, self.shown_output(record)));
        self.witness.end(sent.chain(written).collect());
    }
}

fn shown(show: Option<Show>, payload: &Payload) -> String {
    let known = show.and_then(|show| show(payload));
    let text = known.unwrap_or_else(|| format!("{} bytes", payload.len()));
    bounded(text)
}

/// The beginning of a text that is long.
#[must_use]
pub fn bounded(text: String) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
