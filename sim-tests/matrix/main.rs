//! Every protocol on every shape of job, at every parallelism, under every class of faults.
//!
//! A **cell** is one protocol, one topology, one parallelism and one hazard: a class of faults, of which
//! each seed draws one or two and no other, or a rescale. Each cell gets 200 seeds in the kernel, and 5 in
//! the madsim world; all oracles judge each run. A cell in which the fault never struck fails, and so does
//! one in which no checkpoint completed. What a job cannot have must be refused when it is built, with the
//! reason, and no seed of it is run.
//! `CUTWATER_MATRIX=1000 cargo test --test matrix` runs as many seeds of each cell.

mod cells;
mod jobs;
mod runs;

use cells::{Cell, groups, hazards};
use cutwater::explore::WorldKind;
use cutwater::protocol::DefectSet;
use runs::{Settings, Tally, Work, run_all, total};

/// Of each cell in the kernel, unless told otherwise.
const KERNEL_SEEDS: u64 = 200;

/// Of each cell in the madsim world.
#[cfg(madsim)]
const MADSIM_SEEDS: u64 = 5;

/// All cells of the jobs that can be had. Those that cannot are refused with the reason.
fn all_work() -> Vec<Work> {
    let mut work = Vec::new();
    for group in groups() {
        let built = group.topology.job(group.parallelism, group.protocol);
        let complaint = group.judge_build(&built);
        assert_eq!(complaint, None);
        let Ok(experiment) = built else { continue };
        let of_hazard = |hazard| Work { cell: Cell { group, hazard }, experiment: experiment.clone() };
        work.extend(hazards().map(of_hazard));
    }
    work
}

/// Runs all of it, and fails with every cell that did.
fn hold(work: &[Work], settings: Settings) -> Vec<Tally> {
    let ran = run_all(work, settings);
    if std::env::var_os("CUTWATER_MATRIX_TOLD").is_some() {
        for (one, ran) in work.iter().zip(&ran) {
            if let Ok(tally) = ran {
                println!("{}\t{}\t{:?}", one.cell, tally.struck, tally.statistics);
            }
        }
    }
    let (held, failed): (Vec<_>, Vec<_>) = ran.into_iter().partition(Result::is_ok);
    let failures: Vec<String> = failed.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{} cells failed\n{}", failures.len(), failures.join("\n\n"));
    held.into_iter().filter_map(Result::ok).collect()
}

#[test]
fn every_cell_holds_in_the_kernel() {
    let seeds = std::env::var("CUTWATER_MATRIX").ok();
    let seeds = seeds.map_or(KERNEL_SEEDS, |seeds| seeds.parse().expect("a number of seeds"));
    let settings = Settings { world: WorldKind::Kernel, seeds, defects: DefectSet::NONE };
    let work = all_work();
    let tallies = hold(&work, settings);
    println!("{} cells, {:?}", tallies.len(), total(&tallies));
}

/// The other world is slower.
#[cfg(madsim)]
#[test]
fn every_cell_holds_in_madsim() {
    let (world, seeds) = (WorldKind::Madsim, MADSIM_SEEDS);
    hold(&all_work(), Settings { world, seeds, defects: DefectSet::NONE });
}
