//! Results as tidy CSV, one fact a row, with the names that Flink's spans have for it.

use super::csv::Csv;
use super::factor::Factor;
use super::report::{Quantiles, Report};
use super::session::Row;

/// A file: its name, and its text.
pub type File = (&'static str, String);

/// All tables of some rows. Each begins with a column for each factor that was varied.
#[must_use]
pub fn files(factors: &[Factor], rows: &[Row]) -> Vec<File> {
    vec![
        ("runs.csv", table(factors, rows, RUNS, runs)),
        ("aborted.csv", table(factors, rows, ABORTED, aborted)),
        ("checkpoints.csv", table(factors, rows, CHECKPOINTS, checkpoints)),
        ("subtasks.csv", table(factors, rows, SUBTASKS, subtasks)),
        ("latency.csv", table(factors, rows, LATENCY, latency)),
        ("channels.csv", table(factors, rows, CHANNELS, channels)),
        ("recovery.csv", table(factors, rows, RECOVERY, recovery)),
        ("outside.csv", table(factors, rows, OUTSIDE, beyond)),
    ]
}

type Line = Vec<String>;

fn table(
    factors: &[Factor],
    rows: &[Row],
    columns: &[&str],
    lines: fn(&Row) -> Vec<Line>,
) -> String {
    let names: Vec<String> = factors.iter().map(ToString::to_string).collect();
    let head: Vec<&str> = names.iter().map(String::as_str).chain(columns.iter().copied()).collect();
    let mut csv = Csv::new(&head);
    for row in rows {
        let values = factors.iter().map(|factor| row.values.get(*factor).unwrap_or("").to_owned());
        let values: Vec<String> = values.collect();
        for line in lines(row) {
            csv.row(values.iter().cloned().chain(line));
        }
    }
    csv.into_text()
}

/// The value is the median of the repetitions.
const RUNS: &[&str] = &["metric", "unit", "value", "min", "max", "repetitions"];

/// Something that a run has one of.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// What it is called; the name that Flink's spans have for it, where they have one.
    pub name: &'static str,
    /// Its unit; empty where it counts.
    pub unit: &'static str,
    /// What it is in a report, with the records a second of the same without checkpoints.
    of: fn(&Report, f64) -> f64,
}

/// What a run has one of each of.
pub const METRICS: &[Metric] = &[
    Metric::new("throughput", "records/s", |report, _| report.records_per_second),
    Metric::new("throughputRatio", "", |report, base| report.records_per_second / base.max(1e-9)),
    Metric::new("latencyP50", "ms", |report, _| report.latency.p50),
    Metric::new("latencyP90", "ms", |report, _| report.latency.p90),
    Metric::new("latencyP99", "ms", |report, _| report.latency.p99),
    Metric::new("latencyP999", "ms", |report, _| report.latency.p999),
    Metric::new("completed", "", |report, _| report.completed as f64),
    Metric::new("aborted", "", |report, _| report.aborted as f64),
    Metric::new("forced", "", |report, _| report.forced as f64),
    Metric::new("down", "ms", |report, _| {
        // A job that does not come back is down for longer than any that does.
        report.recovery.map_or(0.0, |it| it.down_ms().unwrap_or(f64::INFINITY))
    }),
    Metric::new("discarded", "%", |report, _| {
        report.recovery.map_or(0.0, |it| it.discarded_percent)
    }),
    Metric::new("durationP50", "ms", |report, _| report.duration.p50),
    Metric::new("durationP90", "ms", |report, _| report.duration.p90),
    Metric::new("durationP99", "ms", |report, _| report.duration.p99),
    Metric::new("durationP999", "ms", |report, _| report.duration.p999),
    Metric::new("period", "ms", |report, _| report.period_ms),
    Metric::new("CheckpointStartDelayMs", "ms", |report, _| report.parts.start_delay),
    Metric::new("AlignmentDurationMs", "ms", |report, _| report.parts.alignment),
    Metric::new("barrierWait", "ms", |report, _| report.parts.start_delay + report.parts.alignment),
    Metric::new("SyncCheckpointDurationMs", "ms", |report, _| report.parts.sync),
    Metric::new("AsyncCheckpointDurationMs", "ms", |report, _| report.parts.asynchronous),
    Metric::new("CheckpointedSizeBytes", "bytes", |report, _| report.checkpointed_bytes),
    Metric::new("PersistedDataBytes", "bytes", |report, _| report.in_flight_bytes),
    Metric::new("backgroundBytes", "bytes", |report, _| report.background_bytes as f64),
    Metric::new("storedBytes", "bytes", |report, _| report.stored_bytes),
    Metric::new("cores", "", |report, _| report.cores),
    Metric::new("behind", "ms", |report, _| report.behind_ms),
    Metric::new("blocked", "%", |report, _| report.blocked_percent),
];

impl Metric {
    const fn new(name: &'static str, unit: &'static str, of: fn(&Report, f64) -> f64) -> Self {
        Self { name, unit, of }
    }

    /// The metric of this name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.name == name)
    }

    /// What it is in a run, with the records a second of the same without checkpoints.
    #[must_use]
    pub fn of(&self, report: &Report, base_records_per_second: f64) -> f64 {
        (self.of)(report, base_records_per_second)
    }
}

fn runs(row: &Row) -> Vec<Line> {
    let line = |metric: &Metric| {
        let spread = row.spread(metric.name);
        let values = [spread.median, spread.min, spread.max].map(number);
        let count = row.repetitions.len().to_string();
        let names = [metric.name.to_owned(), metric.unit.to_owned()];
        names.into_iter().chain(values).chain([count]).collect()
    };
    METRICS.iter().map(line).collect()
}

