//! The input gate alone: items, and now and then a barrier on every channel.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use cutwater::protocol::{Barrier, CheckpointId, DefectSet, Element, GateOutput, InputGate};

/// Items between two barriers of a channel.
const ITEMS: u64 = 1_000;

/// One checkpoint's worth of elements through a gate: all items, the barriers, the release.
fn checkpoint(gate: &mut InputGate<u64>, channels: usize, checkpoint: CheckpointId) -> u64 {
    let mut sum = 0;
    for item in 0..ITEMS {
        let channel = item as usize % channels;
        gate.handle_element(channel, Element::Item(item)).expect("the channel is open");
        sum += drain(gate);
    }
    for channel in 0..channels {
        gate.handle_element(channel, Element::Barrier(Barrier::in_order(checkpoint)))
            .expect("the channel is open");
        sum += drain(gate);
    }
    gate.release(checkpoint);
    sum + drain(gate)
}

fn drain(gate: &mut InputGate<u64>) -> u64 {
    let mut sum = 0;
    while let Some(output) = gate.poll_output() {
        if let GateOutput::Item { item, .. } = output {
            sum += item;
        }
    }
    sum
}

pub fn gate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gate-items");
    group.throughput(Throughput::Elements(ITEMS));
    for channels in [1, 4, 64] {
        let mut gate = InputGate::new(channels, DefectSet::NONE);
        let mut next = CheckpointId(0);
        group.bench_function(BenchmarkId::from_parameter(channels), |bencher| {
            bencher.iter(|| {
                next = next.next();
                black_box(checkpoint(&mut gate, channels, next))
            });
        });
    }
    group.finish();
}
