//! What the search for defects found, by strategy, for people and for programs.

use std::fmt;

use serde::Serialize;

use super::super::table::{Align, Table, count};
use crate::explore::StrategyName;
use crate::explore::defects::DefectReport;
use crate::explore::estimate::Estimate;

/// What was found with one strategy.
#[derive(Serialize)]
pub struct StrategyReport {
    /// The strategy.
    pub strategy: StrategyName,
    /// How many defects were found.
    pub found: usize,
    /// The median, over the defects found, of the median number of seeds to detection.
    pub median_of_medians: Option<u64>,
    /// How long it took.
    pub seconds: f64,
    /// By defect.
    pub defects: Vec<Found>,
}

/// One defect under one strategy.
#[derive(Serialize)]
pub struct Found {
    #[serde(flatten)]
    report: DefectReport,
    /// The median number of seeds to detection.
    median: Option<u64>,
    /// The mean, with its confidence interval.
    seeds_to_detection: Estimate,
}

impl StrategyReport {
    /// From the reports of all defects.
    pub fn new(strategy: StrategyName, reports: Vec<DefectReport>, seconds: f64) -> Self {
        let found = reports.iter().filter(|report| report.first().is_some()).count();
        let mut medians: Vec<u64> = reports.iter().filter_map(DefectReport::median).collect();
        medians.sort_unstable();
        let median_of_medians = medians.get(medians.len().saturating_sub(1) / 2).copied();
        let of = |report: DefectReport| Found {
            median: report.median(),
            seeds_to_detection: report.estimate(),
            report,
        };
        let defects = reports.into_iter().map(of).collect();
        Self { strategy, found, median_of_medians, seconds, defects }
    }

    /// Whether every defect was found.
    pub fn is_complete(&self) -> bool {
        self.found == self.defects.len()
    }

    fn runs(&self) -> u64 {
        self.defects.iter().map(|found| found.report.runs).sum()
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&[
            ("defect", Align::Left),
            ("found", Align::Left),
            ("first", Align::Right),
            ("median", Align::Right),
            ("mean (95 %)", Align::Right),
            ("runs", Align::Right),
            ("oracles", Align::Left),
            ("first in", Align::Left),
        ]);
        for found in &self.defects {
            table.row(found.row());
        }
        table
    }
}

impl Found {
    fn row(&self) -> [String; 8] {
        let report = &self.report;
        let oracles = report.oracles().into_iter().map(|(name, times)| format!("{name} {times}"));
        let first = report.first();
        [
            report.defect.to_string(),
            self.verdict().to_owned(),
            first.map(|first| count(first.runs)).unwrap_or_default(),
            self.median.map(count).unwrap_or_default(),
            mean(&self.seeds_to_detection),
            count(report.runs),
            oracles.collect::<Vec<_>>().join(", "),
            first
                .map(|first| format!("{} seed {}", first.scenario, first.seed))
                .unwrap_or_default(),
        ]
    }

    fn verdict(&self) -> &'static str {
        match (self.report.first(), self.report.is_stopped) {
            (Some(_), _) => "yes",
            (None, true) => "stopped",
            (None, false) => "NO",
        }
    }
}

impl fmt::Display for StrategyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table())?;
        let (found, defects, runs) = (self.found, self.defects.len(), count(self.runs()));
        writeln!(f, "\n{found} of {defects} found, in {runs} runs and {:.1} s", self.seconds)?;
        let anyway: u64 = self.defects.iter().map(|found| found.report.failing_anyway).sum();
        if anyway > 0 {
            let anyway = count(anyway);
            let why = "runs failed that fail without the defect too: not counted as found";
            writeln!(f, "{anyway} {why}")?;
        }
        Ok(())
    }
}

/// Several strategies side by side.
pub struct Comparison<'a>(pub &'a [StrategyReport]);

impl Comparison<'_> {
    fn table(&self) -> Table {
        let mut columns = vec![("defect", Align::Left)];
        for report in self.0 {
            columns.push((report.strategy.into(), Align::Right));
            columns.push(("mean (95 %)", Align::Right));
        }
        columns.extend(self.others().map(|_| ("ratio", Align::Right)));
        let mut table = Table::new(&columns);
        let defects = self.0.first().map_or(0, |first| first.defects.len());
        for place in 0..defects {
            table.row(self.row(place));
        }
        table
    }

    fn others(&self) -> impl Iterator<Item = &StrategyReport> {
        self.0.iter().skip(1)
    }

    fn row(&self, place: usize) -> Vec<String> {
        let found: Vec<&Found> =
            self.0.iter().filter_map(|report| report.defects.get(place)).collect();
        let mut cells = vec![found[0].report.defect.to_string()];
        for one in &found {
            cells.push(one.median.map_or_else(|| one.verdict().to_owned(), count));
            cells.push(mean(&one.seeds_to_detection));
        }
        cells.extend(found[1..].iter().map(|other| ratio(found[0].median, other.median)));
        cells
    }
}

impl fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.table())?;
        for report in self.0 {
            let StrategyReport { strategy, found, median_of_medians, seconds, .. } = report;
            let (defects, runs) = (report.defects.len(), count(report.runs()));
            let median = median_of_medians.map_or_else(|| "-".to_owned(), count);
            writeln!(
                f,
                "{strategy}: {found} of {defects} found, median of medians {median} seeds, in {runs} runs and {seconds:.1} s"
            )?;
        }
        let Some(first) = self.0.first() else { return Ok(()) };
        for other in self.others() {
            let (one, two) = (other.strategy, first.strategy);
            let ratio = ratio(first.median_of_medians, other.median_of_medians);
            writeln!(f, "{one} takes {ratio} times the seeds of {two}")?;
        }
        Ok(())
    }
}

/// The second by the first.
fn ratio(first: Option<u64>, second: Option<u64>) -> String {
    match (first, second) {
        (Some(first @ 1..), Some(second)) => format!("{:.2}", second as f64 / first as f64),
        _ => "-".to_owned(),
    }
}

/// The mean, and between which numbers it lies.
fn mean(estimate: &Estimate) -> String {
    match (estimate.mean, estimate.high) {
        (Some(mean), Some(high)) => format!("{mean:.1} ({:.1} to {high:.1})", estimate.low),
        _ => format!("above {:.0}", estimate.low),
    }
}
