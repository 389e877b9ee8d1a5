//! Whole runs of the relay scenario: as many messages as possible for as little work as possible.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use cutwater::explore::{Experiments, Prepared, WorldKind, run_plan};
use cutwater::plan::{Plan, scenario};
use cutwater::protocol::DefectSet;
use cutwater::world::Kernel;

/// The relay scenario, as drawn for this seed.
pub fn relay(seed: u64) -> (Plan, Prepared) {
    let all = scenario::built_in();
    let relay = all.iter().find(|scenario| scenario.name == "relay").expect("relay is built in");
    let experiments = Experiments::new();
    let plan = experiments.draw(relay, seed, DefectSet::NONE).expect("relay can be drawn");
    let prepared = experiments.prepare(&plan.job).expect("it was drawn for it");
    (plan, prepared)
}

/// Events of a trace per second: with nobody watching, and with all oracles, digest and counts.
pub fn kernel_events(criterion: &mut Criterion) {
    let (plan, prepared) = relay(1);
    let cluster = prepared.cluster(&plan);
    let events = run_plan(&plan, &prepared, WorldKind::Kernel, ()).0.statistics.events;
    let mut group = criterion.benchmark_group("kernel-events");
    group.throughput(Throughput::Elements(events));
    group.bench_function("oracles-off", |bencher| {
        bencher.iter(|| black_box(Kernel::new(&plan, &cluster, ()).run().0));
    });
    group.bench_function("oracles-on", |bencher| {
        bencher.iter(|| black_box(run_plan(&plan, &prepared, WorldKind::Kernel, ()).0));
    });
    group.finish();
}

/// Seeds per second, judged, in both worlds; every run is of another seed.
pub fn relay_seeds(criterion: &mut Criterion) {
    const SEEDS: usize = 50;
    let runs: Vec<_> = (0..SEEDS as u64).map(relay).collect();
    let mut worlds = vec![WorldKind::Kernel];
    if cfg!(madsim) {
        worlds.push(WorldKind::Madsim);
    }
    let mut group = criterion.benchmark_group("relay-seeds");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    for world in worlds {
        let mut next = (0..SEEDS).cycle();
        group.bench_function(BenchmarkId::from_parameter(world), |bencher| {
            bencher.iter(|| {
                let (plan, prepared) = &runs[next.next().expect("a cycle never ends")];
                black_box(run_plan(plan, prepared, world, ()).0)
            });
        });
    }
    group.finish();
}

/// What checkpoints cost a run without faults, by the interval in milliseconds; 0: none but the last.
pub fn checkpoint_intervals(criterion: &mut Criterion) {
    let (plan, prepared) = relay(1);
    let mut group = criterion.benchmark_group("checkpoint-interval");
    group.throughput(Throughput::Elements(plan.job.records.unwrap_or(0))).sample_size(30);
    for interval_ms in [10, 100, 1_000] {
        let mut plan = plan.clone();
        plan.faults.clear();
        plan.cluster.checkpoints.interval_ms = interval_ms;
        group.bench_function(BenchmarkId::from_parameter(interval_ms), |bencher| {
            bencher.iter(|| black_box(run_plan(&plan, &prepared, WorldKind::Kernel, ()).0));
        });
    }
    group.finish();
}
