//! Where two traces part: the first event that differs, with what led there.

use std::collections::VecDeque;
use std::fmt;

use super::event::{Event, Stamp};

/// The first place at which two traces differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// How many events the traces have in common.
    pub common: u64,
    /// The last of those, in order.
    pub before: Vec<(Stamp, Event)>,
    /// What follows in the left trace; empty where it ends.
    pub left: Vec<(Stamp, Event)>,
    /// What follows in the right trace; empty where it ends.
    pub right: Vec<(Stamp, Event)>,
}

/// The first divergence of two traces with up to `context` events before it and after it; none
/// where they are equal. Holds no more than that of either.
pub fn diff<L, R>(left: L, right: R, context: usize) -> Option<Divergence>
where
    L: IntoIterator<Item = (Stamp, Event)>,
    R: IntoIterator<Item = (Stamp, Event)>,
{
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    let mut before = VecDeque::new();
    let mut common = 0;
    loop {
        match (left.next(), right.next()) {
            (None, None) => return None,
            (Some(one), Some(other)) if one == other => {
                common += 1;
                before.push_back(one);
                if before.len() > context {
                    before.pop_front();
                }
            }
            (one, other) => {
                let left = one.into_iter().chain(left.take(context)).collect();
                let right = other.into_iter().chain(right.take(context)).collect();
                return Some(Divergence { common, before: before.into(), left, right });
            }
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the traces have {} events in common, then differ", self.common)?;
        show(f, ' ', &self.before)?;
        show(f, '-', &self.left)?;
        show(f, '+', &self.right)
    }
}

fn show(f: &mut fmt::Formatter<'_>, mark: char, events: &[(Stamp, Event)]) -> fmt::Result {
    if events.is_empty() && mark != ' ' {
        writeln!(f, "{mark} the trace ends")?;
    }
    for (Stamp { number, at, process }, event) in events {
        writeln!(f, "{mark} {number} {at} {process}: {event:?}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutwater_protocol::{ProcessId, Term, VirtualTime};

    fn trace(terms: &[u32]) -> Vec<(Stamp, Event)> {
        let stamp =
            |number| Stamp { number, at: VirtualTime(number), process: ProcessId::Coordinator };
        let event = |term: &u32| Event::LeadershipTaken { term: Term(*term) };
        (0..).map(stamp).zip(terms.iter().map(event)).collect()
    }

    #[test]
    fn equal_traces_do_not_diverge() {
        assert_eq!(diff(trace(&[1, 2]), trace(&[1, 2]), 3), None);
        assert_eq!(diff(trace(&[]), trace(&[]), 3), None);
    }

    #[test]
    fn the_first_difference_is_found_with_its_context() {
        let found = diff(trace(&[1, 2, 3, 4, 5]), trace(&[1, 2, 3, 9, 5]), 1).expect("they differ");
        assert_eq!(found.common, 3);
        assert_eq!(found.before, trace(&[1, 2, 3])[2..]);
        assert_eq!(found.left, trace(&[1, 2, 3, 4, 5])[3..]);
        assert_eq!(found.right, trace(&[1, 2, 3, 9, 5])[3..]);
    }

    #[test]
    fn a_trace_that_ends_early_diverges_there() {
        let found = diff(trace(&[1, 2]), trace(&[1]), 8).expect("they differ");
        assert_eq!((found.common, found.left.len(), found.right.len()), (1, 1, 0));
        assert!(found.to_string().ends_with("+ the trace ends\n"), "{found}");
    }
}
