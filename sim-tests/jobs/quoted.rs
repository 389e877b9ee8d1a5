//! The figures that docs/OVERHEAD.md quotes of what the laboratory predicts: each is run again.

use cutwater::lab::calibration::{self, Profiles, Setting};
use cutwater::lab::factor::{Factor, Library};
use cutwater::lab::fitting;
use cutwater::lab::measured::{self, Measured, Use};
use cutwater::lab::profile::engine;
use cutwater::lab::{Experiment, Row, Session};

const PAGE: &str = include_str!("../../docs/OVERHEAD.md");

macro_rules! fixture {
    ($name:literal) => {
        rows(include_str!(concat!("../../fixtures/overhead/", $name, ".toml")))
    };
}

fn rows(text: &str) -> Vec<Row> {
    let experiment = Experiment::parse("fixture", text).expect("an experiment");
    let session = Session::new(experiment, Library::default()).expect("configurations");
    session.run().expect("they can be run")
}

/// The row of the page about this experiment has these words.
fn quoted(experiment: &str, said: &str) {
    let start = format!("| `{experiment}`");
    let line =
        PAGE.lines().find(|line| line.starts_with(&start)).expect("the page has a row of it");
    assert!(line.contains(said), "run again: {said}\nand the page says: {line}");
}

/// A metric of the rows with these values, in their order.
fn series(rows: &[Row], fixed: &[(Factor, &str)], metric: &str, digits: usize) -> String {
    let is_it =
        |row: &&Row| fixed.iter().all(|(factor, value)| row.values.get(*factor) == Some(*value));
    let words = rows.iter().filter(is_it).map(|row| format!("{:.digits$}", row.median(metric)));
    words.collect::<Vec<_>>().join(", ")
}

#[test]
fn flink_benchmarks() {
    let chain = fixture!("flink-benchmark-chain");
    let at = |exchanges| {
        series(
            &chain,
            &[(Factor::Exchanges, exchanges), (Factor::Protocol, "aligned")],
            "durationP50",
            0,
        )
    };
    let join = fixture!("flink-benchmark-join");
    let join = series(&join, &[(Factor::Protocol, "aligned")], "durationP50", 0);
    let (one, two, three) = (at("1"), at("2"), at("3"));
    let said = format!("{two} ms, {join} ms; one exchange {one} ms, three {three} ms");
    quoted("flink-benchmark-chain", &said);
}

#[test]
#[ignore = "much processor time in a debug build: .ci/release"]
fn abs_2015_figure_6() {
    let rows = fixture!("abs-2015-figure-6");
    let all = |protocol| series(&rows, &[(Factor::Protocol, protocol)], "throughputRatio", 2);
    let (stopped, barriers) = (all("stop-the-world"), all("aligned"));
    quoted("abs-2015-figure-6", &format!("stopped {stopped}; barriers {barriers}"));
}

#[test]
#[ignore = "much processor time in a debug build: .ci/release"]
fn abs_2015_figure_7() {
    quoted("abs-2015-figure-7", &series(&fixture!("abs-2015-figure-7"), &[], "throughputRatio", 2));
}

#[test]
#[ignore = "much processor time in a debug build: .ci/release"]
fn vldb_2017() {
    let rows = fixture!("vldb-2017-state");
    let all = |metric, digits| series(&rows, &[], metric, digits);
    let said = format!(
        "start delay {} ms, alignment {} ms; checkpoints {} ms",
        all("CheckpointStartDelayMs", 1),
        all("AlignmentDurationMs", 1),
        all("durationP50", 0)
    );
    quoted("vldb-2017-state", &said);
    let rows = fixture!("vldb-2017-parallelism");
    let delays = |parallelism| {
        series(&rows, &[(Factor::Parallelism, parallelism)], "CheckpointStartDelayMs", 0)
    };
    let (few, many) = (delays("8"), delays("24"));
    let said =
        format!("mean start delay {few} ms over 1, 2, 3 shuffles at 8 subtasks; {many} ms at 24");
    quoted("vldb-2017-parallelism", &said);
}

