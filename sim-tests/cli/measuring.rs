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

#[test]
fn the_cost_of_checkpoints_is_compared_with_none() {
    let place = Place::new("overhead");
    let said = place.run("overhead --seeds 0..1 --json -").expect(0);
    let report: Value = serde_json::from_str(&said.out).expect("nothing but JSON");
    let costs = report["intervals"].as_array().expect("a list");
    let number = |cost: &Value, field: &str| cost[field].as_f64().expect("a number");
    let intervals: Vec<f64> = costs.iter().map(|cost| number(cost, "interval_ms")).collect();
    assert_eq!(intervals, [0.0, 1_000.0, 100.0, 10.0]);
    assert_eq!(number(&costs[0], "completed"), 0.0);
    for pair in costs.windows(2) {
        assert!(number(&pair[0], "completed") < number(&pair[1], "completed"), "{pair:?}");
    }
    assert!(number(&costs[3], "overhead_percent") > 0.0, "{:?}", costs[3]);
    assert!(number(&costs[3], "blocked_percent") > number(&costs[1], "blocked_percent"));
    let of = |protocol: &str, field: &str| {
        let all = report["protocols"].as_array().expect("a list");
        number(all.iter().find(|cost| cost["protocol"] == protocol).expect("every protocol"), field)
    };
    assert!(of("aligned", "blocked_percent") > 0.0);
    for overtaking in ["unaligned", "hybrid"] {
        assert!(of(overtaking, "checkpoint_ms") < of("aligned", "checkpoint_ms"));
        assert!(of(overtaking, "in_flight") > 0.0);
        assert!(of(overtaking, "uploaded_bytes") > of("aligned", "uploaded_bytes"));
    }
    for quiet in ["unaligned", "at-least-once"] {
        assert_eq!(of(quiet, "blocked_percent"), 0.0);
    }
    assert!(of("stop-the-world", "overhead_percent") > of("aligned", "overhead_percent"));
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
