//! What an asynchronous operator has asked for and not emitted: requests, and the watermarks between them.
//!
//! After Flink's `OrderedStreamElementQueue` and `UnorderedStreamElementQueue`. In order, an answer waits for
//! all before it. Out of order it waits for none between the same two watermarks; but no watermark overtakes
//! a record, nor a record a watermark.
//!
//! A snapshot holds the records, each with the watermark that came before it. From these the queue is built
//! again, also of several old ones: before a record stands the lowest watermark that came before it *or any
//! behind it*, and none above what all the old ones had reached, so that records of different subtasks, dealt out
//! anew, are not late, nor those that are still to come. The last watermark is told
//! again: in the same shape whoever receives it knows it and takes no notice, in another it may be news.

use std::collections::VecDeque;

use super::record::Record;
use super::watermark::WATERMARK_MIN;
use crate::protocol::{Defect, DefectSet};

/// In which order answers are emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerOrder {
    /// In that of the records.
    Ordered,
    /// In that in which they come, between two watermarks.
    Unordered,
}

/// Something that waits to be emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Waiting {
    /// A record whose request was made; `before` is the watermark that came before it.
    Request {
        number: u64,
        before: i64,
        record: Record,
        is_answered: bool,
    },
    Watermark(i64),
}

/// Something that may be emitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Emission {
    /// The answer to the request of this record.
    Answer(Record),
    Watermark(i64),
}

/// Requests under way and the watermarks between them, in the order in which they came.
#[derive(Clone, Debug)]
pub(crate) struct AsyncQueue {
    order: AnswerOrder,
    capacity: usize,
    waiting: VecDeque<Waiting>,
    /// Numbers of answered requests that are still in the queue, in the order in which answers came.
    answered: VecDeque<u64>,
    requests: usize,
    /// The watermark that came last.
    latest: i64,
    /// The number of the next request.
    next: u64,
    defects: DefectSet,
}

impl AsyncQueue {
    /// An empty queue with room for so many requests; watermarks need none.
    pub(crate) fn new(order: AnswerOrder, capacity: u16, defects: DefectSet) -> Self {
        Self {
            order,
            capacity: usize::from(capacity),
            waiting: VecDeque::new(),
            answered: VecDeque::new(),
            requests: 0,
            latest: WATERMARK_MIN,
            next: 0,
            defects,
        }
    }

    /// A record came; gives the number of its request.
    pub(crate) fn push(&mut self, record: Record) -> u64 {
        self.push_behind(self.latest, record)
    }

    fn push_behind(&mut self, before: i64, record: Record) -> u64 {
        let number = self.next;
        self.next += 1;
        self.requests += 1;
        self.waiting.push_back(Waiting::Request { number, before, record, is_answered: false });
        number
    }

    /// A watermark came. Behind another one it takes its place: nothing is between the two.
    pub(crate) fn push_watermark(&mut self, watermark: i64) {
        self.latest = watermark;
        match self.waiting.back_mut() {
            Some(Waiting::Watermark(last)) => *last = watermark,
            Some(Waiting::Request { .. }) | None => {
                self.waiting.push_back(Waiting::Watermark(watermark));
            }
        }
    }

    /// The service answered. An answer to what is not asked is of no interest.
    pub(crate) fn answer(&mut self, number: u64) {
        for waiting in &mut self.waiting {
            if let Waiting::Request { number: other, is_answered, .. } = waiting
                && *other == number
                && !*is_answered
            {
                *is_answered = true;
                self.answered.push_back(number);
            }
        }
    }

    /// Takes out what may be emitted next, if anything.
    pub(crate) fn poll(&mut self) -> Option<Emission> {
        if let Some(Waiting::Watermark(watermark)) = self.waiting.front() {
            let watermark = *watermark;
            self.waiting.pop_front();
            return Some(Emission::Watermark(watermark));
        }
        let place = self.next_answer()?;
        match self.waiting.remove(place)? {
            Waiting::Request { number, record, .. } => {
                self.answered.retain(|other| *other != number);
                self.requests -= 1;
                Some(Emission::Answer(record))
            }
            Waiting::Watermark(watermark) => Some(Emission::Watermark(watermark)),
        }
    }

