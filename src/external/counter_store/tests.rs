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
