//! The matrix: protocol point × fault class.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use strum::{EnumCount as _, IntoEnumIterator as _};

use super::counts::Reach;
use super::impossible::Rule;
use crate::plan::draw::repertoire::Repertoire;
use crate::plan::{FaultClass, FaultFamily};
use crate::protocol::ordered::{VecMap, VecSet};
use crate::trace::Point;

/// Which faults struck after which points, and which could have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    rows: Vec<Row>,
    repertoire: Repertoire,
}

/// One protocol point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The point.
    pub point: Point,
    /// How often it was passed.
    pub passed: u64,
    /// By class, in the order of their declaration.
    entries: [Entry; FaultClass::COUNT],
}

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// Faults of the class struck there, so many.
    Reached(u64),
    /// None did, and could have.
    Missing,
    /// Nobody asked for faults of the class.
    NotAsked,
    /// None can.
    Impossible(Rule),
    /// Some did, against this rule: the rule is wrong.
    Contradicts(Rule, u64),
}

/// How much of what could be reached was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Cells that were reached.
    pub cells_reached: u64,
    /// Cells that could be.
    pub cells: u64,
    /// Points of the system that were passed.
    pub points_passed: u64,
    /// Points of the system that the jobs have.
    pub points: u64,
}

impl Matrix {
    /// The matrix of what was reached, where these classes were asked for beside those that struck.
    #[must_use]
    pub fn new(reach: &Reach, asked: &VecSet<FaultClass>) -> Self {
        let mut struck = [[0_u64; FaultClass::COUNT]; Point::COUNT];
        for (cell, count) in reach.cells() {
            let entry = &mut struck[cell.point as usize][cell.class as usize];
            *entry = entry.saturating_add(count);
        }
        let repertoire = reach.repertoire();
        let struck_classes = reach.cells().map(|(cell, _)| cell.class);
        let asked: VecSet<FaultClass> = asked.iter().copied().chain(struck_classes).collect();
        let row = |point: Point| {
            let mut entries = [Entry::Missing; FaultClass::COUNT];
            for class in FaultClass::iter() {
                let count = struck[point as usize][class as usize];
                entries[class as usize] =
                    entry(Rule::of(point, class, &repertoire), count, asked.contains(&class));
            }
            Row { point, passed: reach.point(point), entries }
        };
        Self { rows: Point::iter().map(row).collect(), repertoire }
    }

    /// All rows, in the order of the points' declaration.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows in which there is a cell that can be reached.
    pub fn possible_rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| Rule::of_row(row.point, &self.repertoire).is_none())
    }

    /// How much was reached.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let mut coverage = Coverage::default();
        for row in &self.rows {
            coverage.cells_reached +=
                row.entries.iter().filter(|entry| entry.is_reached()).count() as u64;
            coverage.cells += row.entries.iter().filter(|entry| entry.is_possible()).count() as u64;
            let is_system = !row.is_ruled_out(&self.repertoire);
            coverage.points += u64::from(is_system);
            coverage.points_passed += u64::from(is_system && row.passed > 0);
        }
        coverage
    }

    /// The cells that could have been reached and were not, in order.
    pub fn missing(&self) -> impl Iterator<Item = (Point, FaultClass)> + '_ {
        self.cells().filter(|(_, _, entry)| *entry == Entry::Missing).map(|(p, c, _)| (p, c))
    }

    /// The cells that were reached though a rule says that they cannot be.
    pub fn contradictions(&self) -> impl Iterator<Item = (Point, FaultClass, Rule)> + '_ {
        self.cells().filter_map(|(point, class, entry)| match entry {
            Entry::Contradicts(rule, _) => Some((point, class, rule)),
            Entry::Reached(_) | Entry::Missing | Entry::NotAsked | Entry::Impossible(_) => None,
        })
    }

    /// Each rule with how many cells it makes impossible.
    #[must_use]
    pub fn impossible(&self) -> Vec<(Rule, usize)> {
        let count = |rule| self.cells().filter(|cell| cell.2 == Entry::Impossible(rule)).count();
        Rule::iter().map(|rule| (rule, count(rule))).collect()
    }

    /// All cells, row by row.
    pub fn cells(&self) -> impl Iterator<Item = (Point, FaultClass, Entry)> + '_ {
        self.rows
            .iter()
            .flat_map(|row| row.entries().map(|(class, entry)| (row.point, class, entry)))
    }
}

fn entry(rule: Option<Rule>, count: u64, is_asked: bool) -> Entry {
    match (rule, count) {
        (Some(rule), 0) => Entry::Impossible(rule),
        (Some(rule), _) => Entry::Contradicts(rule, count),
        (None, 1..) => Entry::Reached(count),
        (None, 0) if is_asked => Entry::Missing,
        (None, 0) => Entry::NotAsked,
    }
}

impl Entry {
    /// Whether faults struck there, as they may.
    #[must_use]
    pub fn is_reached(self) -> bool {
        matches!(self, Self::Reached(_))
    }

    /// Whether it counts among those that could be reached.
    #[must_use]
    pub fn is_possible(self) -> bool {
        matches!(self, Self::Reached(_) | Self::Missing)
    }

    /// How many faults struck there.
    #[must_use]
    pub fn count(self) -> u64 {
        match self {
            Self::Reached(count) | Self::Contradicts(_, count) => count,
            Self::Missing | Self::NotAsked | Self::Impossible(_) => 0,
        }
    }
}

impl Row {
    /// Its cells, by class.
    pub fn entries(&self) -> impl Iterator<Item = (FaultClass, Entry)> + '_ {
        FaultClass::iter().map(|class| (class, self.entry(class)))
    }

    /// One cell.
    #[must_use]
    pub fn entry(&self, class: FaultClass) -> Entry {
        self.entries[class as usize]
    }

    /// Whether it is no row of the system, or of no job.
    fn is_ruled_out(&self, repertoire: &Repertoire) -> bool {
        Rule::of_row(self.point, repertoire).is_some_and(|rule| rule != Rule::RunIsOver)
    }

    /// How many faults of a family struck, after how many cells reached of how many possible ones.
    #[must_use]
    pub fn family(&self, family: FaultFamily) -> (u64, usize, usize) {
        let of_family = || self.entries().filter(move |(class, _)| class.family() == family);
        let struck = of_family().map(|(_, entry)| entry.count()).sum();
        let reached = of_family().filter(|(_, entry)| entry.is_reached()).count();
        (struck, reached, of_family().filter(|(_, entry)| entry.is_possible()).count())
    }
}

/// By point, then by class; cells that cannot be reached are left out.
impl Serialize for Matrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for row in self.possible_rows() {
            map.serialize_entry(&row.point, row)?;
        }
        map.end()
    }
}

/// How often it was passed, and the counts of its cells.
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let possible = self.entries().filter(|(_, entry)| entry.is_possible());
        let struck = possible.map(|(class, entry)| (class, entry.count()));
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("passed", &self.passed)?;
        map.serialize_entry("struck", &struck.collect::<VecMap<_, _>>())?;
        map.end()
    }
}
