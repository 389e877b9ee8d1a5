//! Checks that user code is snapshot-safe: that everything it learns is in its snapshots.
//!
//! For every prefix of the input, and wherever a source pauses within an entry: a subtask that has processed it is
//! snapshotted, the snapshot restored into a fresh subtask, and both go on with the rest. What they emit and their last snapshots must be
//! equal to the byte, and a snapshot of what was just restored must equal what it was restored from.

use thiserror::Error;

use super::builder::JobBuilder;
use super::data::{Data, encode};
use super::job::Job;
use super::operator::{Operator, TwoInputOperator};
use super::record::{Item, Outputs, Record};
use super::replay::Replay;
use super::sink::EncodedSink;
use super::source::Source;
use super::state::StateDeclarations;
use super::subtask::Subtask;
use super::subtask_state::RestoreError;
use super::witness::Witness;
use crate::protocol::ordered::VecMap;
use crate::protocol::{DefectSet, LineageId, SplitId, SubtaskId};

/// Something that a subtask is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// A record with its time.
    Record(i64, T),
    /// A watermark.
    Watermark(i64),
    /// The clock says this, in milliseconds of processing time, for this step and those that follow; timers that
    /// are due fire. It says 0 before.
    Clock(i64),
}

/// Something that a subtask with two inputs is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TwoInputStep<L, R> {
    /// To the first input.
    Left(Step<L>),
    /// To the second input.
    Right(Step<R>),
}

/// How a restored subtask differs from the one that was never interrupted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Divergence {
    /// A snapshot right after the restore is another one.
    #[error(
        "after {prefix} inputs: a snapshot of the restored subtask differs from what it was restored from"
    )]
    Restored {
        /// How many inputs had been processed.
        prefix: usize,
    },
    /// The snapshot cannot be restored at all.
    #[error("after {prefix} inputs: the snapshot cannot be restored: {error}")]
    Refused {
        /// How many inputs had been processed.
        prefix: usize,
        /// What the restore found wrong.
        error: RestoreError,
    },
    /// The same input gives another output.
    #[error(
        "snapshotted and restored after {prefix} inputs, input number {input}, which is {given}, gives another output: \
         expected {expected}, got {got}; the operator knows something that is not in its snapshot"
    )]
    Output {
        /// How many inputs had been processed before the snapshot.
        prefix: usize,
        /// Which input, from 0, was answered differently.
        input: usize,
        /// The input that it was given, in words.
        given: String,
        /// What the subtask makes of it that was never interrupted.
        expected: String,
        /// What the restored one makes of it.
        got: String,
    },
    /// The same input gives another state.
    #[error("snapshotted and restored after {prefix} inputs, the state at the end is another one")]
    FinalState {
        /// How many inputs had been processed before the snapshot.
        prefix: usize,
    },
}

/// Checks an operator on a keyed stream.
///
/// # Errors
///
/// The first [`Divergence`].
///
/// # Panics
///
/// When the operator does, or declares state that a job would refuse.
pub fn check<O: Operator, K: Data>(
    make: impl Fn(&mut StateDeclarations) -> O + Send + Sync + 'static,
    key: impl Fn(&O::In) -> K + Send + Sync + 'static,
    steps: &[Step<O::In>],
) -> Result<(), Divergence> {
    let builder = JobBuilder::new("conformance");
    let source = builder.source("source", Replay::<O::In>::new(), 1, 1);
    let output = source.key_by(key).process("operator", 1, make);
    output.transactional_sink("sink", 1, EncodedSink::new());
    let stimuli = steps.iter().enumerate().map(|(index, step)| stimulus(0, index, step));
    check_subtask(&fresh(&builder, 1), &stimuli.collect::<Vec<_>>())
}

