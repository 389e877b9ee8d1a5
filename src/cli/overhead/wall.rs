//! `cutwater overhead --wall`: what checkpointing costs this program's own code, on this machine.
//!
//! Wall-clock time, and so no two runs print the same. Nothing here is mixed with what is virtual: `cargo bench -p
//! cutwater-benches` measures the same code with more care.

use std::hint::black_box;
use std::io::Write as _;

use crate::protocol::{
    Barrier, CheckpointId, DefectSet, Element, LoopPlace, OperatorRole, Protocol, SubtaskOutput,
    SubtaskProtocol, VirtualTime,
};

use super::super::clock::Stopwatch;
use super::super::console::Console;
use super::super::error::CliError;
use super::super::exit::Exit;
use super::super::table::{Align, Table};

/// How often each is measured; the median is told.
const TIMES: usize = 7;

/// Measures, and tells.
pub fn execute() -> Result<Exit, CliError> {
    let mut table = Table::new(&[
        ("what", Align::Left),
        ("median", Align::Right),
        ("least", Align::Right),
        ("most", Align::Right),
    ]);
    let mut add = |what: String, each: u32, work: &mut dyn FnMut()| {
        let mut ns: Vec<f64> = (0..TIMES).map(|_| timed(each, work)).collect();
        ns.sort_by(f64::total_cmp);
        table.row([what, shown(ns[TIMES / 2]), shown(ns[0]), shown(ns[TIMES - 1])]);
    };
    for protocol in [Protocol::Aligned, Protocol::Unaligned] {
        add(format!("a record through a gate, {protocol}"), ITEMS, &mut || items(protocol));
        add(format!("a checkpoint of a subtask, two inputs, {protocol}"), ROUNDS, &mut || {
            checkpoints(protocol);
        });
    }
    for bytes in [16, 256, 4_096] {
        let record = vec![7_u8; bytes];
        add(format!("a record of {bytes} bytes encoded"), ITEMS, &mut || {
            for _ in 0..ITEMS {
                black_box(postcard::to_stdvec(black_box(&record)).expect("bytes can be encoded"));
            }
        });
    }
    for entries in [1_000_u64, 100_000] {
        let state: Vec<(u64, [u64; 4])> = (0..entries).map(|key| (key, [key; 4])).collect();
        add(format!("a snapshot of {entries} entries encoded"), 1, &mut || {
            black_box(postcard::to_stdvec(black_box(&state)).expect("numbers can be encoded"));
        });
    }
    let mut out = Console::stdout();
    writeln!(out, "wall-clock time of this program's own code, {TIMES} times each\n\n{table}")?;
    Ok(Exit::Held)
}

const ITEMS: u32 = 100_000;

const ROUNDS: u32 = 10_000;

/// Nanoseconds for each of so many.
fn timed(each: u32, work: &mut dyn FnMut()) -> f64 {
    let clock = Stopwatch::start();
    work();
    clock.elapsed().as_secs_f64() * 1e9 / f64::from(each)
}

fn shown(ns: f64) -> String {
    match ns {
        ns if ns >= 1e6 => format!("{:.2} ms", ns / 1e6),
        ns if ns >= 1e4 => format!("{:.1} us", ns / 1e3),
        ns => format!("{ns:.0} ns"),
    }
}

fn subtask(protocol: Protocol) -> SubtaskProtocol<u64> {
    let place = LoopPlace::default();
    SubtaskProtocol::new(OperatorRole::Operator, 2, protocol, place, DefectSet::NONE)
}

fn items(protocol: Protocol) {
    let mut subtask = subtask(protocol);
    for item in 0..u64::from(ITEMS) {
        deliver(&mut subtask, usize::from(item % 2 == 1), Element::Item(item));
    }
}

fn checkpoints(protocol: Protocol) {
    let mut subtask = subtask(protocol);
    for id in 1..=u64::from(ROUNDS) {
        let barrier = Barrier::in_order(CheckpointId(id));
        let barrier = if protocol.may_overtake() { barrier.hurried() } else { barrier };
        deliver(&mut subtask, 0, Element::Barrier(barrier));
        deliver(&mut subtask, 1, Element::Barrier(barrier));
        subtask.handle_completed(CheckpointId(id));
    }
}

/// An element arrives, and all that the subtask wants done is done at once.
fn deliver(subtask: &mut SubtaskProtocol<u64>, input: usize, element: Element<u64>) {
    let taken = subtask.handle_element(input, element, VirtualTime::ZERO);
    taken.expect("there are two inputs, and none ends");
    while let Some(output) = subtask.poll_output() {
        match black_box(output) {
            SubtaskOutput::Post(barrier) => subtask.handle_mail(barrier),
            SubtaskOutput::Forward(barrier) => subtask.handle_forwarded(barrier.checkpoint),
            SubtaskOutput::Persist { checkpoint, .. } => subtask.handle_uploaded(checkpoint),
            SubtaskOutput::Process { .. }
            | SubtaskOutput::EndInput { .. }
            | SubtaskOutput::End
            | SubtaskOutput::EndSource
            | SubtaskOutput::Watch(_)
            | SubtaskOutput::Hurry(_)
            | SubtaskOutput::Cancel(_)
            | SubtaskOutput::Flush(_)
            | SubtaskOutput::PreCommit { .. }
            | SubtaskOutput::Commit { .. }
            | SubtaskOutput::Freeze(_)
            | SubtaskOutput::Acknowledge(_)
            | SubtaskOutput::Decline(..)
            | SubtaskOutput::Discard(_)
            | SubtaskOutput::Step(_) => {}
        }
    }
}
