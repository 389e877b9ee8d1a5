use super::super::testing::{Bench, rows};
use super::*;

impl Bench<SnapshotTable> {
    fn store(&mut self, file: &str, numbers: &[u64]) -> TableAnswer {
        let rows = rows(numbers.iter().copied());
        self.ask(&TableRequest::Store { file: file.to_owned(), rows })
    }

    fn commit(&mut self, version: u64, file: &str, checkpoint: u64) -> TableAnswer {
        let mark = CommitMark { committer: "us".to_owned(), checkpoint };
        self.ask(&TableRequest::Commit { version, files: vec![file.to_owned()], mark })
    }
}

#[test]
fn a_commit_on_top_of_another_version_is_a_conflict() {
    let mut table = Bench::new(SnapshotTable::new());
    table.store("a", &[1]);
    assert_eq!(table.seen, [0; 0], "a file alone is not seen");
    assert_eq!(table.commit(0, "a", 1), TableAnswer::Committed);
    assert_eq!(table.commit(0, "a", 1), TableAnswer::Conflict);
    table.fault(SinkFault::ForeignCommit);
    assert_eq!(table.commit(1, "a", 1), TableAnswer::Conflict);
    assert_eq!(table.seen, [1]);
}

#[test]
fn a_file_that_is_added_twice_is_seen_twice_and_one_that_is_not_there_is_refused() {
    let mut table = Bench::new(SnapshotTable::new());
    table.store("a", &[1]);
    table.commit(0, "a", 1);
    assert_eq!(table.commit(1, "a", 2), TableAnswer::Committed);
    assert_eq!(table.seen, [1, 1]);
    assert_eq!(table.commit(2, "b", 3), TableAnswer::NoSuchFile("b".to_owned()));
}

#[test]
fn marks_can_be_read_as_long_as_their_snapshots_are_kept() {
    let mut table = Bench::new(SnapshotTable::new());
    table.store("a", &[1]);
    table.commit(0, "a", 7);
    let own = CommitMark { committer: "us".to_owned(), checkpoint: 7 };
    assert_eq!(
        table.ask::<TableAnswer>(&TableRequest::Read),
        TableAnswer::Read { version: 1, marks: vec![own] }
    );
    (0..SNAPSHOTS_KEPT).for_each(|_| table.fault(SinkFault::ForeignCommit));
    let version = 1 + SNAPSHOTS_KEPT as u64;
    assert_eq!(
        table.ask::<TableAnswer>(&TableRequest::Read),
        TableAnswer::Read { version, marks: Vec::new() }
    );
}

#[test]
fn a_file_is_held_until_a_snapshot_lists_it() {
    let mut table = Bench::new(SnapshotTable::new());
    table.store("a", &[1]);
    table.store("b", &[2, 3]);
    table.commit(0, "a", 1);
    assert_eq!(table.held(), [("b".to_owned(), 2)]);
    table.commit(1, "b", 2);
    assert_eq!(table.held(), []);
}

/// Who hears no answer asks again: a commit is in conflict with itself, and only its mark tells that.
#[test]
fn a_request_that_is_asked_again_is_answered_by_the_rules() {
    let mut table = Bench::new(SnapshotTable::new());
    let store = TableRequest::Store { file: "a".to_owned(), rows: rows([1]) };
    assert_eq!(table.ask_again::<TableAnswer>(&store), [TableAnswer::Stored, TableAnswer::Stored]);
    let mark = CommitMark { committer: "us".to_owned(), checkpoint: 1 };
    let (version, files) = (0, vec!["a".to_owned()]);
    let commit = TableRequest::Commit { version, files, mark: mark.clone() };
    let answers = table.ask_again::<TableAnswer>(&commit);
    assert_eq!(answers, [TableAnswer::Committed, TableAnswer::Conflict]);
    let read = TableAnswer::Read { version: 1, marks: vec![mark] };
    assert_eq!(table.ask::<TableAnswer>(&TableRequest::Read), read);
    assert_eq!(table.seen, [1]);
}
