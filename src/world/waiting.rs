//! Messages that are held back until an event of some kind has happened.

use crate::trace::Point;

/// No more messages are held back at once; the next goes on its way as if nothing had been planned.
const HELD_MAX: usize = 1024;

/// What waits, in the order in which it was sent, each for an event of one kind.
#[derive(Clone, Debug)]
pub struct HeldBack<M> {
    waiting: Vec<(Point, M)>,
    /// One bit for each kind that something waits for: most events need no closer look.
    points: u128,
}

impl<M> Default for HeldBack<M> {
    fn default() -> Self {
        Self { waiting: Vec::new(), points: 0 }
    }
}

impl<M> HeldBack<M> {
    /// Whether something waits for this.
    #[must_use]
    #[inline]
    pub fn is_awaited(&self, point: Point) -> bool {
        self.points != 0 && self.points & bit(point) != 0
    }

    /// Holds a message back until `point`; gives it back when too many wait.
    ///
    /// # Errors
    ///
    /// The message, when there is no room.
    pub fn hold(&mut self, point: Point, message: M) -> Result<(), M> {
        if self.waiting.len() >= HELD_MAX {
            return Err(message);
        }
        self.points |= bit(point);
        self.waiting.push((point, message));
        Ok(())
    }

    /// What waited for this, in order.
    pub fn release(&mut self, point: Point) -> Vec<M> {
        let waiting = std::mem::take(&mut self.waiting);
        let (released, waiting) = waiting.into_iter().partition(|(until, _)| *until == point);
        self.waiting = waiting;
        self.points &= !bit(point);
        let released: Vec<(Point, M)> = released;
        released.into_iter().map(|(_, message)| message).collect()
    }

    /// All that waits, in order.
    pub fn release_all(&mut self) -> Vec<M> {
        self.points = 0;
        std::mem::take(&mut self.waiting).into_iter().map(|(_, message)| message).collect()
    }
}

fn bit(point: Point) -> u128 {
    1 << (point as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_an_event_is_released_by_it_in_order() {
        let mut held = HeldBack::default();
        for (point, number) in [(Point::Completed, 1), (Point::Aborted, 2), (Point::Completed, 3)] {
            held.hold(point, number).expect("there is room");
        }
        assert!(held.is_awaited(Point::Completed) && !held.is_awaited(Point::Triggered));
        assert_eq!(held.release(Point::Completed), [1, 3]);
        assert!(!held.is_awaited(Point::Completed) && held.is_awaited(Point::Aborted));
        assert_eq!(held.release_all(), [2]);
        assert!(!held.is_awaited(Point::Aborted));
    }

    #[test]
    fn no_more_wait_than_may() {
        let mut held = HeldBack::default();
        let refused = (0..HELD_MAX + 2).filter(|n| held.hold(Point::Completed, *n).is_err());
        assert_eq!(refused.count(), 2);
    }
}