    /// Where the next answer to emit is. Only those before the first watermark may go.
    fn next_answer(&self) -> Option<usize> {
        let number = match self.order {
            AnswerOrder::Ordered => match self.waiting.front()? {
                Waiting::Request { number, is_answered: true, .. } => *number,
                Waiting::Request { .. } | Waiting::Watermark(_) => return None,
            },
            AnswerOrder::Unordered => {
                *self.answered.iter().find(|number| self.is_in_first_segment(**number))?
            }
        };
        self.waiting.iter().position(|waiting| waiting.is_request(number))
    }

    fn is_in_first_segment(&self, number: u64) -> bool {
        let segment = self.waiting.iter().take_while(|waiting| !waiting.is_watermark());
        segment.into_iter().any(|waiting| waiting.is_request(number))
    }

    /// Whether no more requests may be made.
    pub(crate) fn is_full(&self) -> bool {
        self.requests >= self.capacity && !self.defects.has(Defect::SnapshotWhileQueueFull)
    }

    /// How many requests are under way, or answered and not emitted.
    pub(crate) fn len(&self) -> usize {
        self.requests
    }

    /// The numbers of the requests that are under way.
    pub(crate) fn under_way(&self) -> Vec<u64> {
        let under_way = |waiting: &Waiting| match waiting {
            Waiting::Request { number, is_answered: false, .. } => Some(*number),
            Waiting::Request { .. } | Waiting::Watermark(_) => None,
        };
        self.waiting.iter().filter_map(under_way).collect()
    }

    /// What a snapshot holds: each record that was not emitted, with the watermark before it.
    pub(crate) fn freeze(&self) -> Vec<(i64, Record)> {
        let mut frozen = Vec::with_capacity(self.requests);
        for waiting in &self.waiting {
            match waiting {
                Waiting::Watermark(_) => {}
                Waiting::Request { is_answered: true, .. }
                    if self.defects.has(Defect::AnsweredNotSnapshotted) => {}
                Waiting::Request { before, record, .. } => frozen.push((*before, record.clone())),
            }
        }
        if self.defects.has(Defect::SnapshotWhileQueueFull) {
            frozen.truncate(self.capacity);
        }
        frozen
    }

    /// Takes over what one or several snapshots hold; `watermark` is what came last.
    pub(crate) fn restore(&mut self, frozen: Vec<(i64, Record)>, watermark: i64) {
        self.waiting.clear();
        self.answered.clear();
        self.requests = 0;
        self.latest = WATERMARK_MIN;
        let mut told = WATERMARK_MIN;
        for (lowest, (before, record)) in lowest_ahead(&frozen, watermark).into_iter().zip(frozen) {
            let is_counted = !self.defects.has(Defect::RestoredRequestsNotCounted);
            let due = if is_counted { lowest } else { watermark };
            if due > told {
                told = due;
                self.push_watermark(due);
            }
            self.push_behind(before, record);
        }
        if watermark > told {
            self.push_watermark(watermark);
        }
    }
}

impl Waiting {
    fn is_watermark(&self) -> bool {
        match self {
            Waiting::Watermark(_) => true,
            Waiting::Request { .. } => false,
        }
    }

    fn is_request(&self, wanted: u64) -> bool {
        match self {
            Waiting::Request { number, .. } => *number == wanted,
            Waiting::Watermark(_) => false,
        }
    }
}

