//! Records in the order of turns, whatever order they come in.
//!
//! A sweep that ends when it has seen enough must have seen the same runs on every machine: it looks at
//! the records in the order of turns, and those after the last that it looked at do not count.

use std::ops::ControlFlow;

use crate::explore::Record;
use crate::protocol::ordered::VecMap;

/// Watches a sweep, turn by turn, and may end it.
pub type Watcher<'a> = Box<dyn FnMut(&Record) -> ControlFlow<()> + 'a>;

/// Hands records to a watcher in the order of their turns.
pub struct InOrder<'a> {
    watcher: Watcher<'a>,
    /// Those whose turn has not come, by turn.
    early: VecMap<u64, Record>,
    next: u64,
    /// After how many turns the watcher had seen enough.
    end: Option<u64>,
}

impl<'a> InOrder<'a> {
    /// The watcher has seen nothing yet.
    pub fn new(watcher: Watcher<'a>) -> Self {
        Self { watcher, early: VecMap::new(), next: 0, end: None }
    }

    /// A run is done; `has_turn` tells whether a turn is one of this sweep's shard.
    pub fn add(&mut self, turn: u64, record: Record, has_turn: impl Fn(u64) -> bool) {
        if self.end.is_some() {
            return;
        }
        self.early.insert(turn, record);
        while self.end.is_none() {
            match self.early.first_key_value() {
                Some((turn, _)) if *turn == self.next => {}
                Some((turn, _)) if !has_turn(self.next) && self.next < *turn => {
                    self.next += 1;
                    continue;
                }
                Some(_) | None => return,
            }
            let Some((_, record)) = self.early.pop_first() else { return };
            self.next += 1;
            if (self.watcher)(&record).is_break() {
                self.end = Some(self.next);
                self.early.clear();
            }
        }
    }

    /// After how many turns the watcher had seen enough, if it has.
    pub fn end(&self) -> Option<u64> {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use crate::explore::record::RunName;

    use super::*;

    #[test]
    fn the_end_does_not_depend_on_the_order_of_arrival() {
        for order in [[0, 2, 4, 6], [6, 4, 2, 0], [4, 0, 6, 2]] {
            let mut seen = Vec::new();
            let watcher: Watcher<'_> = Box::new(|record: &Record| {
                seen.push(record.seed);
                if record.seed == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            let mut in_order = InOrder::new(watcher);
            for turn in order {
                let name = RunName { index: turn, scenario: "relay".to_owned(), seed: turn };
                in_order.add(turn, Record::hung(name, 1), |turn| turn % 2 == 0);
            }
            assert_eq!(in_order.end(), Some(5), "{order:?}");
            drop(in_order);
            assert_eq!(seen, [0, 2, 4], "{order:?}");
        }
    }
}
