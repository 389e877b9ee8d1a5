//! Seeds that kill their process, or never end: results, not the end of the sweep.

use serde_json::Value;

use crate::harness::{Place, quick_with, report};

/// Seeds of which some take more memory than there is.
fn greedy(place: &Place) {
    place.write("greedy.toml", &quick_with("[100, 6_000_000]"));
}

/// How many runs of the only scenario ended in this way.
fn ended(report: &Value, how: &str) -> u64 {
    report["scenarios"][0][how].as_u64().expect("a number")
}

#[test]
fn a_seed_that_runs_out_of_memory_is_a_result() {
    let place = Place::new("out-of-memory");
    greedy(&place);
    let line =
        "sweep greedy.toml --seeds 0..4 --memory 256MiB --jobs 2 --seed-timeout 10m --json -";
    let said = place.run(line).expect(1);
    let report = report(&said);
    assert!(ended(&report, "died") > 0, "{report:#}");
    assert_eq!(report["missing"], 0, "the others were run all the same");
    let failure = &report["failures"][0];
    assert_eq!(failure["signature"], "died: signal 6, out of memory");
    let headline = failure["violated"].as_str().expect("words");
    assert!(headline.starts_with("died (quick, seed "), "{headline}");
    assert!(headline.contains("memory allocation of"), "{headline}");
    let kept = failure["kept"].as_str().expect("it is kept");
    assert_eq!(place.names(kept), ["environment.json", "plan.json"]);
}

#[test]
fn a_seed_that_gives_no_answer_is_a_result() {
    let place = Place::new("no-answer");
    place.write("long.toml", &quick_with("3_000_000"));
    let line = "sweep long.toml --seeds 0..3 --seed-timeout 1ms --jobs 2 --json -";
    let report = report(&place.run(line).expect(3));
    assert_eq!((ended(&report, "hung"), ended(&report, "liveness")), (3, 0));
    assert_eq!(report["groups"][0]["signature"], "hung");
    let headline = report["failures"][0]["violated"].as_str().expect("words");
    assert_eq!(headline, "hung (quick, seed 0): no answer within 1 ms");
}

/// A worker that is killed from outside: the run it was at is made once more, those it had taken beyond that
/// are run by another, and no result is there twice.
#[cfg(target_os = "linux")]
#[test]
fn what_a_lost_worker_had_taken_is_given_to_another() {
    let place = Place::new("lost-worker");
    let mut running = place.start("sweep relay --seeds 0..300 --jobs 2 --json -");
    let file = "cutwater-out/sweep-1/results.jsonl";
    place.await_lines(file, 20, &mut running);
    running.kill_one_child();
    let said = running.finish().expect(0);
    let told = said.err.contains("warning: a worker was killed (signal 9");
    assert!(told && said.err.contains("at relay, seed "), "{}", said.err);
    let report = report(&said);
    assert_eq!((ended(&report, "died"), report["missing"].as_u64()), (0, Some(0)), "{report:#}");
    assert_eq!(place.indices(file), (0..300).collect::<Vec<u64>>());
}

#[test]
fn workers_are_started_by_sweeps_only() {
    let place = Place::new("no-orders");
    assert!(place.run("worker-process").expect(2).err.contains("started by sweep, and by nobody"));
}
