//! Sources: splits, positions, watermarks per split, auxiliary state.

use cutwater::dataflow::{
    EncodedSink, Entry, Input, Job, JobBuilder, RestoreError, Source, SourceCollector,
};
use cutwater::protocol::{DefectSet, SplitId};
use cutwater::trace::SplitPosition;

use super::harness::{Harness, source, subtask_id};

/// Numbers its records within the subtask: auxiliary state.
#[derive(Clone, Default)]
pub struct Numbering {
    next: u64,
}

impl Source for Numbering {
    type Out = (u64, Vec<u8>);
    type State = u64;

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Self::Out>) {
        for word in entry.bytes.split(|byte| *byte == b' ') {
            out.emit(0, (self.next, word.to_vec()));
            self.next += 1;
        }
        out.watermark(entry.offset as i64);
    }

    fn snapshot(&self) -> u64 {
        self.next
    }

    fn restore(&mut self, next: u64) {
        self.next = next;
    }
}

fn job() -> Job {
    let builder = JobBuilder::new("sources");
    source::<u64>(&builder, 1).transactional_sink("first", 1, EncodedSink::new());
    let numbered = builder.source("numbering", Numbering::default(), 2, 5);
    numbered.transactional_sink("second", 2, EncodedSink::new());
    builder.build().unwrap()
}

fn read(harness: &mut Harness, split: u16, offset: u64, entry: &str) -> Vec<(u64, Vec<u8>)> {
    harness.items(|subtask, out| subtask.read(SplitId(split), offset, entry.as_bytes(), out));
    harness.records()
}

#[test]
fn splits_are_numbered_over_the_sources_and_dealt_to_their_subtasks() {
    let job = job();
    assert_eq!(job.split_count(), 6);
    let splits = |name| job.splits_of(subtask_id(&job, name)).to_vec();
    assert_eq!(splits("source/0"), [SplitId(0)]);
    assert_eq!(splits("numbering/0"), [SplitId(1), SplitId(3), SplitId(5)]);
    assert_eq!(splits("numbering/1"), [SplitId(2), SplitId(4)]);
    assert_eq!(splits("second/0"), []);
}

#[test]
fn positions_and_auxiliary_state_survive_a_restore() {
    let mut harness = Harness::new(&job(), "numbering/1");
    assert_eq!(read(&mut harness, 4, 0, "to be"), [(0, b"to".to_vec()), (1, b"be".to_vec())]);
    harness.recover();
    let at = |split, offset| SplitPosition { split: SplitId(split), offset };
    assert_eq!(harness.subtask.splits(), [at(2, 0), at(4, 1)]);
    assert_eq!(read(&mut harness, 2, 0, "or"), [(2, b"or".to_vec())]);
}

#[test]
fn a_source_forwards_the_watermark_of_its_slowest_split() {
    let mut harness = Harness::new(&job(), "numbering/1");
    read(&mut harness, 2, 10, "a");
    assert_eq!(harness.watermarks(), []);
    read(&mut harness, 4, 5, "a");
    assert_eq!(harness.watermarks(), [(0, 5)]);
    harness.recover();
    let mut all_ended = true;
    harness.items(|subtask, out| all_ended = subtask.end_split(SplitId(4), out));
    assert!(!all_ended);
    assert_eq!(harness.watermarks(), [(0, 10)], "an ended split holds nothing back");
    harness.items(|subtask, out| all_ended = subtask.end_split(SplitId(2), out));
    assert!(all_ended);
    assert_eq!(harness.watermarks(), [(0, i64::MAX)]);
    harness.recover();
    harness.items(|subtask, out| all_ended = subtask.end_split(SplitId(2), out));
    assert!(all_ended, "it has still ended after a restore");
    assert_eq!(harness.watermarks(), [], "what was forwarded is not forwarded again");
}

#[test]
fn the_snapshot_of_other_splits_is_refused() {
    let job = job();
    let state = Harness::new(&job, "numbering/0").subtask.freeze();
    let id = subtask_id(&job, "numbering/1");
    let error = job.subtask(id, DefectSet::NONE).restore(&state).unwrap_err();
    assert_eq!(error, RestoreError::OtherSplits { split: SplitId(2) });
}

#[test]
fn a_sink_writes_what_it_received_under_the_same_lineage() {
    let mut harness = Harness::new(&job(), "first/0");
    let _: Vec<u64> = harness.record(0, 3, &7_u64);
    let [written] = harness.out.written.as_slice() else { panic!("one record is written") };
    let origin = cutwater::protocol::LineageId::of_entry(SplitId(99), 0);
    assert_eq!((written.lineage, written.timestamp), (origin, 3));
    assert_eq!(written.payload, super::harness::payload(&7_u64));
    assert_eq!(harness.out.items, []);
}

#[test]
fn input_is_dealt_out_in_turn() {
    let input = Input::dealt(["a", "", "ccc", "dd"], 3);
    assert_eq!(input.lengths(), [2, 1, 1]);
    assert_eq!(input.entries(SplitId(0)).collect::<Vec<_>>(), [&b"a"[..], b"dd"]);
    assert_eq!(input.entry(SplitId(1), 0), Some(&b""[..]));
    assert_eq!(input.entry(SplitId(2), 1), None);
    assert_eq!(input.entry(SplitId(3), 0), None);
    assert!(!input.is_empty() && Input::new(vec![vec![]]).is_empty());
}
