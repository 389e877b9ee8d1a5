//! `cutwater sweep`.

use serde_json::Value;

use crate::harness::{Place, QUICK, SWEEP_FILES};

/// What does not differ from run to run: no rates, no times.
fn stable(out: &str) -> String {
    let is_stable = |line: &&str| !line.contains(" seeds/s") && !line.starts_with("world");
    out.lines().filter(is_stable).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_sweep_ends_with_a_table_and_leaves_what_it_was() {
    let place = Place::new("sweep");
    place.write("quick.toml", QUICK);
    let said = place.run("sweep quick.toml --seeds 0..3 --jobs 2").expect(0);
    assert_eq!(said.line("scenarios"), "quick.toml");
    assert_eq!(said.line("seeds"), "0..3");
    let row: Vec<&str> = said.line("quick ").split_whitespace().collect();
    assert_eq!((row[0], row[1], row[row.len() - 1]), ("3", "3", "held"), "seeds, crashes, verdict");
    assert_eq!(said.err, "", "no progress where nobody watches");
    assert_eq!(place.names("cutwater-out/sweep-1"), SWEEP_FILES);
    let configuration: Value =
        serde_json::from_str(&place.read("cutwater-out/sweep-1/configuration.json")).expect("JSON");
    assert_eq!(configuration["seeds"], serde_json::json!([0, 3]));
    assert_eq!(configuration["hash"].as_str(), Some(said.line("configuration")));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let place = Place::new("threads");
    place.write("quick.toml", QUICK);
    let one = place.run("sweep quick.toml relay --seeds 0..4 --jobs 1 --out one").expect(0);
    let four = place.run("sweep quick.toml relay --seeds 0..4 --jobs 4 --out one").expect(0);
    assert_eq!(stable(&one.out), stable(&four.out).replace("sweep-2", "sweep-1"));
}

#[test]
fn a_failure_names_what_is_violated_and_how_to_see_it_again() {
    let place = Place::new("failure");
    let said = place.run("sweep relay --seeds 1..3 --defect channel-not-blocked").expect(1);
    let lines: Vec<&str> = said.out.lines().collect();
    let first =
        lines.iter().position(|line| line.starts_with("cut violated")).expect("a violation");
    assert!(lines[first].contains("(relay, seed 1)"), "{}", lines[first]);
    for named in ["record r-", "ckpt-", "channel map/"] {
        assert!(lines[first].contains(named), "{} has no {named}", lines[first]);
    }
    assert_eq!(lines[first + 1], "cutwater run relay --seed 1 --defect channel-not-blocked");
    let dir = lines[first + 2].strip_prefix("kept in ").expect("where it is kept");
    let kept = [
        "environment.json",
        "outcome.json",
        "plan.json",
        "shrunk",
        "trace-tail.jsonl",
        "view.html",
    ];
    assert_eq!(place.names(dir), kept);
    let tail = place.read(&format!("{dir}/trace-tail.jsonl"));
    assert!(tail.starts_with("{\"format\":\"cutwater-trace\""), "{tail}");
    assert_eq!(tail.lines().count(), 201, "a header and the last events");

    let command = lines[first + 1].strip_prefix("cutwater ").expect("the program's name");
    let again = place.run(command).expect(1);
    assert!(again.out.contains(lines[first]), "the same violation:\n{}", again.out);
    let replayed = place.run(&format!("replay {dir}/plan.json")).expect(1);
    assert_eq!(replayed.line("digest"), again.line("digest"));
}

#[test]
fn failures_beyond_the_kept_ones_are_counted() {
    let place = Place::new("many-failures");
    place.write("quick.toml", QUICK);
    let line = "sweep quick.toml --seeds 0..25 --defect acknowledge-before-durable --json -";
    let said = place.run(line).expect(1);
    let report: Value = serde_json::from_str(&said.out).expect("nothing but JSON");
    assert_eq!(report["exit_code"], 1);
    assert_eq!(report["scenarios"][0]["violated"], 25);
    let failures = report["failures"].as_array().expect("a list");
    assert_eq!(failures.len(), 25);
    let kept = failures.iter().filter(|failure| !failure["kept"].is_null());
    assert_eq!(kept.clone().count(), 20);
    let command = kept.clone().next().expect("one is kept")["command"].as_str();
    assert!(
        command.is_some_and(|line| line.starts_with("cutwater replay cutwater-out/sweep-1/")),
        "the plan is what stays the same where a file may change: {command:?}"
    );
}

#[test]
fn a_fault_that_never_strikes_fails_the_sweep_once_it_should_have() {
    let place = Place::new("unreached");
    place.write("late.toml", &QUICK.replace("[50, 150]", "[900_000, 900_000]"));
    let few = place.run("sweep late.toml --seeds 0..19").expect(0);
    assert!(few.line("quick ").ends_with("held"), "{}", few.out);
    let many = place.run("sweep late.toml --seeds 0..20").expect(1);
    assert!(many.line("quick ").ends_with("never crash-worker"), "{}", many.out);
    assert_eq!(many.line("quick:"), "crash-worker never struck, with 20 expected");
}

#[test]
fn a_run_that_only_takes_too_long_is_a_matter_of_liveness() {
    let place = Place::new("liveness");
    // It is read at once, and processed for seconds.
    let slow =
        "source_interval_us = 0\ncost = { record_ns = 3_000_000, byte_ns = 0, freeze_byte_ns = 0 }";
    let hasty = QUICK.replace("[job]", "liveness_ms = 1\n[job]").replace("= 200", "= 2000");
    place.write("hasty.toml", &hasty.replace("workers = 2", &format!("workers = 2\n{slow}")));
    let said = place.run("sweep hasty.toml --seeds 0..2").expect(3);
    assert!(said.line("quick ").ends_with("2 liveness"), "{}", said.out);
}

#[test]
fn every_seed_can_be_run_twice() {
    let place = Place::new("twice");
    place.write("quick.toml", QUICK);
    place.run("sweep quick.toml --seeds 0..3 --twice").expect(0);
    place.write("three.toml", &QUICK.replace("workers = 2", "workers = 3"));
    let line = "sweep three.toml --seeds 0..9 --twice --defect state-leaks-between-runs";
    let said = place.run(line).expect(4);
    let divergent = said.out.lines().position(|line| line.starts_with("not deterministic (quick"));
    let command = said.out.lines().nth(divergent.expect("a seed that diverges") + 1);
    let command = command.and_then(|line| line.strip_prefix("cutwater ")).expect("a command");
    place.run(command).expect(4);
    assert!(said.out.contains("events in common, then differ"), "{}", said.out);
}

#[test]
#[cfg_attr(madsim, ignore = "this build has it")]
fn a_world_that_this_build_has_not_is_refused_before_anything_is_written() {
    let place = Place::new("madsim");
    place.write("quick.toml", QUICK);
    let said = place.run("sweep quick.toml --seeds 0..2 --world madsim");
    assert!(said.expect(2).err.contains("this build has no madsim world: build it with"));
    assert_eq!(place.names("."), ["quick.toml"]);
}
