//! Where a subtask of a sink begins: what names are made of, and who cleans up behind whom.

use crate::dataflow::Opening;
use crate::protocol::{Attempt, OperatorId};

/// What a sink keeps of its [`Opening`], beside states and committables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub operator: OperatorId,
    pub index: u16,
    /// At least 1.
    pub parallelism: u16,
    pub attempt: Attempt,
    /// The checkpoint that it was restored from; 0 where there was none.
    pub restored: u64,
}

impl Seat {
    /// Before it begins.
    pub fn none() -> Self {
        let (operator, attempt) = (OperatorId::default(), Attempt::default());
        Self { operator, index: 0, parallelism: 1, attempt, restored: 0 }
    }

    /// Who begins so.
    pub fn of<S, C>(opening: &Opening<S, C>) -> Self {
        Self {
            operator: opening.operator,
            index: opening.index,
            parallelism: opening.parallelism.max(1),
            attempt: opening.attempt,
            restored: opening.checkpoint.unwrap_or_default().0,
        }
    }

    /// Whether it sees to what the subtask with this index has left: there may have been more of them.
    pub fn succeeds(&self, index: u64) -> bool {
        index % u64::from(self.parallelism) == u64::from(self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_index_has_one_successor() {
        for parallelism in 1..4 {
            let seat = |index| Seat { index, parallelism, ..Seat::none() };
            for left in 0..9 {
                let successors = (0..parallelism).filter(|index| seat(*index).succeeds(left));
                assert_eq!(successors.count(), 1, "{left} of {parallelism}");
            }
        }
    }
}
