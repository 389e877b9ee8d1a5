//! Things planned for the n-th occurrence of an event: which of them are due.

use strum::EnumCount as _;

use crate::plan::When;
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
    place: usize,
}

impl Aims {
    /// Of these, those that are aimed at points; each is known by its place.
    pub fn new<'a>(planned: impl Iterator<Item = &'a When>) -> Self {
        let aimed = planned.enumerate().filter_map(|(place, when)| {
            let When::Point { point, subtask, occurrence, after_restarts } = *when else {
                return None;
            };
            Some(Aimed { point, subtask, left: occurrence.max(1), after_restarts, place })
        });
        let aimed: Vec<Aimed> = aimed.collect();
        let mut points = aimed.iter().fold(0, |points, aimed| points | bit(aimed.point));
        if aimed.iter().any(|aimed| aimed.after_restarts > 0) {
            points |= bit(Point::AttemptStarted);
        }
        Self { aimed, points, restarts: 0 }
    }

    /// Whether anything is aimed at events of this kind.
    #[must_use]
    pub fn is_watching(&self, event: &Event) -> bool {
        self.points != 0 && self.points & bit(Point::from(event)) != 0
    }

    /// What is due right after this event, by place.
    pub fn handle_event(&mut self, event: &Event) -> Vec<usize> {
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
                due.push(aimed.place);
            }
            aimed.left > 0
        });
        due
    }

    /// Nothing is due any more.
    pub fn end(&mut self) {
        self.aimed.clear();
        self.points = 0;
    }
}

fn bit(point: Point) -> u128 {
    1 << (point as u32)
}
