//! Which shape the job had in which attempt, as a trace tells it.

use super::event::{Event, Stamp};
use cutwater_protocol::{Attempt, Topology};

/// The shapes of a job, in order.
#[derive(Clone, Debug)]
pub struct Shapes {
    /// Before anything was told: the shape that the run began with, or one in which things have no names.
    first: Topology,
    /// Each with the number of the event that told it, and the first attempt that had it.
    later: Vec<(u64, Attempt, Topology)>,
}

impl Shapes {
    /// Those that a trace tells of; it may lack events. A shape that names what it has not is none.
    #[must_use]
    pub fn of(trace: &[(Stamp, Event)]) -> Self {
        let mut shapes = Self { first: Topology::default(), later: Vec::new() };
        for (stamp, event) in trace {
            let Some(topology) = event.shape().filter(|topology| is_sound(topology)) else {
                continue;
            };
            match event.attempt() {
                None => shapes.first = topology.clone(),
                Some(attempt) if shapes.at(stamp.number) != topology => {
                    shapes.later.push((stamp.number, attempt, topology.clone()));
                }
                Some(_) => {}
            }
        }
        shapes
    }

    /// All of them, in order.
    pub fn all(&self) -> impl Iterator<Item = &Topology> {
        std::iter::once(&self.first).chain(self.later.iter().map(|(_, _, topology)| topology))
    }

    /// Which of [all](Self::all) the job had in `attempt`.
    #[must_use]
    pub fn index_in_attempt(&self, attempt: Attempt) -> usize {
        self.later.iter().rposition(|(_, first, _)| *first <= attempt).map_or(0, |later| later + 1)
    }

    /// The same shapes, with other names for their operators.
    #[must_use]
    pub fn renamed(mut self, name: impl Fn(&str) -> String) -> Self {
        let later = self.later.iter_mut().map(|(_, _, topology)| topology);
        for topology in std::iter::once(&mut self.first).chain(later) {
            topology.operators.iter_mut().for_each(|operator| operator.name = name(&operator.name));
        }
        self
    }

    /// The shape of the job in `attempt`.
    #[must_use]
    pub fn in_attempt(&self, attempt: Attempt) -> &Topology {
        self.newest(|(_, first, _)| *first <= attempt)
    }

    /// The shape of the job when the event with this number happened.
    #[must_use]
    pub fn at(&self, number: u64) -> &Topology {
        self.newest(|(told, _, _)| *told <= number)
    }

    /// The shape that an event speaks of: of its attempt, or of the time at which it happened.
    #[must_use]
    pub fn around(&self, stamp: Stamp, event: &Event) -> &Topology {
        event.attempt().map_or_else(|| self.at(stamp.number), |attempt| self.in_attempt(attempt))
    }

    fn newest(&self, is_due: impl Fn(&(u64, Attempt, Topology)) -> bool) -> &Topology {
        let due = self.later.iter().rev().find(|shape| is_due(shape));
        due.map_or(&self.first, |(_, _, topology)| topology)
    }
}

/// Whether every subtask is of an operator that there is, and every channel leads from one subtask to another.
fn is_sound(topology: &Topology) -> bool {
    let Topology { operators, subtasks, channels } = topology;
    subtasks.iter().all(|subtask| subtask.operator.index() < operators.len())
        && channels
            .iter()
            .all(|channel| channel.from.index().max(channel.to.index()) < subtasks.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutwater_protocol::{ChannelId, CheckpointId, ProcessId, Term, VirtualTime};

    fn topology(parallelism: u16) -> Topology {
        use cutwater_protocol::{OperatorRole, OperatorShape};
        let (name, role) = ("count".to_owned(), OperatorRole::Operator);
        let operators = vec![OperatorShape::new(&name, role, parallelism)];
        Topology { operators, ..Topology::default() }
    }

    #[test]
    fn an_event_speaks_of_the_shape_of_its_attempt() {
        let at = |number| Stamp { number, at: VirtualTime::ZERO, process: ProcessId::Coordinator };
        let reshaped = |attempt, parallelism| Event::Reshaped {
            attempt: Attempt(attempt),
            term: Term(1),
            topology: Box::new(topology(parallelism)),
        };
        let trace = [(at(5), reshaped(2, 3)), (at(9), reshaped(3, 3)), (at(20), reshaped(4, 1))];
        let shapes = Shapes::of(&trace);
        assert_eq!(shapes.in_attempt(Attempt(1)), &Topology::default(), "nothing was told");
        assert_eq!(shapes.in_attempt(Attempt(3)), &topology(3));
        let (attempt, checkpoint) = (Attempt(3), CheckpointId(1));
        let late = Event::ChannelBlocked { channel: ChannelId(0), attempt, checkpoint };
        assert_eq!(shapes.around(at(30), &late), &topology(3), "of an attempt that is over");
        assert_eq!(shapes.around(at(30), &Event::FaultsEnded), &topology(1));
        assert_eq!(shapes.at(4), &Topology::default());
        let told = |attempt| shapes.all().nth(shapes.index_in_attempt(Attempt(attempt)));
        assert_eq!(
            [1, 3, 4].map(told),
            [0, 3, 1].map(|n| shapes.all().find(|it| it
                .operators
                .first()
                .map_or(0, |it| it.parallelism)
                == n))
        );
        let renamed = shapes.renamed(str::to_uppercase);
        assert_eq!(renamed.in_attempt(Attempt(2)).operators[0].name, "COUNT");
    }
}
