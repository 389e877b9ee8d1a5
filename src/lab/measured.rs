//! Measurements of a real engine, as a table.

use std::str::FromStr as _;

use super::csv;
use super::error::LabError;
use super::profile::BackendKind;
use crate::protocol::Protocol;

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The profile is fitted to it.
    Fit,
    /// The profile is judged by it.
    Test,
}

/// One configuration, measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Its line in the file.
    pub line: usize,
    /// What it is for.
    pub use_for: Use,
    /// The state backend.
    pub backend: BackendKind,
    /// How many keys had state.
    pub keys: u64,
    /// The payload of each, in bytes.
    pub payload_bytes: u64,
    /// From one checkpoint to the next, in milliseconds; none: no checkpoints.
    pub interval_ms: Option<u64>,
    /// How the cut was made.
    pub protocol: Protocol,
    /// Records a second: the median, the least, the most.
    pub records_per_second: (f64, f64, f64),
    /// How far apart checkpoints were in fact, in milliseconds.
    pub period_ms: Option<f64>,
    /// From trigger to completion, in milliseconds.
    pub duration_ms: Option<f64>,
    /// Bytes that a checkpoint uploads.
    pub checkpoint_bytes: Option<f64>,
    /// Cores that the worker used, and the coordinator.
    pub cores: Option<(f64, f64)>,
}

impl Measured {
    /// Whether both are of the same job and state.
    #[must_use]
    pub fn shares_base(&self, other: &Self) -> bool {
        let of = |row: &Self| (row.backend, row.keys, row.payload_bytes);
        of(self) == of(other)
    }
}

/// Columns that a table must have.
const NEEDED: &[&str] = &["use", "backend", "keys", "payload_bytes", "mode", "records_per_second"];

/// Those that it may have.
const KNOWN: &[&str] = &[
    "interval_ms",
    "interval_s",
    "runs",
    "records_min",
    "records_max",
    "checkpoints",
    "window_ms",
    "e2e_ms",
    "checkpoint_bytes",
    "in_flight_bytes",
    "worker_cores",
    "coordinator_cores",
];

/// Reads a table of measurements.
///
/// # Errors
///
/// When a column is missing, unknown or there in two units, a cell is no number or out of range, or a
/// configuration has no row without checkpoints.
pub fn parse(path: &str, text: &str) -> Result<Vec<Measured>, LabError> {
    let mut lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let Some((at, head)) = lines.next() else {
        return Err(LabError::at(
            path,
            1,
            format!("empty, expected columns {}", NEEDED.join(", ")),
        ));
    };
    let columns = columns(head).map_err(|problem| LabError::at(path, at + 1, problem))?;
    let mut rows = Vec::new();
    for (index, line) in lines {
        let at = |problem: String| LabError::at(path, index + 1, problem);
        let cells = csv::cells(line).ok_or_else(|| at("a quote is not closed".to_owned()))?;
        if cells.len() != columns.len() {
            let problem = format!("{} cells, expected {}", cells.len(), columns.len());
            return Err(at(problem));
        }
        rows.push(row(index + 1, &Cells { columns: &columns, cells: &cells }).map_err(at)?);
    }
    check(path, &rows)?;
    Ok(rows)
}

fn columns(head: &str) -> Result<Vec<String>, String> {
    let columns = csv::cells(head).ok_or("a quote is not closed")?;
    let columns: Vec<String> = columns.iter().map(|column| column.trim().to_owned()).collect();
    if let Some(missing) =
        NEEDED.iter().find(|needed| !columns.iter().any(|column| column == *needed))
    {
        return Err(format!(
            "column {missing} is missing, expected at least {}",
            NEEDED.join(", ")
        ));
    }
    for (index, column) in columns.iter().enumerate() {
        if !NEEDED.contains(&column.as_str()) && !KNOWN.contains(&column.as_str()) {
            return Err(format!(
                "unknown column {column:?}, known: {}, {}",
                NEEDED.join(", "),
                KNOWN.join(", ")
            ));
        }
        if columns[..index].contains(column) {
            return Err(format!("column {column} is there twice"));
        }
    }
    let intervals = columns.iter().filter(|column| column.starts_with("interval_")).count();
    match intervals {
        1 => Ok(columns),
        0 => Err("expected a column interval_ms or interval_s".to_owned()),
        _ => Err("interval_ms and interval_s: expected one unit".to_owned()),
    }
}

struct Cells<'a> {
    columns: &'a [String],
    cells: &'a [String],
}

impl Cells<'_> {
    fn text(&self, column: &str) -> Option<&str> {
        let index = self.columns.iter().position(|held| held == column)?;
        let text = self.cells[index].trim();
        (!text.is_empty()).then_some(text)
    }

    fn number(&self, column: &str) -> Result<Option<f64>, String> {
        const MOST: f64 = 1e15;
        let Some(text) = self.text(column) else { return Ok(None) };
        let number: f64 = text
            .parse()
            .map_err(|_| format!("{column}: {text:?} is no number (units stand in the column)"))?;
        if (0.0..=MOST).contains(&number) {
            Ok(Some(number))
        } else {
            Err(format!("{column}: {text}, expected 0 to 1e15"))
        }
    }

    fn needed(&self, column: &str) -> Result<f64, String> {
        let number = self.number(column)?.ok_or_else(|| format!("{column}: expected a number"))?;
        if number > 0.0 { Ok(number) } else { Err(format!("{column}: 0, expected more")) }
    }

    fn whole(&self, column: &str) -> Result<u64, String> {
        let number = self.needed(column)?;
        if number.fract() == 0.0 {
            Ok(number as u64)
        } else {
            Err(format!("{column}: {number}, expected a whole number"))
        }
    }
}

