//! How small the plans get that detect defects: `cutwater defects --shrink`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde::Serialize;

use super::super::bugs;
use super::super::console::Console;
use super::super::error::CliError;
use super::super::shrinking::{Budget, Timed, shrink};
use super::super::table::{Align, Table, count};
use crate::explore::Experiments;
use crate::explore::defects::{DefectReport, DefectSearch};
use crate::explore::strategy::strategy;
use crate::protocol::{Defect, DefectSet};

/// How small the first plan got that detects a defect.
#[derive(Clone, Debug, Serialize)]
pub struct Small {
    defect: Defect,
    signature: String,
    faults_before: usize,
    faults: usize,
    records_before: u64,
    records: u64,
    subtasks: usize,
    workers: u16,
    runs: u64,
    seconds: f64,
    is_complete: bool,
}

/// What is asked for.
const FAULTS_MAX: usize = 3;
const RECORDS_MAX: u64 = 20;

/// What is needed to shrink what a search found.
pub struct Shrinking<'a> {
    /// The search.
    pub search: &'a DefectSearch,
    /// Jobs and inputs.
    pub experiments: &'a Experiments,
    /// Set when it is to end early.
    pub stop: &'a Arc<AtomicBool>,
    /// Where to keep the results, if they are to be kept.
    pub keep: Option<&'a Path>,
}

impl Shrinking<'_> {
    /// Shrinks the first detection of each defect.
    pub fn all(&self, reports: &[DefectReport], out: &mut Console) -> Result<Vec<Small>, CliError> {
        let mut found = Vec::new();
        for report in reports {
            let Some(timed) = self.first(report)? else { continue };
            self.keep(report.defect, &timed)?;
            found.push(Small::new(report.defect, &timed));
        }
        tell(&found, out)?;
        Ok(found)
    }

    fn first(&self, report: &DefectReport) -> Result<Option<Timed>, CliError> {
        let Some(first) = report.first() else { return Ok(None) };
        let mut scenarios = self.search.scenarios.iter();
        let Some(scenario) = scenarios.find(|scenario| scenario.name == first.scenario) else {
            return Ok(None);
        };
        let usage = |error: &dyn std::fmt::Display| CliError::usage(error.to_string());
        let defects = DefectSet::only(report.defect);
        let plan = strategy(self.search.strategy)
            .plan(scenario, first.seed, defects, self.experiments)
            .map_err(|error| usage(&error))?;
        let Some(plan) = plan else { return Ok(None) };
        let way = (self.search.world, false);
        let budget = Budget::usual(self.search.jobs);
        shrink(&plan, self.experiments, way, budget, self.stop, |_| {})
            .map(Some)
            .map_err(|error| usage(&error))
    }

    fn keep(&self, defect: Defect, timed: &Timed) -> Result<(), CliError> {
        let Some(dir) = self.keep else { return Ok(()) };
        fs::create_dir_all(dir).map_err(|error| CliError::io(dir, error))?;
        let path = dir.join(format!("{defect}.json"));
        let why = format!("The smallest plan that shows the seeded defect {defect}.");
        bugs::add(&path, timed.shrunk.plan.clone(), &why, self.experiments).map(drop)
    }
}

impl Small {
    fn new(defect: Defect, timed: &Timed) -> Self {
        let shrunk = &timed.shrunk;
        Self {
            defect,
            signature: shrunk.signature.to_string(),
            faults_before: shrunk.before.faults,
            faults: shrunk.after.faults,
            records_before: shrunk.before.records,
            records: shrunk.after.records,
            subtasks: shrunk.after.subtasks,
            workers: shrunk.after.workers,
            runs: shrunk.runs,
            seconds: timed.elapsed.as_secs_f64(),
            is_complete: shrunk.is_complete,
        }
    }

    fn is_small(&self) -> bool {
        self.faults <= FAULTS_MAX && self.records <= RECORDS_MAX
    }

    fn row(&self) -> [String; 9] {
        [
            self.defect.to_string(),
            self.signature.clone(),
            format!("{} -> {}", self.faults_before, self.faults),
            format!("{} -> {}", self.records_before, self.records),
            self.subtasks.to_string(),
            self.workers.to_string(),
            count(self.runs),
            format!("{:.1}", self.seconds),
            if self.is_small() { String::new() } else { "LARGE".to_owned() },
        ]
    }
}

fn tell(found: &[Small], out: &mut Console) -> std::io::Result<()> {
    let mut table = Table::new(&[
        ("defect", Align::Left),
        ("signature", Align::Left),
        ("faults", Align::Right),
        ("records", Align::Right),
        ("subtasks", Align::Right),
        ("workers", Align::Right),
        ("runs", Align::Right),
        ("seconds", Align::Right),
        ("", Align::Left),
    ]);
    for small in found {
        table.row(small.row());
    }
    let number = found.iter().filter(|small| small.is_small()).count();
    let seconds = median(found.iter().map(|small| Duration::from_secs_f64(small.seconds)));
    let faults = median(found.iter().map(|small| small.faults));
    let records = median(found.iter().map(|small| small.records));
    write!(out, "\n{table}")?;
    writeln!(
        out,
        "\n{number} of {} shrink to at most {FAULTS_MAX} faults and {RECORDS_MAX} records; \
         medians: {} faults, {} records, {:.1} s",
        found.len(),
        faults.unwrap_or_default(),
        records.unwrap_or_default(),
        seconds.unwrap_or_default().as_secs_f64()
    )
}

/// The lower one of two.
fn median<T: Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    let middle = values.len().checked_sub(1)? / 2;
    values.into_iter().nth(middle)
}
