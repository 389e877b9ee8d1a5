//! The usual scenarios of a job that comes without any hold for jobs that are right: every workload, as if it were a
//! user's own.

use cutwater::explore::{Check, Registry};
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