#[test]
#[ignore = "much processor time in a debug build: .ci/release"]
fn changelog() {
    let rows = fixture!("changelog");
    let [one, other] = ["flink-rocksdb", "flink-changelog"].map(|profile| {
        rows.iter().find(|row| row.values.get(Factor::Profile) == Some(profile)).expect("it is run")
    });
    let both = |metric, unit: f64, digits: usize| {
        let [one, other] = [one, other].map(|row| row.median(metric) / unit);
        format!("{one:.digits$} → {other:.digits$}")
    };
    let said = format!(
        "p99 {} s, p50 {} s; {} MB a checkpoint; {} GB in the store; incremental keeps up with {:.1} % of the records",
        both("durationP99", 1e3, 2),
        both("durationP50", 1e3, 2),
        both("CheckpointedSizeBytes", 1e6, 1),
        both("storedBytes", 1e9, 1),
        one.ratio() * 100.0
    );
    quoted("changelog", &said);
}

#[test]
#[ignore = "much processor time in a debug build: .ci/release"]
fn changelog_restart() {
    let rows = fixture!("changelog-restart");
    let of = |profile| {
        let is_it = |row: &&Row| row.values.get(Factor::Profile) == Some(profile);
        rows.iter().find(is_it).expect("it is run").report.recovery.expect("a worker died")
    };
    let [one, other] = ["flink-rocksdb", "flink-changelog"].map(of);
    let seconds = |time: Option<f64>| time.expect("it came back in time") / 1e3;
    let said = format!(
        "{:.1} → {:.1} s, of which the state takes {:.1} and the changes {:.1} s",
        seconds(one.down_ms()),
        seconds(other.down_ms()),
        seconds(one.restore_ms),
        seconds(other.restore_ms) - seconds(one.restore_ms)
    );
    quoted("changelog-restart", &said);
}

/// The table of what protocols cost in docs/PROTOCOL.md: a row for each, with both backends.
#[test]
#[ignore = "much processor time in a debug build: .ci/release"]
fn what_protocols_cost() {
    const PAGE: &str = include_str!("../../docs/PROTOCOL.md");
    let names = ["aligned", "at-least-once", "unaligned", "hybrid", "stop-the-world"];
    let text = include_str!("../../fixtures/overhead/trade-offs.toml");
    let mut experiment = Experiment::parse("fixture", text).expect("an experiment");
    let mut vary = |factor, values: &[&str]| {
        experiment.vary(factor, values.iter().map(|value| (*value).to_owned()).collect());
    };
    vary(Factor::Protocol, &names);
    vary(Factor::State, &["100MB"]);
    vary(Factor::Interval, &["none", "1s"]);
    vary(Factor::Rate, &["closed"]);
    let session = Session::new(experiment, Library::default()).expect("configurations");
    let rows = session.run().expect("they can be run");
    let of = |profile: &str, protocol: Option<&str>| {
        let is_it = |row: &&Row| {
            let at = |factor| row.values.get(factor);
            at(Factor::Profile) == Some(profile)
                && at(Factor::Interval) == Some(protocol.map_or("none", |_| "1s"))
                && protocol.is_none_or(|protocol| at(Factor::Protocol) == Some(protocol))
        };
        rows.iter().find(is_it).expect("it is run")
    };
    let quoted = |said: &str| assert!(PAGE.contains(said), "run again: {said}");
    let thousands = |row: &Row| format!("{:.0} thousand a second", row.median("throughput") / 1e3);
    let [heap, incremental] = ["flink-heap", "flink-rocksdb"].map(|profile| of(profile, None));
    quoted(&format!("| none | {} | | {} |", thousands(heap), thousands(incremental)));
    for protocol in names {
        let [heap, incremental] =
            ["flink-heap", "flink-rocksdb"].map(|profile| of(profile, Some(protocol)));
        let lost = |row: &Row| format!("−{:.1} %", (1.0 - row.ratio()) * 100.0);
        let took = |row: &Row| format!("{:.0} ms", row.median("durationP50"));
        let blocked = format!("{:.1} %", incremental.median("blocked"));
        quoted(&format!(
            "| `{protocol}` | {} | {} | {} | {} | {blocked} |",
            lost(heap),
            took(heap),
            lost(incremental),
            took(incremental)
        ));
    }
}

