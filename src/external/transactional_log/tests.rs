use super::super::testing::{Bench, rows};
use super::*;

fn log() -> Bench<TransactionalLog> {
    Bench::new(TransactionalLog::new(Duration::from_secs(60)))
}

impl Bench<TransactionalLog> {
    fn begin(&mut self, id: &str) -> Producer {
        match self.replace(id, Replaces::Anybody) {
            LogAnswer::Begun(producer) => producer,
            other => panic!("{other:?}"),
        }
    }

    fn replace(&mut self, id: &str, replaces: Replaces) -> LogAnswer {
        self.ask(&LogRequest::Begin { transactional_id: id.to_owned(), replaces })
    }

    fn append(&mut self, id: &str, producer: Producer, first: u64, numbers: &[u64]) -> LogAnswer {
        let rows = rows(numbers.iter().copied());
        self.ask(&LogRequest::Append { transactional_id: id.to_owned(), producer, first, rows })
    }

    fn end(&mut self, id: &str, producer: Producer, commit: bool) -> LogAnswer {
        self.ask(&LogRequest::End { transactional_id: id.to_owned(), producer, commit })
    }
}

#[test]
fn readers_see_nothing_behind_the_first_open_transaction() {
    let mut log = log();
    let (a, b) = (log.begin("a"), log.begin("b"));
    let list = LogRequest::List { prefix: "a".to_owned() };
    let listed = LogAnswer::Listed(vec!["a".to_owned()]);
    assert_eq!(log.ask::<LogAnswer>(&list), listed, "a row of a may be on its way");
    log.append("a", a, 0, &[1]);
    log.append("b", b, 0, &[2]);
    assert_eq!(log.ask::<LogAnswer>(&list), listed);
    assert_eq!(log.end("b", b, true), LogAnswer::Ended);
    assert_eq!(log.seen, [0; 0], "the transaction of a is open");
    log.append("a", a, 1, &[3]);
    assert_eq!(log.end("a", a, true), LogAnswer::Ended);
    assert_eq!(log.seen, [1, 2, 3]);
}

#[test]
fn who_begins_an_id_fences_its_producer_and_aborts_what_it_left() {
    let mut log = log();
    let old = log.begin("a");
    log.append("a", old, 0, &[1]);
    let new = log.begin("a");
    assert_eq!(log.append("a", old, 1, &[2]), LogAnswer::Fenced);
    assert_eq!(log.end("a", old, true), LogAnswer::Fenced);
    log.append("a", new, 0, &[3]);
    log.end("a", new, true);
    assert_eq!(log.seen, [3]);
}

#[test]
fn who_says_whom_he_replaces_does_not_replace_another() {
    let mut log = log();
    let describe = LogRequest::Describe { transactional_id: "a".to_owned() };
    assert_eq!(log.ask::<LogAnswer>(&describe), LogAnswer::Described(None));
    let first = Producer { id: 0, epoch: 1 };
    assert_eq!(log.replace("a", Replaces::Only(None)), LogAnswer::Begun(first));
    assert_eq!(log.replace("a", Replaces::Only(None)), LogAnswer::Fenced, "it came twice");
    assert_eq!(log.ask::<LogAnswer>(&describe), LogAnswer::Described(Some(first)));
    let second = Producer { id: 0, epoch: 2 };
    assert_eq!(log.replace("a", Replaces::Only(Some(first))), LogAnswer::Begun(second));
}

#[test]
fn a_repeated_end_is_answered_as_before_until_the_id_is_used_again() {
    let mut log = log();
    let producer = log.begin("a");
    assert_eq!(log.end("a", producer, true), LogAnswer::NoTransaction);
    log.append("a", producer, 0, &[1]);
    assert_eq!(log.end("a", producer, true), LogAnswer::Ended);
    assert_eq!(log.end("a", producer, true), LogAnswer::Ended);
    assert_eq!(log.end("a", producer, false), LogAnswer::NoTransaction);
    // KAFKA-14402: without a new epoch a late repetition ends the next transaction.
    log.append("a", producer, 0, &[2]);
    assert_eq!(log.end("a", producer, true), LogAnswer::Ended);
    assert_eq!(log.seen, [1, 2]);
}

