//! `cutwater run` and `cutwater replay`.

use serde_json::Value;

use crate::harness::{Place, QUICK};

#[test]
fn a_run_is_told_in_full_and_replayed_to_the_byte() {
    let place = Place::new("run");
    place.write("quick.toml", QUICK);
    let said = place.run("run quick.toml --seed 5 --trace trace.jsonl").expect(0);
    assert_eq!(said.line("run "), "quick, seed 5, in the kernel world");
    assert_eq!(said.line("job "), "relay: numbers(1), map(2), out(1)");
    for told in ["fault: worker-", "ckpt-1 triggered", "is back, with empty memory", "has finished"]
    {
        assert!(said.out.contains(told), "{told}:\n{}", said.out);
    }
    assert_eq!(said.line("verdict"), "held");
    let digest = said.line("digest");

    let plan = "cutwater-out/run-1/plan.json";
    let again = format!("replay {plan} --trace again.jsonl --expect {digest}");
    let again = place.run(&again).expect(0);
    assert_eq!(again.line("digest"), digest);
    assert!(place.read("trace.jsonl") == place.read("again.jsonl"), "the same trace");
    let other = place.run(&format!("replay {plan} --expect 0123")).expect(4);
    assert!(other.err.contains(&format!("the digest is {digest}, expected 0123")), "{}", other.err);
}

#[test]
fn what_the_scenario_says_can_be_replaced() {
    let place = Place::new("replaced");
    place.write("quick.toml", QUICK);
    let line = "run quick.toml --seed 1 --records 300 --parallelism 3 --crashes 3 --faults-until 200 --json -";
    let said = place.run(line).expect(0);
    let told: Value = serde_json::from_str(&said.out).expect("nothing but JSON");
    assert_eq!(
        told["outcome"]["statistics"]["struck"]["crash-worker"], 3,
        "three crashes of workers"
    );
    let plan: Value =
        serde_json::from_str(&place.read("cutwater-out/run-1/plan.json")).expect("JSON");
    assert_eq!(plan["plan"]["job"]["records"], 300);
    assert_eq!(plan["plan"]["job"]["parallelism"], 3);
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let place = Place::new("broken-pipe");
    let mut running = place.start("run relay --seed 1");
    running.wait_for("run ");
    let said = running.abandon().expect(0);
    assert_eq!(said.err, "");
    let outcome = place.run("run relay --seed 1 --defect no-flush-at-barrier");
    let mut running = place.start("run relay --seed 1 --defect no-flush-at-barrier");
    running.wait_for("run ");
    assert_eq!(running.abandon().code, outcome.code);
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn lists_name_what_there_is() {
    let place = Place::new("lists");
    let scenarios = place.run("scenarios --json").expect(0);
    let scenarios: Value = serde_json::from_str(&scenarios.out).expect("JSON");
    let names: Vec<&str> = scenarios
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|scenario| scenario["name"].as_str())
        .collect();
    assert!(names.contains(&"relay"), "{names:?}");
    let workloads = place.run("workloads").expect(0);
    assert!(workloads.out.lines().any(|line| line.starts_with("word-count ")), "{}", workloads.out);
}
