//! Codecs: a trace as JSON Lines, and a record of a channel as postcard.

use std::hint::black_box;
use std::ops::ControlFlow;

use criterion::{Criterion, Throughput};
use cutwater::dataflow::{Item, Payload, Record};
use cutwater::explore::{WorldKind, run_plan};
use cutwater::protocol::LineageId;
use cutwater::trace::codec::{TraceReader, TraceWriter};
use cutwater::trace::{Event, Stamp};
use cutwater::world::Observer;

use super::worlds::relay;

/// Keeps a whole trace.
#[derive(Default)]
struct Kept(Vec<(Stamp, Event)>);

impl Observer for Kept {
    fn observe(&mut self, stamp: Stamp, event: &Event) -> ControlFlow<()> {
        self.0.push((stamp, event.clone()));
        ControlFlow::Continue(())
    }
}

fn written(trace: &[(Stamp, Event)]) -> Vec<u8> {
    let mut writer = TraceWriter::new(Vec::new()).expect("memory can be written to");
    for (stamp, event) in trace {
        writer.write(*stamp, event).expect("memory can be written to");
    }
    writer.finish().expect("memory can be written to")
}

pub fn codecs(criterion: &mut Criterion) {
    let (plan, prepared) = relay(1);
    let kept = run_plan(&plan, &prepared, WorldKind::Kernel, Kept::default()).1;
    let Kept(trace) = kept.expect("no run panics");
    let text = written(&trace);
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Elements(trace.len() as u64)).sample_size(20);
    group.bench_function("trace-write", |bencher| bencher.iter(|| black_box(written(&trace))));
    group.bench_function("trace-read", |bencher| {
        bencher.iter(|| TraceReader::new(text.as_slice()).expect("a header").count());
    });
    group.throughput(Throughput::Elements(1)).sample_size(100);
    let payload = Payload::from_slice(b"a word and a count");
    let item = Item::Record(Record { lineage: LineageId(7 << 40), timestamp: 1_000, payload });
    let bytes = postcard::to_stdvec(&item).expect("plain data");
    group.bench_function("record-write", |bencher| {
        bencher.iter(|| postcard::to_stdvec(black_box(&item)).expect("plain data"));
    });
    group.bench_function("record-read", |bencher| {
        bencher.iter(|| postcard::from_bytes::<Item>(black_box(&bytes)).expect("a record"));
    });
    group.finish();
}
