//! An experiment being carried out: which runs it needs, in which order, and what comes of them.
//!
//! Who carries it out decides on threads, files and progress; the results depend on none of them.

use std::collections::{BTreeMap, BTreeSet};

use super::error::LabError;
use super::experiment::Experiment;
use super::factor::{Factor, Library, Values};
use super::report::Report;
use super::run::run;
use super::settings::{Rate, Settings};

/// What has been run, by configuration.
pub type Done = BTreeMap<Values, Report>;

/// An experiment, checked, with all that its configurations name.
#[derive(Clone, Debug)]
pub struct Session {
    /// What is carried out.
    pub experiment: Experiment,
    library: Library,
    cells: Vec<Values>,
}

/// One configuration, with what it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The configuration.
    pub values: Values,
    /// What was measured; of several repetitions the first.
    pub report: Report,
    /// Records a second without checkpoints; where records come by themselves, those that come.
    pub base_records_per_second: f64,
    /// Records a second of each repetition.
    pub repetitions: Vec<f64>,
}

impl Row {
    /// Records a second, by those without checkpoints or by those that come.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.report.records_per_second / self.base_records_per_second.max(1e-9)
    }
}

impl Session {
    /// Checks an experiment: every configuration has settings.
    ///
    /// # Errors
    ///
    /// When one has not.
    pub fn new(experiment: Experiment, library: Library) -> Result<Self, LabError> {
        let cells = experiment.cells()?;
        let session = Self { experiment, library, cells };
        for cell in &session.cells {
            let settings = |values: &Values| values.settings(&session.library);
            let placed = |error| session.experiment.placed(error);
            settings(cell).and(settings(&cell.base())).map_err(placed)?;
        }
        Ok(session)
    }

    /// The configurations, in order.
    #[must_use]
    pub fn cells(&self) -> &[Values] {
        &self.cells
    }

    /// The runs that are needed, in stages: those of a stage need those of the stages before, and not one another.
    #[must_use]
    pub fn stages(&self) -> [Vec<Values>; 2] {
        let mut planned = BTreeSet::new();
        let mut is_new = |values: &Values| planned.insert(values.clone());
        let loads = self.cells.iter().filter(|cell| is_load(cell));
        let saturations = loads.map(saturated).filter(&mut is_new).collect();
        let of_cell = |cell: &Values| {
            let repeated =
                (0..self.experiment.repetitions).map(|repetition| self.repeated(cell, repetition));
            std::iter::once(cell.base()).chain(repeated).collect::<Vec<_>>()
        };
        let runs = self.cells.iter().flat_map(of_cell).filter(&mut is_new).collect();
        [saturations, runs]
    }

    /// The settings of a run, once those of the stages before are done.
    ///
    /// # Errors
    ///
    /// When the values make none.
    pub fn settings(&self, values: &Values, done: &Done) -> Result<Settings, LabError> {
        let mut settings = values.settings(&self.library)?;
        if let Rate::Load(percent) = settings.job.rate {
            let most = done.get(&saturated(values)).map_or(0.0, |report| report.records_per_second);
            settings.job.rate = Rate::PerSecond(((most * percent as f64 / 100.0) as u64).max(1));
        }
        Ok(settings)
    }

    /// What came of it, as far as it is done.
    #[must_use]
    pub fn rows(&self, done: &Done) -> Vec<Row> {
        let row = |cell: &Values| {
            let repetitions = (0..self.experiment.repetitions)
                .filter_map(|repetition| done.get(&self.repeated(cell, repetition)));
            Some(Row {
                values: cell.clone(),
                report: done.get(&self.repeated(cell, 0))?.clone(),
                base_records_per_second: self.base_of(cell, done)?,
                repetitions: repetitions.map(|report| report.records_per_second).collect(),
            })
        };
        self.cells.iter().filter_map(row).collect()
    }

    /// What records a second are compared with: those that come, if they come by themselves, and otherwise those that
    /// are taken without checkpoints.
    fn base_of(&self, cell: &Values, done: &Done) -> Option<f64> {
        match self.settings(cell, done).ok()?.job.rate {
            Rate::PerSecond(rate) => Some(rate as f64),
            Rate::Closed | Rate::Load(_) => Some(done.get(&cell.base())?.records_per_second),
        }
    }

    /// Carries all of it out, one run after another.
    ///
    /// # Errors
    ///
    /// When a configuration makes no settings.
    pub fn run(&self) -> Result<Vec<Row>, LabError> {
        let mut done = Done::new();
        for stage in self.stages() {
            for values in stage {
                let report = run(&self.settings(&values, &done)?);
                done.insert(values, report);
            }
        }
        Ok(self.rows(&done))
    }

    /// The first repetition is under the seed that was asked for, each further one under the next.
    fn repeated(&self, cell: &Values, repetition: u64) -> Values {
        if repetition == 0 {
            return cell.clone();
        }
        let seed: u64 = cell.get(Factor::Seed).and_then(|seed| seed.parse().ok()).unwrap_or(0);
        cell.with(Factor::Seed, seed.wrapping_add(repetition).to_string())
    }
}

fn is_load(values: &Values) -> bool {
    values.get(Factor::Rate).is_some_and(|rate| rate.ends_with('%'))
}

/// As fast as it goes, without checkpoints.
fn saturated(values: &Values) -> Values {
    values.base().with(Factor::Rate, "closed")
}
