//! Results are the same bytes in every build, and on every machine.

use cutwater::lab::factor::Factor;
use cutwater::protocol::Digest;

use super::independent::{FAILS, alone};
use super::{encoded, measure};

/// The same bytes everywhere: in every build, on every machine. A change of the model changes them, and says so.
#[test]
fn results_are_the_same_to_the_byte() {
    let mut bytes = Vec::new();
    for profile in ["flink-heap", "flink-rocksdb", "flink-changelog"] {
        for protocol in ["aligned", "unaligned"] {
            let values = [
                (Factor::Profile, profile),
                (Factor::Protocol, protocol),
                (Factor::Store, "object-store"),
                (Factor::State, "20MB"),
                (Factor::Interval, "300ms"),
                (Factor::Measure, "2s"),
            ];
            bytes.extend(encoded(&measure(&values, None, None)));
        }
    }
    assert_eq!(Digest::of(&bytes).to_string(), "948eb6496135781e");
}

/// The same of what those do not reach: restarts, loops, joins, checkpoints that nobody coordinates, other ways to cut,
/// debloating, a hot subtask, several machines.
#[test]
fn results_of_restarts_loops_and_checkpoints_without_coordination_are_the_same_to_the_byte() {
    let mut bytes = Vec::new();
    for shape in ["chain", "loop"] {
        for protocol in ["coordinated", "uncoordinated", "communication-induced", "bcs"] {
            bytes.extend(encoded(&alone(protocol, shape, &FAILS)));
        }
    }
    for profile in ["flink-heap", "flink-rocksdb", "flink-changelog"] {
        for protocol in ["unaligned", "hybrid", "stop-the-world", "at-least-once"] {
            let values = [
                (Factor::Profile, profile),
                (Factor::Protocol, protocol),
                (Factor::Store, "object-store"),
                (Factor::Shape, "join"),
                (Factor::Exchanges, "2"),
                (Factor::Workers, "2"),
                (Factor::State, "20MB"),
                (Factor::Rate, "40k"),
                (Factor::Skew, "10%"),
                (Factor::Debloat, "100ms"),
                (Factor::Interval, "300ms"),
                (Factor::FailAt, "1100ms"),
                (Factor::Measure, "4s"),
            ];
            bytes.extend(encoded(&measure(&values, None, None)));
        }
    }
    assert_eq!(Digest::of(&bytes).to_string(), "f5c0f7c3cca6c944");
}
