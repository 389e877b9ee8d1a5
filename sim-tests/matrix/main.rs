//! Every protocol on every shape of job, at every parallelism, under every kind of faults.
//!
//! A cell is one protocol, topology, parallelism and family of fault classes, of which each seed draws
//! some; all oracles judge each run. What a job cannot have is refused, and that is judged as well.
//! `CUTWATER_MATRIX=1000 cargo test --test matrix` runs as many seeds of each cell.

mod jobs;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use cutwater::dataflow::BuildError;
use cutwater::explore::{Check, WorldKind};
use cutwater::plan::{FaultClass, FaultFamily, Scenario, Span};
use cutwater::protocol::Protocol;
use jobs::Topology;
use strum::IntoEnumIterator as _;

/// Of each cell in the kernel, unless told otherwise.
const KERNEL_SEEDS: u64 = 200;

/// Of each protocol, topology and parallelism in the madsim world, over all classes.
#[cfg(madsim)]
const MADSIM_SEEDS: u64 = 5;

const PARALLELISMS: [u16; 3] = [1, 2, 3];

/// The protocols for jobs without loops.
const PROTOCOLS: [Protocol; 5] = [
    Protocol::Aligned,
    Protocol::AtLeastOnce,
    Protocol::Unaligned,
    Protocol::Hybrid,
    Protocol::StopTheWorld,
];

/// What is run together: one job.
#[derive(Clone, Copy, Debug)]
struct Group {
    protocol: Protocol,
    topology: Topology,
    parallelism: u16,
}

fn groups() -> Vec<Group> {
    let parallelisms = |protocol, topology| {
        PARALLELISMS.map(|parallelism| Group { protocol, topology, parallelism })
    };
    PROTOCOLS
        .into_iter()
        .flat_map(|protocol| Topology::iter().map(move |topology| (protocol, topology)))
        .flat_map(|(protocol, topology)| parallelisms(protocol, topology))
        .collect()
}

/// Small and quick: what matters is where barriers meet records and faults, not how many there are.
fn scenario(group: Group, faults: impl IntoIterator<Item = (FaultClass, Span)>) -> Scenario {
    let text = format!(
        r#"
        version = 1
        name = "matrix"
        about = "one cell"
        [job]
        workload = "matrix"
        splits = 3
        [cluster]
        workers = 2
        credits = [1, 6]
        source_interval_us = [0, 1500]
        sink_batch = [1, 4]
        [checkpoints]
        protocol = "{}"
        aligned_timeout_ms = [0, 12]
        interval_ms = [5, 25]
        timeout_ms = [100, 300]
        [nemesis]
        window_ms = [1, 80]
        down_ms = [1, 30]
        pause_ms = [1, 40]
        zombie_ms = [1, 60]
        disconnect_ms = [1, 40]
        store_ms = [5, 60]
        sink_ms = [5, 60]
        idle_ms = [5, 60]
        "#,
        group.protocol
    );
    let mut scenario: Scenario = toml::from_str(&text).expect("the scenario parses");
    scenario.faults = faults.into_iter().collect();
    scenario
}

/// Runs the cells of one group; gives what failed, with the cell.
fn run(
    group: Group,
    world: WorldKind,
    scenarios: &[(String, Scenario)],
    seeds: u64,
) -> Vec<String> {
    let job = group.topology.job(group.parallelism, group.protocol);
    let experiment = match job {
        Ok(experiment) => experiment,
        Err(refusal) => return judge_refusal(group, &refusal).into_iter().collect(),
    };
    let mut failures = Vec::new();
    for (cell, scenario) in scenarios {
        let check = Check::of(experiment.clone()).scenario(scenario.clone()).world(world);
        if let Err(failure) = check.seeds(0..seeds).run() {
            failures.push(format!("{group:?} {cell}: {failure}"));
        }
    }
    failures
}

/// A broadcast exchange cannot keep channel state; everything else can be had.
fn judge_refusal(group: Group, refusal: &BuildError) -> Option<String> {
    let is_due = group.topology == Topology::Broadcast && group.protocol.may_overtake();
    match refusal {
        BuildError::ChannelStateOfBroadcast { .. } if is_due => None,
        other => Some(format!("{group:?} was refused: {other}")),
    }
}

/// Spreads the groups over all cores.
fn run_all(
    world: WorldKind,
    seeds: u64,
    scenarios: impl Fn(Group) -> Vec<(String, Scenario)> + Sync,
) {
    let (groups, next) = (groups(), AtomicUsize::new(0));
    let work = || {
        let mut failures = Vec::new();
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            failures.extend(run(*group, world, &scenarios(*group), seeds));
        }
        failures
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no worker panics")).collect()
    });
    assert!(failures.is_empty(), "{} cells failed\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn every_cell_holds_in_the_kernel() {
    let seeds = std::env::var("CUTWATER_MATRIX").ok();
    let seeds = seeds.map_or(KERNEL_SEEDS, |seeds| seeds.parse().expect("a number of seeds"));
    run_all(WorldKind::Kernel, seeds, |group| {
        let cell = |family: FaultFamily| {
            let classes = FaultClass::iter().filter(|class| class.family() == family);
            let faults = classes.map(|class| (class, Span::new(0, 1)));
            (family.to_string(), scenario(group, faults))
        };
        FaultFamily::iter().map(cell).collect()
    });
}

/// The other world is slower: all classes together, a few seeds each.
#[cfg(madsim)]
#[test]
fn every_group_holds_in_madsim() {
    run_all(WorldKind::Madsim, MADSIM_SEEDS, |group| {
        let faults: BTreeMap<_, _> =
            FaultClass::iter().map(|class| (class, Span::new(0, 1))).collect();
        vec![("all classes".to_owned(), scenario(group, faults))]
    });
}
