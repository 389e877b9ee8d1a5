//! Jobs in which nobody coordinates checkpoints, beside those in which somebody does.

use cutwater::lab::Report;
use cutwater::lab::factor::Factor;
use cutwater::lab::profile::engine;

use super::{measure, near};

/// A small job in which each takes its own checkpoints, or a coordinator does, in a chain or in a loop.
pub fn alone(protocol: &str, shape: &str, more: &[(Factor, &str)]) -> Report {
    let values = [
        (Factor::Profile, "checkmate-2024"),
        (Factor::Protocol, protocol),
        (Factor::Shape, shape),
        (Factor::Exchanges, "2"),
        (Factor::Parallelism, "3"),
        (Factor::Workers, "3"),
        (Factor::Cores, "1"),
        (Factor::State, "100kB"),
        (Factor::Interval, "1s"),
        (Factor::Quantum, "20"),
        (Factor::Measure, "20s"),
    ];
    measure(&[&values[..], more].concat(), None, None)
}

pub const FAILS: [(Factor, &str); 2] = [(Factor::Rate, "8k"), (Factor::FailAt, "9500ms")];

#[test]
fn whoever_takes_checkpoints_every_record_leaves_once_after_a_failure() {
    for shape in ["chain", "loop"] {
        for protocol in ["coordinated", "uncoordinated", "communication-induced", "bcs"] {
            let report = alone(protocol, shape, &FAILS);
            let what = format!("{protocol}, {shape}: {} records/s", report.records_per_second);
            let recovery = report.recovery.expect("a worker died");
            assert!(report.completed > 0, "{what}");
            assert!(recovery.catch_up_ms.is_some(), "{what}: {recovery:?}");
            near(report.records_per_second, 8_000.0, &what);
            assert!(report.records_per_second < 8_010.0, "{what}");
        }
    }
}

/// Without a loop a line is never far; with one, and nobody forced, it is the beginning (Randell 1975), which
/// CheckMate's Table IV does not show: its recovery graph leaves out what stays on a worker.
#[test]
fn only_a_loop_without_forced_checkpoints_falls_back_to_the_beginning() {
    let lost = |protocol, shape| {
        let recovery = alone(protocol, shape, &FAILS).recovery.expect("a worker died");
        (recovery.anew_percent, recovery.discarded_percent)
    };
    let (anew, discarded) = lost("uncoordinated", "loop");
    assert!(anew > 60.0 && discarded > 60.0, "all but the sources: {anew} {discarded}");
    for (protocol, shape) in [
        ("uncoordinated", "chain"),
        ("communication-induced", "chain"),
        ("communication-induced", "loop"),
        ("bcs", "loop"),
    ] {
        let (anew, discarded) = lost(protocol, shape);
        assert!(anew == 0.0 && discarded < 20.0, "{protocol} {shape}: {anew} {discarded}");
    }
}

/// A log costs what it costs a record and a byte at each receiver; what is carried costs that and its bytes at both
/// ends: the throughput of saturated cores is that of the sum.
#[test]
fn what_nobody_coordinates_costs_what_it_logs_and_carries() {
    let rate = |protocol, interval| {
        alone(protocol, "chain", &[(Factor::Interval, interval), (Factor::State, "1kB")])
            .records_per_second
    };
    let base = rate("uncoordinated", "none");
    let profile = engine("checkmate-2024").expect("known");
    let (task, own) = (profile.task, profile.independent);
    // Three operators; 100 bytes are written and read over two exchanges.
    let plain = task.source_record_ns + 2.0 * task.record_ns + 400.0 * task.byte_ns;
    let log = 2.0 * (own.log_record_ns + 100.0 * own.log_byte_ns);
    near(rate("uncoordinated", "5s") / base, plain / (plain + log), "a log");
    // Nine subtasks: a clock, what is known of each, and two flags of each (HMNR's vectors).
    let carried_bytes = (8.0 * 10.0 + (2.0 * 9.0_f64 / 8.0).ceil()) * own.carried_factor;
    let carried = 2.0 * (own.carried_record_ns + 2.0 * carried_bytes * task.byte_ns);
    let induced = rate("communication-induced", "5s");
    near(induced / base, plain / (plain + log + carried), "a log and what is carried");
}
