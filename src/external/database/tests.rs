use super::super::testing::{Bench, rows};
use super::*;

impl Bench<XaDatabase> {
    fn insert(&mut self, xid: &str, first: u64, numbers: &[u64]) -> XaAnswer {
        let rows = rows(numbers.iter().copied());
        self.ask(&XaRequest::Insert { xid: xid.to_owned(), first, rows })
    }

    fn prepare(&mut self, xid: &str, rows: u64) -> XaAnswer {
        self.ask(&XaRequest::Prepare { xid: xid.to_owned(), rows })
    }

    fn commit(&mut self, xid: &str) -> XaAnswer {
        self.ask(&XaRequest::Commit { xid: xid.to_owned() })
    }
}

#[test]
fn only_what_is_prepared_survives_a_crash() {
    let mut database = Bench::new(XaDatabase::new());
    database.insert("a", 0, &[1]);
    database.insert("b", 0, &[2]);
    database.prepare("b", 1);
    database.restart();
    assert_eq!(database.prepare("a", 1), XaAnswer::Unknown);
    assert_eq!(database.commit("b"), XaAnswer::Done);
    assert_eq!(database.seen, [2]);
}

#[test]
fn what_is_committed_is_forgotten() {
    let mut database = Bench::new(XaDatabase::new());
    database.insert("a", 0, &[1]);
    database.prepare("a", 1);
    assert_eq!(database.commit("a"), XaAnswer::Done);
    assert_eq!(database.commit("a"), XaAnswer::Unknown);
    assert_eq!(database.seen, [1]);
}

#[test]
fn a_branch_that_lacks_rows_is_not_prepared() {
    let mut database = Bench::new(XaDatabase::new());
    database.insert("a", 0, &[1]);
    database.fault(SinkFault::TransactionTimeout);
    assert_eq!(database.insert("a", 1, &[2]), XaAnswer::Unknown);
    assert_eq!(database.prepare("a", 2), XaAnswer::Unknown);
    assert_eq!(database.expired, [0; 0], "it was never said to be safe");
}

#[test]
fn what_a_heuristic_rolls_back_is_told_to_who_commits() {
    let mut database = Bench::new(XaDatabase::new());
    database.insert("a", 0, &[1]);
    database.prepare("a", 1);
    database.fault(SinkFault::ExpiredTransaction);
    let recover = XaRequest::Recover { prefix: String::new() };
    assert_eq!(database.ask::<XaAnswer>(&recover), XaAnswer::Recovered(Vec::new()));
    assert_eq!(database.commit("a"), XaAnswer::RolledBack);
    assert_eq!((&database.seen[..], &database.expired[..]), (&[][..], &[1][..]));
}

#[test]
fn a_prepared_branch_is_held_until_somebody_ends_it() {
    let mut database = Bench::new(XaDatabase::new());
    for xid in ["a", "b", "c"] {
        database.insert(xid, 0, &[1, 2]);
    }
    database.prepare("a", 2);
    database.prepare("b", 2);
    assert_eq!(
        database.held(),
        [("a".to_owned(), 2), ("b".to_owned(), 2)],
        "c goes with its client"
    );
    database.commit("a");
    let rollback = XaRequest::Rollback { xid: "b".to_owned() };
    assert_eq!(database.ask::<XaAnswer>(&rollback), XaAnswer::Done);
    assert_eq!(database.held(), []);
    assert_eq!(database.commit("b"), XaAnswer::Unknown, "it is undone");
    assert_eq!(database.seen, [1, 2]);
    assert_eq!(database.ask::<XaAnswer>(&rollback), XaAnswer::Unknown, "and forgotten");
}

/// Who hears no answer asks again: the database does what it can tell from a branch that is, or is not, there.
#[test]
fn a_request_that_is_asked_again_is_answered_by_the_rules() {
    let mut database = Bench::new(XaDatabase::new());
    let xid = || "a".to_owned();
    let insert = XaRequest::Insert { xid: xid(), first: 0, rows: rows([1]) };
    let answers = database.ask_again::<XaAnswer>(&insert);
    assert_eq!(answers, [XaAnswer::Inserted, XaAnswer::Protocol], "rows have numbers");
    let prepare = XaRequest::Prepare { xid: xid(), rows: 1 };
    assert_eq!(database.ask_again::<XaAnswer>(&prepare), [XaAnswer::Done, XaAnswer::Done]);
    let commit = XaRequest::Commit { xid: xid() };
    let answers = database.ask_again::<XaAnswer>(&commit);
    assert_eq!(answers, [XaAnswer::Done, XaAnswer::Unknown], "what is committed is forgotten");
    assert_eq!(database.seen, [1]);
}
