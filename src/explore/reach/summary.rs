//! What a sweep reached: by scenario, and together; as it is written to `reach.json`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::counts::Reach;
use super::impossible::Rule;
use super::matrix::{Coverage, Matrix};
use crate::explore::sweep::SweepReport;
use crate::plan::{Expectation, FaultClass, Name, Scenario};
use crate::protocol::ordered::{VecMap, VecSet};
use crate::trace::Point;

/// From how many runs on every expectation of a scenario must have been met.
///
/// Those of the built-in scenarios are met by chance in so few of a hundred seeds that all of them miss
/// one with a probability below one in a million.
pub const EXPECTATION_RUNS_MIN: u64 = 100;

/// What a sweep reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepReach {
    /// By scenario, in the order of the sweep.
    pub scenarios: Vec<ScenarioReach>,
}

/// What the runs of one scenario reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioReach {
    /// Its name.
    pub name: Name,
    /// The classes of faults that it asks for.
    pub asked: VecSet<FaultClass>,
    /// What it is for.
    pub sometimes: Vec<Expectation>,
    /// What was reached.
    pub reach: Reach,
}

/// An expectation that a scenario has, and that none of enough runs met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// The scenario.
    pub scenario: String,
    /// What it expects.
    pub expectation: Expectation,
    /// How many runs did not meet it.
    pub runs: u64,
}

impl SweepReach {
    /// What a sweep of these scenarios reached.
    #[must_use]
    pub fn of(scenarios: &[Scenario], report: &SweepReport) -> Self {
        let reached = scenarios.iter().zip(&report.scenarios);
        let scenarios = reached.map(|(scenario, found)| {
            let mut reach = ScenarioReach::of(scenario);
            reach.reach.add(&found.reach);
            reach
        });
        Self { scenarios: scenarios.collect() }
    }

    /// Adds another sweep's, scenario by scenario; those that are new go to the end.
    pub fn add(&mut self, other: &Self) {
        for theirs in &other.scenarios {
            match self.scenarios.iter_mut().find(|mine| mine.name == theirs.name) {
                Some(mine) => mine.add(theirs),
                None => self.scenarios.push(theirs.clone()),
            }
        }
    }

    /// All scenarios together.
    #[must_use]
    pub fn total(&self) -> Reach {
        let mut total = Reach::default();
        for scenario in &self.scenarios {
            total.add(&scenario.reach);
        }
        total
    }

    /// The matrix of all scenarios together.
    #[must_use]
    pub fn matrix(&self) -> Matrix {
        let asked = self.scenarios.iter().flat_map(|scenario| scenario.asked.iter().copied());
        Matrix::new(&self.total(), &asked.collect())
    }

    /// What no run met, where there were at least [`EXPECTATION_RUNS_MIN`] runs.
    #[must_use]
    pub fn unmet(&self) -> Vec<Unmet> {
        let enough = self.scenarios.iter().filter(|scenario| scenario.has_enough_runs());
        enough.flat_map(ScenarioReach::unmet).collect()
    }

    /// What was reached against a rule, which is wrong then: a line for each.
    #[must_use]
    pub fn contradictions(&self) -> Vec<String> {
        let matrix = self.matrix();
        let told = matrix.contradictions().map(|(point, class, rule)| {
            format!("{class} struck after {point}, against the rule {rule}: {}", rule.reason())
        });
        told.collect()
    }

    /// The figures.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let met = |scenario: &ScenarioReach| scenario.met().count();
        Figures {
            coverage: self.matrix().coverage(),
            expectations_met: self.scenarios.iter().map(met).sum(),
            expectations: self.scenarios.iter().map(|scenario| scenario.sometimes.len()).sum(),
            pairs: self.total().pairs().count(),
        }
    }
}

impl ScenarioReach {
    /// Nothing yet.
    #[must_use]
    pub fn of(scenario: &Scenario) -> Self {
        let asked = scenario.faults.iter().filter(|(_, range)| range.max > 0);
        Self {
            name: scenario.name.clone(),
            asked: asked.map(|(class, _)| *class).collect(),
            sometimes: scenario.sometimes.clone(),
            reach: Reach::default(),
        }
    }

    /// The matrix of this scenario alone.
    #[must_use]
    pub fn matrix(&self) -> Matrix {
        Matrix::new(&self.reach, &self.asked)
    }

