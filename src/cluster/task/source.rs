//! The reading side of a source: fetches entries ahead, and hands them out at its pace.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::time::Duration;

use super::super::io::TaskTimer;
use super::super::message::{Fetched, Message, ToSourceLog};
use super::assignment::Inquiry;
use super::{Env, Phase, Purpose, Side, Task};
use crate::protocol::{Attempt, LineageId, ProcessId, SplitId, SubtaskId};
use crate::trace::{Event, SplitPosition};

/// The splits of one source subtask that have not ended: what has is read no more, and nothing of it is fetched.
#[derive(Clone, Debug)]
pub struct SourceReader {
    splits: BTreeMap<SplitId, SplitReader>,
    /// Those that have an entry.
    readable: BTreeSet<SplitId>,
    /// Those that were read to their end, which nobody has been told.
    exhausted: BTreeSet<SplitId>,
    /// Who had the last turn.
    turn: Option<SplitId>,
    /// What the log was told when the last checkpoint completed.
    committed: BTreeSet<SplitPosition>,
    /// What it has to do with its enumerator.
    inquiry: Inquiry,
    pace: Pace,
}

/// Whether the next entry may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// The task has not been told to run.
    Stopped,
    /// It may read the next entry.
    Due,
    /// When the timer fires.
    Waiting,
}

/// Who fetches.
#[derive(Clone, Copy, Debug)]
pub struct Fetcher {
    pub subtask: SubtaskId,
    pub attempt: Attempt,
}

/// What has been fetched of one split, and what not.
#[derive(Clone, Debug)]
struct SplitReader {
    split: SplitId,
    /// The offset of the next entry to hand out.
    next: u64,
    /// Where fetching goes on.
    fetched_to: u64,
    blocks: VecDeque<Block>,
    fetching: bool,
    /// Known after the first answer.
    split_end: Option<u64>,
}

/// Entries of one answer; `read` of them have been handed out.
#[derive(Clone, Debug)]
struct Block {
    fetched: Fetched,
    read: usize,
}

impl Block {
    fn entry(&self) -> &[u8] {
        let begin = self.read.checked_sub(1).map_or(0, |before| self.fetched.ends[before] as usize);
        &self.fetched.bytes[begin..self.fetched.ends[self.read] as usize]
    }

    fn offset(&self) -> u64 {
        self.fetched.offset + self.read as u64
    }
}

impl SplitReader {
    fn new(position: SplitPosition) -> Self {
        let SplitPosition { split, offset } = position;
        Self {
            split,
            next: offset,
            fetched_to: offset,
            blocks: VecDeque::new(),
            fetching: false,
            split_end: None,
        }
    }

    fn is_exhausted(&self) -> bool {
        self.split_end.is_some_and(|end| self.next >= end)
    }

    /// Asks for more when half of a fetch is left.
    fn fetch_ahead(&mut self, fetcher: Fetcher, env: &mut Env<'_>) {
        let entries_max = env.settings.fetch_max;
        let ahead = self.fetched_to.saturating_sub(self.next);
        let at_end = self.split_end.is_some_and(|end| self.fetched_to >= end);
        if self.fetching || at_end || ahead > u64::from(entries_max / 2) {
            return;
        }
        self.fetching = true;
        let Fetcher { subtask, attempt } = fetcher;
        let (split, offset) = (self.split, self.fetched_to);
        let message = |request| {
            Message::SourceLog(ToSourceLog::Fetch { request, attempt, split, offset, entries_max })
        };
        let purpose = Purpose::Fetch { subtask, split };
        env.requests.send(env.now, ProcessId::SourceLog, purpose, message, env.outbox);
    }

    /// What lies before the log's first entry is skipped: it is gone.
    fn handle_fetched(&mut self, fetched: Fetched) {
        self.fetching = false;
        self.split_end = Some(fetched.split_end);
        if self.blocks.is_empty() {
            self.next = self.next.max(fetched.offset);
        }
        self.fetched_to = fetched.offset + fetched.ends.len() as u64;
        if !fetched.ends.is_empty() {
            self.blocks.push_back(Block { fetched, read: 0 });
        }
    }

