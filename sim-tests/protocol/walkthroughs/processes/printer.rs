//! The outbox of a walk-through: what a process says goes on its way, and what happens is told.

use std::collections::{BTreeMap, VecDeque};

use cutwater::cluster::message::{ObjectOperation, ToSourceLog, ToWorker};
use cutwater::cluster::{Delay, Message, Outbox, Parcel, RequestId, TaskTimer, Timer};
use cutwater::protocol::{Attempt, ChannelId, Element, ProcessId, SplitId, VirtualTime};
use cutwater::trace::Event;

use super::brief::Brief;
use super::names::Names;

/// Something on its way.
#[derive(Clone, Debug)]
pub enum Pending {
    /// A message.
    Message { from: ProcessId, to: ProcessId, message: Message },
    /// A timer of a life, by its place.
    Timer { life: usize, timer: Timer },
}

/// An element in a channel: the attempt, its number, and itself.
pub type Sent = (Attempt, u32, Element<Parcel>);

/// What processes have said and nobody has heard.
#[derive(Debug, Default)]
pub struct UnderWay {
    /// At once, in order.
    pub pending: VecDeque<Pending>,
    /// When time has come.
    pub timers: Vec<(VirtualTime, usize, Timer)>,
    pub channels: BTreeMap<ChannelId, VecDeque<Sent>>,
    /// By split, who waits for what lies behind which offset.
    pub fetches: BTreeMap<SplitId, (ProcessId, RequestId, u64)>,
    /// In a walk-through in brief: snapshots that wait to be written, and what makes a checkpoint complete.
    pub uploads: Vec<(usize, Timer)>,
    pub stores: VecDeque<Pending>,
}

/// The outbox of one input: carries out what can be carried out, and tells what happened.
pub struct Printer<'a> {
    pub now: VirtualTime,
    pub process: ProcessId,
    pub life: usize,
    pub names: &'a mut Names,
    pub under_way: &'a mut UnderWay,
    pub brief: Option<&'a mut Brief>,
    pub lines: &'a mut Vec<String>,
}

impl Printer<'_> {
    /// A line of a walk-through in brief. What is done on every output is said once.
    fn say(&mut self, told: Option<String>) {
        let Some(line) = told.map(|told| format!("  {told}")) else { return };
        match (self.lines.last_mut(), line.split_once(": delete ")) {
            (Some(last), _) if *last == line => {}
            (Some(last), Some((who, what))) if last.starts_with(&format!("{who}: delete ")) => {
                last.push_str(", ");
                last.push_str(what);
            }
            _ => self.lines.push(line),
        }
    }

    /// Whether a message waits for a command of a walk-through in brief.
    fn waits(&self, message: &Message) -> bool {
        let is_put =
            matches!(message, Message::ObjectStore { operation: ObjectOperation::Put { .. }, .. });
        let is_coordinator = self.process == ProcessId::Coordinator;
        let is_addition = |brief: &&mut Brief| is_put || brief.is_addition(message);
        is_coordinator && self.brief.as_ref().is_some_and(is_addition)
    }
}

impl Outbox for Printer<'_> {
    fn send(&mut self, to: ProcessId, message: Message) {
        let from = self.process;
        let waits = self.waits(&message);
        if let Some(brief) = &mut self.brief {
            let told = brief.sent(self.names, from, &message);
            self.say(told);
        }
        match message {
            message if waits => {
                self.under_way.stores.push_back(Pending::Message { from, to, message });
            }
            Message::Worker(ToWorker::Data { attempt, channel, sequence, element }) => {
                self.names.learn(&element);
                let queue = self.under_way.channels.entry(channel).or_default();
                queue.push_back((attempt, sequence, element));
            }
            Message::SourceLog(ToSourceLog::Fetch { request, split, offset, .. }) => {
                self.under_way.fetches.insert(split, (from, request, offset));
            }
            message => self.under_way.pending.push_back(Pending::Message { from, to, message }),
        }
    }

    fn wake(&mut self, after: Delay, timer: Timer) {
        let life = self.life;
        match (after, timer) {
            (_, timer @ Timer::Task { what: TaskTimer::Upload { .. }, .. })
                if self.brief.is_some() =>
            {
                self.under_way.uploads.push((life, timer));
            }
            (Delay::Scheduled, timer) if self.brief.is_some() => {
                self.under_way.pending.push_front(Pending::Timer { life, timer });
            }
            (Delay::Scheduled, timer) | (Delay::Exactly(_), timer @ Timer::Serve(_)) => {
                self.under_way.pending.push_back(Pending::Timer { life, timer });
            }
            (Delay::Exactly(after), timer) => {
                self.under_way.timers.push((self.now + after, life, timer));
            }
        }
    }

    fn event(&mut self, event: Event) {
        if let Event::AttemptStarted { .. } = event {
            self.under_way.channels.clear();
        }
        match &mut self.brief {
            Some(brief) => {
                let told = brief.shown(self.names, self.process, &event);
                self.say(told);
            }
            None => self.lines.extend(self.names.shown(self.process, &event)),
        }
    }
}
