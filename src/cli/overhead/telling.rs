//! Rows as tables for people.

use crate::lab::factor::Factor;
use crate::lab::report::Recovery;
use crate::lab::{Row, Spread};

use super::trust;

use super::super::table::{Align, Table, count, whole};

/// The factors that are varied, in the order of the experiment.
pub fn factors(rows: &[Row], varied: &[Factor]) -> Vec<Factor> {
    let mut factors = varied.to_vec();
    factors.retain(|factor| rows.iter().any(|row| row.values.get(*factor).is_some()));
    factors
}

/// A configuration with what it costs, a line each: of several repetitions the medians, and of the ratio the range.
pub fn table(factors: &[Factor], rows: &[Row]) -> Table {
    let right = |title| (title, Align::Right);
    let names: Vec<(&'static str, Align)> =
        factors.iter().map(|factor| ((*factor).into(), Align::Left)).collect();
    let is_repeated = rows.iter().any(|row| row.repetitions.len() > 1);
    let measured = [
        right("records/s"),
        right("ratio"),
        right(if is_repeated { "min..max" } else { "" }),
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
    let measured =
        measured.into_iter().filter(|(title, align)| !title.is_empty() || *align == Align::Left);
    let columns: Vec<_> = names.into_iter().chain(measured).collect();
    let mut table = Table::new(&columns);
    for row in rows {
        table.row(cells(factors, row, is_repeated));
    }
    table
}

fn cells(factors: &[Factor], row: &Row, is_repeated: bool) -> Vec<String> {
    let mut cells: Vec<String> =
        factors.iter().map(|factor| row.values.get(*factor).unwrap_or("").to_owned()).collect();
    cells.push(count(whole(row.median("throughput"))));
    let Spread { median, min, max } = row.spread("throughputRatio");
    cells.push(format!("{median:.3}"));
    cells.extend(is_repeated.then(|| format!("{min:.3}..{max:.3}")));
    cells.extend(["latencyP50", "latencyP99", "latencyP999"].map(|metric| ms(row.median(metric))));
    let (completed, aborted) = (row.median("completed"), row.spread("aborted").max);
    if completed == 0.0 && aborted == 0.0 {
        cells.resize(cells.len() + 6, String::new());
    } else {
        let aborted = match whole(aborted) {
            0 => String::new(),
            aborted => format!(" ({} aborted)", count(aborted)),
        };
        let forced = match whole(row.median("forced")) {
            0 => String::new(),
            forced => format!(" ({} forced)", count(forced)),
        };
        cells.push(format!("{}{forced}{aborted}", count(whole(completed))));
        cells.push(ms(row.median("durationP50")));
        cells.push(ms(row.median("AlignmentDurationMs")));
        cells.push(format!("{:.1} %", row.median("blocked")));
        cells.push(bytes(row.median("CheckpointedSizeBytes")));
        cells.push(bytes(row.median("PersistedDataBytes")));
    }
    cells.push(format!("{:.2}", row.median("cores")));
    cells.push(note(row));
    cells
}

fn note(row: &Row) -> String {
    let mut notes = row.report.notes.clone();
    let reasons = row.report.abort_reasons.iter();
    notes.extend(reasons.map(|(reason, times)| format!("{} aborted: {reason}", count(*times))));
    notes.extend(row.report.recovery.map(|recovery| restart(&recovery)));
    notes.extend(trust::note(&row.outside));
    notes.join("; ")
}

/// What a restart took.
fn restart(recovery: &Recovery) -> String {
    let or_never = |time: Option<f64>| time.map_or("never".to_owned(), ms);
    let Recovery { detect_ms, deploy_ms, restore_ms, discarded_percent, anew_percent, .. } =
        *recovery;
    let line = match discarded_percent + anew_percent {
        0.0 => String::new(),
        _ => format!(
            ", {discarded_percent:.1} % of checkpoints discarded, {anew_percent:.0} % of subtasks begin anew"
        ),
    };
    let down = match recovery.down_ms() {
        Some(down) => format!("down {}", ms(down)),
        None => "never up again".to_owned(),
    };
    let lost = recovery.lost_records.map_or("never known".to_owned(), count);
    format!(
        "{down} (detect {}, deploy {}, restore {}), replays {}, catches up {}, records lost: {lost}{line}",
        or_never(detect_ms),
        or_never(deploy_ms),
        or_never(restore_ms),
        or_never(recovery.replay_ms),
        or_never(recovery.catch_up_ms)
    )
}

/// A median with the least and the most, where they differ in the digits that are shown.
pub fn spread(spread: Spread, digits: usize) -> String {
    let Spread { median, min, max } = spread;
    let word = |value: f64| {
        if value.is_finite() { format!("{value:.digits$}") } else { "never".to_owned() }
    };
    let (least, most) = (word(min), word(max));
    if least == most { word(median) } else { format!("{} ({least} to {most})", word(median)) }
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
