//! The nemesis: watches for the point of each act of a plan, and keeps what faults do to messages.

use super::act::Act;
use super::aims::Aims;
use crate::plan::{Fault, FaultClass, MessageAction, Plan, PlannedFault};
use crate::protocol::ProcessId;
use crate::protocol::ordered::VecSet;
use crate::trace::{Event, MessageKind, Point};

/// The acts of a plan that wait for an event, and the faults that still act on messages.
#[derive(Clone, Debug)]
pub struct Nemesis {
    aims: Aims,
    messages: Vec<MessageFault>,
    strikes: Vec<Strike>,
}

/// A fault that took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Its place in the plan.
    pub fault: usize,
    /// Its class.
    pub class: FaultClass,
    /// When in the trace.
    pub moment: Moment,
}

/// A place in a trace, between two events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// How many events come before.
    pub events: u64,
    /// The kind of the last of them, but for those that tell of faults.
    pub after: Option<Point>,
}

#[derive(Clone, Debug)]
struct MessageFault {
    /// Which fault, and of which class: it strikes when it hits the first message, not when it is armed.
    strikes: Option<(usize, FaultClass)>,
    message: MessageKind,
    to: Option<ProcessId>,
    left: u32,
    action: MessageAction,
}

impl Nemesis {
    /// The nemesis of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self { aims: Aims::new(plan), messages: Vec::new(), strikes: Vec::new() }
    }

    /// Whether anything is aimed at events of this kind.
    #[must_use]
    pub fn is_watching(&self, event: &Event) -> bool {
        self.aims.is_watching(event)
    }

    /// What follows right after this event.
    pub fn handle_event(&mut self, event: &Event) -> Vec<Act> {
        self.aims.handle_event(event)
    }

    /// A fault takes effect; `struck` is where its point was reached.
    pub fn strike(
        &mut self,
        fault: usize,
        planned: &PlannedFault,
        struck: ProcessId,
        moment: Moment,
    ) {
        self.strikes.push(Strike { fault, class: planned.class(struck), moment });
    }

    /// From here on, the next messages of a kind are hit.
    pub fn arm_messages(&mut self, fault: usize, planned: &PlannedFault) {
        let Fault::Message { message, to, count, action } = planned.fault else { return };
        if count > 0 {
            let strikes = Some((fault, planned.class(ProcessId::Coordinator)));
            self.messages.push(MessageFault { strikes, message, to, left: count, action });
        }
    }

    /// What happens to this control message, if anything.
    pub fn handle_message(
        &mut self,
        kind: MessageKind,
        to: ProcessId,
        moment: Moment,
    ) -> Option<MessageAction> {
        if self.messages.is_empty() {
            return None;
        }
        let hits = |fault: &&mut MessageFault| {
            fault.message == kind && fault.to.is_none_or(|only| only == to)
        };
        let armed = self.messages.iter_mut().find(hits)?;
        armed.left -= 1;
        if let Some((fault, class)) = armed.strikes.take() {
            self.strikes.push(Strike { fault, class, moment });
        }
        let action = armed.action;
        self.messages.retain(|fault| fault.left > 0);
        Some(action)
    }

    /// No fault strikes or acts any more, and no rescale is asked for.
    pub fn end(&mut self) {
        self.aims.end();
        self.messages.clear();
    }

    /// The faults that took effect, in order.
    #[must_use]
    pub fn strikes(&self) -> &[Strike] {
        &self.strikes
    }
}

/// Which directions between processes are cut. Cuts may overlap: each is healed on its own.
#[derive(Clone, Debug, Default)]
pub struct Cuts {
    /// (from, to, which cut)
    cut: VecSet<(ProcessId, ProcessId, usize)>,
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

    /// Heals all cuts of one fault, and names the directions that are open again.
    pub fn heal_by(&mut self, by: usize) -> Vec<(ProcessId, ProcessId)> {
        let healed: Vec<_> =
            self.cut.iter().filter(|(.., fault)| *fault == by).map(|cut| (cut.0, cut.1)).collect();
        healed.into_iter().filter(|(from, to)| self.heal(*from, *to, by)).collect()
    }

    /// Heals all, and names the directions.
    pub fn heal_all(&mut self) -> VecSet<(ProcessId, ProcessId)> {
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
        MessageAction::Until { .. } => Event::MessageReordered { from, to, message },
    }
}
