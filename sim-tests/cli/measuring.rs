//! `cutwater defects` and `cutwater overhead`.

use serde_json::Value;

use crate::harness::{Place, QUICK};

#[test]
fn a_defect_is_found_with_the_seeds_it_took_and_the_oracle_that_fired() {
    let place = Place::new("defects");
    let said = place
        .run("defects channel-not-blocked --scenario relay --seeds 0..50 --detections 3 --json d.json")
        .expect(0);
    let row: Vec<&str> = said.line("channel-not-blocked").split_whitespace().collect();
    assert_eq!(row[0], "yes", "{row:?}");
    assert!(row.contains(&"cut"), "{row:?}");
    let report: Value = serde_json::from_str(&place.read("d.json")).expect("JSON");
    assert_eq!((&report[0]["strategy"], &report[0]["found"]), (&"swarm".into(), &1.into()));
    let found = &report[0]["defects"][0];
    let detections = found["detections"].as_array().expect("a list");
    assert_eq!(detections.len(), 3);
    let runs: u64 = detections.iter().filter_map(|found| found["runs"].as_u64()).sum();
    assert_eq!(found["runs"], runs, "trials follow one another");
    let estimate = &found["seeds_to_detection"];
    let number = |field: &str| estimate[field].as_f64().expect("a number");
    assert!(number("low") <= number("mean") && number("mean") < number("high"), "{estimate}");
}

#[test]
fn strategies_are_compared_with_the_first() {
    let place = Place::new("strategies");
    let line = "defects channel-not-blocked --scenario sequence --seeds 0..50 --detections 2";
    let said = place.run(&format!("{line} --strategy random,aimed --json d.json")).expect(0);
    assert!(said.out.contains("random: 1 of 1 found, median of medians"), "{}", said.out);
    assert!(said.out.contains("times the seeds of random"), "{}", said.out);
    let report: Value = serde_json::from_str(&place.read("d.json")).expect("JSON");
    assert_eq!(
        (&report[0]["strategy"], &report[1]["strategy"]),
        (&"random".into(), &"aimed".into())
    );
}

#[test]
fn a_defect_that_is_not_found_fails_the_search() {
    let place = Place::new("not-found");
    place.write(
        "calm.toml",
        &QUICK.replace("crash-worker = 1", "").replace("workers = 2", "workers = 3"),
    );
    let line = "defects older-checkpoint-restored state-leaks-between-runs --scenario calm.toml --seeds 0..5";
    let said = place.run(line).expect(1);
    assert!(said.line("older-checkpoint-restored").starts_with("NO"), "{}", said.out);
    assert!(said.line("state-leaks-between-runs").contains("determinism"), "{}", said.out);
    assert!(said.out.contains("1 of 2 found"), "{}", said.out);
}

/// A configuration that takes next to no time to run.
const SMALL: &str = "--vary state=1MB --vary interval=none,500ms --vary protocol=aligned,unaligned \
                     --vary rate=closed --vary profile=flink-heap --vary measure=2300ms --vary warm-up=1s";

#[test]
fn the_cost_of_checkpoints_is_compared_with_none() {
    let place = Place::new("overhead");
    let said = place.run(&format!("overhead {SMALL} --out kept --json -")).expect(0);
    let report: Value = serde_json::from_str(&said.out).expect("nothing but JSON");
    let rows = report[0]["rows"].as_array().expect("a list");
    assert_eq!(rows.len(), 3, "none once, and two protocols");
    let median = rows[0]["ratio"].as_f64().expect("a number");
    assert!((0.99..1.01).contains(&median), "without checkpoints: {median}");
    for row in &rows[1..] {
        let spread = &row["spread"]["throughputRatio"];
        let [median, min, max] =
            ["median", "min", "max"].map(|of| spread[of].as_f64().expect("a number"));
        assert!(min <= median && median <= max && min < max, "{spread}");
        assert_eq!((row["repetitions"].as_u64(), row["ratio"].as_f64()), (Some(3), Some(median)));
        let ratio = row["ratio"].as_f64().expect("a number");
        assert!(ratio > 0.9 && ratio < 1.0, "{ratio}");
        assert!(row["report"]["completed"].as_u64().expect("a number") >= 3);
    }
    for file in ["runs", "aborted", "checkpoints", "subtasks", "latency", "channels", "recovery"] {
        let text = place.read(&format!("kept/{file}.csv"));
        assert!(text.starts_with("profile,state,rate,interval,protocol,"), "{file}: {text}");
    }
    let runs = place.read("kept/runs.csv");
    assert!(
        runs.lines().next().expect("a head").ends_with("metric,unit,value,min,max,repetitions")
    );
    let page = place.read("kept/report.html");
    assert!(page.contains("class=\"range") && page.contains("min..max"), "{page}");
    assert!(page.contains("<svg") && !page.contains("src=") && !page.contains("href="), "{page}");
}

