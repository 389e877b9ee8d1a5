//! The commands of a walk-through in brief. Everything runs; a snapshot waits for `upload` to be written, and what makes
//! a checkpoint complete for `store`.

use cutwater::cluster::message::Request;
use cutwater::protocol::{CheckpointId, DefectSet, RequestNumber, SavepointMode};

use super::Processes;
use super::brief::Brief;
use super::crank::{Fate, Meant};

impl Processes {
    /// Reads `a b -> sum -> sink concurrent=2`: everything runs.
    pub fn in_brief(words: &[&str], defects: DefectSet) -> Result<Self, String> {
        let mut processes = Self::new(words, defects)?;
        processes.crank.brief = Some(Brief::default());
        processes.bring_up()?;
        processes.crank.take_lines();
        Ok(processes)
    }

    pub(super) fn command_in_brief(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["emit" | "end" | "deliver", ..] => self.traffic(words),
            ["trigger"] => self.trigger(),
            ["savepoint"] => self.ask(SavepointMode::GoOn),
            ["savepoint", "again"] => self.ask_again(SavepointMode::GoOn),
            ["stop"] => self.ask(SavepointMode::Stop),
            ["stop", "drain"] => self.ask(SavepointMode::Drain),
            ["expire", checkpoint] => {
                let checkpoint = checkpoint_named(checkpoint)?;
                self.crank.stimulus(format_args!("the time of {checkpoint} is up"));
                self.crank.expire(checkpoint)
            }
            ["overdue", name, checkpoint] => self.overdue(name, checkpoint_named(checkpoint)?),
            ["upload", names @ .., checkpoint] => {
                self.upload(names, checkpoint_named(checkpoint)?, true)
            }
            ["fail-upload", names @ .., checkpoint] => {
                self.upload(names, checkpoint_named(checkpoint)?, false)
            }
            ["store"] => self.store(usize::MAX),
            ["store", count] => self.store(counted(count)?),
            ["drop", kind, name] => self.befall(Fate::Lose, kind, name),
            ["delay", kind, name] => self.befall(Fate::Hold, kind, name),
            ["duplicate", kind, name] => self.befall(Fate::Repeat, kind, name),
            ["arrive", kind, name] => {
                let meant = self.meant_in_brief(kind, name)?;
                self.crank.release(&meant)
            }
            ["crash"] => {
                self.crank.stimulus("crash");
                self.crank.crash_workers();
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

    fn trigger(&mut self) -> Result<(), String> {
        let meant = self.meant(&["trigger"])?;
        self.crank.stimulus("the interval is over");
        let before = self.crank.lines();
        self.crank.fire(&meant)?;
        if self.crank.lines() == before {
            self.crank.say("coordinator: wait, as many checkpoints are pending as may be");
        }
        Ok(())
    }

    fn ask(&mut self, mode: SavepointMode) -> Result<(), String> {
        self.requests += 1;
        let number = self.requests;
        self.crank.stimulus(format_args!("request {number}: a savepoint, {mode}"));
        self.crank.ask(RequestNumber(number), Request::Savepoint { mode });
        if mode.is_terminal() {
            self.crank.forget_triggers();
        }
        Ok(())
    }

    fn ask_again(&mut self, mode: SavepointMode) -> Result<(), String> {
        self.requests = self.requests.checked_sub(1).ok_or("nothing was asked for")?;
        self.ask(mode)
    }

    fn overdue(&mut self, name: &str, checkpoint: CheckpointId) -> Result<(), String> {
        let subtask = self.crank.names.subtask(name)?;
        self.crank.stimulus(format_args!("{checkpoint} may overtake at {name} from now on"));
        self.crank.overdue(subtask, checkpoint)
    }

    fn upload(
        &mut self,
        names: &[&str],
        checkpoint: CheckpointId,
        succeeds: bool,
    ) -> Result<(), String> {
        let waiting = self.crank.uploads(checkpoint);
        let named = names.iter().map(|name| self.crank.names.subtask(name));
        let mut subtasks = named.collect::<Result<Vec<_>, _>>()?;
        if subtasks.is_empty() {
            subtasks.clone_from(&waiting);
        }
        if subtasks.is_empty() || !subtasks.iter().all(|subtask| waiting.contains(subtask)) {
            return Err(format!("no such upload for {checkpoint} is under way"));
        }
        for subtask in subtasks {
            self.crank.upload(subtask, checkpoint, succeeds);
        }
        Ok(())
    }

    fn store(&mut self, count: usize) -> Result<(), String> {
        if !self.crank.awaits_store() {
            return Err("the coordinator asked its stores for nothing".to_owned());
        }
        for _ in 0..count {
            if !self.crank.store_next() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn befall(&mut self, fate: Fate, kind: &str, name: &str) -> Result<(), String> {
        let meant = self.meant_in_brief(kind, name)?;
        self.crank.decide(fate, meant);
        Ok(())
    }

    /// What a kind is called at length.
    fn meant_in_brief(&self, kind: &str, name: &str) -> Result<Meant, String> {
        let kind = match kind {
            "complete" => "notify-complete",
            "abort" => "notify-aborted",
            kind => kind,
        };
        self.meant(&[kind, name])
    }

    fn restore(&mut self) -> Result<(), String> {
        self.attempts += 1;
        self.crank.stimulus(format_args!("restore as attempt-{}", self.attempts));
        let meant = self.meant(&["restart"])?;
        self.crank.fire(&meant)
    }

    fn show(&mut self) {
        self.crank.stimulus("show");
        let Some(brief) = &self.crank.brief else { return };
        let names = &self.crank.names;
        let mut lines = Vec::new();
        for name in &self.members {
            if let Ok(subtask) = names.subtask(name) {
                lines.push(format!("{name}: {}", brief.state(names, subtask)));
            }
        }
        lines.push(format!("target: {}", brief.target()));
        lines.push(format!("coordinator: recovery would start from {}", brief.retained()));
        lines.iter().for_each(|line| self.crank.say(line));
    }
}

fn checkpoint_named(word: &str) -> Result<CheckpointId, String> {
    let id = word.strip_prefix("ckpt-").and_then(|id| id.parse().ok());
    id.map(CheckpointId).ok_or_else(|| format!("{word:?} is not a checkpoint, such as ckpt-1"))
}

pub(super) fn counted(word: &str) -> Result<usize, String> {
    let count = word.strip_prefix("n=").and_then(|count| count.parse().ok());
    count.ok_or_else(|| format!("{word:?} is not a count, such as n=2"))
}
