//! The nemesis: watches for the time or the point of each fault, and says what to do.

use std::collections::BTreeSet;

use strum::EnumCount as _;

use crate::plan::{Fault, FaultClass, MessageAction, Plan, When};
use crate::protocol::{ProcessId, SubtaskId};
use crate::trace::{Event, MessageKind, Point};

const _: () = assert!(Point::COUNT <= 128, "one bit a point");

/// The faults of a plan that have not struck yet, and those that still act on messages.
#[derive(Clone, Debug)]
pub struct Nemesis {
    aimed: Vec<Aimed>,
    /// One bit for each point at which a fault is aimed: most events need no closer look.
    points: u128,
    messages: Vec<MessageFault>,
    struck: [u32; FaultClass::COUNT],
}

/// A fault aimed at a protocol point.
#[derive(Clone, Debug)]
struct Aimed {
    point: Point,
    subtask: Option<SubtaskId>,
    left: u32,
    fault: usize,
}

#[derive(Clone, Debug)]
struct MessageFault {
    /// Counted when it hits the first message, not when it is armed.
    counts_as: Option<FaultClass>,
    message: MessageKind,
    to: Option<ProcessId>,
    left: u32,
    action: MessageAction,
}

impl Nemesis {
    /// The nemesis of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let aimed = plan.faults.iter().enumerate().filter_map(|(fault, planned)| {
            let When::Point { point, subtask, occurrence } = planned.when else { return None };
            Some(Aimed { point, subtask, left: occurrence.max(1), fault })
        });
        let aimed: Vec<Aimed> = aimed.collect();
        let points = aimed.iter().fold(0, |points, aimed| points | 1 << (aimed.point as u32));
        Self { aimed, points, messages: Vec::new(), struck: [0; FaultClass::COUNT] }
    }

    /// Whether any fault is aimed at events of this kind.
    #[must_use]
    pub fn is_watching(&self, event: &Event) -> bool {
        self.points != 0 && self.points & 1 << (Point::from(event) as u32) != 0
    }

    /// The faults that strike right after this event, by their place in the plan.
    pub fn handle_event(&mut self, event: &Event) -> Vec<usize> {
        let (point, subtask) = (Point::from(event), event.subtask());
        let mut striking = Vec::new();
        self.aimed.retain_mut(|aimed| {
            let matches =
                aimed.point == point && (aimed.subtask.is_none() || aimed.subtask == subtask);
            aimed.left -= u32::from(matches);
            if aimed.left == 0 {
                striking.push(aimed.fault);
            }
            aimed.left > 0
        });
        striking
    }

    /// A fault takes effect: it is counted.
    pub fn strike(&mut self, fault: &Fault, process: ProcessId) {
        self.struck[fault.class(process) as usize] += 1;
    }

    /// From here on, the next messages of a kind are hit.
    pub fn arm_messages(
        &mut self,
        class: FaultClass,
        message: MessageKind,
        to: Option<ProcessId>,
        count: u32,
        action: MessageAction,
    ) {
        let counts_as = Some(class);
        self.messages.push(MessageFault { counts_as, message, to, left: count, action });
    }

    /// What happens to this control message, if anything.
    pub fn handle_message(&mut self, kind: MessageKind, to: ProcessId) -> Option<MessageAction> {
        if self.messages.is_empty() {
            return None;
        }
        let hits = |fault: &&mut MessageFault| {
            fault.message == kind && fault.to.is_none_or(|only| only == to)
        };
        let fault = self.messages.iter_mut().find(hits)?;
        fault.left -= 1;
        if let Some(class) = fault.counts_as.take() {
            self.struck[class as usize] += 1;
        }
        let action = fault.action;
        self.messages.retain(|fault| fault.left > 0);
        Some(action)
    }

    /// No fault strikes or acts any more.
    pub fn end(&mut self) {
        self.aimed.clear();
        self.points = 0;
        self.messages.clear();
    }

    /// How many faults of a class took effect.
    #[must_use]
    pub fn struck(&self, class: FaultClass) -> u32 {
        self.struck[class as usize]
    }
}

/// Which directions between processes are cut. Cuts may overlap: each is healed on its own.
#[derive(Clone, Debug, Default)]
pub struct Cuts {
    /// (from, to, which cut)
    cut: BTreeSet<(ProcessId, ProcessId, usize)>,
}

impl Cuts {
    /// Whether nothing is cut.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cut.is_empty()
    }

    /// Whether this direction is cut.
    #[must_use]
    pub fn is_cut(&self, from: ProcessId, to: ProcessId) -> bool {
        self.cut.range((from, to, 0)..=(from, to, usize::MAX)).next().is_some()
    }

    /// Cuts this direction; false if it was cut already.
    pub fn cut(&mut self, from: ProcessId, to: ProcessId, by: usize) -> bool {
        let first = !self.is_cut(from, to);
        self.cut.insert((from, to, by));
        first
    }

    /// Heals one cut; true if the direction is open again.
    pub fn heal(&mut self, from: ProcessId, to: ProcessId, by: usize) -> bool {
        self.cut.remove(&(from, to, by)) && !self.is_cut(from, to)
    }

    /// Heals all, and names the directions.
    pub fn heal_all(&mut self) -> BTreeSet<(ProcessId, ProcessId)> {
        std::mem::take(&mut self.cut).into_iter().map(|(from, to, _)| (from, to)).collect()
    }
}

/// What a trace says of a control message that is hit.
#[must_use]
pub fn message_event(
    action: MessageAction,
    from: ProcessId,
    to: ProcessId,
    message: MessageKind,
) -> Event {
    match action {
        MessageAction::Drop => Event::MessageDropped { from, to, message },
        MessageAction::Delay { .. } => Event::MessageDelayed { from, to, message },
        MessageAction::Duplicate { .. } => Event::MessageDuplicated { from, to, message },
    }
}