#[test]
fn why_checkpoints_are_aborted_is_said_wherever_they_are() {
    let place = Place::new("overhead-aborted");
    let line = "overhead --vary state=100MB --vary interval=500ms --vary protocol=aligned --vary rate=closed \
                --vary profile=flink-heap --vary measure=3s --vary warm-up=1s --vary timeout=50ms --out kept";
    let said = place.run(line).expect(0);
    let row = said.line("flink-heap");
    assert!(row.contains("no checkpoint completes") && row.contains("aborted: expired"), "{row}");
    assert!(place.read("kept/aborted.csv").contains(",expired,aborted,,"));
    assert!(place.read("kept/report.html").contains("aborted: expired"));
    assert!(place.read("kept/checkpoints.csv").contains(",expired,"));
}

#[test]
fn what_never_comes_back_is_never_and_not_at_once() {
    let place = Place::new("overhead-never");
    let line = "overhead recovery --vary state=1MB --vary interval=500ms --vary rate=20k --vary warm-up=1s \
                --vary measure=3s --vary fail-at=2990ms --out kept";
    let said = place.run(line).expect(0);
    let row = said.line("1MB");
    assert!(row.contains("never up again (detect never, deploy never, restore never)"), "{row}");
    let recovery = place.read("kept/recovery.csv");
    for metric in
        ["detect,ms", "deploy,ms", "restore,ms", "replay,ms", "catchUp,ms", "lostRecords,"]
    {
        assert!(recovery.contains(&format!("{metric},never")), "{metric}: {recovery}");
    }
    assert!(place.read("kept/runs.csv").contains("down,ms,never,never,never,1"));
    assert!(place.read("kept/report.html").contains("drawn to its end"));
}

#[test]
fn a_row_beyond_what_was_fitted_says_by_what() {
    let place = Place::new("overhead-outside");
    let line = "overhead --vary profile=flink-heap,in-memory --vary state=1MB --vary interval=1s,2s --vary rate=closed \
                --vary protocol=aligned --vary measure=2300ms --vary warm-up=1s --out kept";
    let said = place.run(line).expect(0);
    let rows: Vec<&str> = said.out.lines().filter(|line| line.contains("1MB")).collect();
    assert!(!rows[0].contains("outside"), "{}", rows[0]);
    assert!(rows[1].contains("outside of what was fitted by interval"), "{}", rows[1]);
    assert!(rows[2].contains("not calibrated"), "{}", rows[2]);
    let page = place.read("kept/report.html");
    for told in
        ["flink-heap was fitted to state 28.0 kB to 109.0 MB", "in-memory is not calibrated"]
    {
        assert!(said.out.contains(told) && page.contains(told), "{told}: {}", said.out);
    }
    let outside = place.read("kept/outside.csv");
    assert!(outside.contains("flink-heap,1MB,closed,2s,aligned,2300ms,1s,interval"), "{outside}");
    assert!(outside.contains("in-memory,1MB,closed,1s,aligned,2300ms,1s,profile"), "{outside}");
}

#[test]
fn what_was_measured_is_not_measured_again() {
    let place = Place::new("overhead-resumed");
    place.run(&format!("overhead {SMALL} --out kept")).expect(0);
    let tables = ["runs.csv", "report.html"].map(|name| place.read(&format!("kept/{name}")));
    // As a process that was killed leaves it: without its last line, and with half of another.
    let kept = place.read("kept/results");
    let lines: Vec<&str> = kept.lines().collect();
    place.write("kept/results", &format!("{}\n{}", lines[0], &lines[1][..40]));
    let said = place.run(&format!("overhead {SMALL} --out kept")).expect(0);
    assert!(said.out.contains("1 runs were kept"), "{}", said.out);
    let again = ["runs.csv", "report.html"].map(|name| place.read(&format!("kept/{name}")));
    assert_eq!(again, tables);
}

#[test]
fn a_profile_is_fitted_and_judged() {
    let place = Place::new("calibrate");
    place.write("m.csv", include_str!("../../fixtures/overhead/measured/flink-2.3.0.csv"));
    let said = place.run("overhead predict m.csv --html chart.html").expect(0);
    let line = said.line("judging:");
    let number = |after: &str| -> f64 {
        let rest = line.split(after).nth(1).expect(after).trim_start();
        rest.split([' ', ',']).next().expect("a word").parse().expect("a number")
    };
    assert!(number("error") <= 10.0 && number("correlation") >= 0.9, "{line}");
    assert!(said.out.contains("outside of what was fitted"), "{}", said.out);
    assert!(place.read("chart.html").contains("<svg"));
}