/// For each record, the lowest watermark that came before it or any behind it: what is still to come stands behind all,
/// and `watermark` before it.
fn lowest_ahead(frozen: &[(i64, Record)], watermark: i64) -> Vec<i64> {
    let mut lowest = watermark;
    let mut ahead = Vec::with_capacity(frozen.len());
    for (before, _) in frozen.iter().rev() {
        lowest = lowest.min(*before);
        ahead.push(lowest);
    }
    ahead.reverse();
    ahead
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::Payload;
    use crate::protocol::{LineageId, SplitId};

    fn record(at: i64) -> Record {
        let lineage = LineageId::of_entry(SplitId(0), at.unsigned_abs());
        Record { lineage, timestamp: at, payload: Payload::new() }
    }

    /// The times of records, and watermarks as `w10`.
    fn emitted(queue: &mut AsyncQueue) -> Vec<String> {
        let told = |emission| match emission {
            Emission::Answer(record) => record.timestamp.to_string(),
            Emission::Watermark(watermark) => format!("w{watermark}"),
        };
        std::iter::from_fn(|| queue.poll()).map(told).collect()
    }

    /// Requests 0 to 3 with a watermark behind the second.
    fn filled(order: AnswerOrder) -> AsyncQueue {
        let mut queue = AsyncQueue::new(order, 4, DefectSet::NONE);
        assert_eq!([queue.push(record(1)), queue.push(record(2))], [0, 1]);
        queue.push_watermark(5);
        queue.push_watermark(10);
        assert_eq!([queue.push(record(11)), queue.push(record(12))], [2, 3]);
        queue
    }

    #[test]
    fn in_order_an_answer_waits_for_all_before_it() {
        let mut queue = filled(AnswerOrder::Ordered);
        [3, 1].into_iter().for_each(|number| queue.answer(number));
        assert!(emitted(&mut queue).is_empty());
        assert!(queue.is_full());
        queue.answer(0);
        assert_eq!(emitted(&mut queue), ["1", "2", "w10"]);
        queue.answer(2);
        assert_eq!(emitted(&mut queue), ["11", "12"]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn out_of_order_an_answer_waits_for_the_watermark_before_it() {
        let mut queue = filled(AnswerOrder::Unordered);
        [3, 1].into_iter().for_each(|number| queue.answer(number));
        assert_eq!(emitted(&mut queue), ["2"]);
        queue.answer(0);
        assert_eq!(emitted(&mut queue), ["1", "w10", "12"]);
    }

    #[test]
    fn a_restored_queue_asks_again_and_keeps_its_watermarks() {
        for order in [AnswerOrder::Ordered, AnswerOrder::Unordered] {
            let mut queue = filled(order);
            queue.answer(1);
            let mut restored = AsyncQueue::new(order, 4, DefectSet::NONE);
            restored.restore(queue.freeze(), 10);
            assert_eq!(restored.freeze(), queue.freeze());
            let asked = restored.under_way();
            assert_eq!(asked.len(), 4, "what was answered and not emitted is asked again");
            asked.into_iter().for_each(|number| restored.answer(number));
            assert_eq!(emitted(&mut restored), ["1", "2", "w10", "11", "12"]);
        }
    }

    #[test]
    fn records_of_two_subtasks_that_come_to_one_are_not_late() {
        let mut queue = AsyncQueue::new(AnswerOrder::Unordered, 4, DefectSet::NONE);
        let frozen = vec![(10, record(11)), (WATERMARK_MIN, record(3)), (5, record(6))];
        queue.restore(frozen, 5);
        queue.under_way().into_iter().for_each(|number| queue.answer(number));
        assert_eq!(emitted(&mut queue), ["11", "3", "w5", "6"]);
    }

    /// One old subtask was at 10 and the other at 5, which had nothing under way: what it is still to be given is not
    /// late either.
    #[test]
    fn no_watermark_goes_ahead_of_what_is_still_to_come() {
        let mut queue = AsyncQueue::new(AnswerOrder::Unordered, 4, DefectSet::NONE);
        queue.restore(vec![(10, record(11))], 5);
        queue.under_way().into_iter().for_each(|number| queue.answer(number));
        assert_eq!(emitted(&mut queue), ["w5", "11"]);
        queue.push(record(6));
        queue.answer(1);
        assert_eq!(emitted(&mut queue), ["6"]);
    }
}
