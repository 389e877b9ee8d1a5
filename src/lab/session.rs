//! An experiment being carried out: which runs it needs, in which order, and what comes of them.
//!
//! Who carries it out decides on threads, files and progress; the results depend on none of them.

use std::collections::{BTreeMap, BTreeSet};

use super::error::LabError;
use super::experiment::Experiment;
use super::factor::{Factor, Library, Values};
use super::outside::outside;
use super::profile::EngineProfile;
use super::report::Report;
use super::results::METRICS;
use super::run::run;
use super::settings::{Rate, Settings};
use serde::Serialize;

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
    /// What was measured; of several repetitions the first, of which charts over time are.
    pub report: Report,
    /// Records a second without checkpoints, the median of all repetitions; where records come by themselves, those
    /// that come.
    pub base_records_per_second: f64,
    /// By repetition, what it came to of each of [`METRICS`].
    pub repetitions: Vec<Vec<f64>>,
    /// By which factors it lies [outside](outside()) of what its profile was fitted to.
    pub outside: Vec<Factor>,
}

/// What several repetitions came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Half are no more.
    pub median: f64,
    /// The least of them.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of so many values.
    ///
    /// # Panics
    ///
    /// When there is none.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "there is a repetition");
        values.sort_by(f64::total_cmp);
        let (count, middle) = (values.len(), values.len() / 2);
        let median = match count % 2 {
            1 => values[middle],
            _ => f64::midpoint(values[middle - 1], values[middle]),
        };
        Self { median, min: values[0], max: values[count - 1] }
    }
}

