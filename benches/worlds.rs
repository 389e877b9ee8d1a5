//! Whole runs of the relay scenario: as many messages as possible for as little work as possible.

use std::hint::black_box;
use std::ops::ControlFlow;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput};
use cutwater::explore::reach::ReachTracker;
use cutwater::explore::{Experiments, Prepared, WorldKind, run_plan};
use cutwater::oracle::{Judge, Verdict};
use cutwater::plan::draw::repertoire::Repertoire;
use cutwater::plan::{Name, Plan, scenario};
use cutwater::protocol::{DefectSet, Protocol};
use cutwater::trace::{Event, Stamp, TraceDigest};
use cutwater::world::{Kernel, Observer};
use strum::IntoEnumIterator as _;

use crate::bare::Bare;

/// The relay scenario, as drawn for this seed.
pub fn relay(seed: u64) -> (Plan, Prepared) {
    let all = scenario::built_in();
    let relay = all.iter().find(|scenario| scenario.name == "relay").expect("relay is built in");
    let experiments = Experiments::new();
    let plan = experiments.draw(relay, seed, DefectSet::NONE).expect("relay can be drawn");
    let prepared = experiments.prepare(&plan.job).expect("it was drawn for it");
    (plan, prepared)
}

/// The relay scenario, judged, and the bare kernel: the ratio of the two is what cutwater adds to a simulation.
pub fn against_bare(criterion: &mut Criterion) {
    const SEEDS: usize = 50;
    let runs: Vec<_> = (0..SEEDS as u64).map(relay).collect();
    let mut group = criterion.benchmark_group("relay-against-bare");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    let (mut seed, mut next) = (0, (0..SEEDS).cycle());
    group.bench_function("bare", |bencher| {
        bencher.iter(|| {
            seed += 1;
            black_box(Bare::new(seed).run())
        });
    });
    group.bench_function("judged", |bencher| {
        bencher.iter(|| {
            let (plan, prepared) = &runs[next.next().expect("a cycle never ends")];
            black_box(run_plan(plan, prepared, WorldKind::Kernel, ()).0)
        });
    });
    group.finish();
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

/// Judges, and with `TELLS` also takes the digest and the reach: what a sweep adds to its oracles.
struct Watch<const TELLS: bool> {
    judge: Judge,
    digest: TraceDigest,
    reach: ReachTracker,
}

impl<const TELLS: bool> Watch<TELLS> {
    fn new(prepared: &Prepared) -> Self {
        let judge = Judge::new(Arc::clone(&prepared.reference));
        Self { judge, digest: TraceDigest::new(), reach: ReachTracker::new() }
    }
}

impl<const TELLS: bool> Observer for Watch<TELLS> {
    #[inline]
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        self.judge.observe(stamp, event);
        if TELLS {
            self.digest.record(stamp, event);
            self.reach.observe(event);
        }
        if self.judge.is_violated() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// What the digest and the reach cost a judged run; they may cost 15 % of the seeds per second.
pub fn digest_and_reach(criterion: &mut Criterion) {
    let (plan, prepared) = relay(1);
    let mut group = criterion.benchmark_group("digest-and-reach");
    group.throughput(Throughput::Elements(1));
    group.bench_function("off", |bencher| bencher.iter(|| watched::<false>(&plan, &prepared)));
    group.bench_function("on", |bencher| bencher.iter(|| watched::<true>(&plan, &prepared)));
    group.finish();
}

/// One run from its plan on, as a sweep makes it.
fn watched<const TELLS: bool>(plan: &Plan, prepared: &Prepared) {
    let cluster = prepared.cluster(plan);
    let kernel = Kernel::new(plan, &cluster, Watch::<TELLS>::new(prepared));
    let (end, nemesis, watch) = kernel.run();
    if TELLS {
        let repertoire = Repertoire::of(plan, prepared.experiment.job.topology());
        let reach = watch.reach.finish(&repertoire, nemesis.strikes());
        black_box((watch.digest.finish(), reach));
    }
    black_box((end.events, watch.judge.is_violated()));
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

/// Seeds per second, judged, protocol by protocol: the same runs with another way to a cut.
pub fn relay_protocols(criterion: &mut Criterion) {
    const SEEDS: usize = 50;
    let mut group = criterion.benchmark_group("relay-protocols");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    for protocol in Protocol::iter() {
        let runs: Vec<_> = (0..SEEDS as u64).map(|seed| relay_with(protocol, seed)).collect();
        let mut next = (0..SEEDS).cycle();
        group.bench_function(BenchmarkId::from_parameter(protocol), |bencher| {
            bencher.iter(|| {
                let (plan, prepared) = &runs[next.next().expect("a cycle never ends")];
                black_box(run_plan(plan, prepared, WorldKind::Kernel, ()).0)
            });
        });
    }
    group.finish();
}

/// The relay scenario with another protocol, and a sink that asks for no more than that gives.
fn relay_with(protocol: Protocol, seed: u64) -> (Plan, Prepared) {
    let (mut plan, mut prepared) = relay(seed);
    plan.cluster.checkpoints.protocol = protocol;
    plan.cluster.checkpoints.concurrent_max = 1;
    if protocol == Protocol::AtLeastOnce {
        plan.job.workload = Name::literal("relay-at-least-once");
        prepared = Experiments::new().prepare(&plan.job).expect("it takes what relay takes");
    }
    let verdict = run_plan(&plan, &prepared, WorldKind::Kernel, ()).0.verdict;
    assert_eq!(verdict, Verdict::Held, "{protocol}, seed {seed}");
    (plan, prepared)
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
