//! A world that is cranked by hand: the real processes, whose outbox prints what it is told.
//!
//! Nothing happens by itself but the consequences of a command: messages arrive at once unless a command holds
//! them, what is in a channel waits to be delivered, a source reads what is emitted, and time stands still until
//! a timer is fired.

use std::collections::BTreeSet;
use std::time::Duration;

use cutwater::cluster::message::{Answer, Fetched, ToWorker};
use cutwater::cluster::{Cluster, Input, Message, Parcel, Process, RequestId, TaskTimer, Timer};
use cutwater::dataflow::Item;
use cutwater::protocol::{
    ChannelId, Element, Incarnation, ProcessId, SplitId, TransactionId, VirtualTime,
};

use super::brief::Brief;
use super::names::{Names, kind_of, timer_of};
use super::printer::{Pending, Printer, UnderWay};

/// How many steps one command may lead to.
const STEPS_MAX: usize = 10_000;

/// One life of a process.
pub struct Life {
    id: ProcessId,
    incarnation: Incarnation,
    process: Process,
    pub(super) is_up: bool,
}

/// What befalls something on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    Lose,
    /// It stays on its way until it is released.
    Hold,
    /// It arrives twice.
    Repeat,
}

/// What a command is about: a kind of message or timer, of one process or of any.
#[derive(Clone, Debug)]
pub struct Meant {
    /// The name of the kind.
    pub kind: String,
    /// Who sends it or gets it, if that is said.
    pub process: Option<ProcessId>,
}

/// All processes, and what is on its way between them.
pub struct Crank {
    cluster: Cluster,
    pub names: Names,
    pub(super) lives: Vec<Life>,
    pub(super) now: VirtualTime,
    pub(super) under_way: UnderWay,
    /// By source, everything that it can read so far.
    logs: Vec<Vec<i64>>,
    /// Sources whose log ends where it stands.
    closed: BTreeSet<SplitId>,
    /// What befalls the next message or timer of a kind, perhaps of one process: once each.
    fates: Vec<(Fate, Meant)>,
    /// What stays on its way until it is released.
    held: Vec<Pending>,
    /// In a walk-through in brief, what it remembers.
    pub brief: Option<Brief>,
    pub(super) lines: Vec<String>,
}

impl Crank {
    /// A cluster none of whose processes runs, but for the services outside.
    pub fn new(cluster: Cluster, names: Names, sources: usize) -> Self {
        let mut crank = Self {
            cluster,
            names,
            lives: Vec::new(),
            now: VirtualTime::ZERO,
            under_way: UnderWay::default(),
            logs: vec![Vec::new(); sources],
            closed: BTreeSet::new(),
            fates: Vec::new(),
            held: Vec::new(),
            brief: None,
            lines: Vec::new(),
        };
        for id in [ProcessId::ObjectStore, ProcessId::MetaStore, ProcessId::SinkTarget] {
            crank.start(id);
        }
        crank
    }

    /// What was said since the last call.
    pub fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// How much was said since the last call.
    pub fn lines(&self) -> usize {
        self.lines.len()
    }

    /// A consequence.
    pub fn say(&mut self, text: &str) {
        self.lines.push(format!("  {text}"));
    }

    /// A stimulus.
    pub fn stimulus(&mut self, text: impl std::fmt::Display) {
        self.lines.push(format!("> {text}"));
    }

    /// The process that goes by this id, its newest life.
    pub(super) fn life_of(&self, id: ProcessId) -> Option<usize> {
        self.lives.iter().rposition(|life| life.id == id && life.is_up)
    }

    /// Starts the next life of a process; an older one that is up goes on beside it.
    pub fn start(&mut self, id: ProcessId) {
        let before = self.lives.iter().rev().find(|life| life.id == id);
        let incarnation = before.map_or(Incarnation(0), |life| life.incarnation.next());
        let process = before
            .map_or_else(|| self.cluster.start(id), |life| self.cluster.restart(&life.process));
        self.lives.push(Life { id, incarnation, process, is_up: true });
        self.hand(self.lives.len() - 1, Input::Start(incarnation));
        self.settle();
    }

