//! `cutwater snapshot`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::harness::Place;

/// A place with two systems of the fixtures in it.
fn place(name: &str) -> Place {
    let place = Place::new(name);
    for file in ["pair.top", "pair.events", "sources.top", "neighbours.top", "neighbours.events"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/classic").join(file);
        place.write(file, &fs::read_to_string(path).expect("the fixture is there"));
    }
    place
}

#[test]
fn snapshots_are_shown_in_the_course_s_format_with_the_verdict() {
    let place = place("snapshot");
    let said = place.run("snapshot pair.top pair.events --seed 0 --trace trace.jsonl").expect(0);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/classic/pair-0.snap");
    let snap = fs::read_to_string(path).expect("the fixture is there");
    assert!(said.out.starts_with(&format!("{snap}\n1\n")), "{}", said.out);
    assert_eq!(said.line("verdict"), "held");
    let trace = place.read("trace.jsonl");
    assert!(
        trace.starts_with("{\"format\":\"cutwater-classic-trace\",\"version\":1}\n"),
        "{trace}"
    );
    let again = place.run("snapshot pair.top pair.events --trace trace.jsonl").expect(2);
    assert!(again.err.contains("trace.jsonl: exists"), "{}", again.err);
}

#[test]
fn many_seeds_are_judged_and_reported() {
    let place = place("snapshot-seeds");
    let line = "snapshot neighbours.top neighbours.events --workload locks --seeds 0..20 --json -";
    let said = place.run(line).expect(0);
    let report: Value = serde_json::from_str(&said.out).expect("nothing but JSON");
    assert_eq!((&report["snapshots_taken"], &report["violated"]), (&80.into(), &0.into()));
}

#[test]
fn a_violation_comes_with_the_command_that_shows_it() {
    let place = place("snapshot-defect");
    let line = "snapshot pair.top pair.events --seeds 0..5 --defect channel-not-recorded";
    let said = place.run(line).expect(1);
    assert_eq!(said.line("verdict"), "5 violated");
    let command = "snapshot pair.top pair.events --seed 0 --defect channel-not-recorded";
    assert!(said.out.ends_with(&format!("cutwater {command}\n")), "{}", said.out);
    let told = place.run(command).expect(1);
    assert!(
        told.out.contains("channel-state violated: N2->N1 holds [], expected ["),
        "{}",
        told.out
    );
    place.run("snapshot pair.top pair.events --defect marker-not-forwarded").expect(3);
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_line() {
    let place = place("snapshot-bad");
    place.write("bad.events", "tick\nsend N1 N2 100\n");
    let said = place.run("snapshot pair.top bad.events --seed 4").expect(2);
    let told = "error: bad.events:2: under seed 4, only 10 tokens are there to send, expected at least 100\n";
    assert!(said.err.starts_with(told), "{}", said.err);
    assert!(said.err.contains("    2 | send N1 N2 100"), "{}", said.err);
    place.write("bad.events", "snapshot A\n");
    let said = place.run("snapshot sources.top bad.events").expect(2);
    assert!(said.err.contains("bad.events:1: a snapshot of A cannot be complete"), "{}", said.err);
    place.write("bad.top", "2\nN1 1\nN1 2\n");
    let said = place.run("snapshot bad.top pair.events").expect(2);
    assert!(said.err.contains("bad.top:3: N1 is there already"), "{}", said.err);
    let said = place.run("snapshot sources.top pair.events --workload locks").expect(2);
    assert!(
        said.err.contains("sources.top:") && said.err.contains("no channel back"),
        "{}",
        said.err
    );
    for line in [
        "snapshot pair.top pair.events --defect marker-not-forwaded",
        "snapshot pair.top pair.events --workload lcks",
        "snapshot pair.top pair.events --seed 1 --seeds 0..3",
        "snapshot pair.top nowhere.events",
        "snapshot pair.top",
    ] {
        let said = place.run(line).expect(2);
        assert!(said.out.is_empty() && !said.err.is_empty(), "{line}: {}", said.err);
    }
}
