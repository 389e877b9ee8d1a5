//! What a job of one's own, and an operator of one's own, cost in wall-clock time: to be copied, and the job replaced.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use cutwater::dataflow::{
    Collector, Context, EncodedSink, Input, JobBuilder, Operator, Replay, StateDeclarations,
    ValueState,
};
use cutwater::explore::overhead::{Case, Overhead};
use cutwater::protocol::Protocol;

/// The work of one run: without checkpoints (0), and with one every so many milliseconds of virtual time.
pub fn own_job(criterion: &mut Criterion) {
    const RECORDS: u64 = 5_000;
    let job = JobBuilder::new("double");
    job.source("numbers", Replay::new(), 1, 1)
        .map("double", 1, |number: u64| 2 * number)
        .transactional_sink("out", 1, EncodedSink::new());
    let input = Input::dealt((0..RECORDS).map(|number| Replay::entry(&number)), 1);
    let overhead = Overhead::new(&job, input).expect("the job can be built");
    let mut group = criterion.benchmark_group("own-job");
    group.throughput(Throughput::Elements(RECORDS)).sample_size(20);
    for interval_ms in [0, 100, 10] {
        let case = Case { protocol: Protocol::Aligned, interval_ms, credits: 64 };
        let id = BenchmarkId::from_parameter(interval_ms);
        group.bench_function(id, |bencher| bencher.iter(|| black_box(overhead.measure(case))));
    }
    group.finish();
}

/// The operator: replace it by your own.
#[derive(Clone)]
struct Count(ValueState<u64>);

impl Operator for Count {
    type In = u64;
    type Out = (u64, u64);

    fn process(&mut self, key: u64, ctx: &mut Context<'_>, out: &mut Collector<'_, Self::Out>) {
        let count = ctx.value(&self.0).update(|count| count.unwrap_or(0) + 1);
        out.emit((key, count));
    }
}

/// An operator of one's own by how much state it has, without checkpoints (0) and with one every 10 ms of virtual
/// time: what the two differ by, over the checkpoints that were taken, is what its snapshots cost this program.
pub fn own_operator(criterion: &mut Criterion) {
    const RECORDS: u64 = 5_000;
    let mut group = criterion.benchmark_group("own-operator");
    group.throughput(Throughput::Elements(RECORDS)).sample_size(20);
    for keys in [10_u64, 1_000] {
        let job = JobBuilder::new("count");
        job.source("keys", Replay::new(), 1, 1)
            .key_by(|key: &u64| *key)
            .process("count", 1, |states: &mut StateDeclarations| Count(states.value("count")))
            .transactional_sink("out", 1, EncodedSink::new());
        let input = Input::dealt((0..RECORDS).map(|number| Replay::entry(&(number % keys))), 1);
        let overhead = Overhead::new(&job, input).expect("the job can be built");
        for interval_ms in [0, 10] {
            let case = Case { protocol: Protocol::Aligned, interval_ms, credits: 64 };
            let id = BenchmarkId::new(format!("{keys}-keys"), interval_ms);
            group.bench_function(id, |bencher| bencher.iter(|| black_box(overhead.measure(case))));
        }
    }
    group.finish();
}
