//! The report: one file, which asks for nothing beside it; every chart has its table.

mod published;
mod restarts;

use crate::lab::factor::{Factor, Values};
use crate::lab::report::Quantiles;
use crate::lab::{Report, Row, Session, Spread};
use crate::view::markup::escaped;

use super::super::pages;
use super::super::table::{Align, Table};
use super::chart::{self, Axes, Series};
use super::telling::{self, ms};
use super::trust;

/// How long, between two failures, the marked interval is best for: an hour.
const MTBF_MS: f64 = 3_600_000.0;

/// So many runs are shown over time.
const OVER_TIME_MAX: usize = 6;

/// So many bars a chart has at most.
const BARS_MAX: usize = 24;

/// All that was measured.
pub fn report(measured: &[(Session, Vec<Row>)]) -> String {
    let mut content = format!("<style>{}</style>\n<h1>What checkpoints cost</h1>\n", chart::STYLE);
    content.push_str(
        "<p class=\"facts\">Virtual time of a model: docs/OVERHEAD.md says what it leaves out, and how far it was \
         found to be right.</p>\n",
    );
    for (session, rows) in measured {
        content.push_str(&experiment(session, rows));
    }
    pages::document("What checkpoints cost", &content)
}

fn experiment(session: &Session, rows: &[Row]) -> String {
    let experiment = &session.experiment;
    let varied: Vec<Factor> = experiment.vary.iter().map(|(factor, _)| *factor).collect();
    let factors = differing(telling::factors(rows, &varied), rows);
    let mut content = format!(
        "<h2>{}</h2>\n<p>{}</p>\n<p class=\"facts\">the same in all: {}</p>\n",
        escaped(&experiment.name),
        escaped(experiment.about.trim()),
        escaped(&experiment.base.line())
    );
    for line in trust::lines(session) {
        content.push_str(&format!("<p class=\"facts\">{}</p>\n", escaped(&line)));
    }
    content.push_str(&published::charts(session, rows));
    content.push_str(&ratios(&factors, rows));
    content.push_str("<h3>All configurations</h3>\n");
    content.push_str(&pages::table(&telling::table(&factors, rows)));
    content.push_str(&over_time(&factors, rows));
    content.push_str(&parts(&factors, rows));
    content.push_str(&restarts::chart(&factors, rows));
    content.push_str(&pressure(&factors, rows));
    content
}

/// Those that have several values; all, where none has.
fn differing(factors: Vec<Factor>, rows: &[Row]) -> Vec<Factor> {
    let values = |factor: &Factor| {
        distinct(rows.iter().filter_map(|row| row.values.get(*factor).map(str::to_owned))).len()
    };
    let differing: Vec<Factor> =
        factors.iter().copied().filter(|factor| values(factor) > 1).collect();
    if differing.is_empty() { factors } else { differing }
}

fn figure(caption: &str, picture: &str, key: &str, table: &Table) -> String {
    format!(
        "<figure>\n<figcaption>{}</figcaption>\n{picture}\n{key}{}</figure>\n",
        escaped(caption),
        pages::table(table)
    )
}

/// The values of these factors, as words.
fn words(values: &Values, factors: &[Factor]) -> String {
    let pairs = factors.iter().filter_map(|factor| Some((factor, values.get(*factor)?)));
    let words: Vec<String> = pairs.map(|(factor, value)| format!("{factor} {value}")).collect();
    if words.is_empty() { "all".to_owned() } else { words.join(", ") }
}

