//! The words of events, each kept once: most of a trace says the same things of other records.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::protocol::{Attempt, ChannelId, CheckpointId, SplitId, SubtaskId};
use crate::render::words::clause;
use crate::trace::{Carried, Event, Point, Shapes, Stamp};

/// Stands in a sentence for the record that the event carries.
pub const RECORD: char = '\u{1}';

/// Stands in a sentence for the number that the event carries.
pub const NUMBER: char = '\u{2}';

/// No name is shown longer than this, in characters.
const NAME_MAX: usize = 48;

/// No sentence is longer than this, in characters.
const SENTENCE_MAX: usize = 600;

/// What a kind of event is, as far as drawing it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::EnumIter)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A record moves.
    Record,
    /// A marker moves in a channel: a barrier, a cancel marker, the end of input.
    Marker,
    /// Channels are blocked, and aligned.
    Alignment,
    /// A subtask takes, stores or restores its snapshot.
    Snapshot,
    /// The coordinator decides, or an enumerator does.
    Control,
    /// Something becomes durable, or is gone.
    Store,
    /// Transactions and what becomes visible.
    Sink,
    /// Event time.
    Time,
    /// A fault strikes or ends.
    Fault,
    /// Events that are not there.
    Gap,
}

impl Class {
    /// That of an event.
    #[must_use]
    #[rustfmt::skip]
    pub fn of(point: Point) -> Self {
        use crate::trace::Family as F;
        use Point as P;
        match (point.family(), point) {
            (F::Channel, P::Sent | P::Received | P::Replayed | P::RecordCut) | (F::Subtask, P::Read) => Self::Record,
            (F::Channel, P::ChannelBlocked | P::ChannelUnblocked) => Self::Alignment,
            (F::Channel, _) => Self::Marker,
            (F::Subtask, P::AlignmentStarted | P::AlignmentCompleted | P::AlignmentOvertaken | P::AlignmentAborted) =>
                Self::Alignment,
            (F::Subtask, _) => Self::Snapshot,
            (F::Run | F::Coordinator | F::Enumerator, _) => Self::Control,
            (F::Store, _) => Self::Store,
            (F::Sink, _) => Self::Sink,
            (F::Time, _) => Self::Time,
            (F::Fault, _) => Self::Fault,
        }
    }
}

/// A sentence that events share.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word {
    /// What happened; none where events are missing.
    pub point: Option<Point>,
    /// For which checkpoint.
    pub checkpoint: Option<CheckpointId>,
    /// With [`RECORD`] and [`NUMBER`] where events differ.
    pub text: String,
}

/// What the commonest events say follows from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Common {
    Channel(Point, Attempt, ChannelId),
    Read(Attempt, SubtaskId, SplitId),
}

/// All sentences of a view.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// In the order in which they were first said.
    pub all: Vec<Word>,
    known: BTreeMap<Word, usize>,
    common: BTreeMap<Common, usize>,
}

impl Words {
    /// What an event says.
    pub fn say(&mut self, stamp: Stamp, event: &Event, shapes: &Shapes) -> usize {
        let common = common(event);
        if let Some(known) = common.and_then(|common| self.common.get(&common)) {
            return *known;
        }
        let topology = shapes.around(stamp, event);
        let sentence = template(&clause(topology, event).sentence(), event);
        let checkpoint = event.about().checkpoint;
        let word =
            Word { point: Some(event.into()), checkpoint, text: cut(&sentence, SENTENCE_MAX) };
        let index = self.intern(word);
        if let Some(common) = common {
            self.common.insert(common, index);
        }
        index
    }

    /// That events are missing.
    pub fn say_gap(&mut self) -> usize {
        let text = format!("{NUMBER} events are not kept");
        self.intern(Word { point: None, checkpoint: None, text })
    }

    fn intern(&mut self, word: Word) -> usize {
        let next = self.all.len();
        let index = *self.known.entry(word.clone()).or_insert(next);
        if index == next {
            self.all.push(word);
        }
        index
    }
}

fn common(event: &Event) -> Option<Common> {
    match event {
        Event::Sent { channel, attempt, .. } | Event::Received { channel, attempt, .. } => {
            Some(Common::Channel(event.into(), *attempt, *channel))
        }
        Event::Read { subtask, attempt, split, .. } => {
            Some(Common::Read(*attempt, *subtask, *split))
        }
        _ => None,
    }
}

/// The sentence without what differs from record to record.
fn template(sentence: &str, event: &Event) -> String {
    let mut sentence = sentence.to_owned();
    if let Carried::Record(lineage) = event.about().carried {
        sentence = sentence.replacen(&lineage.to_string(), RECORD.encode_utf8(&mut [0; 4]), 1);
    }
    if let Event::Read { offset, .. } = event {
        let (told, stands) =
            (format!(" at offset {offset} of "), format!(" at offset {NUMBER} of "));
        sentence = sentence.replacen(&told, &stands, 1);
    }
    sentence
}

/// A name of an operator as it is shown: no longer than there is room for.
#[must_use]
pub fn short(name: &str) -> String {
    cut(name, NAME_MAX)
}

/// Text without control characters, and with an ellipsis where it is too long.
fn cut(text: &str, most: usize) -> String {
    let is_plain = |c: char| !c.is_control() || c == RECORD || c == NUMBER;
    let mut shown: String = text.chars().filter(|c| is_plain(*c)).take(most).collect();
    if shown.chars().count() == most {
        shown.pop();
        shown.push('…');
    }
    shown
}
