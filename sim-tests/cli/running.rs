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
    let other = place.run(&format!("replay {plan} --expect {}", "0".repeat(32))).expect(4);
    assert!(other.err.contains(&format!("the digest is {digest}, expected 0000")), "{}", other.err);
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

#[test]
fn a_diagram_follows_the_two_lines_about_a_failure() {
    let place = Place::new("diagram");
    let said = place.run("run relay --seed 3 --defect no-flush-at-barrier --diagram").expect(1);
    let lines: Vec<&str> = said.out.lines().collect();
    let command = "cutwater run relay --seed 3 --defect no-flush-at-barrier";
    let at = lines.iter().position(|line| *line == command).expect("the command is told");
    assert!(lines[at - 1].contains("violated (relay, seed 3)"), "{}", lines[at - 1]);
    let diagram = lines[at + 1..].join("\n");
    for told in ["The story of ckpt-", ">>#", "VIOLATED HERE: ", "◆", "● event"] {
        assert!(diagram.contains(told), "{told}:\n{diagram}");
    }
    assert!(lines[at + 1..].iter().all(|line| line.chars().count() <= 100), "{diagram}");
    let plain = place.run("run relay --seed 3 --defect no-flush-at-barrier").expect(1);
    assert!(!plain.out.contains("VIOLATED HERE"), "{}", plain.out);
    let held = place.run("run relay --seed 1 --diagram").expect(0);
    assert!(held.out.contains("● event"), "{}", held.out);
}

#[test]
fn a_violation_is_localised() {
    let place = Place::new("localise");
    place.run("run relay --seed 1 --defect no-flush-at-barrier").expect(1);
    let plan = "cutwater-out/run-1/plan.json";
    let line = format!("localise {plan} --forks 8 --grid 4 --svg plot.svg");
    let said = place.run(&format!("{line} --jobs 1")).expect(0);
    assert!(said.line("localise ").starts_with("relay, seed 1: "), "{}", said.out);
    assert!(said.out.contains(">>") && said.out.contains("100 %"), "{}", said.out);
    let picture = place.read("plot.svg");
    assert!(picture.starts_with("<svg") && picture.contains("polyline"), "{picture}");
    let again = format!("localise {plan} --forks 8 --grid 4 --json");
    let one = place.run(&format!("{again} - --jobs 1")).expect(0);
    let three = place.run(&format!("{again} - --jobs 3")).expect(0);
    assert_eq!(one.out, three.out);
    let found: Value = serde_json::from_str(&one.out).expect("nothing but JSON");
    let last = found["estimates"].as_array().and_then(|all| all.last()).expect("places");
    assert_eq!(last["probability"], 1.0);

    let over = place.run(&line).expect(2);
    assert!(over.err.contains("plot.svg: exists"), "{}", over.err);
    place.run("run relay --seed 1").expect(0);
    let held = place.run("localise cutwater-out/run-2/plan.json").expect(2);
    assert!(held.err.contains("run-2/plan.json: nothing to localise"), "{}", held.err);
    let missing = place.run("localise nowhere.json").expect(2);
    assert!(missing.err.contains("nowhere.json"), "{}", missing.err);
}