#[test]
#[ignore = "much processor time in a debug build: .ci/release"]
fn checkmate_2024() {
    let said = |rows: &[Row], metric, digits| {
        let all = |protocol| series(rows, &[(Factor::Protocol, protocol)], metric, digits);
        format!(
            "coordinated {}; uncoordinated {}; induced {}",
            all("coordinated"),
            all("uncoordinated"),
            all("communication-induced")
        )
    };
    quoted(
        "checkmate-2024-throughput",
        &said(&fixture!("checkmate-2024-throughput"), "throughputRatio", 2),
    );
    quoted("checkmate-2024-restart", &said(&fixture!("checkmate-2024-restart"), "down", 0));
    quoted("checkmate-2024-skew", &said(&fixture!("checkmate-2024-skew"), "latencyP50", 0));
    let cyclic = fixture!("checkmate-2024-cyclic");
    quoted("checkmate-2024-cyclic", &format!("down {} ms", said(&cyclic, "down", 0)));
    quoted("checkmate-2024-cyclic", &format!("discarded {} %", said(&cyclic, "discarded", 1)));
}

/// The bench that the page shows is the one that is built.
#[test]
fn the_bench_of_an_own_job() {
    const BENCH: &str = include_str!("../../benches/own_job.rs");
    let start = BENCH.find("pub fn own_job").expect("the bench");
    let end = BENCH[start..].find("\n}\n").expect("its end");
    let body = &BENCH[start..start + end + 2];
    assert!(PAGE.contains(body), "the page does not show:\n{body}");
}

/// Of each backend that was measured the profile that comes with the crate.
fn profiles() -> Profiles {
    let profiles = ["flink-heap", "flink-rocksdb"].map(|name| engine(name).expect("known"));
    profiles.into_iter().map(|profile| (profile.state.backend, profile)).collect()
}

fn measurements() -> Vec<Measured> {
    let text = include_str!("../../fixtures/overhead/measured/flink-2.3.0.csv");
    measured::parse("measured", text).expect("measurements")
}

/// The profiles that come with the crate are what a fit to the rows that come with it gives.
#[test]
fn shipped_profiles() {
    let shipped = profiles();
    let source = &shipped.values().next().expect("there are some").source;
    let fitted = fitting::fit(&measurements(), &shipped, &Setting::default(), source);
    assert_eq!(fitted.expect("a fit"), shipped);
}

/// The table of predictions against measurements of Flink, and how good they are over all.
#[test]
fn predictions() {
    let rows = measurements();
    let predictions =
        calibration::predict(&rows, &profiles(), &Setting::default()).expect("predictions");
    for prediction in &predictions {
        let error = prediction.error_points();
        let sign = if error < 0.0 { "−" } else { "+" };
        let cells = format!(
            "| {:.3} | {:.2} to {:.2} | {:.3} | {sign}{:.1} |",
            prediction.measured_ratio,
            prediction.base_spread.0,
            prediction.base_spread.1,
            prediction.predicted_ratio,
            error.abs()
        );
        let took = format!("| {:.0} ms |", prediction.report.duration.p50);
        let is_it = |line: &str| line.contains(&cells) && line.ends_with(&took);
        assert!(PAGE.lines().any(is_it), "the page has no row with {cells} … {took}");
    }
    let judged = calibration::accuracy(&predictions, Use::Test);
    let said = format!(
        "a mean absolute error of {:.1} points of the ratio, a rank correlation of {:.2}",
        judged.mean_absolute_points, judged.rank_correlation
    );
    assert!(PAGE.contains(&said), "the page does not say: {said}");
}
