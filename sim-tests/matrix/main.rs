//! Every protocol on every shape of job, at every parallelism, under every class of faults.
//!
//! A **cell** is one protocol, one topology, one parallelism and one hazard: a class of faults, of which
//! each seed draws one or two and no other, or a rescale. (Two hazards need a second fault: before a crash
//! again a worker crashes, and beside a rescale a worker or the coordinator may.) Each cell gets 200 seeds in
//! the kernel, and 5 in the madsim world; all oracles judge each run. In every other seed records share buffers
//! and span them, so that what overtakes does so within a record.
//!
//! A cell fails if its fault struck in fewer than one in ten seeds, or if no checkpoint completed. Where 5
//! seeds are no chance to be struck, a cell gets more of them until it was. What a job cannot have must be
//! refused when it is built, with the reason, and no seed of it is run.
//! `CUTWATER_MATRIX=1000 cargo test --test matrix` runs as many seeds of each cell.

mod cells;
mod jobs;
mod runs;

use cells::{Cell, Group, Hazard, groups, hazards};
use cutwater::explore::WorldKind;
use cutwater::plan::{FaultClass, Span};
use cutwater::protocol::{Defect, DefectSet, Protocol};
use jobs::Topology;
use runs::{Settings, Tally, Work, run_all, total};
use strum::IntoEnumIterator as _;

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
        let of_hazard = |hazard| Work::new(Cell { group, hazard }, experiment.clone());
        work.extend(hazards().map(of_hazard));
    }
    work
}

/// Runs all of it, and fails with every cell that did.
fn hold(work: &[Work], settings: Settings) -> Vec<Tally> {
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

#[test]
fn every_cell_holds_in_the_kernel() {
    let seeds = std::env::var("CUTWATER_MATRIX").ok();
    let seeds = seeds.map_or(KERNEL_SEEDS, |seeds| seeds.parse().expect("a number of seeds"));
    let settings = Settings { world: WorldKind::Kernel, seeds, defects: DefectSet::NONE };
    let work = all_work();
    let tallies = hold(&work, settings);
    println!("{} cells, {:?}", tallies.len(), total(&tallies));
    judge_cuts(&work, &tallies);
}

/// Where barriers overtake, some did so within a record; nowhere else did any.
fn judge_cuts(work: &[Work], tallies: &[Tally]) {
    for protocol in Protocol::iter() {
        let all = work.iter().zip(tallies);
        let own = all.filter(|(one, _)| one.cell.group.protocol == protocol);
        let cuts: u64 = own.map(|(_, tally)| tally.cuts).sum();
        println!("{protocol}: {cuts} records cut within");
        assert_eq!(cuts > 0, protocol.may_overtake(), "{protocol}: {cuts} records cut within");
    }
}

/// The other world is slower.
#[cfg(madsim)]
#[test]
fn every_cell_holds_in_madsim() {
    let (world, seeds) = (WorldKind::Madsim, MADSIM_SEEDS);
    hold(&all_work(), Settings { world, seeds, defects: DefectSet::NONE });
}

/// The cell of this protocol, topology and hazard at two subtasks.
fn work_of(protocol: Protocol, topology: Topology, hazard: Hazard) -> Work {
    let group = Group { protocol, topology, parallelism: 2 };
    let experiment = topology.job(2, protocol).expect("the job can be had");
    Work::new(Cell { group, hazard }, experiment)
}

fn complaint_of(work: Work, defects: &[Defect]) -> String {
    let defects = defects.iter().copied().collect();
    let settings = Settings { world: WorldKind::Kernel, seeds: KERNEL_SEEDS, defects };
    let ran = run_all(&[work], settings).into_iter().next().expect("one cell ran");
    ran.err().unwrap_or_default()
}

/// A cell must fail when its fault never strikes: else it would hold whatever the engine does.
#[test]
fn a_cell_that_is_never_struck_fails() {
    let hazards = [FaultClass::CrashWorker, FaultClass::DropMessage].map(Hazard::Fault);
    for hazard in hazards.into_iter().chain([Hazard::Rescale]) {
        let mut work = work_of(Protocol::Aligned, Topology::Shuffle, hazard);
        let long_after = Span::new(50_000, 50_000);
        work.scenario.nemesis.aimed_percent = 0;
        work.scenario.nemesis.window_ms = long_after;
        if let Some(rescale) = &mut work.scenario.rescale {
            rescale.within_ms = long_after;
        }
        let complaint = complaint_of(work, &[]);
        assert!(complaint.contains("it struck in 0 of 200 seeds"), "{hazard}: {complaint}");
    }
}

/// A cell must fail when the protocol is wrong: one bug of each at least, and all that buffers can have.
#[test]
fn a_cell_of_a_wrong_protocol_fails() {
    let crash = Hazard::Fault(FaultClass::CrashWorker);
    for (protocol, topology, defect) in [
        (Protocol::Aligned, Topology::Shuffle, Defect::ChannelNotBlocked),
        (Protocol::AtLeastOnce, Topology::Shuffle, Defect::PositionAfterNextRecord),
        (Protocol::Unaligned, Topology::Diamond, Defect::CaptureMissesChannel),
        (Protocol::Unaligned, Topology::Join, Defect::OpenBufferNotCaptured),
        (Protocol::Unaligned, Topology::Diamond, Defect::RestoredRestForgotten),
        (Protocol::Unaligned, Topology::Join, Defect::UnreadNotCaptured),
        (Protocol::Hybrid, Topology::Join, Defect::AcknowledgeBeforeCaptured),
        (Protocol::Cyclic, Topology::Loop, Defect::NoBackEdgeLog),
        (Protocol::Cyclic, Topology::Loop, Defect::BarrierBeforeOpenBuffer),
        (Protocol::StopTheWorld, Topology::Join, Defect::WorldGoesOn),
    ] {
        let complaint = complaint_of(work_of(protocol, topology, crash), &[defect]);
        assert!(complaint.contains("violated"), "{protocol}, {defect}: {complaint}");
    }
}
