//! What a sweep may cost: workers, and time, of everything that it does.

use crate::harness::{Place, quick_with, report};

const DEFECT: &str = "--defect duplicate-acknowledgement-counted";

#[test]
fn the_number_of_workers_has_a_bound() {
    let place = Place::new("jobs-bound");
    for jobs in ["0", "1025", "10000", "many"] {
        let said = place.run(&format!("sweep relay --seeds 0..3 --jobs {jobs}")).expect(2).err;
        assert!(said.contains("expected a number from 1 to 1024"), "{said}");
    }
    assert!(place.names(".").is_empty());
}

/// Workers are started while others work already, so that a sweep that is over starts no more.
#[test]
fn a_budget_is_heard_while_workers_are_started() {
    let place = Place::new("jobs-budget");
    let line = "sweep relay --seeds 0..1_000_000 --jobs 800 --memory none --budget 3s --json -";
    let report = report(&place.run(line).expect(0));
    assert_eq!(report["ended"], "budget");
    assert!(report["pace"]["runs"].as_u64() > Some(0), "{report:#}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_is_heard_while_workers_are_started() {
    let place = Place::new("jobs-interrupt");
    let line = "sweep relay --seeds 0..1_000_000 --jobs 800 --memory none";
    let mut running = place.start(line);
    place.await_lines("cutwater-out/sweep-1/results.jsonl", 2, &mut running);
    running.signal("INT");
    running.finish().expect(130);
}

/// A run that takes longer than the budget is broken off; and where a failure is found in time, shrinking it has
/// only what is left.
#[test]
fn a_budget_bounds_all_that_a_sweep_does() {
    let place = Place::new("budget-of-all");
    place.write("long.toml", &quick_with("1_000_000"));
    let said = place.run("sweep long.toml --seeds 0..3 --jobs 1 --budget 50ms").expect(0);
    assert!(said.out.contains("the budget is spent: 3 runs were not made"), "{}", said.out);
    let line = format!("sweep bank --seeds 41..1_000_000 --jobs 2 --budget 4s {DEFECT}");
    let said = place.run(&line).expect(1);
    assert!(said.out.contains("the budget is spent: "), "{}", said.out);
    assert!(!said.out.contains("the first of them, shrunk"), "{}", said.out);
}

#[test]
fn an_exhaustive_sweep_has_an_end_and_owes_what_it_draws() {
    let place = Place::new("exhaustive-end");
    let beyond = "sweep relay --seeds 900_000_000..900_000_050 --strategy exhaustive";
    let said = place.run(beyond).expect(2).err;
    assert!(said.contains("the exhaustive plans end before number 900000000"), "{said}");
    let said = place.run("sweep relay --seeds 0..5 --strategy exhaustive --jobs 2").expect(0);
    assert!(!said.out.contains("never"), "{}", said.out);
}
