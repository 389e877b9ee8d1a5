//! Rows as tables for people.

use crate::lab::Row;
use crate::lab::factor::Factor;

use super::super::table::{Align, Table, count, whole};

/// The factors that are varied, in the order of the experiment.
pub fn factors(rows: &[Row], varied: &[Factor]) -> Vec<Factor> {
    let mut factors = varied.to_vec();
    factors.retain(|factor| rows.iter().any(|row| row.values.get(*factor).is_some()));
    factors
}

/// A configuration with what it costs, a line each.
pub fn table(factors: &[Factor], rows: &[Row]) -> Table {
    let right = |title| (title, Align::Right);
    let names: Vec<(&'static str, Align)> =
        factors.iter().map(|factor| ((*factor).into(), Align::Left)).collect();
    let measured = [
        right("records/s"),
        right("ratio"),
        right("p50"),
        right("p99"),
        right("p99.9"),
        right("checkpoints"),
        right("each takes"),
        right("aligned in"),
        right("blocked"),
        right("uploads"),
        right("in flight"),
        right("cores"),
        ("", Align::Left),
    ];
    let columns: Vec<_> = names.into_iter().chain(measured).collect();
    let mut table = Table::new(&columns);
    for row in rows {
        table.row(cells(factors, row));
    }
    table
}

fn cells(factors: &[Factor], row: &Row) -> Vec<String> {
    let report = &row.report;
    let mut cells: Vec<String> =
        factors.iter().map(|factor| row.values.get(*factor).unwrap_or("").to_owned()).collect();
    cells.push(count(whole(report.records_per_second)));
    cells.push(format!("{:.3}", row.ratio()));
    cells.extend([report.latency.p50, report.latency.p99, report.latency.p999].map(ms));
    if report.completed == 0 && report.aborted == 0 {
        cells.resize(cells.len() + 6, String::new());
    } else {
        let aborted = match report.aborted {
            0 => String::new(),
            aborted => format!(" ({} aborted)", count(aborted)),
        };
        cells.push(format!("{}{aborted}", count(report.completed)));
        cells.push(ms(report.duration.p50));
        cells.push(ms(report.parts.alignment));
        cells.push(format!("{:.1} %", report.blocked_percent));
        cells.push(bytes(report.checkpointed_bytes));
        cells.push(bytes(report.in_flight_bytes));
    }
    cells.push(format!("{:.2}", report.cores));
    cells.push(note(row));
    cells
}

fn note(row: &Row) -> String {
    let mut notes = row.report.notes.clone();
    let recovery = row.report.recovery.map(|recovery| {
        let down = recovery.detect_and_deploy_ms + recovery.restore_ms;
        let replay = recovery.replay_ms.map_or("never".to_owned(), ms);
        let caught_up = recovery.catch_up_ms.map_or("never".to_owned(), ms);
        format!("down {}, replays {replay}, catches up {caught_up}", ms(down))
    });
    notes.extend(recovery);
    if row.repetitions.len() > 1 {
        let least = row.repetitions.iter().copied().fold(f64::MAX, f64::min);
        let most = row.repetitions.iter().copied().fold(0.0, f64::max);
        notes.push(format!("{} to {}", count(whole(least)), count(whole(most))));
    }
    notes.join("; ")
}

/// Milliseconds, with as many digits as mean something.
pub fn ms(ms: f64) -> String {
    if ms >= 10_000.0 {
        format!("{:.1} s", ms / 1e3)
    } else if ms >= 100.0 {
        format!("{ms:.0} ms")
    } else if ms >= 1.0 {
        format!("{ms:.1} ms")
    } else {
        format!("{ms:.2} ms")
    }
}

/// Bytes, in the unit that fits.
pub fn bytes(bytes: f64) -> String {
    const UNITS: [(&str, f64); 3] = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    match UNITS.iter().find(|(_, factor)| bytes >= *factor) {
        Some((unit, factor)) => format!("{:.1} {unit}", bytes / factor),
        None => format!("{bytes:.0} B"),
    }
}
