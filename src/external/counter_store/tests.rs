use super::super::testing::Bench;
use super::*;

impl Bench<CounterStore> {
    fn add(&mut self, epoch: u64, number: u64, additions: &[(u64, i64)]) -> CounterAnswer {
        let (writer, additions) = ("w".to_owned(), additions.to_vec());
        let operator = OperatorId(0);
        self.ask(&CounterRequest::Add { writer, epoch, number, operator, additions })
    }

    fn take(&mut self, epoch: u64) -> CounterAnswer {
        self.ask(&CounterRequest::Take { writer: "w".to_owned(), epoch })
    }

    fn history(&mut self, from: u64) -> CounterAnswer {
        self.ask(&CounterRequest::History { writer: "w".to_owned(), from })
    }
}

#[test]
fn a_repeated_batch_counts_once_and_a_gap_is_refused() {
    let mut store = Bench::new(CounterStore::new());
    assert_eq!(store.take(1), CounterAnswer::Taken);
    assert_eq!(store.add(1, 0, &[(7, 2)]), CounterAnswer::Added { total: 1 });
    assert_eq!(store.add(1, 0, &[(7, 2)]), CounterAnswer::Added { total: 1 });
    assert_eq!(store.add(1, 2, &[(7, 2)]), CounterAnswer::Fenced);
    assert_eq!(store.history(0), CounterAnswer::History(vec![(7, 2)]));
}

#[test]
fn who_has_a_lower_epoch_adds_nothing() {
    let mut store = Bench::new(CounterStore::new());
    store.take(1);
    store.take(2);
    assert_eq!(store.take(1), CounterAnswer::Fenced);
    assert_eq!(store.add(1, 0, &[(7, 2)]), CounterAnswer::Fenced);
    assert_eq!(store.add(2, 0, &[(7, 2), (8, 3)]), CounterAnswer::Added { total: 2 });
    assert_eq!(store.history(1), CounterAnswer::History(vec![(8, 3)]));
}

/// A reader sees one sum a key, and none that is nothing.
#[test]
fn an_addition_counts_at_once_and_replaces_what_readers_saw() {
    let mut store = Bench::new(CounterStore::new());
    store.take(1);
    store.add(1, 0, &[(7, 2)]);
    store.add(1, 1, &[(7, 3), (8, 1)]);
    assert_eq!(store.seen, [7, 8]);
    store.add(1, 2, &[(7, -5)]);
    assert_eq!(store.seen, [8]);
}

#[test]
fn a_batch_that_would_overflow_is_refused_whole_and_what_follows_in_its_epoch() {
    let mut store = Bench::new(CounterStore::new());
    store.take(1);
    store.add(1, 0, &[(7, i64::MAX)]);
    let refused = CounterAnswer::Overflow { key: 7 };
    assert_eq!(store.add(1, 1, &[(8, 1), (7, 1), (7, -1)]), refused);
    assert_eq!(store.seen, [7], "8 was in the same batch");
    assert_eq!(store.add(1, 2, &[(8, 1)]), refused);
    store.take(2);
    assert_eq!(store.add(2, 0, &[(7, -1), (8, 1)]), CounterAnswer::Added { total: 3 });
}

/// Who hears no answer asks again: a batch counts once, and a name may be taken again by who has it.
#[test]
fn a_request_that_is_asked_again_is_answered_by_the_rules() {
    let mut store = Bench::new(CounterStore::new());
    let writer = || "w".to_owned();
    let take = CounterRequest::Take { writer: writer(), epoch: 1 };
    assert_eq!(
        store.ask_again::<CounterAnswer>(&take),
        [CounterAnswer::Taken, CounterAnswer::Taken]
    );
    let (operator, additions) = (OperatorId(0), vec![(7, 2)]);
    let add = CounterRequest::Add { writer: writer(), epoch: 1, number: 0, operator, additions };
    let added = || CounterAnswer::Added { total: 1 };
    assert_eq!(store.ask_again::<CounterAnswer>(&add), [added(), added()]);
    assert_eq!(
        store.ask_again::<CounterAnswer>(&take),
        [CounterAnswer::Taken, CounterAnswer::Taken]
    );
    assert_eq!(store.ask::<CounterAnswer>(&add), added(), "the batch is known behind that as well");
}
