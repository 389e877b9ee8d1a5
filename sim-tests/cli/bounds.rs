//! Every number of a scenario and of a plan has its range: one beyond it is told with its place, its value and
//! its range, before anything is run.

use crate::harness::{Place, QUICK};

/// A scenario with these lines in it.
fn with(table: &str, line: &str) -> String {
    let (head, tail) = ("version = 1\nname = \"caps\"\nabout = \"caps\"\n", "\n[job]\n");
    let job = "workload = \"word-count\"\nrecords = 100\nparallelism = 2\nsplits = 3\n";
    match table {
        "" => format!("{head}{line}\n{tail}{job}"),
        "job" => format!("{head}{tail}workload = \"relay\"\n{line}\n"),
        _ => format!("{head}{tail}{job}[{table}]\n{line}\n"),
    }
}

/// What a file said, what is wrong with it, and what would not be.
const BEYOND: &[(&str, &str, &str)] = &[
    (
        "checkpoints",
        "retained = [4294967296, 4294967296]",
        "retained is 4294967296, expected 1 to 1000",
    ),
    (
        "checkpoints",
        "concurrent_max = 9223372036854775808",
        "is 9223372036854775808, expected 1 to 1000",
    ),
    (
        "cluster",
        "credits = [1, 9223372036854775808]",
        "credits is 9223372036854775808, expected 1 to",
    ),
    (
        "cluster",
        "buffers = { bytes = 4294967296, timeout_ms = 1 }",
        "bytes is 4294967296, expected 1 to",
    ),
    ("cluster", "workers = 1000000", "cluster.workers is 1000000, expected 1 to 1000"),
    ("cluster", "source_interval_us = 1000000000", "is 1000000000, expected 0 to 1000000 us"),
    ("cluster", "heartbeat_timeout_ms = 0", "cluster.heartbeat_timeout_ms is 0, expected 1 to"),
    ("checkpoints", "timeout_ms = 0", "checkpoints.timeout_ms is 0, expected 1 to 86400000 ms"),
    (
        "checkpoints",
        "interval_ms = 0",
        "interval_ms is 0, expected at least 1: without `final_at_once`",
    ),
    ("faults", "crash-worker = 1000000000", "faults.crash-worker is 1000000000, expected 0 to 100"),
    ("faults", "delay-message = 515015", "faults.delay-message is 515015, expected 0 to 100"),
    ("requests", "savepoints = 1000000000", "requests.savepoints is 1000000000, expected 0 to 100"),
    ("links", "slow = [9223372036854775808, 9223372036854775808]", "expected 0 to 1000"),
    ("links", "slow = 1000000000", "links.slow is 1000000000, expected 0 to 1000"),
    ("links", "slow_control = 1000000000", "links.slow_control is 1000000000, expected 0 to 1000"),
    ("nemesis", "messages = 4294967296", "nemesis.messages is 4294967296, expected 1 to 1000000"),
    ("nemesis", "aimed_percent = 300", "expected a number from 0 to 255"),
    ("job", "splits = 4294967298", "job.splits is 4294967298, expected 1 to 65535"),
    ("job", "parallelism = 4294967298", "job.parallelism is 4294967298, expected 1 to 128"),
    ("", "liveness_ms = 0", "liveness_ms is 0, expected 1 to 604800000 ms"),
];

#[test]
fn a_number_beyond_its_range_is_refused_at_its_line() {
    let place = Place::new("bounds-of-scenarios");
    for (table, line, expected) in BEYOND {
        let text = with(table, line);
        let at = text.lines().position(|it| it == *line).expect("it is there") + 1;
        place.write("bad.toml", &text);
        for command in ["run bad.toml --seed 1 --strategy random", "sweep bad.toml --seeds 0..2"] {
            let said = place.run(command).expect(2).err;
            assert!(said.starts_with(&format!("error: bad.toml:{at}: ")), "{line}: {said}");
            assert!(said.contains(expected), "{line}: {said}");
        }
        assert_eq!(place.names("."), ["bad.toml"], "{line}");
    }
}

#[test]
fn an_input_that_cannot_be_read_in_time_is_refused_with_what_it_takes() {
    let place = Place::new("bounds-of-time");
    let text = with("job", "records = 20000\n[cluster]\nsource_interval_us = 10000");
    place.write("slow.toml", &text);
    for command in ["run slow.toml --seed 1 --strategy random", "sweep slow.toml --seeds 0..2"] {
        let said = place.run(command).expect(2).err;
        assert!(said.contains("liveness_ms is "), "{said}");
        assert!(said.contains(", expected at least 197"), "{said}");
        assert!(said.contains("reading the input takes 199990 ms"), "{said}");
    }
}

#[test]
fn a_plan_is_held_to_the_same_table() {
    let place = Place::new("bounds-of-plans");
    place.write("quick.toml", QUICK);
    place.run("run quick.toml --seed 1").expect(0);
    let plan = place.read("cutwater-out/run-1/plan.json");
    for (field, value, expected) in [
        ("retained", "4000", "cluster.checkpoints.retained is 4000, expected 1 to 1000"),
        (
            "heartbeat_timeout_ms",
            "0",
            "cluster.heartbeat_timeout_ms is 0, expected 1 to 86400000 ms",
        ),
        ("heartbeat_timeout_ms", "50", "nobody would be heard of in time"),
        ("session_timeout_ms", "0", "cluster.session_timeout_ms is 0, expected 1 to 345600000 ms"),
        ("restart_after_us", "86400000001", "faults[0].fault.restart_after_us is 86400000001"),
        ("workers", "70000", "expected a number from 0 to 65535"),
    ] {
        let old = plan.lines().find(|line| line.contains(&format!("\"{field}\""))).expect(field);
        let new = format!("\"{field}\": {value}{}", if old.ends_with(',') { "," } else { "" });
        let bad = plan.replacen(old, &new, 1);
        let at = bad.lines().position(|line| line == new).expect("it is there") + 1;
        place.write("bad.json", &bad);
        let said = place.run("replay bad.json").expect(2).err;
        assert!(said.starts_with(&format!("error: bad.json:{at}: ")), "{field}: {said}");
        assert!(said.contains(expected), "{field}: {said}");
    }
}

#[test]
fn what_a_run_leaves_behind_can_be_replayed() {
    let place = Place::new("bounds-of-replays");
    let faults = ["drop-message", "half-open", "hold", "disconnect", "late-request", "crash-again"];
    let faults: String = faults.map(|class| format!("{class} = 100\n")).concat();
    place.write(
        "many.toml",
        &QUICK.replace("crash-worker = 1\n", &format!("crash-worker = 1\n{faults}")),
    );
    let run = place.run("run many.toml --seed 1 --strategy random --crashes 10000");
    assert!(matches!(run.code, Some(0 | 1 | 3)), "{}{}", run.out, run.err);
    let replayed = place.run("replay cutwater-out/run-1/plan.json");
    assert_eq!(replayed.code, run.code, "{}", replayed.err);
}

#[test]
fn the_schema_lists_every_number_once() {
    let place = Place::new("bounds-listed");
    let said = place.run("scenarios --schema").expect(0).out;
    assert!(said.starts_with("number "), "{said}");
    let row = said.lines().find(|line| line.starts_with("cluster.credits ")).expect("credits");
    assert_eq!(
        row.split_whitespace().take(4).collect::<Vec<_>>(),
        ["cluster.credits", "both", "1", "1000000"]
    );
    let json = place.run("scenarios --schema --json").expect(0).out;
    let numbers: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert!(numbers.as_array().is_some_and(|all| all.len() > 80), "{json}");
}
