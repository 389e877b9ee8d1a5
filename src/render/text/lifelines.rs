//! How each process fares along a diagram, and on which side of the cut it is.

use super::focus::Focus;
use super::moments::Moment;
use crate::protocol::ProcessId;
use crate::protocol::ordered::VecMap;
use crate::trace::{Event, Point, Standing};

/// What an event changes in a lifeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The process is down.
    Down(ProcessId),
    /// The process makes no progress.
    Paused(ProcessId),
    /// The process is up.
    Up(ProcessId),
    /// One of its subtasks is in the cut.
    Snapshot(ProcessId),
    /// All begin anew: no cut lies behind them.
    Anew,
}

impl Change {
    /// What this event changes.
    pub fn of(event: &Event, process: ProcessId, focus: &Focus) -> Option<Self> {
        if let Some((process, standing)) = event.standing() {
            return Some(match standing {
                Standing::Down => Self::Down(process),
                Standing::Paused => Self::Paused(process),
                Standing::Up => Self::Up(process),
            });
        }
        if focus.is_cut_at(event) {
            return Some(Self::Snapshot(process));
        }
        (Point::from(event) == Point::AttemptStarted).then_some(Self::Anew)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Condition {
    #[default]
    Up,
    Down,
    Paused,
}

#[derive(Clone, Copy, Debug, Default)]
struct Life {
    condition: Condition,
    snapshots: usize,
}

/// All lifelines, at one place of the trace.
#[derive(Clone, Debug)]
pub struct Lifelines {
    lives: VecMap<ProcessId, Life>,
    /// How many snapshots of the checkpoint each process takes in all.
    expected: VecMap<ProcessId, usize>,
}

impl Lifelines {
    /// The beginning of a trace with these moments.
    pub fn new(moments: &[Moment]) -> Self {
        let mut expected = VecMap::new();
        for change in moments.iter().flat_map(|moment| &moment.changes) {
            if let Change::Snapshot(process) = change {
                *expected.entry(*process).or_default() += 1;
            }
        }
        Self { lives: VecMap::new(), expected }
    }

    /// Goes on past a moment.
    pub fn pass(&mut self, moment: &Moment) {
        for change in &moment.changes {
            match *change {
                Change::Down(process) => *self.life(process) = Life::down(),
                Change::Paused(process) => self.life(process).condition = Condition::Paused,
                Change::Up(process) => self.life(process).condition = Condition::Up,
                Change::Snapshot(process) => self.life(process).snapshots += 1,
                Change::Anew => self.lives.values_mut().for_each(|life| life.snapshots = 0),
            }
        }
    }

    fn life(&mut self, process: ProcessId) -> &mut Life {
        self.lives.entry(process).or_default()
    }

    /// How the lifeline of a process is drawn here.
    pub fn line(&self, process: ProcessId) -> char {
        let life = self.lives.get(&process).copied().unwrap_or_default();
        match life.condition {
            Condition::Down => ' ',
            Condition::Paused => '┆',
            Condition::Up => {
                let expected = self.expected.get(&process).copied().unwrap_or(usize::MAX);
                if life.snapshots >= expected { '║' } else { '│' }
            }
        }
    }
}

impl Life {
    fn down() -> Self {
        Self { condition: Condition::Down, snapshots: 0 }
    }
}
