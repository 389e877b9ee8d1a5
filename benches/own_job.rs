//! What checkpoints cost a job of one's own in wall-clock time: to be copied, and the job replaced.

use criterion::{BenchmarkId, Criterion, Throughput};
use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
use cutwater::explore::overhead::{Overhead, Vary};

/// The same work without checkpoints (0) and with one every so many milliseconds of virtual time: both are run by
/// each iteration, since each is measured beside the other.
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
        let overhead = overhead.clone().vary(Vary::IntervalMs(vec![interval_ms]));
        let id = BenchmarkId::from_parameter(interval_ms);
        group.bench_function(id, |bencher| bencher.iter(|| overhead.run()));
    }
    group.finish();
}
