use super::super::testing::{Bench, rows};
use super::*;

impl Bench<DeduplicatingQueue> {
    fn publish(&mut self, producer: &str, number: u64, content: u64) {
        let (producer, rows) = (producer.to_owned(), rows([content]));
        assert_eq!(self.ask::<Acknowledged>(&Publish { producer, number, rows }), Acknowledged);
    }
}

#[test]
fn what_is_not_higher_is_acknowledged_and_dropped() {
    let mut queue = Bench::new(DeduplicatingQueue::new());
    queue.publish("a", 2, 20);
    queue.publish("a", 2, 20);
    queue.publish("a", 1, 10);
    queue.publish("a", 3, 30);
    assert_eq!(queue.seen, [20, 30]);
}

#[test]
fn producers_are_told_apart_by_name_alone() {
    let mut queue = Bench::new(DeduplicatingQueue::new());
    queue.publish("a", 1, 10);
    queue.publish("b", 1, 10);
    assert_eq!(queue.seen, [10, 10]);
}

#[test]
fn a_message_that_is_published_again_is_acknowledged_and_dropped() {
    let mut queue = Bench::new(DeduplicatingQueue::new());
    let publish = Publish { producer: "p".to_owned(), number: 0, rows: rows([1]) };
    assert_eq!(queue.ask_again::<Acknowledged>(&publish), [Acknowledged, Acknowledged]);
    assert_eq!(queue.seen, [1]);
}
