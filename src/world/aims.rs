//! Acts planned for the n-th occurrence of an event: which of them are due.

use strum::EnumCount as _;

use super::act::Act;
use crate::plan::{Plan, When};
use crate::protocol::SubtaskId;
use crate::trace::{Event, Point};

const _: () = assert!(Point::COUNT <= 128, "one bit a point");

/// What is aimed at protocol points and has not been reached yet.
#[derive(Clone, Debug)]
pub struct Aims {
    aimed: Vec<Aimed>,
    /// One bit for each point that is aimed at: most events need no closer look.
    points: u128,
    /// How often the job has been restarted.
    restarts: u32,
}

#[derive(Clone, Debug)]
struct Aimed {
    point: Point,
    subtask: Option<SubtaskId>,
    left: u32,
    after_restarts: u32,
    act: Act,
}

impl Aims {
    /// Those acts of a plan that are aimed at points.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let aimed = Act::following(plan).filter_map(|(act, when)| {
            let When::Point { point, subtask, occurrence, after_restarts } = *when else {
                return None;
            };
            Some(Aimed { point, subtask, left: occurrence.max(1), after_restarts, act })
        });
        let aimed: Vec<Aimed> = aimed.collect();
        Self { points: watched(&aimed), aimed, restarts: 0 }
    }

    /// Whether anything is aimed at events of this kind.
    #[must_use]
    pub fn is_watching(&self, event: &Event) -> bool {
        self.points != 0 && self.points & bit(Point::from(event)) != 0
    }

    /// What is due right after this event.
    pub fn handle_event(&mut self, event: &Event) -> Vec<Act> {
        if let Event::AttemptStarted { attempt, .. } = event {
            self.restarts = attempt.0.saturating_sub(1);
        }
        let (point, subtask, restarts) = (Point::from(event), event.subtask(), self.restarts);
        let mut due = Vec::new();
        self.aimed.retain_mut(|aimed| {
            let matches = aimed.point == point
                && aimed.after_restarts <= restarts
                && (aimed.subtask.is_none() || aimed.subtask == subtask);
            aimed.left -= u32::from(matches);
            if aimed.left == 0 {
                due.push(aimed.act);
            }
            aimed.left > 0
        });
        due
    }

    /// The safety phase is over: only requests may still be due.
    pub fn end(&mut self) {
        self.aimed.retain(|aimed| matches!(aimed.act, Act::Request(_)));
        self.points = watched(&self.aimed);
    }
}

/// The kinds of events at which something is aimed, and those that tell of restarts if these are counted.
fn watched(aimed: &[Aimed]) -> u128 {
    let points = aimed.iter().fold(0, |points, aimed| points | bit(aimed.point));
    let counts_restarts = aimed.iter().any(|aimed| aimed.after_restarts > 0);
    if counts_restarts { points | bit(Point::AttemptStarted) } else { points }
}

fn bit(point: Point) -> u128 {
    1 << (point as u32)
}