/// Checks an operator on two keyed streams.
///
/// # Errors
///
/// The first [`Divergence`].
///
/// # Panics
///
/// When the operator does, or declares state that a job would refuse.
pub fn check_two_input<O: TwoInputOperator, K: Data>(
    make: impl Fn(&mut StateDeclarations) -> O + Send + Sync + 'static,
    left_key: impl Fn(&O::Left) -> K + Send + Sync + 'static,
    right_key: impl Fn(&O::Right) -> K + Send + Sync + 'static,
    steps: &[TwoInputStep<O::Left, O::Right>],
) -> Result<(), Divergence> {
    let builder = JobBuilder::new("conformance");
    let left = builder.source("left", Replay::<O::Left>::new(), 1, 1).key_by(left_key);
    let right = builder.source("right", Replay::<O::Right>::new(), 1, 1).key_by(right_key);
    let output = left.connect(right).process2("operator", 1, make);
    output.transactional_sink("sink", 1, EncodedSink::new());
    let stimuli = steps.iter().enumerate().map(|(index, step)| match step {
        TwoInputStep::Left(step) => stimulus(0, index, step),
        TwoInputStep::Right(step) => stimulus(1, index, step),
    });
    check_subtask(&fresh(&builder, 2), &stimuli.collect::<Vec<_>>())
}

/// Checks a source on the entries of `splits`, read in turn.
///
/// # Errors
///
/// The first [`Divergence`].
///
/// # Panics
///
/// When the source does, or there are no splits.
pub fn check_source<S: Source>(source: S, splits: &[Vec<Vec<u8>>]) -> Result<(), Divergence> {
    let builder = JobBuilder::new("conformance");
    let count = u16::try_from(splits.len()).expect("a job has fewer than 65,536 splits");
    let output = builder.source("source", source, 1, count);
    output.transactional_sink("sink", 1, EncodedSink::new());
    check_subtask(&fresh(&builder, 0), &source_stimuli(splits))
}

/// One call of the runtime; what [`check_subtask`] feeds.
#[derive(Clone, Debug)]
pub enum Stimulus {
    /// An item from a channel.
    Item {
        /// The index of the channel.
        channel: usize,
        /// The item.
        item: Item,
    },
    /// An entry of a split.
    Entry {
        /// The split.
        split: SplitId,
        /// Its place in the split.
        offset: u64,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// The end of a split.
    EndOfSplit(SplitId),
    /// The clock says this from here on, in milliseconds of processing time; timers that are due fire.
    Clock(i64),
}

/// What a subtask is fed, and what the clock says then.
type Timed<'a> = (i64, &'a Stimulus);

/// When the service that an asynchronous operator asks answers: always in the order of the requests.
#[derive(Clone, Copy, Debug)]
enum Service {
    /// Before the next stimulus, so that one request at most is under way at a snapshot.
    Prompt,
    /// Now and then, so that several are.
    Slow,
    /// At once, but answers are emitted now and then: they wait in the operator at a snapshot.
    Unheeded,
}

/// How many stimuli a service waits that is slow.
const SLOW_EVERY: usize = 3;

impl Service {
    /// Those under which a subtask is checked.
    fn of(subtask: &Subtask) -> &'static [Self] {
        match subtask.is_asynchronous() {
            true => &[Self::Prompt, Self::Slow, Self::Unheeded],
            false => &[Self::Prompt],
        }
    }

    /// Whether answers are emitted ahead of this input. They must be where no more may be asked.
    fn is_heard_at(self, input: usize, subtask: &Subtask) -> bool {
        match self {
            Self::Prompt => true,
            Self::Slow | Self::Unheeded => input.is_multiple_of(SLOW_EVERY) || subtask.is_full(),
        }
    }

    /// Ahead of an input.
    fn answer(self, input: usize, subtask: &mut Subtask, out: &mut Outputs) {
        let is_heard = self.is_heard_at(input, subtask);
        match self {
            Self::Prompt | Self::Slow if !is_heard => {}
            Self::Prompt | Self::Slow | Self::Unheeded => answer_all(subtask),
        }
        if is_heard {
            subtask.emit_answered(out);
        }
    }
}

fn answer_all(subtask: &mut Subtask) {
    subtask.requests_under_way().into_iter().for_each(|request| subtask.answer(request));
}

