//! The shape of a walk-through's job: stages of subtasks, each stage fully connected to the next.

use cutwater::protocol::{
    ChannelShape, CheckpointSettings, DefectSet, LoopPlace, Loops, OperatorId, OperatorRole,
    OperatorShape, Protocol, SubtaskId, SubtaskShape, Topology,
};

use super::node::Role;

/// One subtask.
#[derive(Clone, Debug)]
pub struct Member {
    /// As commands name it.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Its channels in, in gate order.
    pub inputs: Vec<usize>,
    /// Its channels out.
    pub outputs: Vec<usize>,
}

/// One FIFO channel.
#[derive(Clone, Debug)]
pub struct Link {
    /// `a->sum`.
    pub name: String,
    /// The sending subtask.
    pub from: usize,
    /// The receiving subtask.
    pub to: usize,
    /// Its index in the receiver's gate.
    pub gate_index: usize,
    /// Whether it was declared to close a loop.
    pub closes_loop: bool,
}

/// Subtasks, channels and settings.
#[derive(Clone, Debug)]
pub struct Job {
    /// In stage order.
    pub members: Vec<Member>,
    /// Grouped by receiver.
    pub links: Vec<Link>,
    /// Triggers come every 100 ms, checkpoints expire after 10 s.
    pub settings: CheckpointSettings,
}

impl Job {
    /// Reads `a b -> sum -> sink concurrent=2`: the first stage reads, the last one writes.
    pub fn parse(words: &[&str]) -> Result<Self, String> {
        let mut settings = CheckpointSettings {
            protocol: Protocol::Aligned,
            aligned_timeout_ms: 0,
            interval_ms: 100,
            pause_min_ms: 0,
            timeout_ms: 10_000,
            concurrent_max: 1,
            failures_tolerated: 2,
            retained: 1,
        };
        let mut stages = vec![Vec::new()];
        let mut loops = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some(("protocol", value)) => {
                    let unknown = |_| format!("unknown protocol {value:?}");
                    settings.protocol = value.parse().map_err(unknown)?;
                }
                Some(("loop", ends)) => loops.push(ends),
                Some((key, value)) => set(&mut settings, key, value)?,
                None if *word == "->" => stages.push(Vec::new()),
                None => stages.last_mut().into_iter().for_each(|stage| stage.push(*word)),
            }
        }
        if stages.len() < 2 || stages.iter().any(Vec::is_empty) {
            return Err("a job reads and writes: `job a b -> sum -> sink`".to_owned());
        }
        let mut job = Self::connected(&stages, settings);
        loops.into_iter().try_for_each(|ends| job.close_loop(ends))?;
        Ok(job)
    }

    /// Adds a channel such as `tail->head`.
    fn close_loop(&mut self, ends: &str) -> Result<(), String> {
        let expected = || format!("loop={ends}, expected such as loop=tail->head");
        let (from, to) = ends.split_once("->").ok_or_else(expected)?;
        let (from, to) = (self.member(from)?, self.member(to)?);
        let (link, gate_index) = (self.links.len(), self.members[to].inputs.len());
        self.members[from].outputs.push(link);
        self.members[to].inputs.push(link);
        let name = ends.to_owned();
        self.links.push(Link { name, from, to, gate_index, closes_loop: true });
        Ok(())
    }

    /// The job as an engine knows it, one subtask an operator.
    pub fn topology(&self) -> Topology {
        let shape = |member: &Member| OperatorShape {
            name: member.name.clone(),
            role: OperatorRole::Operator,
            parallelism: 1,
        };
        let subtask = |operator| SubtaskShape { operator: OperatorId(operator), index: 0 };
        let channel = |(index, link): (usize, &Link)| {
            let outputs = &self.members[link.from].outputs;
            let edge = outputs.iter().position(|output| *output == index).unwrap_or(0) as u8;
            let (from, to) = (SubtaskId(link.from as u16), SubtaskId(link.to as u16));
            ChannelShape { from, to, input: link.gate_index as u8, edge }
        };
        Topology {
            operators: self.members.iter().map(shape).collect(),
            subtasks: (0..self.members.len() as u16).map(subtask).collect(),
            channels: self.links.iter().enumerate().map(channel).collect(),
        }
    }

    /// Where a subtask lies on loops, where the protocol knows of them.
    pub fn loop_place(&self, member: usize, defects: DefectSet) -> LoopPlace {
        if self.settings.protocol != Protocol::Cyclic {
            return LoopPlace::default();
        }
        let (topology, id) = (self.topology(), SubtaskId(member as u16));
        LoopPlace::of(&topology, &Loops::of(&topology, defects), id)
    }

    /// The subtask with this name.
    pub fn member(&self, name: &str) -> Result<usize, String> {
        let found = self.members.iter().position(|member| member.name == name);
        found.ok_or_else(|| format!("unknown subtask {name:?}"))
    }

    fn connected(stages: &[Vec<&str>], settings: CheckpointSettings) -> Self {
        let mut job = Self { members: Vec::new(), links: Vec::new(), settings };
        let mut senders = 0..0;
        for (depth, stage) in stages.iter().enumerate() {
            let role = match depth {
                0 => Role::Source,
                _ if depth + 1 == stages.len() => Role::Sink,
                _ => Role::Sum,
            };
            let start = job.members.len();
            for name in stage {
                job.add(name, role, senders.clone());
            }
            senders = start..job.members.len();
        }
        job
    }

    fn add(&mut self, name: &str, role: Role, senders: std::ops::Range<usize>) {
        let to = self.members.len();
        let first = self.links.len();
        for (gate_index, from) in senders.enumerate() {
            self.members[from].outputs.push(self.links.len());
            let name = format!("{}->{name}", self.members[from].name);
            self.links.push(Link { name, from, to, gate_index, closes_loop: false });
        }
        let inputs = (first..self.links.len()).collect();
        self.members.push(Member { name: name.to_owned(), role, inputs, outputs: Vec::new() });
    }
}

fn set(settings: &mut CheckpointSettings, key: &str, value: &str) -> Result<(), String> {
    let number: u32 = value.parse().map_err(|_| format!("{key}={value} is not a number"))?;
    match key {
        "timeout" => settings.aligned_timeout_ms = number.into(),
        "concurrent" => settings.concurrent_max = number,
        "retained" => settings.retained = number,
        "tolerated" => settings.failures_tolerated = number,
        _ => return Err(format!("unknown setting {key:?}")),
    }
    Ok(())
}
