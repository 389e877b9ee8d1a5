//! The commands of a walk-through. Each is one stimulus, or prepares one.

use std::str::FromStr;

use cutwater::protocol::{
    Barrier, CheckpointId, CoordinatorTimer, Defect, DefectSet, Element, Passage, SavepointMode,
};

use super::job::Job;
use super::message::{Content, Fate};
use super::node::Work;
use super::processes::Processes;
use super::rescaling::Rescaled;
use super::world::{StoreRequest, World};

/// A walk-through under way.
#[derive(Debug, Default)]
pub struct Stage {
    defects: Vec<Defect>,
    world: Option<World>,
    /// In a walk-through of rescaling, what takes the place of the world.
    rescaled: Option<Rescaled>,
    /// In a walk-through over the real processes, these.
    processes: Option<Processes>,
}

impl Stage {
    /// A stage on which these defects are at work from the beginning.
    pub fn with_defects(defects: DefectSet) -> Self {
        Self { defects: defects.iter().collect(), ..Self::default() }
    }

    /// Carries out one command; returns what it leads to.
    pub fn run(&mut self, command: &str) -> Result<Vec<String>, String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["defect", name] => {
                let defect = Defect::from_str(name);
                self.defects.push(defect.map_err(|_| format!("unknown defect {name:?}"))?);
                Ok(Vec::new())
            }
            ["job", shape @ ..] => {
                let defects = self.defects.iter().copied().collect();
                self.processes = Some(Processes::in_brief(shape, defects)?);
                Ok(Vec::new())
            }
            ["parts", shape @ ..] => {
                let defects = self.defects.iter().copied().collect();
                self.world = Some(World::new(Job::parse(shape)?, defects));
                Ok(Vec::new())
            }
            ["rescalable", shape @ ..] => {
                let defects = self.defects.iter().copied().collect();
                self.rescaled = Some(Rescaled::new(shape, defects)?);
                Ok(Vec::new())
            }
            ["cluster", shape @ ..] => {
                let defects = self.defects.iter().copied().collect();
                self.processes = Some(Processes::new(shape, defects)?);
                Ok(Vec::new())
            }
            words => {
                if let Some(processes) = &mut self.processes {
                    return processes.run(words);
                }
                if let Some(rescaled) = &mut self.rescaled {
                    return rescaled.run(words);
                }
                let world = self.world.as_mut().ok_or("a job comes first")?;
                world.command(words)?;
                world.take_lines()
            }
        }
    }
}