    /// A process loses its memory, and what is on its way to it and from it in channels.
    pub fn crash(&mut self, id: ProcessId) -> Result<(), String> {
        let Some(life) = self.life_of(id) else {
            return Err(format!("{} does not run", self.names.of_process(id)));
        };
        self.lives[life].is_up = false;
        let names = &self.names;
        self.under_way.channels.retain(|channel, _| {
            let (from, to) = names.ends(*channel);
            from != id && to != id
        });
        Ok(())
    }

    /// Whether a process runs.
    pub fn is_up(&self, id: ProcessId) -> bool {
        self.life_of(id).is_some()
    }

    /// Hands an input to a life of a process.
    pub(super) fn hand(&mut self, life: usize, input: Input) {
        let (now, process) = (self.now, self.lives[life].id);
        let Self { names, under_way, lines, brief, .. } = self;
        let brief = brief.as_mut();
        let mut printer = Printer { now, process, life, names, under_way, brief, lines };
        self.lives[life].process.handle(now, input, &mut printer);
    }

    /// Everything that follows, without another command.
    pub fn settle(&mut self) {
        for _ in 0..STEPS_MAX {
            let Some(pending) = self.under_way.pending.pop_front() else {
                return self.brief.iter_mut().for_each(Brief::settle);
            };
            let mut fates = self.fates.iter();
            match fates.position(|(_, meant)| self.is_meant(meant, &pending)) {
                None => self.deliver(pending),
                Some(index) => self.suffer(index, pending),
            }
        }
        panic!("a command leads to more than {STEPS_MAX} steps");
    }

    /// What was decided befalls this.
    fn suffer(&mut self, fate: usize, pending: Pending) {
        let what = self.describe(&pending);
        match self.fates.remove(fate).0 {
            Fate::Lose => self.tell_fate(["drop", "loses"], &what),
            Fate::Hold => {
                self.tell_fate(["delay", "holds"], &what);
                self.held.push(pending);
            }
            Fate::Repeat => {
                self.tell_fate(["duplicate", "repeats"], &what);
                self.deliver(pending.clone());
                self.deliver(pending);
            }
        }
    }

    /// In brief, or at length.
    fn tell_fate(&mut self, words: [&str; 2], what: &str) {
        let word = words[usize::from(self.brief.is_none())];
        self.lines.push(format!("  network: {word} {what}"));
    }

    /// Whether a command is about this.
    fn is_meant(&self, meant: &Meant, pending: &Pending) -> bool {
        let (kind, ends) = match pending {
            Pending::Message { from, to, message } => (self.kind_of(message), [*from, *to]),
            Pending::Timer { life, timer } => {
                (timer_of(timer).to_owned(), [self.lives[*life].id; 2])
            }
        };
        kind == meant.kind && meant.process.is_none_or(|process| ends.contains(&process))
    }

    /// The name of a message's kind. In brief, an answer that confirms a commit has one of its own.
    fn kind_of(&self, message: &Message) -> String {
        let confirmed = self.confirmed(message);
        confirmed.map_or_else(|| kind_of(message), |_| "confirm".to_owned())
    }

    /// Which transaction an answer says to be committed, in a walk-through in brief.
    pub(super) fn confirmed(&self, message: &Message) -> Option<TransactionId> {
        match message {
            Message::Answer(Answer::Sink { request, .. }) => {
                self.brief.as_ref()?.confirms(*request)
            }
            _ => None,
        }
    }