fn row(line: usize, cells: &Cells<'_>) -> Result<Measured, String> {
    let use_for = match cells.text("use") {
        Some("fit") => Use::Fit,
        Some("test") => Use::Test,
        other => return Err(format!("use: {:?}, expected fit or test", other.unwrap_or(""))),
    };
    let backend = cells.text("backend").unwrap_or("");
    let backend = BackendKind::from_str(backend)
        .map_err(|_| format!("backend: {backend:?}, expected heap, incremental or changelog"))?;
    let interval_ms = interval(cells)?;
    let protocol = match (cells.text("mode"), interval_ms) {
        (None, None) => Protocol::Aligned,
        (Some(mode), Some(_)) => Protocol::from_str(mode).map_err(|_| {
            format!("mode: {mode:?}, expected a protocol such as aligned or unaligned")
        })?,
        (Some(mode), None) => {
            return Err(format!("mode: {mode:?}, expected nothing where there are no checkpoints"));
        }
        (None, Some(_)) => return Err("mode: expected a protocol such as aligned".to_owned()),
    };
    let median = cells.needed("records_per_second")?;
    let least = cells.number("records_min")?.unwrap_or(median);
    let most = cells.number("records_max")?.unwrap_or(median);
    if least > most {
        return Err(format!("records_min: {least}, expected at most records_max, {most}"));
    }
    let period_ms = match (cells.number("checkpoints")?, cells.number("window_ms")?) {
        (Some(checkpoints), Some(window)) if checkpoints > 0.0 => Some(window / checkpoints),
        _ => None,
    };
    Ok(Measured {
        line,
        use_for,
        backend,
        keys: cells.whole("keys")?,
        payload_bytes: cells.whole("payload_bytes")?,
        interval_ms,
        protocol,
        records_per_second: (median, least, most),
        period_ms,
        duration_ms: cells.number("e2e_ms")?,
        checkpoint_bytes: cells.number("checkpoint_bytes")?,
        cores: cells.number("worker_cores")?.zip(cells.number("coordinator_cores")?),
    })
}

fn interval(cells: &Cells<'_>) -> Result<Option<u64>, String> {
    let (column, factor) = if cells.columns.iter().any(|column| column == "interval_ms") {
        ("interval_ms", 1.0)
    } else {
        ("interval_s", 1e3)
    };
    match cells.text(column) {
        Some("none") => Ok(None),
        _ => whole_ms(column, cells.needed(column)? * factor).map(Some),
    }
}

fn whole_ms(column: &str, ms: f64) -> Result<u64, String> {
    match ms.round() {
        // Seconds have no binary fraction: what is off by less was whole as it was written.
        whole if whole >= 1.0 && (ms - whole).abs() < 1e-6 => Ok(whole as u64),
        _ => Err(format!("{column}: {ms} ms, expected whole milliseconds")),
    }
}

fn check(path: &str, rows: &[Measured]) -> Result<(), LabError> {
    let is_base = |row: &Measured| row.interval_ms.is_none();
    for row in rows {
        if !rows.iter().any(|base| is_base(base) && base.shares_base(row)) {
            let problem = format!(
                "no base row: expected one of {} with {} keys and interval none",
                row.backend, row.keys
            );
            return Err(LabError::at(path, row.line, problem));
        }
    }
    if rows.is_empty() {
        return Err(LabError::at(path, 1, "no rows"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = include_str!("../../fixtures/overhead/measured/flink-2.3.0.csv");

    fn refused(from: &str, to: &str) -> String {
        assert!(GIVEN.contains(from), "{from}");
        parse("m.csv", &GIVEN.replacen(from, to, 1)).expect_err(to).to_string()
    }

    #[test]
    fn a_table_is_read() {
        let rows = parse("m.csv", GIVEN).expect("a table");
        assert_eq!(rows.len(), 11);
        assert_eq!(rows[1].period_ms.map(f64::round), Some(18.0));
        assert_eq!(rows[0].cores, Some((1.73, 0.04)));
    }

    #[test]
    fn what_is_wrong_with_a_table_is_said_with_its_line() {
        assert!(refused("keys,", "").starts_with("m.csv:1: column keys is missing"));
        assert!(refused("interval_ms", "interval_ms,interval_s").contains("expected one unit"));
        assert!(refused("runs", "rums").contains("unknown column \"rums\""));
        assert!(
            refused("6767721", "6.7M")
                .starts_with("m.csv:2: records_per_second: \"6.7M\" is no number")
        );
        assert!(
            refused("fit,heap,1000,16,none,,4", "fit,heap,1000,16,5,aligned,4")
                .contains("no base row")
        );
        let part = refused("fit,heap,1000,16", "fit,heap,1000.5,16");
        assert!(part.starts_with("m.csv:2: keys: 1000.5, expected a whole number"), "{part}");
        let part = refused("6576381,7841877", "7841877,6576381");
        assert!(part.starts_with("m.csv:2: records_min: 7841877, expected at most"), "{part}");
        assert!(refused("fit,heap", "fit,tape").starts_with("m.csv:2: backend: \"tape\""));
        assert!(refused("fit,heap", "heap").contains("16 cells, expected 17"));
    }
}
