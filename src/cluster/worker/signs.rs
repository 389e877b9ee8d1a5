//! What a worker tells the coordinator of itself: that it lives, and how far its tasks have come.

use std::time::Duration;

use super::super::io::{Outbox, Timer};
use super::super::message::{Heartbeat, Message, ToCoordinator};
use super::Worker;
use crate::protocol::ProcessId;

impl Worker {
    /// Says that all tasks are ready: once of itself, and again when asked.
    pub(super) fn report_ready(&mut self, again: bool, outbox: &mut dyn Outbox) {
        let Some(execution) = &mut self.execution else { return };
        if execution.is_ready() && (again || !execution.reported_ready) {
            execution.reported_ready = true;
            let sign = self.sign_of_life();
            outbox.send(ProcessId::Coordinator, Message::Coordinator(ToCoordinator::Ready(sign)));
        }
    }

    /// Says that all tasks have finished: once of itself, and again when asked.
    pub(super) fn report_finished(&mut self, again: bool, outbox: &mut dyn Outbox) {
        let Some(execution) = &mut self.execution else { return };
        let is_finished = execution.tasks.iter().flatten().all(|task| task.is_finished());
        if is_finished && (again || !execution.reported_finished) {
            execution.reported_finished = true;
            let sign = self.sign_of_life();
            outbox
                .send(ProcessId::Coordinator, Message::Coordinator(ToCoordinator::Finished(sign)));
        }
    }

    /// Says that all input has ended, where the coordinator is to know: once of itself, once more when
    /// everything is committed, and again with every sign of life, since it may be lost.
    pub(super) fn report_ended(&mut self, again: bool, outbox: &mut dyn Outbox) {
        let Some(execution) = self.execution.as_mut().filter(|_| self.settings.final_at_once)
        else {
            return;
        };
        let mut tasks = execution.tasks.iter().flatten();
        let is_settled = execution.tasks.iter().flatten().all(|task| task.is_settled());
        if tasks.all(|task| task.has_ended())
            && (again || execution.reported_ended != Some(is_settled))
        {
            execution.reported_ended = Some(is_settled);
            let sign = self.sign_of_life();
            outbox.send(ProcessId::Coordinator, Message::Coordinator(ToCoordinator::Ended(sign)));
        }
    }

    pub(super) fn sign_of_life(&mut self) -> Heartbeat {
        self.sequence += 1;
        let attempt = self.execution.as_ref().map(|execution| execution.attempt);
        Heartbeat { incarnation: self.incarnation, sequence: self.sequence, attempt }
    }

    pub(super) fn beat(&mut self, outbox: &mut dyn Outbox) {
        let sign = self.sign_of_life();
        outbox.send(ProcessId::Coordinator, Message::Coordinator(ToCoordinator::Heartbeat(sign)));
        outbox.set_timer(Duration::from_millis(self.settings.heartbeat_ms), Timer::Heartbeat);
    }
}