#[test]
fn repeated_rows_are_dropped_and_gaps_refused() {
    let mut log = log();
    let producer = log.begin("a");
    log.append("a", producer, 0, &[1, 2]);
    assert_eq!(log.append("a", producer, 1, &[2, 3]), LogAnswer::Appended { rows: 3 });
    assert_eq!(log.append("a", producer, 4, &[5]), LogAnswer::OutOfOrder);
    log.end("a", producer, true);
    assert_eq!(log.seen, [1, 2, 3]);
}

#[test]
fn what_is_open_for_too_long_expires_whatever_was_promised() {
    let mut log = log();
    let producer = log.begin("a");
    log.append("a", producer, 0, &[1]);
    assert_eq!(log.append("a", producer, 1, &[]), LogAnswer::Appended { rows: 1 });
    let timers = log.timers.clone();
    timers.into_iter().for_each(|timer| log.fire(timer));
    assert_eq!(log.end("a", producer, true), LogAnswer::Fenced);
    assert_eq!((&log.seen[..], &log.expired[..]), (&[][..], &[1][..]));
}

#[test]
fn the_timer_of_a_transaction_that_has_ended_does_not_end_the_next() {
    let mut log = log();
    let producer = log.begin("a");
    log.append("a", producer, 0, &[1]);
    log.end("a", producer, true);
    log.append("a", producer, 0, &[2]);
    log.fire(1);
    assert_eq!(log.end("a", producer, true), LogAnswer::Ended);
    assert_eq!(log.seen, [1, 2]);
}

#[test]
fn a_timeout_strikes_what_takes_rows_and_an_expiry_what_is_flushed() {
    let mut log = log();
    let producer = log.begin("a");
    log.append("a", producer, 0, &[1]);
    log.fault(SinkFault::TransactionTimeout);
    assert_eq!(log.append("a", producer, 1, &[]), LogAnswer::Appended { rows: 1 });
    log.fault(SinkFault::ExpiredTransaction);
    assert_eq!(log.append("a", producer, 1, &[]), LogAnswer::Fenced);
    assert_eq!(log.expired, [1]);
}

#[test]
fn a_transaction_is_held_until_it_ends() {
    let mut log = log();
    let (a, b) = (log.begin("a"), log.begin("b"));
    log.append("a", a, 0, &[1, 2]);
    log.append("b", b, 0, &[3]);
    log.end("b", b, true);
    assert_eq!(log.held(), [("a".to_owned(), 2)], "b is hidden by a, and has ended");
    log.begin("a");
    assert_eq!(log.held(), []);
}

/// Who hears no answer asks again, under the same number: the log does not know it, and its rules have to do.
#[test]
fn a_request_that_is_asked_again_is_answered_by_the_rules() {
    let mut log = log();
    let (transactional_id, replaces) = ("a".to_owned(), Replaces::Only(None));
    let begin = LogRequest::Begin { transactional_id: transactional_id.clone(), replaces };
    let [LogAnswer::Begun(producer), again] = log.ask_again(&begin) else { panic!("not begun") };
    assert_eq!(
        again,
        LogAnswer::Fenced,
        "it replaces nobody any more: who it is has to be looked up"
    );
    let append = LogRequest::Append { transactional_id, producer, first: 0, rows: rows([1, 2]) };
    assert_eq!(log.ask_again::<LogAnswer>(&append), [const { LogAnswer::Appended { rows: 2 } }; 2]);
    let end = LogRequest::End { transactional_id: "a".to_owned(), producer, commit: true };
    assert_eq!(log.ask_again::<LogAnswer>(&end), [LogAnswer::Ended, LogAnswer::Ended]);
    assert_eq!(log.seen, [1, 2]);
    let list = LogRequest::List { prefix: String::new() };
    assert_eq!(log.ask_again::<LogAnswer>(&list), [const { LogAnswer::Listed(Vec::new()) }; 2]);
}
