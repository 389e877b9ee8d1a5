//! The usual scenarios of a job that comes without any hold for jobs that are right: every workload, as if it were a
//! user's own.

use cutwater::explore::{Check, Registry};
use cutwater::plan::FaultClass::{DelayedCommit, ForeignCommit, RefusedCommit, UnansweredCommit};
use cutwater::plan::scenario;
use cutwater::workload::{self, Workload};

/// How many records each has.
const RECORDS: u64 = 200;

/// Each of five scenarios is drawn from twice.
const SEEDS: u64 = 10;

fn own(workload: &'static Workload) -> Workload {
    let own = Workload::new(workload.name.clone(), move |settings| workload.experiment(settings));
    let usual = workload.records_usual.min(RECORDS);
    let own = own.records(workload.unit.clone(), usual, workload.records_max);
    if workload.single_split { own.single_split() } else { own }
}

#[test]
fn what_a_sink_of_ones_own_writes_to_is_in_trouble_too() {
    let workload = workload::named("to-table").expect("it comes with the library");
    let registry = Registry::new().with(own(workload));
    let check = Check::registered(registry, &workload.name).expect("it can be made");
    let out = concat!(env!("CARGO_TARGET_TMPDIR"), "/usual");
    let checked = check.out(out).seeds_only().shrink_runs(40).seeds(0..30).run().expect("it holds");
    for class in [DelayedCommit, RefusedCommit, UnansweredCommit, ForeignCommit] {
        assert!(checked.statistics.struck.of(class) > 0, "{class}: {checked}");
    }
}

#[test]
fn at_least_once_barriers_are_refused_where_each_record_is_to_be_seen_once() {
    for name in ["to-queue", "to-table"] {
        let workload = workload::named(name).expect("it comes with the library");
        let check = Check::registered(Registry::new().with(own(workload)), name);
        let check = check.expect("it can be made").seeds_only();
        let counted = scenario::named("counted-barriers").expect("it is built in").clone();
        let told = check.scenario(counted).seeds(0..1).run().expect_err("records are repeated");
        let told = told.to_string();
        assert!(told.contains("makes each record visible once"), "{told}");
    }
}

#[test]
fn every_workload_holds_as_a_job_of_ones_own() {
    let seeds = std::env::var("CUTWATER_USUAL_SEEDS").ok().and_then(|text| text.parse().ok());
    let mut wrong = Vec::new();
    for workload in workload::all() {
        let registry = Registry::new().with(own(workload));
        let check = Check::registered(registry, &workload.name);
        let out = concat!(env!("CARGO_TARGET_TMPDIR"), "/usual");
        let held = check.map_err(Box::new).and_then(|check| {
            check.out(out).shrink_runs(40).seeds(0..seeds.unwrap_or(SEEDS)).run()
        });
        match held {
            Ok(checked) => println!("{}: {checked}", workload.name),
            Err(error) => wrong.push(format!("{}: {error}", workload.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