const ABORTED: &[&str] = &["reason", "metric", "unit", "value"];

/// Why checkpoints of the measured time were aborted, and how many.
fn aborted(row: &Row) -> Vec<Line> {
    let line = |(reason, count): &(String, u64)| {
        vec![reason.clone(), "aborted".to_owned(), String::new(), count.to_string()]
    };
    row.report.abort_reasons.iter().map(line).collect()
}

const CHECKPOINTS: &[&str] = &["checkpointId", "checkpointStatus", "metric", "unit", "value"];

fn checkpoints(row: &Row) -> Vec<Line> {
    let lines = |fact: &super::report::CheckpointFact| {
        let line = |metric: &str, unit: &str, value: f64| {
            let (id, status) = (fact.checkpoint.to_string(), fact.status.clone());
            vec![id, status, metric.to_owned(), unit.to_owned(), number(value)]
        };
        [
            line("startTs", "ms", fact.start_ms),
            line("endTs", "ms", fact.end_ms),
            line("checkpointedSize", "bytes", fact.checkpointed_bytes as f64),
            line("PersistedDataBytes", "bytes", fact.in_flight_bytes as f64),
            line("ProcessedDataBytes", "bytes", fact.processed_bytes as f64),
        ]
    };
    row.report.checkpoints.iter().flat_map(lines).collect()
}

const SUBTASKS: &[&str] = &["checkpointId", "jobVertexId", "subtaskId", "metric", "unit", "value"];

fn subtasks(row: &Row) -> Vec<Line> {
    let lines = |fact: &super::report::SubtaskFact| {
        let line = |metric: &str, unit: &str, value: f64| {
            let ids =
                [fact.checkpoint.to_string(), fact.operator.to_string(), fact.subtask.to_string()];
            ids.into_iter().chain([metric.to_owned(), unit.to_owned(), number(value)]).collect()
        };
        [
            line("CheckpointStartDelayMs", "ms", fact.parts.start_delay),
            line("AlignmentDurationMs", "ms", fact.parts.alignment),
            line("SyncCheckpointDurationMs", "ms", fact.parts.sync),
            line("AsyncCheckpointDurationMs", "ms", fact.parts.asynchronous),
            line("CheckpointedSizeBytes", "bytes", fact.checkpointed_bytes as f64),
            line("PersistedDataBytes", "bytes", fact.in_flight_bytes as f64),
            line("ProcessedDataBytes", "bytes", fact.processed_bytes as f64),
        ]
    };
    row.report.subtasks.iter().flat_map(lines).collect()
}

const LATENCY: &[&str] = &["fromMs", "lengthMs", "metric", "unit", "value"];

fn latency(row: &Row) -> Vec<Line> {
    let lines = |slice: &super::report::Slice| {
        let line = |metric: &str, unit: &str, value: f64| {
            let time = [number(slice.from_ms), number(slice.length_ms)];
            time.into_iter().chain([metric.to_owned(), unit.to_owned(), number(value)]).collect()
        };
        let Quantiles { p50, p90, p99, p999, .. } = slice.latency;
        [
            line("throughput", "records/s", slice.records_per_second),
            line("latencyP50", "ms", p50),
            line("latencyP90", "ms", p90),
            line("latencyP99", "ms", p99),
            line("latencyP999", "ms", p999),
        ]
    };
    row.report.slices.iter().flat_map(lines).collect()
}

const CHANNELS: &[&str] = &["from", "to", "atMs", "metric", "unit", "value"];

fn channels(row: &Row) -> Vec<Line> {
    let ends: Vec<f64> =
        row.report.slices.iter().map(|slice| slice.from_ms + slice.length_ms).collect();
    let name = |(operator, subtask): (u32, u32)| format!("{operator}/{subtask}");
    let mut lines = Vec::new();
    for channel in &row.report.channels {
        let line = |at: String, metric: &str, unit: &str, value: String| {
            vec![
                name(channel.from),
                name(channel.to),
                at,
                metric.to_owned(),
                unit.to_owned(),
                value,
            ]
        };
        lines.push(line(String::new(), "blocked", "ms", number(channel.blocked_ms)));
        for (at, bytes) in ends.iter().zip(&channel.queued_bytes) {
            lines.push(line(number(*at), "queued", "bytes", bytes.to_string()));
        }
    }
    lines
}

const RECOVERY: &[&str] = &["metric", "unit", "value"];

fn recovery(row: &Row) -> Vec<Line> {
    let Some(recovery) = row.report.recovery else { return Vec::new() };
    let times = recovery.parts().map(|(name, value)| (name, "ms", value));
    let facts = [
        ("untilEnd", "ms", Some(recovery.until_end_ms)),
        ("lostRecords", "", recovery.lost_records.map(|records| records as f64)),
        ("discarded", "%", Some(recovery.discarded_percent)),
        ("beganAnew", "%", Some(recovery.anew_percent)),
    ];
    let line = |(metric, unit, value): (&str, &str, Option<f64>)| {
        vec![metric.to_owned(), unit.to_owned(), value.map_or_else(|| NEVER.to_owned(), number)]
    };
    times.into_iter().chain(facts).map(line).collect()
}

const OUTSIDE: &[&str] = &["outside"];

/// By what the row is outside of what its profile was fitted to.
fn beyond(row: &Row) -> Vec<Line> {
    row.outside.iter().map(|factor| vec![factor.to_string()]).collect()
}

/// Instead of a number: what did not come in the time of the run.
const NEVER: &str = "never";

/// No more digits than mean anything.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return NEVER.to_owned();
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}