    /// The expectations that were met.
    pub fn met(&self) -> impl Iterator<Item = Expectation> + '_ {
        self.sometimes.iter().copied().filter(|expectation| self.reach.meets(*expectation))
    }

    fn has_enough_runs(&self) -> bool {
        self.reach.runs() >= EXPECTATION_RUNS_MIN
    }

    fn unmet(&self) -> impl Iterator<Item = Unmet> + '_ {
        let unmet = self.sometimes.iter().filter(|expectation| !self.reach.meets(**expectation));
        unmet.map(|expectation| Unmet {
            scenario: self.name.to_string(),
            expectation: *expectation,
            runs: self.reach.runs(),
        })
    }

    fn add(&mut self, other: &Self) {
        self.asked.extend(&other.asked);
        for expectation in &other.sometimes {
            if !self.sometimes.contains(expectation) {
                self.sometimes.push(*expectation);
            }
        }
        self.reach.add(&other.reach);
    }
}

/// The figures of a sweep, and the line that shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Cells and points.
    #[serde(flatten)]
    pub coverage: Coverage,
    /// Expectations that were met, over all scenarios.
    pub expectations_met: usize,
    /// All of them.
    pub expectations: usize,
    /// Pairs of steps in the life of a checkpoint on a channel that were met.
    pub pairs: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Coverage { cells_reached, cells, points_passed, points } = self.coverage;
        let tenths = 1_000 * cells_reached / cells.max(1);
        write!(
            f,
            "{cells_reached} of {cells} cells ({}.{} %), {points_passed} of {points} points, {} pairs",
            tenths / 10,
            tenths % 10,
            self.pairs
        )?;
        match (self.expectations_met, self.expectations) {
            (_, 0) => Ok(()),
            (met, all) => write!(f, ", {met} of {all} expectations"),
        }
    }
}

/// A [`SweepReach`] with all that follows from it, to be written for programs: only the former is read
/// back.
#[derive(Clone, Debug, Serialize)]
pub struct ReachDocument {
    format: &'static str,
    version: u32,
    figures: Figures,
    matrix: Matrix,
    missing: VecMap<Point, Vec<FaultClass>>,
    impossible: Vec<ImpossibleCells>,
    scenarios: Vec<ScenarioDocument>,
}

#[derive(Clone, Debug, Serialize)]
struct ImpossibleCells {
    rule: Rule,
    reason: &'static str,
    cells: usize,
}

#[derive(Clone, Debug, Serialize)]
struct ScenarioDocument {
    #[serde(flatten)]
    scenario: ScenarioReach,
    met: Vec<Expectation>,
    coverage: Coverage,
    matrix: Matrix,
}

/// What a reach file calls itself.
pub const REACH_FORMAT: &str = "cutwater-reach";

/// The version of the format that is written, and read, here.
pub const REACH_VERSION: u32 = 1;

/// Why a text is no reach file.
#[derive(Debug, thiserror::Error)]
pub enum ReachFileError {
    /// It is not JSON, or something is missing.
    #[error("{0}")]
    Syntax(#[from] serde_json::Error),
    /// It is something else.
    #[error("format is {0:?}, and {REACH_FORMAT:?} is expected")]
    Format(String),
    /// It is of another time.
    #[error("version {0} of the format, and this program reads version {REACH_VERSION}")]
    Version(u32),
}

impl ReachDocument {
    /// All that follows.
    #[must_use]
    pub fn new(sweep: &SweepReach) -> Self {
        let matrix = sweep.matrix();
        let mut missing: VecMap<Point, Vec<FaultClass>> = VecMap::new();
        for (point, class) in matrix.missing() {
            missing.entry(point).or_default().push(class);
        }
        let impossible = matrix.impossible().into_iter().map(|(rule, cells)| ImpossibleCells {
            rule,
            reason: rule.reason(),
            cells,
        });
        Self {
            format: REACH_FORMAT,
            version: REACH_VERSION,
            figures: sweep.figures(),
            missing,
            impossible: impossible.collect(),
            matrix,
            scenarios: sweep.scenarios.iter().map(ScenarioDocument::new).collect(),
        }
    }

    /// Reads what a document was made of.
    ///
    /// # Errors
    ///
    /// When the text is not such a document, or one of another version or build.
    pub fn read(text: &str) -> Result<SweepReach, ReachFileError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let head: Head = serde_json::from_str(text)?;
        if head.format != REACH_FORMAT {
            return Err(ReachFileError::Format(head.format));
        }
        if head.version != REACH_VERSION {
            return Err(ReachFileError::Version(head.version));
        }
        Ok(serde_json::from_str(text)?)
    }
}

impl ScenarioDocument {
    fn new(scenario: &ScenarioReach) -> Self {
        let matrix = scenario.matrix();
        Self {
            met: scenario.met().collect(),
            coverage: matrix.coverage(),
            matrix,
            scenario: scenario.clone(),
        }
    }
}
