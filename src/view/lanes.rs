//! The columns of a view, and who lived in each: a subtask in one attempt, a process between two crashes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::protocol::{Attempt, ProcessId, SubtaskId};
use crate::trace::{Event, Place, Shapes, Stamp};

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// As its head shows it.
    pub name: String,
    /// The operator of a subtask; what else it is.
    pub group: String,
    /// Whether it is a subtask, and so has a cut.
    pub subtask: bool,
}

/// What happens to one of these is in order, and known to it later; another life in the same column knows
/// nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Life {
    /// Its column.
    pub lane: usize,
    /// Where it lived.
    pub process: ProcessId,
    /// The attempt of a subtask, or how often the process had been started; 0 where that is not told.
    pub turn: u32,
}

/// All columns, from left to right: who speaks to whom stands side by side.
#[derive(Clone, Debug, Default)]
pub struct Lanes {
    /// The columns.
    pub all: Vec<Lane>,
    /// The lives, in the order in which they began.
    pub lives: Vec<Life>,
    /// By event of the trace, whose it is.
    of_events: Vec<usize>,
    /// By shape and subtask.
    of_subtasks: Vec<Vec<usize>>,
    strangers: BTreeMap<SubtaskId, usize>,
    of_processes: BTreeMap<ProcessId, usize>,
}

/// Where an event belongs before columns have places.
#[derive(Clone, Copy, Debug)]
enum Spot {
    /// Of the shape of the first attempt, and alive in the second.
    Subtask(SubtaskId, [Attempt; 2]),
    Process(ProcessId),
}

impl Lanes {
    /// The columns of a trace: of every subtask that its shapes name, and of all others that do something.
    #[must_use]
    pub fn of(trace: &[(Stamp, Event)], shapes: &Shapes) -> Self {
        let mut lanes = Self::default();
        let mut newest = Attempt(0);
        let spot = |(stamp, event): &(Stamp, Event)| {
            if let Event::AttemptStarted { attempt, .. } = event {
                newest = newest.max(*attempt);
            }
            spot(*stamp, event, newest, shapes)
        };
        let spots: Vec<Spot> = trace.iter().map(spot).collect();
        lanes.add_processes(&spots, |process| process == ProcessId::Coordinator);
        lanes.add_processes(&spots, |process| process == ProcessId::SourceLog);
        lanes.add_subtasks(shapes);
        lanes.add_strangers(&spots, shapes);
        let stores = [ProcessId::SinkTarget, ProcessId::ObjectStore, ProcessId::MetaStore];
        stores.iter().for_each(|store| lanes.add_processes(&spots, |process| process == *store));
        lanes.add_processes(&spots, |process| matches!(process, ProcessId::Worker(_)));
        lanes.live(trace, &spots, shapes);
        lanes
    }

    /// Whose an event is, by its place in the trace.
    #[must_use]
    pub fn life_of(&self, event: usize) -> usize {
        self.of_events[event]
    }

    /// The column of a subtask in an attempt.
    #[must_use]
    pub fn of_subtask(&self, subtask: SubtaskId, shape: usize) -> Option<usize> {
        let named = self.of_subtasks.get(shape).and_then(|lanes| lanes.get(subtask.index()));
        named.or_else(|| self.strangers.get(&subtask)).copied()
    }

    /// The column of a process, where it has one.
    #[must_use]
    pub fn of_process(&self, process: ProcessId) -> Option<usize> {
        self.of_processes.get(&process).copied()
    }

    fn push(&mut self, name: String, group: String, subtask: bool) -> usize {
        self.all.push(Lane { name, group, subtask });
        self.all.len() - 1
    }

    fn add_processes(&mut self, spots: &[Spot], is_wanted: impl Fn(ProcessId) -> bool) {
        let acting = spots.iter().filter_map(|spot| match spot {
            Spot::Process(process) => Some(*process).filter(|process| is_wanted(*process)),
            Spot::Subtask(..) => None,
        });
        let mut acting: Vec<ProcessId> = acting.collect();
        acting.sort_unstable();
        acting.dedup();
        for process in acting {
            let lane = self.push(process.to_string(), "process".to_owned(), false);
            self.of_processes.insert(process, lane);
        }
    }