/// Different words, in the order of first occurrence.
fn distinct(words: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for word in words {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    distinct
}

// ---- the ratio over the interval

/// One chart for each combination of the other factors, one line a protocol.
fn ratios(factors: &[Factor], rows: &[Row]) -> String {
    let Some(axis) = axis(factors) else { return String::new() };
    let line_by = if factors.contains(&Factor::Protocol) && axis != Factor::Protocol {
        vec![Factor::Protocol]
    } else {
        Vec::new()
    };
    let others: Vec<Factor> = factors
        .iter()
        .copied()
        .filter(|factor| *factor != axis && !line_by.contains(factor))
        .collect();
    let with =
        |row: &&Row| row.report.completed + row.report.aborted > 0 || axis != Factor::Interval;
    let shown: Vec<&Row> = rows.iter().filter(with).collect();
    let places = distinct(shown.iter().filter_map(|row| row.values.get(axis).map(str::to_owned)));
    let panels = distinct(shown.iter().map(|row| words(&row.values, &others)));
    let mut content = String::from("<h3>Throughput with checkpoints, by that without</h3>\n");
    if axis == Factor::Interval {
        content.push_str(
            "<p>A square marks the interval with the most useful work where a worker fails once an hour: what is \
             lost is half an interval and the time of a checkpoint.</p>\n",
        );
    }
    content.push_str("<div class=\"charts\">\n");
    for panel in panels {
        let of_panel: Vec<&&Row> =
            shown.iter().filter(|row| words(&row.values, &others) == panel).collect();
        content.push_str(&ratio_chart(axis, &line_by, &places, &panel, &of_panel));
    }
    content.push_str("</div>\n");
    content
}

/// What lies along the axis: the interval, or whatever is varied first.
fn axis(factors: &[Factor]) -> Option<Factor> {
    if factors.contains(&Factor::Interval) {
        Some(Factor::Interval)
    } else {
        factors.first().copied()
    }
}

fn ratio_chart(
    axis: Factor,
    line_by: &[Factor],
    places: &[String],
    panel: &str,
    rows: &[&&Row],
) -> String {
    let names = distinct(rows.iter().map(|row| words(&row.values, line_by)));
    let ticks = chart::evenly(places);
    let line = |name: &String| {
        let of_line: Vec<&&&Row> =
            rows.iter().filter(|row| words(&row.values, line_by) == *name).collect();
        let place = |row: &Row| {
            let value = row.values.get(axis)?;
            Some(ticks.iter().find(|(_, word)| word == value)?.0)
        };
        let points = of_line.iter().filter_map(|row| Some((place(row)?, row.ratio()))).collect();
        let range = |row: &&&&Row| {
            let Spread { min, max, .. } = row.spread("throughputRatio");
            Some((place(row)?, min, max))
        };
        let ranges = of_line.iter().filter_map(range).collect();
        let useful = of_line.iter().map(|row| useful(row));
        let best = useful.enumerate().max_by(|one, other| one.1.total_cmp(&other.1));
        let best = best.map(|(index, _)| index).filter(|_| axis == Factor::Interval);
        Series { points, ranges, best, ..Series::named(name) }
    };
    let series: Vec<Series> = names.iter().map(line).collect();
    let most =
        series.iter().flat_map(|one| &one.ranges).map(|(.., most)| *most).fold(1.0, f64::max);
    let axes = Axes {
        about: format!("throughput ratio by {axis}: {panel}; its table follows"),
        x: axis.to_string(),
        y: "ratio".to_owned(),
        x_ticks: ticks,
        y_max: if most <= 1.01 { 1.0 } else { chart::ceiling(most) },
    };
    let mut table = Table::new(&[("configuration", Align::Left), ("ratio", Align::Right)]);
    for row in rows {
        let words = words(&row.values, &[line_by, &[axis]].concat());
        table.row([words, telling::spread(row.spread("throughputRatio"), 3)]);
    }
    figure(panel, &chart::lines(&axes, &series, &[], false), &chart::key(&names, true), &table)
}

/// The ratio, less what failures undo.
fn useful(row: &Row) -> f64 {
    let lost_ms = row.report.period_ms.max(interval_ms(row)) / 2.0 + row.report.duration.p50;
    row.ratio() * (1.0 - (lost_ms / MTBF_MS).min(1.0))
}

fn interval_ms(row: &Row) -> f64 {
    let interval =
        row.values.get(Factor::Interval).and_then(|text| crate::lab::units::time_ns(text).ok());
    interval.map_or(0.0, |ns| ns as f64 / 1e6)
}

// ---- over time

/// Latency over time, for runs in which records come by themselves and checkpoints are taken.
fn over_time(factors: &[Factor], rows: &[Row]) -> String {
    let is_open = |row: &&Row| row.values.get(Factor::Rate).is_some_and(|rate| rate != "closed");
    let has_any = |row: &&Row| !row.report.checkpoints.is_empty();
    let all: Vec<&Row> = rows.iter().filter(is_open).filter(has_any).collect();
    let step = all.len().div_ceil(OVER_TIME_MAX).max(1);
    let chosen: Vec<&Row> = all.iter().step_by(step).copied().collect();
    if chosen.is_empty() {
        return String::new();
    }
    let mut content =
        String::from("<h3>Latency over time</h3>\n<p>Shaded: a checkpoint is under way.");
    if all.len() > chosen.len() {
        content.push_str(" Some of the runs that there are; latency.csv has all.");
    }
    content.push_str("</p>\n<div class=\"charts\">\n");
    for row in chosen {
        content.push_str(&latency_chart(&words(&row.values, factors), &row.report));
    }
    content.push_str("</div>\n");
    content
}

fn latency_chart(caption: &str, report: &Report) -> String {
    let end = report.slices.last().map_or(1.0, |slice| slice.from_ms + slice.length_ms);
    let line = |name: &str, of: fn(&Report, usize) -> f64| Series {
        points: report
            .slices
            .iter()
            .enumerate()
            .map(|(index, slice)| {
                ((slice.from_ms + slice.length_ms / 2.0) / end, of(report, index))
            })
            .collect(),
        ..Series::named(name)
    };
    let series = [
        line("p50", |report, index| report.slices[index].latency.p50),
        line("p99", |report, index| report.slices[index].latency.p99),
        line("p99.9", |report, index| report.slices[index].latency.p999),
    ];
    let most =
        series.iter().flat_map(|one| &one.points).map(|(_, value)| *value).fold(0.0, f64::max);
    let ticks = (0..=4).map(|quarter| {
        let share = f64::from(quarter) / 4.0;
        (share, format!("{:.1} s", end * share / 1e3))
    });
    let axes = Axes {
        about: format!("latency over time: {caption}; its table follows"),
        x: "time".to_owned(),
        y: "ms".to_owned(),
        x_ticks: ticks.collect(),
        y_max: chart::ceiling(most),
    };
    let shaded: Vec<(f64, f64)> =
        report.checkpoints.iter().map(|fact| (fact.start_ms / end, fact.end_ms / end)).collect();
    let right = |title| (title, Align::Right);
    let mut table = Table::new(&[right("from"), right("p50"), right("p99"), right("p99.9")]);
    // Five slices a row, the worst of them: the picture shows all, and latency.csv has them.
    for slices in report.slices.chunks(5) {
        let worst = |of: fn(&Quantiles) -> f64| {
            ms(slices.iter().map(|slice| of(&slice.latency)).fold(0.0, f64::max))
        };
        let from = format!("{:.1} s", slices[0].from_ms / 1e3);
        table.row([from, worst(|it| it.p50), worst(|it| it.p99), worst(|it| it.p999)]);
    }
    let names: Vec<String> = series.iter().map(|one| one.name.clone()).collect();
    figure(
        caption,
        &chart::lines(&axes, &series, &shaded, false),
        &chart::key(&names, true),
        &table,
    )
}

// ---- bars

const PARTS: [&str; 4] = ["start delay", "alignment", "synchronous", "asynchronous"];

/// What a snapshot's time is made of: by configuration, and by subtask of the configuration with the longest.
fn parts(factors: &[Factor], rows: &[Row]) -> String {
    let chosen: Vec<&Row> = rows.iter().filter(|row| row.report.completed > 0).collect();
    let of_report = |report: &Report| {
        let parts = &report.parts;
        vec![parts.start_delay, parts.alignment, parts.sync, parts.asynchronous]
    };
    let mut sums: Vec<f64> = chosen.iter().map(|row| row.report.parts.sum()).collect();
    sums.sort_by(|one, other| other.total_cmp(one));
    let least = sums.get(BARS_MAX - 1).copied().unwrap_or(0.0);
    let by_row: Vec<(String, Vec<f64>)> = chosen
        .iter()
        .filter(|row| row.report.parts.sum() >= least)
        .take(BARS_MAX)
        .map(|row| (words(&row.values, factors), of_report(&row.report)))
        .collect();
    let Some(longest) = chosen
        .iter()
        .max_by(|one, other| one.report.parts.sum().total_cmp(&other.report.parts.sum()))
    else {
        return String::new();
    };
    let mut content = String::from("<h3>The parts of a checkpoint</h3>\n<div class=\"charts\">\n");
    content.push_str(&bar_chart(
        "mean over subtasks, by configuration, the longest",
        &PARTS,
        &by_row,
    ));
    let caption = format!("by subtask: {}", words(&longest.values, factors));
    content.push_str(&bar_chart(&caption, &PARTS, &by_subtask(&longest.report)));
    content.push_str("</div>\n");
    content
}

/// The mean of each subtask, over the checkpoints that are kept one by one.
fn by_subtask(report: &Report) -> Vec<(String, Vec<f64>)> {
    let names =
        distinct(report.subtasks.iter().map(|fact| format!("{}/{}", fact.operator, fact.subtask)));
    let bar = |name: String| {
        let facts = || {
            report
                .subtasks
                .iter()
                .filter(|fact| format!("{}/{}", fact.operator, fact.subtask) == name)
        };
        let count = facts().count().max(1) as f64;
        let mean = |of: fn(&crate::lab::report::Parts) -> f64| {
            facts().map(|fact| of(&fact.parts)).sum::<f64>() / count
        };
        let parts = vec![
            mean(|parts| parts.start_delay),
            mean(|parts| parts.alignment),
            mean(|parts| parts.sync),
            mean(|parts| parts.asynchronous),
        ];
        (name, parts)
    };
    names.into_iter().take(BARS_MAX).map(bar).collect()
}

fn bar_chart(caption: &str, parts: &[&'static str], bars: &[(String, Vec<f64>)]) -> String {
    let cells = |(_, values): &(String, Vec<f64>)| values.iter().copied().map(ms).collect();
    bar_chart_with(caption, parts, bars, &bars.iter().map(cells).collect::<Vec<_>>())
}

/// Bars, and what its table says of each.
fn bar_chart_with(
    caption: &str,
    parts: &[&'static str],
    bars: &[(String, Vec<f64>)],
    cells: &[Vec<String>],
) -> String {
    let most = bars.iter().map(|(_, values)| values.iter().sum::<f64>()).fold(0.0, f64::max);
    let axes = Axes {
        about: format!("{caption}; its table follows"),
        x: "number in the table".to_owned(),
        y: "ms".to_owned(),
        x_ticks: Vec::new(),
        y_max: chart::ceiling(most),
    };
    let columns = parts.iter().map(|part| (*part, Align::Right));
    let first = [("", Align::Right), ("", Align::Left)];
    let columns: Vec<_> = first.into_iter().chain(columns).collect();
    let mut table = Table::new(&columns);
    for (index, ((name, _), cells)) in bars.iter().zip(cells).enumerate() {
        let number = (index + 1).to_string();
        table.row([number, name.clone()].into_iter().chain(cells.iter().cloned()));
    }
    let names: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
    figure(caption, &chart::bars(&axes, parts, bars), &chart::key(&names, false), &table)
}

// ---- back-pressure

/// What waits before each subtask over time, in the run in which most does.
fn pressure(factors: &[Factor], rows: &[Row]) -> String {
    let most = |row: &Row| {
        row.report
            .channels
            .iter()
            .flat_map(|channel| &channel.queued_bytes)
            .copied()
            .max()
            .unwrap_or(0)
    };
    let Some(row) = rows.iter().max_by_key(|row| most(row)).filter(|row| most(row) > 0) else {
        return String::new();
    };
    let names = distinct(row.report.channels.iter().map(|channel| name(channel.to)));
    let queued = |wanted: &String| {
        let channels = row.report.channels.iter().filter(|channel| name(channel.to) == *wanted);
        let mut sums: Vec<f64> = vec![0.0; row.report.slices.len()];
        for channel in channels {
            for (sum, bytes) in sums.iter_mut().zip(&channel.queued_bytes) {
                *sum += *bytes as f64;
            }
        }
        (wanted.clone(), sums)
    };
    let queued: Vec<(String, Vec<f64>)> = names.iter().take(BARS_MAX).map(queued).collect();
    let top = queued.iter().flat_map(|(_, sums)| sums).copied().fold(1.0, f64::max);
    let shares: Vec<(String, Vec<f64>)> = queued
        .iter()
        .map(|(name, sums)| (name.clone(), sums.iter().map(|sum| sum / top).collect()))
        .collect();
    let mut table =
        Table::new(&[("before", Align::Left), ("mean", Align::Right), ("most", Align::Right)]);
    for (name, sums) in &queued {
        let mean = sums.iter().sum::<f64>() / sums.len().max(1) as f64;
        let most = sums.iter().copied().fold(0.0, f64::max);
        table.row([name.clone(), telling::bytes(mean), telling::bytes(most)]);
    }
    let caption = words(&row.values, factors);
    let about =
        format!("bytes that wait before each subtask over time: {caption}; its table follows");
    let below = format!("time; darkest: {}", telling::bytes(top));
    let picture = chart::heat(&about, &below, &shares);
    format!(
        "<h3>Back-pressure</h3>\n<div class=\"charts\">\n{}</div>\n",
        figure(&caption, &picture, "", &table)
    )
}

fn name((operator, subtask): (u32, u32)) -> String {
    format!("{operator}/{subtask}")
}
