//! The matrix as text: points down, families of faults across; what is missing, by name.

use std::fmt::{self, Write as _};

use strum::IntoEnumIterator as _;

use super::super::table::{Align, Table, count};
use crate::explore::reach::lives::Step;
use crate::explore::reach::{Matrix, Reach, Rule, SweepReach};
use crate::plan::{FaultClass, FaultFamily};

/// A reach, to be read.
pub struct Told<'a>(pub &'a SweepReach);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matrix = self.0.matrix();
        writeln!(f, "{}", table(&matrix))?;
        writeln!(f, "{}", scenarios(self.0))?;
        for line in self.0.contradictions() {
            writeln!(f, "{line}\n")?;
        }
        write_missing(f, &matrix)?;
        write_impossible(f, &matrix)?;
        write_unasked(f, &matrix)?;
        write_pairs(f, &self.0.total())?;
        write_expectations(f, self.0)?;
        writeln!(f, "reach  {}", self.0.figures())
    }
}

/// How many faults of each family struck after each point, and how many of the classes did.
fn table(matrix: &Matrix) -> Table {
    let families: Vec<FaultFamily> = FaultFamily::iter().collect();
    let mut columns = vec![("point", Align::Left), ("passed", Align::Right)];
    columns.extend(families.iter().map(|family| (family.into(), Align::Right)));
    columns.push(("classes", Align::Right));
    let mut table = Table::new(&columns);
    for row in matrix.possible_rows() {
        let mut cells = vec![row.point.to_string(), count(row.passed)];
        let (mut all_reached, mut all) = (0, 0);
        for family in &families {
            let (struck, reached, possible) = row.family(*family);
            cells.push(if possible == 0 { String::new() } else { count(struck) });
            all_reached += reached;
            all += possible;
        }
        cells.push(format!("{all_reached}/{all}"));
        table.row(cells);
    }
    table
}

fn scenarios(reach: &SweepReach) -> Table {
    let mut table = Table::new(&[
        ("scenario", Align::Left),
        ("runs", Align::Right),
        ("cells", Align::Right),
        ("of", Align::Right),
        ("points", Align::Right),
        ("expectations", Align::Right),
    ]);
    for scenario in &reach.scenarios {
        let coverage = scenario.matrix().coverage();
        let (met, all) = (scenario.met().count(), scenario.sometimes.len());
        table.row([
            scenario.name.to_string(),
            count(scenario.reach.runs()),
            count(coverage.cells_reached),
            count(coverage.cells),
            count(coverage.points_passed),
            format!("{met}/{all}"),
        ]);
    }
    table
}

/// By point; a point that was never passed misses all classes, which need no names.
fn write_missing(f: &mut fmt::Formatter<'_>, matrix: &Matrix) -> fmt::Result {
    let missing = matrix.missing().count();
    if missing == 0 {
        return Ok(());
    }
    writeln!(f, "missing, {missing} cells:")?;
    for row in matrix.possible_rows() {
        let missing = matrix.missing().filter(|(point, _)| *point == row.point);
        let classes: Vec<&str> = missing.map(|(_, class)| class.into()).collect();
        match (classes.is_empty(), row.passed) {
            (true, _) => {}
            (false, 0) => writeln!(f, "  {}: never passed", row.point)?,
            (false, _) => writeln!(f, "  {}: {}", row.point, classes.join(", "))?,
        }
    }
    writeln!(f)
}

fn write_impossible(f: &mut fmt::Formatter<'_>, matrix: &Matrix) -> fmt::Result {
    let impossible: Vec<(Rule, usize)> =
        matrix.impossible().into_iter().filter(|(_, cells)| *cells > 0).collect();
    let cells: usize = impossible.iter().map(|(_, cells)| cells).sum();
    writeln!(f, "impossible, {cells} cells:")?;
    for (rule, cells) in impossible {
        writeln!(f, "  {rule}, {cells} cells: {}", rule.reason())?;
    }
    writeln!(f)
}

fn write_unasked(f: &mut fmt::Formatter<'_>, matrix: &Matrix) -> fmt::Result {
    let unasked: Vec<&str> = unasked(matrix).map(<&str>::from).collect();
    if unasked.is_empty() {
        return Ok(());
    }
    writeln!(f, "not asked for by any scenario: {}\n", unasked.join(", "))
}

/// The classes of which nothing could be reached because nobody asked for them.
pub fn unasked(matrix: &Matrix) -> impl Iterator<Item = FaultClass> + '_ {
    use crate::explore::reach::matrix::Entry;
    let is_unasked = |class: FaultClass| {
        let mut entries = matrix.rows().iter().map(move |row| row.entry(class));
        entries.any(|entry| entry == Entry::NotAsked)
    };
    FaultClass::iter().filter(move |class| is_unasked(*class))
}

/// In how many runs one step came behind another, for one checkpoint on one channel.
fn write_pairs(f: &mut fmt::Formatter<'_>, total: &Reach) -> fmt::Result {
    if total.pairs().next().is_none() {
        return Ok(());
    }
    writeln!(f, "one after the other, for one checkpoint on one channel, in so many runs:")?;
    for first in Step::iter() {
        let behind = total.pairs().filter(|((before, _), _)| *before == first);
        let behind: Vec<_> =
            behind.map(|((_, step), runs)| format!("{step} {}", count(runs))).collect();
        if !behind.is_empty() {
            writeln!(f, "  {first}: {}", behind.join(", "))?;
        }
    }
    writeln!(f)
}

fn write_expectations(f: &mut fmt::Formatter<'_>, reach: &SweepReach) -> fmt::Result {
    let mut text = String::new();
    for scenario in &reach.scenarios {
        let unmet = scenario.sometimes.iter().filter(|one| !scenario.reach.meets(**one));
        for expectation in unmet {
            let runs = count(scenario.reach.runs());
            writeln!(text, "  {}: {expectation}, in {runs} runs", scenario.name)?;
        }
    }
    match text.is_empty() {
        true => Ok(()),
        false => writeln!(f, "expected sometimes, and never met:\n{text}"),
    }
}
