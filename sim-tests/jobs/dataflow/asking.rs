//! Operators that ask a service conform, and the check sees what they lose across a snapshot.

use cutwater::dataflow::conformance::{Divergence, Stimulus, check_subtask};
use cutwater::dataflow::{EncodedSink, Item, Job, JobBuilder, Record};
use cutwater::protocol::{Defect, DefectSet, LineageId};

use super::harness::{payload, source, subtask_id};

/// Two operators that ask, with room for so many requests.
fn job(capacity: u16) -> Job {
    let builder = JobBuilder::new("asks");
    source::<u64>(&builder, 1)
        .unordered_wait("unordered", 1, capacity, |number| vec![number; 2])
        .ordered_wait("ordered", 1, capacity, |number| [number])
        .transactional_sink("out", 1, EncodedSink::new());
    builder.build().unwrap()
}

/// Records with watermarks between them.
fn stimuli() -> Vec<Stimulus> {
    let record = |number: u64| {
        let (lineage, timestamp) = (LineageId(number), number.cast_signed());
        Item::Record(Record { lineage, timestamp, payload: payload(&number) })
    };
    let items = [
        record(1),
        record(2),
        Item::Watermark(2),
        record(3),
        record(4),
        Item::Watermark(4),
        record(5),
        Item::Watermark(5),
    ];
    items.map(|item| Stimulus::Item { channel: 0, item }).into()
}

fn checked(name: &str, capacity: u16, defects: DefectSet) -> Result<(), Divergence> {
    let job = job(capacity);
    check_subtask(&|| job.subtask(subtask_id(&job, name), defects), &stimuli())
}

/// What is under way is in the snapshot, and asked for again.
#[test]
fn an_asynchronous_operator_conforms() {
    for name in ["unordered/0", "ordered/0"] {
        for capacity in [1, 2, 8] {
            assert_eq!(checked(name, capacity, DefectSet::NONE), Ok(()), "{name}, {capacity}");
        }
    }
}

/// Answers wait in the operator while it is snapshotted.
#[test]
fn answers_that_are_in_no_snapshot_are_missed() {
    let defects = DefectSet::only(Defect::AnsweredNotSnapshotted);
    for name in ["unordered/0", "ordered/0"] {
        let found = checked(name, 8, defects).unwrap_err();
        assert!(matches!(found, Divergence::Output { .. }), "{found}");
    }
}

/// A watermark stands between two requests that are under way at a snapshot.
#[test]
fn a_watermark_that_overtakes_requests_that_are_made_again_is_seen() {
    let defects = DefectSet::only(Defect::RestoredRequestsNotCounted);
    for name in ["unordered/0", "ordered/0"] {
        let found = checked(name, 8, defects).unwrap_err();
        assert!(matches!(found, Divergence::Output { .. }), "{found}");
    }
}
