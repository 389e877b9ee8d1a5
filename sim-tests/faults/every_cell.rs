//! The matrix of protocols, topologies and hazards, in the kernel.

use cutwater::explore::WorldKind;
use cutwater::plan::{FaultClass, Span};
use cutwater::protocol::{Defect, DefectSet, Protocol};
use strum::IntoEnumIterator as _;

use crate::matrix::cells::{Cell, Group, Hazard};
use crate::matrix::jobs::Topology;
use crate::matrix::runs::{Settings, Tally, Work, run_all, total};
use crate::matrix::{all_work, hold};

/// Of each cell, unless told otherwise. A release runs twenty times as many.
const KERNEL_SEEDS: u64 = 50;

/// Of a cell that is to fail, at the most.
const FAILING_SEEDS: u64 = 100;

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

/// The cell of this protocol, topology and hazard at two subtasks.
fn work_of(protocol: Protocol, topology: Topology, hazard: Hazard) -> Work {
    let group = Group { protocol, topology, parallelism: 2 };
    let experiment = topology.job(2, protocol).expect("the job can be had");
    Work::new(Cell { group, hazard }, experiment)
}

fn complaint_of(work: Work, defects: &[Defect]) -> String {
    let defects = defects.iter().copied().collect();
    let settings = Settings { world: WorldKind::Kernel, seeds: FAILING_SEEDS, defects };
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
        assert!(complaint.contains("it struck in 0 of 100 seeds"), "{hazard}: {complaint}");
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
