use super::*;
use crate::cluster::io::{Output, QueuedOutbox};

/// A queue of five messages, `a` to `e`, and who consumes it.
struct Bench {
    queue: Queue,
    input: Input,
    requests: u64,
    redelivered: Vec<u64>,
}

const ONE: SplitId = SplitId(0);
const OTHER: SplitId = SplitId(1);

impl Bench {
    fn new() -> Self {
        let input = Input::dealt("abcde".split_inclusive(|_: char| true), 2).queued();
        let queue = Queue::new(&input);
        Self { queue, input, requests: 0, redelivered: Vec::new() }
    }

    /// The consumer asks for two messages: what it gets, from which number on, and where its split ends.
    fn fetch(&mut self, attempt: u32, split: SplitId, offset: u64) -> Vec<(String, u64, u64)> {
        self.requests += 1;
        self.fetch_again(attempt, split, offset)
    }

    /// It asks once more, since it has heard nothing.
    fn fetch_again(
        &mut self,
        attempt: u32,
        split: SplitId,
        offset: u64,
    ) -> Vec<(String, u64, u64)> {
        let (from, request) = (ProcessId::Worker(0), RequestId(self.requests));
        let (attempt, entries_max) = (Attempt(attempt), 2);
        let fetch = Fetch { from, request, attempt, split, offset, entries_max };
        let mut outbox = QueuedOutbox::new();
        self.queue.handle_fetch(fetch, &self.input, &mut outbox);
        self.answers(&mut outbox)
    }

    fn acknowledge(&mut self, split: SplitId, number: u64) -> Vec<(String, u64, u64)> {
        let mut outbox = QueuedOutbox::new();
        self.queue.acknowledge(split, number, &self.input, &mut outbox);
        self.answers(&mut outbox)
    }

    fn answers(&mut self, outbox: &mut QueuedOutbox) -> Vec<(String, u64, u64)> {
        let mut answers = Vec::new();
        for output in outbox.drain() {
            match output {
                Output::Send { message: Message::Answer(Answer::Fetched(fetched)), .. } => {
                    let text = String::from_utf8(fetched.bytes).expect("it is text");
                    answers.push((text, fetched.offset, fetched.split_end));
                }
                Output::Event(Event::MessageRedelivered { message, .. }) => {
                    self.redelivered.push(message.0);
                }
                other => panic!("{other:?}"),
            }
        }
        answers
    }
}

fn given(text: &str, number: u64) -> Vec<(String, u64, u64)> {
    vec![(text.to_owned(), number, u64::MAX)]
}

fn ended(number: u64) -> (String, u64, u64) {
    (String::new(), number, number)
}

#[test]
fn a_message_goes_to_one_consumer_however_often_he_asks_for_it() {
    let mut bench = Bench::new();
    assert_eq!(bench.fetch(1, ONE, 0), given("ab", 0));
    assert_eq!(bench.fetch_again(1, ONE, 0), given("ab", 0), "the answer was lost");
    assert_eq!(bench.fetch(1, OTHER, 0), given("cd", 0));
    assert_eq!(bench.fetch(1, ONE, 2), given("e", 2));
    assert!(bench.redelivered.is_empty());
}

#[test]
fn it_ends_when_all_was_acknowledged_and_not_when_all_was_given_out() {
    let mut bench = Bench::new();
    bench.fetch(1, ONE, 0);
    bench.fetch(1, OTHER, 0);
    bench.fetch(1, ONE, 2);
    assert_eq!(bench.fetch(1, ONE, 3), []);
    assert_eq!(bench.fetch(1, OTHER, 2), []);
    assert_eq!(bench.acknowledge(ONE, 3), []);
    assert_eq!(bench.acknowledge(ONE, 3), [], "told again");
    assert_eq!(bench.acknowledge(OTHER, 2), [ended(3), ended(2)]);
}

#[test]
fn what_nobody_acknowledged_comes_again_in_another_order_to_whoever_asks_in_the_next_attempt() {
    let mut bench = Bench::new();
    bench.fetch(1, ONE, 0);
    bench.fetch(1, OTHER, 0);
    bench.acknowledge(ONE, 1);
    assert_eq!(bench.fetch(2, OTHER, 1), given("eb", 1));
    assert_eq!(bench.fetch(2, ONE, 1), given("dc", 1));
    assert_eq!(bench.redelivered, [1, 3, 2]);
    assert_eq!(bench.fetch(1, ONE, 2), [], "who is of an attempt that is over gets nothing");
    bench.acknowledge(OTHER, 3);
    assert_eq!(bench.fetch(2, OTHER, 3), [], "two are left");
    assert_eq!(bench.acknowledge(ONE, 1), [], "that was of the attempt before");
    assert_eq!(bench.acknowledge(ONE, 3), [ended(3)]);
}
