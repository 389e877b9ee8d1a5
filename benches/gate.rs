//! The input gate alone: items, and now and then a barrier on every channel.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use cutwater::protocol::{
    Barrier, CheckpointId, DefectSet, Element, GateOutput, InputGate, Passage, Protocol,
    VirtualTime,
};

/// Items between two barriers of a channel.
const ITEMS: u64 = 1_000;

/// Items that are in the gate when a barrier comes: what one that overtakes finds there.
const WAITING: u64 = 64;

/// How a gate finds cuts.
#[derive(Clone, Copy, Debug)]
enum Mode {
    /// Barriers in their place: channels block.
    Aligned,
    /// Barriers in their place: nothing blocks.
    Counted,
    /// Barriers ahead of what waits, which is captured.
    Overtaking,
    /// Barriers in their place, which get overdue while they wait there.
    Overdue,
    /// Barriers in their place; the last channel leads back, and is logged.
    Looping,
}

impl Mode {
    const ALL: [Self; 5] =
        [Mode::Aligned, Mode::Counted, Mode::Overtaking, Mode::Overdue, Mode::Looping];

    fn gate(self, channels: usize) -> InputGate<u64> {
        let gate = |protocol| InputGate::of(protocol, channels, DefectSet::NONE);
        match self {
            Mode::Aligned => gate(Protocol::Aligned),
            Mode::Counted => gate(Protocol::AtLeastOnce),
            Mode::Overtaking => gate(Protocol::Unaligned),
            Mode::Overdue => gate(Protocol::Hybrid),
            Mode::Looping => {
                let back = (1..=channels).map(|channel| channel == channels).collect();
                InputGate::looping(back, DefectSet::NONE)
            }
        }
    }

    fn barrier(self, checkpoint: CheckpointId) -> Barrier {
        let barrier = Barrier::in_order(checkpoint);
        match self {
            Mode::Aligned | Mode::Counted | Mode::Looping => barrier,
            Mode::Overtaking => barrier.hurried(),
            Mode::Overdue => Barrier { passage: Passage::InOrderUntil(VirtualTime(1)), ..barrier },
        }
    }
}

/// One checkpoint's worth of elements through a gate: all items, the barriers, the cut.
fn checkpoint(
    (mode, gate): (Mode, &mut InputGate<u64>),
    channels: usize,
    checkpoint: CheckpointId,
) -> u64 {
    let mut sum = 0;
    for item in 0..ITEMS {
        let channel = item as usize % channels;
        gate.handle_element(channel, Element::Item(item)).expect("the channel is open");
        if item < ITEMS - WAITING {
            sum += drain(gate);
        }
    }
    for channel in 0..channels {
        gate.handle_element(channel, Element::Barrier(mode.barrier(checkpoint)))
            .expect("the channel is open");
    }
    if let Mode::Overdue = mode {
        gate.handle_overdue(checkpoint);
    }
    sum + drain(gate)
}

/// Polls everything, and does what a subtask does at a cut.
fn drain(gate: &mut InputGate<u64>) -> u64 {
    let mut sum = 0;
    while let Some(output) = gate.poll_output() {
        match output {
            GateOutput::Item { item, .. } => sum += item,
            GateOutput::Aligned(barrier) => gate.release(barrier.checkpoint),
            GateOutput::Overtaken(barrier) => {
                gate.capture(barrier.checkpoint);
                gate.release(barrier.checkpoint);
            }
            GateOutput::Captured(checkpoint) => {
                let lanes = gate.take_captured(checkpoint).unwrap_or_default();
                sum += lanes.iter().map(|lane| lane.len() as u64).sum::<u64>();
            }
            _ => {}
        }
    }
    sum
}

pub fn gate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("gate-items");
    group.throughput(Throughput::Elements(ITEMS));
    for mode in Mode::ALL {
        let widths: &[usize] = match mode {
            Mode::Looping => &[4, 64],
            Mode::Aligned | Mode::Counted | Mode::Overtaking | Mode::Overdue => &[1, 4, 64],
        };
        for &channels in widths {
            let mut gate = mode.gate(channels);
            let mut next = CheckpointId(0);
            let id = BenchmarkId::new(format!("{mode:?}").to_lowercase(), channels);
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    next = next.next();
                    black_box(checkpoint((mode, &mut gate), channels, next))
                });
            });
        }
    }
    group.finish();
}
