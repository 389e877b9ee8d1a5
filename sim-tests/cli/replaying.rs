//! Plans that were kept, looked into again: in which form they are read, and what of them is compared.

use serde_json::Value;

use crate::harness::{Place, QUICK, quick_with};

const DEFECT: &str = "--defect duplicate-acknowledgement-counted";

/// A place with a run of the bank that fails, as `run-1`.
fn failed(name: &str) -> Place {
    let place = Place::new(name);
    place.run(&format!("run bank --seed 41 {DEFECT}")).expect(1);
    place
}

#[test]
fn a_digest_has_a_form() {
    let place = Place::new("digest-form");
    place.write("quick.toml", QUICK);
    place.run("run quick.toml --seed 1").expect(0);
    let upper = "A".repeat(32);
    for digest in ["zz", "0123", upper.as_str()] {
        let line = format!("replay cutwater-out/run-1/plan.json --expect {digest}");
        let said = place.run(&line).expect(2).err;
        assert!(said.contains("expected 32 hexadecimal digits"), "{said}");
    }
    assert_eq!(place.names("cutwater-out"), ["run-1"]);
}

#[test]
fn a_digest_of_another_world_is_not_compared_and_its_end_is() {
    let place = failed("other-world");
    let name = "cutwater-out/run-1/outcome.json";
    let mut outcome: Value = serde_json::from_str(&place.read(name)).expect("it is JSON");
    assert_eq!(outcome["world"], "kernel");
    outcome["digest"] = "0".repeat(32).into();
    place.write(name, &outcome.to_string());
    let replay = "replay cutwater-out/run-1/plan.json";
    assert!(place.run(replay).expect(4).err.contains("the digest is "));

    outcome["world"] = "madsim".into();
    place.write(name, &outcome.to_string());
    assert_eq!(place.run(replay).expect(1).err, "");
    outcome["end"] = "hung".into();
    place.write(name, &outcome.to_string());
    let said = place.run(replay).expect(1).err;
    assert!(said.contains("warning: in the madsim world: hung; in the kernel world: "), "{said}");
}

#[test]
fn localise_reads_what_replay_and_shrink_read() {
    let place = failed("localise-kept");
    let add = "bugs add cutwater-out/run-1/plan.json --name kept --why because --dir bugs";
    place.run(add).expect(0);
    let localise = "--forks 4 --grid 2 --jobs 1";
    let of_plan = place.run(&format!("localise cutwater-out/run-1/plan.json {localise}")).expect(0);
    let of_kept = place.run(&format!("localise bugs/kept.json {localise}")).expect(0);
    assert_eq!(of_kept.out, of_plan.out);
}

/// A run of this plan takes many times as long as the budget.
#[test]
fn the_budget_of_shrinking_ends_a_run() {
    let place = Place::new("shrink-budget");
    place.write("long.toml", &quick_with("100_000"));
    let run = format!("run long.toml --seed 1 --strategy random {DEFECT} --trace whole.jsonl");
    place.run(&run);
    let said = place.run("shrink cutwater-out/run-1/plan.json --budget 1ms").expect(2);
    assert!(
        said.err.contains("the time was over before the plan had been run once"),
        "{}",
        said.err
    );
}

#[test]
fn an_error_shows_a_little_of_what_is_long() {
    let place = Place::new("long-values");
    place.write("quick.toml", QUICK);
    place.run("run quick.toml --seed 1").expect(0);
    let plan = place.read("cutwater-out/run-1/plan.json");
    let long = "A".repeat(1 << 20);
    let cases = [
        plan.replacen("\"seed\": 1", &format!("\"seed\": \"{long}\""), 1),
        plan.replacen("\"seed\"", &format!("\"{long}\""), 1),
        plan.replacen("\"quick\"", &format!("\"{long}\""), 1),
        format!("{{\"format\": \"{long}\", \"version\": 1}}"),
    ];
    for bad in cases {
        place.write("bad.json", &bad);
        let said = place.run("replay bad.json").expect(2).err;
        let letters = said.chars().filter(|c| *c == 'A').count();
        assert!(said.len() < 1_000 && letters <= 2 * 200, "{said}");
    }
}

#[test]
fn a_trace_goes_to_standard_output_alone() {
    let place = Place::new("trace-to-stdout");
    place.write("quick.toml", QUICK);
    place.run("run quick.toml --seed 1 --trace whole.jsonl").expect(0);
    let said = place.run("run quick.toml --seed 1 --trace -").expect(0);
    assert_eq!(said.out, place.read("whole.jsonl"));
    assert_eq!(place.names("."), ["cutwater-out", "quick.toml", "whole.jsonl"]);
    let said = place.run("run quick.toml --seed 1 --trace - --json -").expect(2);
    assert!(said.err.contains("only one of them can be standard output"), "{}", said.err);
}
