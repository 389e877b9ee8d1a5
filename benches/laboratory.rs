//! What a run of the overhead laboratory takes: linear in its batches, whatever they stand for.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use cutwater::lab::factor::{Factor, Library, Values};
use cutwater::lab::run;

/// A million records and ten million, each a batch of its own, through two operators.
pub fn records(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("laboratory-records");
    for (records, rate) in [(1_000_000, "100k"), (10_000_000, "1M")] {
        let values = [
            (Factor::Profile, "in-memory"),
            (Factor::Cores, "8"),
            (Factor::Rate, rate),
            (Factor::Quantum, "1"),
            (Factor::WarmUp, "0ms"),
            (Factor::Measure, "10s"),
        ];
        let values =
            values.iter().fold(Values::default(), |all, (factor, value)| all.with(*factor, *value));
        let settings = values.settings(&Library::default()).expect("a configuration");
        group.throughput(Throughput::Elements(records)).sample_size(10);
        let id = BenchmarkId::from_parameter(records);
        group.bench_function(id, |bencher| bencher.iter(|| black_box(run(&settings))));
    }
    group.finish();
}
