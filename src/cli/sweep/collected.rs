//! What results files hold, counted: all that a report is made from.

use std::path::Path;

use super::super::error::CliError;
use super::results::{self, Header};
use super::schedule::Schedule;
use super::shard::Shard;
use super::sweep_config::SweepConfig;
use crate::explore::record::{Failure, SecondRun};
use crate::explore::{Record, Signature, SweepReport};

/// Records of one sweep, counted.
pub struct Collected {
    /// By scenario.
    pub report: SweepReport,
    /// Those that did not hold, in the order of the sweep.
    pub failed: Vec<Failed>,
    /// Those of which a second run differed, in the order of the sweep.
    pub divergent: Vec<Divergent>,
    /// How many runs there are records of.
    pub runs: u64,
}

/// A run that did not hold.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Its place in the sweep.
    pub index: u64,
    /// How many events it took to fail.
    pub events: u64,
    /// What is wrong.
    pub failure: Failure,
    /// Which of the files it is from.
    pub file: usize,
}

/// A run whose second run differed.
#[derive(Clone, Debug)]
pub struct Divergent {
    /// Its place in the sweep.
    pub index: u64,
    /// The digest of the first run.
    pub first: String,
    /// The second run.
    pub second: SecondRun,
}

/// Reads results files into one.
pub struct Collector<'a> {
    config: &'a SweepConfig,
    /// Records of later turns do not count.
    turns_end: u64,
    schedule: Schedule<'a>,
    collected: Collected,
}

impl<'a> Collector<'a> {
    /// Nothing is read yet.
    pub fn new(config: &'a SweepConfig, turns_end: Option<u64>) -> Self {
        let sweep = &config.sweep;
        let report = SweepReport::new(&sweep.scenarios);
        let (failed, divergent) = (Vec::new(), Vec::new());
        Self {
            config,
            turns_end: turns_end.unwrap_or(u64::MAX),
            schedule: Schedule::new(sweep, Shard::WHOLE),
            collected: Collected { report, failed, divergent, runs: 0 },
        }
    }

    /// Reads the `file`-th of the files.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or holds what is no record of the sweep, or one that was there before.
    pub fn read(&mut self, path: &Path, file: usize) -> Result<Header, CliError> {
        results::read(path, |header, record| {
            check(self.config, header.shard, &record)?;
            self.add(record, file)
        })
    }

    fn add(&mut self, record: Record, file: usize) -> Result<(), CliError> {
        let sweep = &self.config.sweep;
        if !self.schedule.finish(record.index) {
            return Err(twice(&record));
        }
        if sweep.turn_of(record.index) >= self.turns_end {
            return Ok(());
        }
        let collected = &mut self.collected;
        collected.runs += 1;
        let (scenario, _) = sweep.place(record.index);
        collected.report.add(scenario, &record);
        let Record { index, failure, divergent, digest, statistics, .. } = record;
        if let Some(failure) = failure {
            collected.failed.push(Failed { index, events: statistics.events, failure, file });
        }
        if let Some(second) = divergent {
            collected.divergent.push(Divergent { index, first: digest, second });
        }
        Ok(())
    }

    /// How many records were read.
    pub fn runs(&self) -> u64 {
        self.schedule.done()
    }

    /// Everything is read.
    pub fn finish(self) -> Collected {
        let mut collected = self.collected;
        collected.failed.sort_by_key(|failed| failed.index);
        collected.divergent.sort_by_key(|divergent| divergent.index);
        collected
    }
}

/// Whether a record is one of this shard of this sweep.
///
/// # Errors
///
/// When it is not.
pub fn check(config: &SweepConfig, shard: Shard, record: &Record) -> Result<(), CliError> {
    let sweep = &config.sweep;
    let (index, runs) = (record.index, sweep.runs());
    if index >= runs {
        return Err(CliError::usage(format!("run {index} of a sweep of {runs}")));
    }
    if !shard.has(index) {
        return Err(CliError::usage(format!("run {index} does not belong to shard {shard}")));
    }
    let name = sweep.name(index);
    if (&name.scenario, name.seed) != (&record.scenario, record.seed) {
        let (scenario, seed) = (&record.scenario, record.seed);
        let expected = format!("{}, seed {}", name.scenario, name.seed);
        return Err(CliError::usage(format!(
            "run {index} is of {scenario}, seed {seed}, expected {expected}"
        )));
    }
    Ok(())
}

/// A record that was there before.
pub fn twice(record: &Record) -> CliError {
    let Record { index, scenario, seed, .. } = record;
    CliError::usage(format!("run {index} ({scenario}, seed {seed}) is there twice"))
}

/// Failures that are the same, the one with the fewest events first.
#[derive(Clone, Debug)]
pub struct Group {
    /// What they have in common.
    pub signature: Signature,
    /// The failures, as indices into those collected.
    pub members: Vec<usize>,
}

impl Collected {
    /// The failures by signature: the worst class first, and then by name.
    pub fn groups(&self) -> Vec<Group> {
        let mut order: Vec<usize> = (0..self.failed.len()).collect();
        let key = |place: &usize| {
            let Failed { failure, events, index, .. } = &self.failed[*place];
            (severity(&failure.signature), &failure.signature, *events, *index)
        };
        order.sort_by(|one, other| key(one).cmp(&key(other)));
        let is_same = |one: &usize, other: &usize| {
            self.failed[*one].failure.signature == self.failed[*other].failure.signature
        };
        let group = |members: &[usize]| Group {
            signature: self.failed[members[0]].failure.signature.clone(),
            members: members.to_vec(),
        };
        order.chunk_by(is_same).map(group).collect()
    }
}

/// The worst first.
fn severity(signature: &Signature) -> u8 {
    match signature {
        Signature::Violation(kind) if !kind.oracle().is_liveness() => 0,
        Signature::NotDeterministic => 1,
        Signature::Panic(_) => 2,
        Signature::Died(_) => 3,
        Signature::Violation(_) => 4,
        Signature::Hung => 5,
        Signature::Undecided => 6,
    }
}