    /// The entry to hand out next: its offset, and what it says.
    fn next_entry(&self) -> Option<(u64, &[u8])> {
        let block = self.blocks.front()?;
        Some((block.offset(), block.entry()))
    }

    fn advance(&mut self) {
        self.next += 1;
        if let Some(block) = self.blocks.front_mut() {
            block.read += 1;
            if block.read == block.fetched.ends.len() {
                self.blocks.pop_front();
            }
        }
    }
}

impl SourceReader {
    /// A reader that goes on at these positions, but in splits that have `ended`. `awaits_splits`: and asks for more.
    pub fn new(positions: &[SplitPosition], ended: &[SplitId], awaits_splits: bool) -> Self {
        let inquiry = if awaits_splits { Inquiry::Reading { taken: 0 } } else { Inquiry::Over };
        let ended: BTreeSet<SplitId> = ended.iter().copied().collect();
        let unended = positions.iter().filter(|position| !ended.contains(&position.split));
        Self {
            splits: unended.map(|at| (at.split, SplitReader::new(*at))).collect(),
            readable: BTreeSet::new(),
            exhausted: BTreeSet::new(),
            turn: None,
            committed: BTreeSet::new(),
            inquiry,
            pace: Pace::Stopped,
        }
    }

    pub fn start(&mut self, fetcher: Fetcher, env: &mut Env<'_>) {
        self.pace = Pace::Due;
        for split in self.splits.values_mut() {
            split.fetch_ahead(fetcher, env);
        }
    }

    pub fn handle_pace(&mut self) {
        self.pace = Pace::Due;
    }

    pub fn handle_fetched(&mut self, fetched: Fetched) {
        let id = fetched.split;
        let Some(split) = self.splits.get_mut(&id) else { return };
        split.handle_fetched(fetched);
        self.look_at(id);
    }

    /// What became of a split.
    fn look_at(&mut self, id: SplitId) {
        let Some(split) = self.splits.get(&id) else { return };
        if split.blocks.is_empty() {
            self.readable.remove(&id);
        } else {
            self.readable.insert(id);
        }
        if split.is_exhausted() {
            self.exhausted.insert(id);
        }
    }

    /// A split more. One that is there is read on.
    pub fn add(&mut self, position: SplitPosition, fetcher: Fetcher, env: &mut Env<'_>) {
        let split = self.splits.entry(position.split);
        split.or_insert_with(|| SplitReader::new(position)).fetch_ahead(fetcher, env);
    }

    /// Whether everything that it has was read.
    pub fn is_idle(&self) -> bool {
        self.splits.is_empty()
    }

    /// The log was told these positions. Gives those that it was told before: nobody answers to that, and what is
    /// told once may be lost.
    pub fn commit_again(&mut self, positions: BTreeSet<SplitPosition>) -> Vec<SplitPosition> {
        let before = std::mem::replace(&mut self.committed, positions);
        self.committed.intersection(&before).copied().collect()
    }

    pub fn inquiry(&mut self) -> &mut Inquiry {
        &mut self.inquiry
    }

    /// The positions as a defect has them: what was fetched is taken for read.
    pub fn move_to_fetched(&self, positions: &mut [SplitPosition]) {
        for position in positions {
            let reader = self.splits.get(&position.split);
            position.offset = reader.map_or(position.offset, |reader| reader.fetched_to);
        }
    }

    /// The next split, in turn, that has an entry.
    fn take_turn(&mut self) -> Option<SplitId> {
        let after = self.turn.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.readable.range((after, Bound::Unbounded)).next();
        self.turn = Some(*next.or_else(|| self.readable.first())?);
        self.turn
    }

    fn next_entry(&self, id: SplitId) -> Option<(u64, &[u8])> {
        self.splits.get(&id)?.next_entry()
    }

    /// The next entry of this split was handed out.
    fn advance(&mut self, id: SplitId, fetcher: Fetcher, env: &mut Env<'_>) {
        let Some(split) = self.splits.get_mut(&id) else { return };
        split.advance();
        split.fetch_ahead(fetcher, env);
        self.look_at(id);
    }

    /// A split that was read to its end; it is let go of.
    fn newly_exhausted(&mut self) -> Option<SplitId> {
        let id = self.exhausted.pop_first()?;
        self.splits.remove(&id);
        Some(id)
    }
}

