//! Every protocol on every shape of job, at every parallelism, under every class of faults.
//!
//! A **cell** is one protocol, one topology, one parallelism and one hazard: a class of faults, of which
//! each seed draws one or two and no other, or a rescale. (Two hazards need a second fault: before a crash
//! again a worker crashes, and beside a rescale a worker or the coordinator may.) Each cell gets 50 seeds in
//! the kernel, and 2 in the madsim world; all oracles judge each run. In every other seed records share buffers
//! and span them, so that what overtakes does so within a record.
//!
//! A cell fails if its fault struck in fewer than one in ten seeds, or if no checkpoint completed. Where 2
//! seeds are no chance to be struck, a cell gets more of them until it was. What a job cannot have must be
//! refused when it is built, with the reason, and no seed of it is run.
//! `CUTWATER_MATRIX=1000 cargo test --test faults every_cell` runs as many seeds of each cell.

pub mod cells;
pub mod jobs;
pub mod runs;

use cells::{Cell, groups, hazards};
use runs::{Settings, Tally, Work, run_all};

/// All cells of the jobs that can be had. Those that cannot are refused with the reason.
pub fn all_work() -> Vec<Work> {
    let mut work = Vec::new();
    for group in groups() {
        let built = group.topology.job(group.parallelism, group.protocol);
        let complaint = group.judge_build(&built);
        assert_eq!(complaint, None);
        let Ok(experiment) = built else { continue };
        let of_hazard = |hazard| Work::new(Cell { group, hazard }, experiment.clone());
        work.extend(hazards().map(of_hazard));
    }
    work
}

/// Runs all of it, and fails with every cell that did.
pub fn hold(work: &[Work], settings: Settings) -> Vec<Tally> {
    let ran = run_all(work, settings);
    if std::env::var_os("CUTWATER_MATRIX_TOLD").is_some() {
        tell(work, &ran);
    }
    let (held, failed): (Vec<_>, Vec<_>) = ran.into_iter().partition(Result::is_ok);
    let failures: Vec<String> = failed.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{} cells failed\n{}", failures.len(), failures.join("\n\n"));
    held.into_iter().filter_map(Result::ok).collect()
}

/// Each cell, and what it did.
fn tell(work: &[Work], ran: &[Result<Tally, String>]) {
    for (one, ran) in work.iter().zip(ran) {
        if let Ok(tally) = ran {
            println!("{}\t{}\t{:?}", one.cell, tally.struck, tally.statistics);
        }
    }
}
