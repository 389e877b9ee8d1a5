//! Walk-throughs over the processes that are shipped: coordinator, workers with their subtasks, stores, sink target.

mod brief;
mod crank;
mod job;
mod job_commands;
mod names;
mod printer;
mod settings;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use cutwater::cluster::Cluster;
use cutwater::protocol::{DefectSet, ProcessId};

use crank::{Crank, Fate, Meant};
use job_commands::counted;
use names::Names;

/// A cluster under way.
pub struct Processes {
    crank: Crank,
    members: Vec<String>,
    /// How many requests were made, and attempts started, in a walk-through in brief.
    requests: u16,
    attempts: u32,
}

impl std::fmt::Debug for Processes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processes").field("members", &self.members).finish_non_exhaustive()
    }
}

impl Processes {
    /// Reads `a b -> sum -> sink concurrent=2`: a worker for each, and nothing is started.
    pub fn new(words: &[&str], defects: DefectSet) -> Result<Self, String> {
        let mut stages = vec![Vec::new()];
        let mut options = Vec::new();
        for word in words {
            match word.split_once('=') {
                Some(option) => options.push(option),
                None if *word == "->" => stages.push(Vec::new()),
                None => stages.last_mut().into_iter().for_each(|stage| stage.push(*word)),
            }
        }
        let members: Vec<String> = stages.iter().flatten().map(ToString::to_string).collect();
        let closes = options.iter().find(|(key, _)| *key == "loop").map(|(_, ends)| *ends);
        options.retain(|(key, _)| *key != "loop");
        let job = match options.contains(&("protocol", "cyclic")) {
            true => job::looping_job(&stages, closes)?,
            false => job::job(&stages)?,
        };
        let settings = settings::settings(members.len(), &options)?;
        let sources = stages[0].len();
        let round = closes.map(ToString::to_string);
        let names = Names::new(job::named(&job, &members), members.clone(), round);
        let cluster = Cluster {
            job: Arc::new(job),
            input: Arc::new(job::empty_log(sources)),
            settings: Arc::new(settings),
            defects,
        };
        let mut crank = Crank::new(cluster, names, sources);
        crank.take_lines();
        Ok(Self { crank, members, requests: 0, attempts: 1 })
    }

    /// Carries out one command; returns what it leads to.
    pub fn run(&mut self, words: &[&str]) -> Result<Vec<String>, String> {
        match self.crank.brief {
            Some(_) => self.command_in_brief(words)?,
            None => self.command(words)?,
        }
        Ok(self.crank.take_lines())
    }

    fn command(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["start", "workers"] => {
                self.crank.stimulus("start workers");
                self.start_workers();
                Ok(())
            }
            ["start", name] => self.start(name),
            ["run"] => self.bring_up(),
            ["replace", name] => self.replace(name),
            ["crash", name] => {
                let process = self.crank.names.process(name)?;
                self.crank.stimulus(format_args!("crash {name}"));
                self.crank.crash(process)
            }
            ["emit" | "end" | "deliver", ..] => self.traffic(words),
            ["fire", meant @ ..] => {
                let timer = self.meant(meant)?;
                self.crank.stimulus(format_args!("the timer {} fires", meant.join(" of ")));
                self.crank.fire(&timer)
            }
            ["pass", seconds] => {
                let seconds = seconds.strip_suffix('s').and_then(|seconds| seconds.parse().ok());
                let seconds = seconds.ok_or("a time is such as 10s")?;
                self.crank.stimulus(format_args!("{seconds} s pass"));
                self.crank.wait(Duration::from_secs(seconds));
                Ok(())
            }
            ["hold", meant @ ..] => self.decide(Fate::Hold, meant),
            ["lose", meant @ ..] => self.decide(Fate::Lose, meant),
            ["release", meant @ ..] => {
                let meant = self.meant(meant)?;
                self.crank.release(&meant)
            }
            _ => Err(format!("unknown command {:?}", words.join(" "))),
        }
    }

    /// What sources give, and channels deliver: the same in both ways of telling.
    fn traffic(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["emit", source, values @ ..] => {
                let values =
                    values.iter().map(|word| number(word)).collect::<Result<Vec<_>, _>>()?;
                self.crank.emit(source, &values)
            }
            ["end", source] => self.crank.end(source),
            ["deliver", "all"] => self.deliver_all(),
            ["deliver", channel] => self.deliver(channel, 1),
            ["deliver", channel, count] => self.deliver(channel, counted(count)?),
            _ => Err(format!("unknown command {:?}", words.join(" "))),
        }
    }

    /// A kind of message or timer, and perhaps a process.
    fn meant(&self, words: &[&str]) -> Result<Meant, String> {
        let (kind, process) = match words {
            [kind] => (kind, None),
            [kind, name] => (kind, Some(self.crank.names.process(name)?)),
            _ => return Err("expected a kind, and perhaps a process".to_owned()),
        };
        if !names::is_kind(kind) {
            return Err(format!("unknown message or timer {kind:?}"));
        }
        Ok(Meant { kind: (*kind).to_owned(), process })
    }

    fn decide(&mut self, fate: Fate, words: &[&str]) -> Result<(), String> {
        let meant = self.meant(words)?;
        self.crank.decide(fate, meant);
        Ok(())
    }

    fn start(&mut self, name: &str) -> Result<(), String> {
        let process = self.crank.names.process(name)?;
        if self.crank.is_up(process) {
            return Err(format!("{name} runs already"));
        }
        self.crank.stimulus(format_args!("start {name}"));
        self.crank.start(process);
        Ok(())
    }

    /// The next life of a process begins, while the one before goes on.
    fn replace(&mut self, name: &str) -> Result<(), String> {
        let process = self.crank.names.process(name)?;
        if !self.crank.is_up(process) {
            return Err(format!("{name} does not run"));
        }
        self.crank.stimulus(format_args!("another {name} is started, the first goes on"));
        self.crank.start(process);
        Ok(())
    }

    fn start_workers(&mut self) {
        for worker in 0..self.members.len() as u16 {
            self.crank.start(ProcessId::Worker(worker));
        }
    }

    /// Everything is started, and the first attempt runs: shown where that is the subject only.
    fn bring_up(&mut self) -> Result<(), String> {
        self.crank.start(ProcessId::Coordinator);
        self.start_workers();
        self.crank.fire(&self.meant(&["restart"])?)?;
        let lines = self.crank.take_lines();
        self.crank.stimulus("everything is started");
        if let Some(runs) = lines.into_iter().rfind(|line| line.ends_with(" runs")) {
            self.crank.stimulus(format_args!("{}", runs.trim_start()));
        }
        Ok(())
    }

    fn deliver(&mut self, name: &str, count: usize) -> Result<(), String> {
        let channel = self.crank.names.channel(name)?;
        for _ in 0..count {
            if !self.crank.deliver_one(channel)? {
                return Err(format!("{name} carries nothing more"));
            }
        }
        Ok(())
    }

    fn deliver_all(&mut self) -> Result<(), String> {
        let channels: Vec<_> = self.crank.names.channels().collect();
        for channel in channels {
            while self.crank.deliver_one(channel)? {}
        }
        Ok(())
    }
}

fn number(word: &str) -> Result<i64, String> {
    word.parse().map_err(|_| format!("{word:?} is not a number"))
}