impl Task {
    /// Reads while entries are there and due, and outputs take what comes of them.
    pub(super) fn read_source(&mut self, env: &mut Env<'_>) {
        if self.phase != Phase::Running || self.protocol.halts() {
            return;
        }
        while self.source_may_read() {
            if !self.read_one(env) {
                break;
            }
        }
        self.end_exhausted(env);
    }

    fn source_may_read(&self) -> bool {
        let is_due = match &self.side {
            Side::Source(reader) => reader.pace == Pace::Due,
            Side::Inputs(_) => false,
        };
        is_due && self.can_work() && !self.protocol.is_held()
    }

    /// Reads one entry, or a part of one, wherever the pace stands; false when there is none.
    pub(super) fn read_one(&mut self, env: &mut Env<'_>) -> bool {
        let Some(reader) = self.side.source() else { return false };
        let Some(split) = reader.take_turn() else { return false };
        self.read_at(split, env).is_some()
    }

    /// Reads the next entry of a split, as far as the source pleases: whether all of it was read. None when there is
    /// no entry.
    fn read_at(&mut self, split: SplitId, env: &mut Env<'_>) -> Option<bool> {
        let (subtask, attempt) = (self.id, self.attempt);
        let reader = self.side.source()?;
        let (offset, entry) = reader.next_entry(split)?;
        let (lineage, bytes) = (LineageId::of_entry(split, offset), entry.len());
        let is_whole = self.subtask.read_part(split, offset, entry, &mut self.produced);
        if is_whole {
            env.outbox.event(Event::Read { subtask, attempt, split, offset, lineage });
        }
        self.deliver(env);
        if let Some(reader) = self.side.source().filter(|_| is_whole) {
            reader.advance(split, Fetcher { subtask, attempt }, env);
        }
        self.spend(|cost| cost.item(bytes), env);
        let pace = self.next_pace(env);
        if let Some(reader) = self.side.source() {
            reader.pace = pace;
        }
        Some(is_whole)
    }

    /// Whether an entry of which a part was read is not here: a restored reader has to fetch it first.
    pub(super) fn awaits_entries(&self) -> bool {
        match &self.side {
            Side::Source(reader) => {
                self.subtask.paused().into_iter().any(|split| reader.next_entry(split).is_none())
            }
            Side::Inputs(_) => false,
        }
    }

    /// Reads entries to their end of which a part was read. They are [here](Self::awaits_entries).
    fn finish_entries(&mut self, env: &mut Env<'_>) {
        for split in self.subtask.paused() {
            while self.read_at(split, env) == Some(false) {}
        }
    }

    fn next_pace(&self, env: &mut Env<'_>) -> Pace {
        if env.settings.source_interval_us == 0 {
            return Pace::Due;
        }
        let interval = Duration::from_micros(env.settings.source_interval_us);
        env.outbox.set_timer(interval, TaskTimer::Pace.of(self.id, self.attempt));
        Pace::Waiting
    }

    fn end_exhausted(&mut self, env: &mut Env<'_>) {
        while self.phase == Phase::Running
            && self.can_work()
            && let Some(split) = self.side.source().and_then(SourceReader::newly_exhausted)
        {
            let all_ended = self.subtask.end_split(split, &mut self.produced);
            self.deliver(env);
            if all_ended {
                self.end(env);
            }
        }
        self.ask_or_end(env);
    }

    /// All splits end where they stand.
    pub(super) fn end_early(&mut self, env: &mut Env<'_>) {
        if self.phase != Phase::Running || self.side.source().is_none() {
            return;
        }
        self.finish_entries(env);
        for position in self.positions() {
            self.subtask.cut_short(position.split, &mut self.produced);
            self.deliver(env);
        }
        self.end(env);
    }

    /// Tells the source log that nothing before these positions will be read again.
    pub(super) fn commit_offsets(positions: &[SplitPosition], env: &mut Env<'_>) {
        for SplitPosition { split, offset } in positions.iter().copied() {
            env.outbox.send(
                ProcessId::SourceLog,
                Message::SourceLog(ToSourceLog::CommitOffset { split, offset }),
            );
        }
    }
}
