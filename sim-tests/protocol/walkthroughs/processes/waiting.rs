//! What waits for a command in a walk-through in brief: snapshots to be written, what makes a checkpoint complete, and
//! time.

use cutwater::cluster::message::{Answer, ObjectResult, Request, ToCoordinator};
use cutwater::cluster::{CoordinatorWakeUp, Input, Message, TaskTimer, Timer};
use cutwater::protocol::{CheckpointId, CoordinatorTimer, ProcessId, RequestNumber, SubtaskId};

use super::crank::Crank;
use super::names::timer_of;
use super::printer::Pending;

impl Crank {
    /// What a walk-through in brief learns of what arrives.
    pub(super) fn look_into(&mut self, to: ProcessId, message: &Message) {
        let confirmed = self.confirmed(message);
        let Some(brief) = &mut self.brief else { return };
        if let Some(transaction) = brief.is_visible(message) {
            self.lines.push(format!("  target: find {transaction} visible already"));
        }
        if let (ProcessId::Worker(worker), Message::Answer(Answer::Object { result, .. })) =
            (to, message)
            && let ObjectResult::Read(bytes) = result
        {
            brief.read(SubtaskId(worker), bytes);
        }
        if let Some(transaction) = confirmed {
            brief.confirm(transaction);
        }
    }

    /// What waits to make a checkpoint complete, in order.
    pub fn store_next(&mut self) -> bool {
        let Some(pending) = self.under_way.stores.pop_front() else { return false };
        if let Pending::Message { message, .. } = &pending {
            let told = self.names.stored(message);
            self.stimulus(told);
        }
        self.deliver(pending);
        self.settle();
        true
    }

    /// Whether anything waits to be stored.
    pub fn awaits_store(&self) -> bool {
        !self.under_way.stores.is_empty()
    }

    /// The snapshots for this checkpoint that wait to be written, by subtask, in order.
    pub fn uploads(&self, checkpoint: CheckpointId) -> Vec<SubtaskId> {
        let of = |(_, timer): &(usize, Timer)| match timer {
            Timer::Task { subtask, what: TaskTimer::Upload { checkpoint: other }, .. }
                if *other == checkpoint =>
            {
                Some(*subtask)
            }
            _ => None,
        };
        let mut subtasks: Vec<_> = self.under_way.uploads.iter().filter_map(of).collect();
        subtasks.sort_unstable();
        subtasks
    }

    /// A snapshot is written, or cannot be.
    pub fn upload(&mut self, subtask: SubtaskId, checkpoint: CheckpointId, succeeds: bool) {
        let is_it = |(_, timer): &(usize, Timer)| match timer {
            Timer::Task {
                subtask: owner, what: TaskTimer::Upload { checkpoint: other }, ..
            } => (*owner, *other) == (subtask, checkpoint),
            _ => false,
        };
        let Some(index) = self.under_way.uploads.iter().position(is_it) else { return };
        let (life, timer) = self.under_way.uploads.remove(index);
        let name = self.names.of_subtask(subtask);
        let what = if succeeds { "is durable" } else { "cannot be written" };
        self.lines.push(format!("> {checkpoint}/{name} {what}"));
        self.hand(life, Input::Timer(timer));
        if !succeeds {
            self.refuse_put();
        }
        self.settle();
    }

    /// The object store does not take what it was asked to last.
    fn refuse_put(&mut self) {
        let Some(Pending::Message { from, message: Message::ObjectStore { request, .. }, .. }) =
            self.under_way.pending.pop_back()
        else {
            return;
        };
        let (result, to) = (ObjectResult::Failed, from);
        let message = Message::Answer(Answer::Object { request, result });
        self.deliver(Pending::Message { from: ProcessId::ObjectStore, to, message });
    }

    /// All workers lose their memory, and are back.
    pub fn crash_workers(&mut self) {
        self.under_way.uploads.clear();
        self.under_way.channels.clear();
        self.under_way.timers.retain(|(_, _, timer)| timer_of(timer) != "trigger");
        for worker in 0..self.names.count() as u16 {
            if let Some(life) = self.life_of(ProcessId::Worker(worker)) {
                self.lives[life].is_up = false;
            }
        }
        for worker in 0..self.names.count() as u16 {
            self.start(ProcessId::Worker(worker));
        }
    }

    /// The timers of periodic triggers mean nothing any more.
    pub fn forget_triggers(&mut self) {
        self.under_way.timers.retain(|(_, _, timer)| timer_of(timer) != "trigger");
    }

    /// The time of a checkpoint is up.
    pub fn expire(&mut self, checkpoint: CheckpointId) -> Result<(), String> {
        let expires =
            Timer::Coordinator(CoordinatorWakeUp::Checkpoint(CoordinatorTimer::Expire(checkpoint)));
        let fired = self.fire_first(|timer| *timer == expires);
        fired.ok_or_else(|| format!("{checkpoint} was never triggered"))
    }

    /// The time of a barrier in its place is over at a subtask.
    pub fn overdue(&mut self, at: SubtaskId, checkpoint: CheckpointId) -> Result<(), String> {
        let is_it = |timer: &Timer| match timer {
            Timer::Task { subtask, what: TaskTimer::Overdue { barrier }, .. } => {
                (*subtask, barrier.checkpoint) == (at, checkpoint)
            }
            _ => false,
        };
        self.fire_first(is_it).ok_or_else(|| format!("nobody watches {checkpoint} there"))
    }

    /// The first timer that fits fires.
    fn fire_first(&mut self, fits: impl Fn(&Timer) -> bool) -> Option<()> {
        let timers = &mut self.under_way.timers;
        let index = timers.iter().position(|(_, _, timer)| fits(timer))?;
        let (at, life, timer) = timers.remove(index);
        self.now = self.now.max(at);
        self.hand(life, Input::Timer(timer));
        self.settle();
        Some(())
    }

    /// Somebody asks the coordinator for something.
    pub fn ask(&mut self, number: RequestNumber, request: Request) {
        let (from, to) = (ProcessId::Coordinator, ProcessId::Coordinator);
        self.deliver(Pending::Message {
            from,
            to,
            message: Message::Coordinator(ToCoordinator::Request { number, request }),
        });
        self.settle();
    }
}