impl World {
    fn command(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["emit", source, values @ ..] => self.emit(source, values),
            ["end", source] => {
                let subtask = self.running(source)?;
                self.stimulus(format_args!("end {source}"));
                self.end(subtask);
                self.settle();
                Ok(())
            }
            ["deliver", "all"] => self.deliver_all(),
            ["deliver", channel] => self.deliver(channel, 1),
            ["deliver", channel, count] => self.deliver(channel, parsed("n", count)?),
            ["trigger"] => self.trigger(),
            ["savepoint"] => self.ask(SavepointMode::GoOn),
            ["expire", checkpoint] => self.expire(checkpoint_named(checkpoint)?),
            ["overdue", name, checkpoint] => self.overdue(name, checkpoint_named(checkpoint)?),
            ["upload", names @ .., checkpoint] => self.upload(names, checkpoint_named(checkpoint)?),
            ["store"] => self.store(),
            ["drop", kind, name] => self.set_fate(Fate::Drop, kind, name),
            ["delay", kind, name] => self.set_fate(Fate::Delay, kind, name),
            ["arrive", kind, name] => self.arrive(kind, name),
            ["crash"] => {
                self.stimulus("crash");
                self.crash();
                self.settle();
                Ok(())
            }
            ["restore"] => self.restore(),
            ["show"] => {
                self.show();
                Ok(())
            }
            _ => Err(format!("unknown command {:?}", words.join(" "))),
        }
    }

    /// A source reads: what is new, and before that what it has not read since it was restored.
    fn emit(&mut self, source: &str, values: &[&str]) -> Result<(), String> {
        let subtask = self.running(source)?;
        for value in values {
            self.logs[subtask].push(number(value)?);
        }
        let Work::Source(position) = self.nodes[subtask].work else {
            return Err(format!("{source} is not a source"));
        };
        let unread = self.logs[subtask][position..].to_vec();
        if unread.is_empty() {
            return Err(format!("{source} has nothing to read"));
        }
        for value in unread {
            self.stimulus(format_args!("{source}: {value}"));
            self.process(subtask, value);
            self.settle();
        }
        Ok(())
    }

    fn deliver(&mut self, channel: &str, count: usize) -> Result<(), String> {
        let found = self.job.links.iter().position(|link| link.name == channel);
        let link = found.ok_or_else(|| format!("unknown channel {channel:?}"))?;
        for _ in 0..count {
            if !self.deliver_one(link)? {
                return Err(format!("{channel} carries nothing more"));
            }
        }
        Ok(())
    }

    fn deliver_all(&mut self) -> Result<(), String> {
        for link in 0..self.channels.len() {
            while self.deliver_one(link)? {}
        }
        Ok(())
    }

    fn deliver_one(&mut self, link: usize) -> Result<bool, String> {
        let Some(element) = self.channels[link].pop_front() else { return Ok(false) };
        let shown = match &element {
            Element::Item(item) => item.to_string(),
            Element::Barrier(barrier) => barrier.to_string(),
            Element::Cancel(checkpoint) => format!("|cancel {checkpoint}|"),
            Element::End => "|end|".to_owned(),
        };
        let (name, to) = (self.job.links[link].name.clone(), self.job.links[link].to);
        self.stimulus(format_args!("{name}: {shown}"));
        self.look_for_forwarded(self.job.links[link].from);
        self.in_gate[link] += 1;
        let (input, now) = (self.job.links[link].gate_index, self.now);
        let taken = self.nodes[to].protocol.handle_element(input, element, now);
        taken.map_err(|error| error.to_string())?;
        let before = self.kept[link];
        self.settle();
        if self.kept[link] > before {
            self.tell(to, format_args!("keep it, {name} is blocked"));
        }
        Ok(true)
    }

    fn trigger(&mut self) -> Result<(), String> {
        let triggers = self.timers.iter().filter(|(_, timer)| *timer == CoordinatorTimer::Trigger);
        let at = triggers.map(|(at, _)| *at).min().ok_or("no trigger is due, ever")?;
        self.stimulus("the interval is over");
        self.timers.retain(|timer| *timer != (at, CoordinatorTimer::Trigger));
        self.now = self.now.max(at);
        self.coordinator.handle_timer(self.now, CoordinatorTimer::Trigger);
        let before = self.timers.len();
        self.settle();
        // A checkpoint that was triggered has an expiry beside the next trigger.
        if self.timers.len() < before + 2 {
            self.say("coordinator", "wait, as many checkpoints are pending as may be");
        }
        Ok(())
    }

    fn expire(&mut self, checkpoint: CheckpointId) -> Result<(), String> {
        let timer = CoordinatorTimer::Expire(checkpoint);
        let found = self.timers.iter().position(|(_, other)| *other == timer);
        let index = found.ok_or_else(|| format!("{checkpoint} was never triggered"))?;
        let (at, _) = self.timers.remove(index);
        self.stimulus(format_args!("the time of {checkpoint} is up"));
        self.now = self.now.max(at);
        self.coordinator.handle_timer(self.now, timer);
        self.settle();
        Ok(())
    }

    fn overdue(&mut self, name: &str, checkpoint: CheckpointId) -> Result<(), String> {
        let subtask = self.running(name)?;
        self.stimulus(format_args!("{checkpoint} may overtake at {name} from now on"));
        let overdue = Barrier { checkpoint, passage: Passage::InOrderUntil(self.now) };
        self.nodes[subtask].protocol.handle_overdue(overdue, self.now);
        self.settle();
        Ok(())
    }

    fn upload(&mut self, names: &[&str], checkpoint: CheckpointId) -> Result<(), String> {
        let of = |world: &Self, subtask| {
            let mut all = world.uploads.iter().filter(|upload| upload.whole);
            all.any(|upload| upload.subtask == subtask && upload.checkpoint == checkpoint)
        };
        let mut subtasks =
            names.iter().map(|name| self.running(name)).collect::<Result<Vec<_>, _>>()?;
        if subtasks.is_empty() {
            subtasks = (0..self.nodes.len()).filter(|subtask| of(self, *subtask)).collect();
        }
        if subtasks.is_empty() || !subtasks.iter().all(|subtask| of(self, *subtask)) {
            return Err(format!("no such upload for {checkpoint} is under way"));
        }
        for subtask in subtasks {
            self.uploaded(subtask, checkpoint);
            self.settle();
        }
        Ok(())
    }

    fn uploaded(&mut self, subtask: usize, checkpoint: CheckpointId) {
        let name = &self.job.members[subtask].name;
        self.stimulus(format!("{checkpoint}/{name} is durable"));
        let key = self.key(subtask, checkpoint);
        let is_it = |upload: &super::world::Upload| {
            upload.subtask == subtask && upload.checkpoint == checkpoint
        };
        if let Some(index) = self.uploads.iter().position(is_it) {
            let upload = self.uploads.remove(index);
            self.terminal.insert(key, upload.terminal);
            let is_empty = upload.in_flight.inputs.is_empty();
            self.quiet.insert(key, upload.quiet && is_empty);
            self.objects.insert(key, (upload.state, upload.in_flight));
        }
        self.nodes[subtask].protocol.handle_uploaded(checkpoint);
    }

    fn store(&mut self) -> Result<(), String> {
        if self.store_requests.is_empty() {
            return Err("the coordinator asked its stores for nothing".to_owned());
        }
        while let Some(request) = self.store_requests.pop_front() {
            match request {
                StoreRequest::Metadata(checkpoint) => {
                    self.stimulus(format_args!("the metadata of {checkpoint} is durable"));
                    self.coordinator.handle_metadata_durable(self.now, checkpoint);
                }
                StoreRequest::Add(checkpoint) => {
                    self.stimulus(format_args!("{checkpoint} is in the store"));
                    self.coordinator.handle_added(self.now, checkpoint);
                }
            }
            self.settle();
        }
        Ok(())
    }

    fn set_fate(&mut self, fate: Fate, kind: &str, name: &str) -> Result<(), String> {
        if !Content::KINDS.contains(&kind) {
            return Err(format!("unknown message {kind:?}, not one of {:?}", Content::KINDS));
        }
        let subtask = self.job.member(name)?;
        self.fates.insert((kind.to_owned(), subtask), fate);
        Ok(())
    }

    fn arrive(&mut self, kind: &str, name: &str) -> Result<(), String> {
        let subtask = self.job.member(name)?;
        let mut delayed = self.delayed.iter();
        let found = delayed.position(|it| it.subtask == subtask && it.content.kind() == kind);
        let index = found.ok_or_else(|| format!("no {kind} of {name} is delayed"))?;
        let message = self.delayed.remove(index);
        self.stimulus(self.describe(&message));
        self.receive(message);
        self.settle();
        Ok(())
    }

    fn restore(&mut self) -> Result<(), String> {
        if !self.nodes.is_empty() {
            return Err("nothing has crashed".to_owned());
        }
        if self.coordinator.is_adding() {
            return Err("an addition to the store is under way: its outcome decides".to_owned());
        }
        self.stimulus(format_args!("restore as {}", self.attempt.next()));
        self.start_attempt();
        self.settle();
        Ok(())
    }

    fn show(&mut self) {
        self.stimulus("show");
        for subtask in 0..self.nodes.len() {
            self.tell(subtask, self.nodes[subtask].state().show());
        }
        let prepared = self.target.prepared();
        let prepared: Vec<_> = prepared.map(|(id, records)| format!("{id} {records:?}")).collect();
        self.say(
            "target",
            format!("visible {:?}, prepared [{}]", self.target.visible(), prepared.join(", ")),
        );
        let retained =
            self.coordinator.latest().map_or("nothing".to_owned(), |it| it.checkpoint.to_string());
        self.say("coordinator", format!("recovery would start from {retained}"));
    }

    fn running(&self, name: &str) -> Result<usize, String> {
        let subtask = self.job.member(name)?;
        if self.nodes.is_empty() {
            return Err(format!("{name} does not run"));
        }
        Ok(subtask)
    }
}

fn checkpoint_named(word: &str) -> Result<CheckpointId, String> {
    let id = word.strip_prefix("ckpt-").and_then(|id| id.parse().ok());
    id.map(CheckpointId).ok_or_else(|| format!("{word:?} is not a checkpoint, such as ckpt-1"))
}

fn parsed(key: &str, word: &str) -> Result<usize, String> {
    let value = word.strip_prefix(key).and_then(|rest| rest.strip_prefix('='));
    let count = value.and_then(|value| value.parse().ok());
    count.ok_or_else(|| format!("{word:?} is not a count, such as {key}=2"))
}

fn number(word: &str) -> Result<i64, String> {
    word.parse().map_err(|_| format!("{word:?} is not a number"))
}