#[test]
fn nonsense_is_refused_before_anything_is_measured() {
    let place = Place::new("overhead-refused");
    place.write("e.toml", "version = 1\nname = \"e\"\n[base]\nspeed = 5\n");
    place.write("p.toml", "version = 1\nname = \"e\"\n[base]\nprofile = \"none.toml\"\n");
    place.write("m.csv", "use,backend\n");
    place.write("v.toml", "version = 1\nname = \"e\"\n[base]\nrate = \"0%\"\n");
    std::fs::create_dir(place.path("taken")).expect("a directory");
    place.write("taken/runs.csv", "mine");
    let cases = [
        ("overhead --vary intervall=1s", "unknown factor \"intervall\""),
        ("overhead --vary interval=10", "--vary interval: \"10\": unknown unit"),
        ("overhead --vary interval", "expected FACTOR=VALUE,VALUE"),
        ("overhead --vary parallelism=2.5", "--vary parallelism: \"2.5\" comes to 2.5, no whole"),
        ("overhead --vary state=0.5B", "--vary state: \"0.5B\" comes to 0.5, no whole number"),
        ("overhead --vary interval=1s --vary interval=2s", "interval is varied twice, expected"),
        ("overhead --vary profile=spark", "unknown profile \"spark\""),
        ("overhead --vary protocol=cyclic", "expected shape loop"),
        ("overhead --vary shape=loop --vary exchanges=2", "expected cyclic"),
        ("overhead --vary back=5%", "only a loop has a way back"),
        (
            "overhead --vary protocol=uncoordinated --vary timeout=1s",
            "expected a protocol with a coordinator",
        ),
        ("overhead --vary rate=900M", "records a second, and at"),
        ("overhead v.toml", "v.toml:4: rate: \"0%\", expected whole per cent"),
        ("overhead --vary interval=0ms", "--vary interval: \"0ms\", expected at least 1ms"),
        ("overhead --vary aligned-timeout=1s", "aligned-timeout: expected protocol hybrid"),
        ("overhead nowhere", "unknown experiment \"nowhere\""),
        ("overhead e.toml", "e.toml:4: unknown factor \"speed\""),
        ("overhead p.toml", "none.toml: No such file"),
        ("overhead --html same --json same", "--json "),
        ("overhead --csv out.toml/d --html out.toml", "out.toml is a file"),
        ("overhead --html kept/runs.csv --csv kept", "something else is written there"),
        ("overhead --out kept --csv kept", "something else is written there"),
        ("overhead --csv e.toml", "e.toml is a file"),
        ("overhead recovery recovery --csv new", "something else is written there"),
        ("overhead --csv taken", "runs.csv: exists, and is not written over"),
        ("overhead calibrate m.csv --profile out.toml", "m.csv:1: column keys is missing"),
    ];
    for (line, part) in cases {
        let said = place.run(line).expect(2);
        assert!(said.err.contains(part), "{line}: {}", said.err);
        assert!(!place.path("cutwater-out").exists() && !place.path("out.toml").exists(), "{line}");
    }
    assert_eq!(place.read("taken/runs.csv"), "mine");
}

#[test]
fn checkpoints_without_coordination_are_compared() {
    let place = Place::new("independent");
    let line = "independent --parallelism 3 --rate 20 --seeds 0..2";
    let said = place.run(line).expect(0);
    let cells = |row: &str, column: usize| {
        let line = said.out.lines().find(|line| line.split("  ").any(|cell| cell.trim() == row));
        let cells =
            line.map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()));
        cells.expect("it has such a row").nth(column).expect("it has such a column").to_owned()
    };
    let released = "uncoordinated, graph without local edges";
    assert_eq!(cells(released, 10), "2 runs");
    assert!(said.out.contains("orphans in channel"), "{}", said.out);
    assert_eq!(cells("hmnr", 5), "0.0 %");
    let written = place.run(&format!("{line} --json -")).expect(0);
    let rows: Value = serde_json::from_str(&written.out).expect("nothing but JSON");
    let alone = &rows.as_array().expect("a list")[3];
    assert_eq!((&alone["job"], &alone["scheme"]), (&"cycle".into(), &"uncoordinated".into()));
    assert_eq!(alone["from_nothing_percent"], 75.0, "all but the sources");
    for wrong in ["--parallelism 0", "--parallelism 21", "--rate 0", "--seeds 3..3"] {
        place.run(&format!("independent {wrong}")).expect(2);
    }
}