    fn describe(&self, pending: &Pending) -> String {
        match pending {
            Pending::Message { from, to, message } if self.brief.is_some() => {
                self.names.in_brief([*from, *to], message, self.confirmed(message))
            }
            Pending::Timer {
                life,
                timer: Timer::Task { what: TaskTimer::Mail { barrier }, .. },
            } if self.brief.is_some() => {
                let process = self.lives[*life].id;
                format!("mail {} in {}", barrier.checkpoint, self.names.hosted(process))
            }
            Pending::Message { from, to, message } => {
                let (from, to) = (self.names.of_process(*from), self.names.of_process(*to));
                format!("{} from {from} to {to}", kind_of(message))
            }
            Pending::Timer { life, timer } => {
                format!("{} of {}", timer_of(timer), self.names.of_process(self.lives[*life].id))
            }
        }
    }

    /// An answer finds the life that asked; everything else the newest.
    pub(super) fn deliver(&mut self, pending: Pending) {
        match pending {
            Pending::Message { from, to, message } => {
                let asked = message.answers().map(RequestId::incarnation);
                let is_it = |life: &Life| {
                    life.id == to
                        && life.is_up
                        && asked.is_none_or(|asked| asked == life.incarnation)
                };
                if let Some(life) = self.lives.iter().rposition(is_it) {
                    self.look_into(to, &message);
                    self.hand(life, Input::Message { from, message });
                }
            }
            Pending::Timer { life, timer } if self.lives[life].is_up => {
                self.hand(life, Input::Timer(timer));
            }
            Pending::Timer { .. } => {}
        }
    }

    // ---- what commands do

    /// What befalls the next of this kind.
    pub fn decide(&mut self, fate: Fate, meant: Meant) {
        self.fates.push((fate, meant));
    }

    /// The first of this kind that was held arrives.
    pub fn release(&mut self, meant: &Meant) -> Result<(), String> {
        let found = self.held.iter().position(|pending| self.is_meant(meant, pending));
        let index = found.ok_or_else(|| format!("no {} is held", meant.kind))?;
        let pending = self.held.remove(index);
        let what = self.describe(&pending);
        match self.brief {
            Some(_) => self.stimulus(what),
            None => self.stimulus(format_args!("{what} arrives")),
        }
        self.deliver(pending);
        self.settle();
        Ok(())
    }

    /// The next timer of this kind fires, in this process or in any.
    pub fn fire(&mut self, meant: &Meant) -> Result<(), String> {
        let lives = &self.lives;
        let is_it = |life: usize, timer: &Timer| {
            let owner = &lives[life];
            timer_of(timer) == meant.kind
                && owner.is_up
                && meant.process.is_none_or(|process| process == owner.id)
        };
        let timers = self.under_way.timers.iter().enumerate();
        let due = timers.filter(|(_, (_, life, timer))| is_it(*life, timer));
        let next = due.min_by_key(|(index, (at, ..))| (*at, *index)).map(|(index, _)| index);
        let index = next.ok_or_else(|| format!("no {} is due, ever", meant.kind))?;
        let (at, life, timer) = self.under_way.timers.remove(index);
        self.now = self.now.max(at);
        self.hand(life, Input::Timer(timer));
        self.settle();
        Ok(())
    }

    /// Time passes, and nobody looks at the clock.
    pub fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    /// The next element of a channel arrives.
    pub fn deliver_one(&mut self, channel: ChannelId) -> Result<bool, String> {
        let queue = self.under_way.channels.entry(channel).or_default();
        let Some((attempt, sequence, element)) = queue.pop_front() else { return Ok(false) };
        if self.brief.is_some() && is_watermark(&element) {
            self.pass(
                channel,
                Message::Worker(ToWorker::Data { attempt, channel, sequence, element }),
            );
            return self.deliver_one(channel);
        }
        let (from, to) = self.names.ends(channel);
        let (name, shown) = (self.names.of_channel(channel), self.names.of_element(&element));
        let life = self.life_of(to).ok_or_else(|| format!("nobody receives from {name}"))?;
        self.stimulus(format_args!("{name}: {shown}"));
        let message = Message::Worker(ToWorker::Data { attempt, channel, sequence, element });
        let before = self.brief.as_mut().map(|brief| brief.deliver(channel));
        self.hand(life, Input::Message { from, message });
        self.settle();
        if let (Some(before), Some(brief)) = (before, &self.brief)
            && brief.kept(channel) > before
        {
            let to = self.names.of_subtask(self.names.receiver(channel));
            self.lines.push(format!("  {to}: keep it, {name} is blocked"));
        }
        Ok(true)
    }