    /// Operators in order, and in each its subtasks by index, whatever attempt had them first.
    fn add_subtasks(&mut self, shapes: &Shapes) {
        let mut places: BTreeMap<(usize, u16), (String, String)> = BTreeMap::new();
        let mut operators: BTreeMap<String, usize> = BTreeMap::new();
        for topology in shapes.all() {
            for subtask in topology.subtask_ids() {
                let operator = topology.operator_of(subtask).name.clone();
                let next = operators.len();
                let place = *operators.entry(operator.clone()).or_insert(next);
                let index = topology.subtasks[subtask.index()].index;
                places.insert((place, index), (topology.name(subtask), operator));
            }
        }
        let mut lanes = BTreeMap::new();
        for (name, operator) in places.into_values() {
            lanes.insert(name.clone(), self.push(name, operator, true));
        }
        let of = |topology: &crate::protocol::Topology| {
            topology.subtask_ids().map(|subtask| lanes[&topology.name(subtask)]).collect()
        };
        self.of_subtasks = shapes.all().map(of).collect();
    }

    /// Subtasks that no shape tells of: the trace lacks its beginning, or makes no sense.
    fn add_strangers(&mut self, spots: &[Spot], shapes: &Shapes) {
        let mut strangers: Vec<SubtaskId> = spots
            .iter()
            .filter_map(|spot| match spot {
                Spot::Subtask(subtask, [named, _]) => {
                    let shape = shapes.index_in_attempt(*named);
                    self.of_subtask(*subtask, shape).is_none().then_some(*subtask)
                }
                Spot::Process(_) => None,
            })
            .collect();
        strangers.sort_unstable();
        strangers.dedup();
        for subtask in strangers {
            let lane = self.push(subtask.to_string(), "unknown".to_owned(), true);
            self.strangers.insert(subtask, lane);
        }
    }

    fn live(&mut self, trace: &[(Stamp, Event)], spots: &[Spot], shapes: &Shapes) {
        let mut lives: BTreeMap<Life, usize> = BTreeMap::new();
        let mut starts: BTreeMap<ProcessId, u32> = BTreeMap::new();
        for ((stamp, event), spot) in trace.iter().zip(spots) {
            if let Event::Restarted { process: ProcessId::Coordinator, incarnation } = event {
                starts.insert(ProcessId::Coordinator, incarnation.0);
            }
            let (lane, turn) = match spot {
                Spot::Subtask(subtask, [named, alive]) => {
                    let shape = shapes.index_in_attempt(*named);
                    (self.of_subtask(*subtask, shape), alive.0)
                }
                Spot::Process(process) => {
                    let turn = starts.get(process).copied().unwrap_or(0);
                    (self.of_process(*process), turn)
                }
            };
            let lane = lane.expect("every spot of the trace has been given a column");
            let life = Life { lane, process: stamp.process, turn };
            let next = self.lives.len();
            let known = *lives.entry(life).or_insert(next);
            if known == next {
                self.lives.push(life);
            }
            self.of_events.push(known);
        }
    }
}

/// Who did it, or to whom it happened; `newest` is the attempt that was started last.
fn spot(stamp: Stamp, event: &Event, newest: Attempt, shapes: &Shapes) -> Spot {
    let about = event.about();
    let process = Spot::Process(stamp.process);
    let attempt = about.attempt;
    let ends = |channel: crate::protocol::ChannelId| {
        shapes.around(stamp, event).channels.get(channel.index())
    };
    let (subtask, attempts) = match (about.place, attempt) {
        (Place::Into(channel), Some(attempt)) => {
            (ends(channel).map(|ends| ends.from), [attempt; 2])
        }
        (Place::OutOf(channel), Some(attempt)) => (ends(channel).map(|ends| ends.to), [attempt; 2]),
        (Place::Within(subtask), Some(attempt)) => (Some(subtask), [attempt; 2]),
        // A sink asks for the transactions of earlier attempts as well.
        (Place::Concerning(subtask), Some(named))
            if matches!(event, Event::CommitRequested { .. }) =>
        {
            (Some(subtask), [named, newest])
        }
        _ => return process,
    };
    subtask.map_or(process, |subtask| Spot::Subtask(subtask, attempts))
}