/// Checks any subtask of any job; `fresh` makes it anew. An asynchronous operator is checked with a service that
/// answers before the next stimulus, with a slow one, whose answers are outstanding at the snapshot, and with one whose
/// answers wait in the operator then.
///
/// # Errors
///
/// The first [`Divergence`].
///
/// # Panics
///
/// When user code does.
pub fn check_subtask(fresh: &dyn Fn() -> Subtask, stimuli: &[Stimulus]) -> Result<(), Divergence> {
    let stimuli = timed(stimuli);
    let services = Service::of(&fresh());
    services.iter().try_for_each(|service| check_with(*service, fresh, &stimuli))
}

fn check_with(
    service: Service,
    fresh: &dyn Fn() -> Subtask,
    stimuli: &[Timed<'_>],
) -> Result<(), Divergence> {
    let mut subtask = fresh();
    let mut heard = Heard::default();
    for prefix in 0..=stimuli.len() {
        check_prefix((&subtask, &heard), fresh(), service, (prefix, &stimuli[prefix..]))?;
        check_within((&subtask, &heard), fresh, service, (prefix, &stimuli[prefix..]))?;
        if let Some(stimulus) = stimuli.get(prefix) {
            let answer = feed(&mut subtask, service, prefix, *stimulus);
            heard.take(&subtask, answer);
        }
    }
    Ok(())
}

/// A snapshot may fall wherever a source pauses in the next entry: what it was restored from is given that entry again.
fn check_within(
    (subtask, heard): (&Subtask, &Heard),
    fresh: &dyn Fn() -> Subtask,
    service: Service,
    (prefix, rest): (usize, &[Timed<'_>]),
) -> Result<(), Divergence> {
    let Some((_, Stimulus::Entry { split, offset, bytes })) = rest.first() else { return Ok(()) };
    let mut midway = subtask.clone();
    while !midway.read_part(*split, *offset, bytes, &mut Outputs::default()) {
        check_prefix((&midway, heard), fresh(), service, (prefix, rest))?;
    }
    Ok(())
}

/// The watermarks that receivers know, by output channel. An asynchronous operator that was restored says its last
/// one again, which tells them nothing; of any other, each counts.
#[derive(Clone, Default)]
struct Heard {
    watermarks: VecMap<u16, i64>,
}

impl Heard {
    /// The answer without what tells its receivers nothing.
    fn take(&mut self, subtask: &Subtask, (mut items, written): Answer) -> Answer {
        if subtask.is_asynchronous() {
            items.retain(|(channel, item)| self.is_news(*channel, item));
        }
        (items, written)
    }

    fn is_news(&mut self, channel: u16, item: &Item) -> bool {
        let Item::Watermark(watermark) = item else { return true };
        let before = self.watermarks.insert(channel, *watermark);
        before.is_none_or(|before| before < *watermark)
    }
}

/// Each stimulus with what the clock says at it.
fn timed(stimuli: &[Stimulus]) -> Vec<Timed<'_>> {
    let mut now_ms = 0;
    let mut timed = Vec::with_capacity(stimuli.len());
    for stimulus in stimuli {
        if let Stimulus::Clock(said) = stimulus {
            now_ms = *said;
        }
        timed.push((now_ms, stimulus));
    }
    timed
}

fn check_prefix(
    (original, heard): (&Subtask, &Heard),
    mut restored: Subtask,
    service: Service,
    (prefix, rest): (usize, &[Timed<'_>]),
) -> Result<(), Divergence> {
    let mut undisturbed = original.clone();
    let snapshot = original.freeze();
    restored.restore(&snapshot).map_err(|error| Divergence::Refused { prefix, error })?;
    if restored.freeze() != snapshot {
        return Err(Divergence::Restored { prefix });
    }
    restored.open();
    let [mut heard_of_one, mut heard_of_other] = [heard.clone(), heard.clone()];
    for (input, stimulus) in (prefix..).zip(rest) {
        let expected =
            heard_of_one.take(original, feed(&mut undisturbed, service, input, *stimulus));
        let got = heard_of_other.take(original, feed(&mut restored, service, input, *stimulus));
        if expected != got {
            let given = given(original, stimulus.1);
            let [expected, got] = [expected, got].map(|answer| made(original, &answer));
            return Err(Divergence::Output { prefix, input, given, expected, got });
        }
    }
    if undisturbed.freeze() != restored.freeze() {
        return Err(Divergence::FinalState { prefix });
    }
    Ok(())
}

/// What a subtask gave out: to channels, and to the sink target.
type Answer = (Vec<(u16, Item)>, Vec<Record>);

/// A stimulus, as people read it.
fn given(subtask: &Subtask, stimulus: &Stimulus) -> String {
    match stimulus {
        Stimulus::Item { channel, item: Item::Record(record) } => {
            let shown = subtask.shown(Some(*channel), record);
            shown.unwrap_or_else(|| format!("a record of {} bytes", record.payload.len()))
        }
        Stimulus::Item { item: Item::Watermark(watermark), .. } => format!("watermark {watermark}"),
        Stimulus::Entry { split, offset, .. } => format!("entry {offset} of {split}"),
        Stimulus::EndOfSplit(split) => format!("the end of {split}"),
        Stimulus::Clock(now_ms) => format!("{now_ms} ms on the clock"),
    }
}

/// An answer, as people read it.
fn made(subtask: &Subtask, (items, written): &Answer) -> String {
    let show = |record: &Record| {
        let shown = subtask.shown(None, record);
        shown.unwrap_or_else(|| format!("a record of {} bytes", record.payload.len()))
    };
    let items = items.iter().map(|(_, item)| match item {
        Item::Record(record) => show(record),
        Item::Watermark(watermark) => format!("watermark {watermark}"),
    });
    let all: Vec<String> = items.chain(written.iter().map(show)).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

fn feed(
    subtask: &mut Subtask,
    service: Service,
    input: usize,
    (now_ms, stimulus): Timed<'_>,
) -> Answer {
    let mut out = Outputs { now_ms, ..Outputs::default() };
    service.answer(input, subtask, &mut out);
    match stimulus {
        Stimulus::Item { channel, item } => subtask.process(*channel, item.clone(), &mut out),
        Stimulus::Entry { split, offset, bytes } => subtask.read(*split, *offset, bytes, &mut out),
        Stimulus::EndOfSplit(split) => drop(subtask.end_split(*split, &mut out)),
        Stimulus::Clock(_) => subtask.fire_processing_timers(&mut out),
    }
    match service {
        Service::Prompt | Service::Slow => {}
        Service::Unheeded => answer_all(subtask),
    }
    (out.items, out.written)
}

fn stimulus<T: Data>(channel: usize, index: usize, step: &Step<T>) -> Stimulus {
    let item = match step {
        Step::Record(timestamp, record) => Item::Record(Record {
            lineage: LineageId::of_entry(SplitId(channel as u16), index as u64),
            timestamp: *timestamp,
            payload: encode(record),
        }),
        Step::Watermark(watermark) => Item::Watermark(*watermark),
        Step::Clock(now_ms) => return Stimulus::Clock(*now_ms),
    };
    Stimulus::Item { channel, item }
}

fn source_stimuli(splits: &[Vec<Vec<u8>>]) -> Vec<Stimulus> {
    let longest = splits.iter().map(Vec::len).max().unwrap_or(0);
    let mut stimuli = Vec::new();
    for index in 0..=longest {
        for (split, entries) in (0..).map(SplitId).zip(splits) {
            match entries.get(index) {
                Some(bytes) => {
                    let (offset, bytes) = (index as u64, bytes.clone());
                    stimuli.push(Stimulus::Entry { split, offset, bytes });
                }
                None if index == entries.len() => stimuli.push(Stimulus::EndOfSplit(split)),
                None => {}
            }
        }
    }
    stimuli
}

fn fresh(builder: &JobBuilder, subtask: u16) -> impl Fn() -> Subtask {
    let job: Job = match builder.build() {
        Ok(job) => job.witnessed(Witness::new()),
        Err(error) => panic!("the operator cannot be part of a job: {error}"),
    };
    move || job.subtask(SubtaskId(subtask), DefectSet::NONE)
}