    /// Something arrives that walk-throughs in brief do not show: their jobs know nothing of time.
    fn pass(&mut self, channel: ChannelId, message: Message) {
        let (from, to) = self.names.ends(channel);
        if let Some(life) = self.life_of(to) {
            self.hand(life, Input::Message { from, message });
            self.settle();
        }
    }

    /// A source's log grows, and the source reads it as far as it goes.
    pub fn emit(&mut self, source: &str, values: &[i64]) -> Result<(), String> {
        let split = SplitId(self.names.subtask(source)?.0);
        let log = self.logs.get_mut(split.index()).ok_or(format!("{source} is not a source"))?;
        log.extend(values);
        let first = self.logs[split.index()].len() - values.len();
        for (offset, value) in (first as u64..).zip(values) {
            self.brief.iter_mut().for_each(|brief| brief.log(split, offset, *value));
        }
        let mut read = 0;
        while let Some((value, fetched)) = self.next_entry(split) {
            self.stimulus(format_args!("{source}: {value}"));
            let before = self.brief.as_mut().map(|brief| brief.emit(split));
            self.answer(fetched);
            if let (Some(before), Some(brief)) = (before, &mut self.brief)
                && brief.emit(split) == before
            {
                self.lines.pop();
                self.lines.push(format!("> {source} could read {value}"));
                self.lines.push(format!("  {source}: read nothing, the job is about to stop"));
            }
            self.brief.iter_mut().for_each(Brief::emitted);
            read += 1;
        }
        match read {
            0 => Err(format!("{source} reads nothing")),
            _ => Ok(()),
        }
    }

    /// A source's log ends.
    pub fn end(&mut self, source: &str) -> Result<(), String> {
        let split = SplitId(self.names.subtask(source)?.0);
        let end = self.logs.get(split.index()).ok_or(format!("{source} is not a source"))?.len();
        self.closed.insert(split);
        let (to, request, offset) =
            self.under_way.fetches.remove(&split).ok_or(format!("{source} does not read"))?;
        match self.brief {
            Some(_) => self.stimulus(format_args!("end {source}")),
            None => self.stimulus(format_args!("{source}: |end|")),
        }
        let (requested, split_end) = (offset, end as u64);
        let (bytes, ends) = (Vec::new(), Vec::new());
        self.answer((to, Fetched { request, split, requested, offset, bytes, ends, split_end }));
        Ok(())
    }

    /// What a source waits for, if its log goes so far.
    fn next_entry(&mut self, split: SplitId) -> Option<(i64, (ProcessId, Fetched))> {
        let log = &self.logs[split.index()];
        let offset = self.under_way.fetches.get(&split).map(|(_, _, offset)| *offset)?;
        let value = *log.get(usize::try_from(offset).ok()?)?;
        let (to, request, _) = self.under_way.fetches.remove(&split)?;
        let bytes = postcard::to_allocvec(&value).ok()?;
        let ends = vec![bytes.len() as u32];
        let split_end = match self.closed.contains(&split) {
            true => log.len() as u64,
            false => u64::MAX,
        };
        let requested = offset;
        let fetched = Fetched { request, split, requested, offset, bytes, ends, split_end };
        Some((value, (to, fetched)))
    }

    fn answer(&mut self, (to, fetched): (ProcessId, Fetched)) {
        let (from, message) =
            (ProcessId::SourceLog, Message::Answer(Answer::Fetched(Box::new(fetched))));
        self.deliver(Pending::Message { from, to, message });
        self.settle();
    }
}

fn is_watermark(element: &Element<Parcel>) -> bool {
    matches!(element, Element::Item(Parcel::Item(Item::Watermark(_))))
}