impl Row {
    /// Records a second, by those without checkpoints or by those that come: the median of all repetitions.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.median("throughputRatio")
    }

    /// The median of a metric over all repetitions.
    ///
    /// # Panics
    ///
    /// When there is no such [metric](METRICS).
    #[must_use]
    pub fn median(&self, metric: &str) -> f64 {
        self.spread(metric).median
    }

    /// What all repetitions came to of a metric.
    ///
    /// # Panics
    ///
    /// When there is no such [metric](METRICS).
    #[must_use]
    pub fn spread(&self, metric: &str) -> Spread {
        let place = METRICS.iter().position(|held| held.name == metric);
        let place = place.unwrap_or_else(|| panic!("there is no metric {metric}"));
        Spread::of(self.repetitions.iter().map(|values| values[place]).collect())
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

    /// The engine profiles that configurations name, in the order of first occurrence.
    #[must_use]
    pub fn engines(&self) -> Vec<EngineProfile> {
        let mut engines: Vec<EngineProfile> = Vec::new();
        for cell in &self.cells {
            // They were checked when the session began.
            let Ok(settings) = cell.settings(&self.library) else { continue };
            if !engines.contains(&settings.engine) {
                engines.push(settings.engine);
            }
        }
        engines
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
            self.bases(cell).chain(repeated).collect::<Vec<_>>()
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
            let base = self.base_of(cell, done)?;
            let repetitions = (0..self.experiment.repetitions)
                .filter_map(|repetition| done.get(&self.repeated(cell, repetition)));
            let values =
                |report: &Report| METRICS.iter().map(|metric| metric.of(report, base)).collect();
            Some(Row {
                values: cell.clone(),
                report: done.get(&self.repeated(cell, 0))?.clone(),
                base_records_per_second: base,
                repetitions: repetitions.map(values).collect(),
                outside: outside(&self.settings(cell, done).ok()?),
            })
        };
        self.cells.iter().filter_map(row).collect()
    }

    /// What records a second are compared with: those that come, if they come by themselves, and otherwise those that
    /// are taken without checkpoints.
    ///
    /// A repetition is another window. Those of a base are the same job in another phase of its flushes and
    /// compactions, and the window of a row with checkpoints begins in no phase that one of the base has too: there is
    /// no pair of windows to divide by one another. What all are divided by is therefore one figure, the median, which
    /// one odd window of the base does not move; the base's own row then has a median of 1, and its range about it.
    fn base_of(&self, cell: &Values, done: &Done) -> Option<f64> {
        match self.settings(cell, done).ok()?.job.rate {
            Rate::PerSecond(rate) => Some(rate as f64),
            Rate::Closed | Rate::Load(_) => {
                let windows = self.bases(cell).filter_map(|base| done.get(&base));
                let windows: Vec<f64> = windows.map(|report| report.records_per_second).collect();
                (!windows.is_empty()).then(|| Spread::of(windows).median)
            }
        }
    }

    /// What a configuration is compared with, in each repetition.
    fn bases(&self, cell: &Values) -> impl Iterator<Item = Values> {
        let base = cell.base();
        (0..self.experiment.repetitions).map(move |repetition| self.repeated(&base, repetition))
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

/// As fast as it goes, without checkpoints: measured once, whatever repetition asks for it.
fn saturated(values: &Values) -> Values {
    let mut values = values.base();
    values.0.remove(&Factor::Seed);
    values.with(Factor::Rate, "closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_differs_and_says_how_much() {
        let text = "version = 1\nname = \"a\"\nrepetitions = 3\n[base]\nstate = \"20MB\"\nmeasure = \"2s\"\n\
                    warm-up = \"1s\"\n[[vary]]\nfactor = \"interval\"\nvalues = [\"none\", \"1500ms\"]\n[[vary]]\nfactor = \"rate\"\nvalues = [\"closed\", \"50%\"]\n";
        let experiment = Experiment::parse("a.toml", text).expect("an experiment");
        let session = Session::new(experiment, Library::default()).expect("two configurations");
        let rows = session.run().expect("they can be run");
        for row in &rows {
            assert_eq!(row.repetitions.len(), 3);
            let Spread { median, min, max } = row.spread("throughputRatio");
            assert!(min <= median && median <= max, "{min} {median} {max}");
            assert_eq!(row.ratio(), median);
        }
        // Every repetition is of the same load.
        for row in rows.iter().filter(|row| row.values.get(Factor::Rate) == Some("50%")) {
            assert!(
                row.spread("throughputRatio").min > 0.95,
                "{:?}",
                row.spread("throughputRatio")
            );
        }
        let saturated = |row: &&Row| row.values.get(Factor::Rate) == Some("closed");
        let saturated: Vec<&Row> = rows.iter().filter(saturated).collect();
        let Spread { min, max, .. } = saturated[1].spread("throughput");
        assert!(max > min, "another window holds another part of a checkpoint");
    }

    /// One window of the base that is slower than the others makes no row look cheaper, nor a faster one dearer.
    #[test]
    fn what_rows_are_compared_with_is_the_median_of_all_windows_without_checkpoints() {
        let text = "version = 1\nname = \"a\"\nrepetitions = 3\n[[vary]]\nfactor = \"interval\"\n\
                    values = [\"none\", \"1s\"]\n";
        let experiment = Experiment::parse("a.toml", text).expect("an experiment");
        let session = Session::new(experiment, Library::default()).expect("two configurations");
        let [first, runs] = session.stages();
        assert_eq!((first.len(), runs.len()), (0, 6), "the base is a row of its own, run once");
        let report = |records_per_second| Report { records_per_second, ..Report::default() };
        let rates = [130.0, 90.0, 100.0, 50.0, 60.0, 40.0];
        let done: Done = runs.into_iter().zip(rates.map(report)).collect();
        let rows = session.rows(&done);
        assert_eq!(rows[0].base_records_per_second, 100.0);
        assert_eq!(rows[0].spread("throughputRatio"), Spread { median: 1.0, min: 0.9, max: 1.3 });
        assert_eq!(rows[1].ratio(), 0.5);
    }

    #[test]
    fn of_an_even_number_the_median_is_between_the_middle_ones() {
        let spread = Spread::of(vec![4.0, 1.0, 2.0, 10.0]);
        assert_eq!(spread, Spread { median: 3.0, min: 1.0, max: 10.0 });
    }
}
