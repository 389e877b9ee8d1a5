//! What a process has to do later.

use std::time::Duration;

use crate::cluster::{Input, Message};
use crate::protocol::{ProcessId, VirtualTime};
use crate::world::queue::{Due, Queue, Slab};

/// Something to do later.
#[derive(Debug)]
pub enum Task {
    /// Hand the process an input.
    Input(Input),
    /// A message that travels alone arrives.
    Arrive {
        /// Who sent it.
        from: ProcessId,
        /// The message.
        message: Message,
    },
    /// The first of the messages that have arrived from a peer and wait may go on.
    Release {
        /// The peer.
        from: ProcessId,
    },
    /// Write an ordered message.
    Send {
        /// The process that it is for.
        to: ProcessId,
        /// The message.
        message: Message,
    },
    /// Send a message that travels alone.
    SendAlone {
        /// The process that it is for.
        to: ProcessId,
        /// How long its link takes.
        delay: Duration,
        /// The message.
        message: Message,
    },
}

/// What is to be done, by time, and in the order in which it was asked for where times are equal.
#[derive(Debug, Default)]
pub struct Agenda {
    queue: Queue,
    tasks: Slab<Task>,
    order: u64,
}

impl Agenda {
    /// Adds a task.
    pub fn push(&mut self, at: VirtualTime, task: Task) {
        self.order += 1;
        let token = self.tasks.insert(task);
        self.queue.push(Due { at, order: self.order }, token);
    }

    /// Takes the next task that is due.
    pub fn pop(&mut self, now: VirtualTime) -> Option<Task> {
        if self.next()? > now {
            return None;
        }
        let (_, token) = self.queue.pop()?;
        self.tasks.remove(token)
    }

    /// When the next task is due.
    #[must_use]
    pub fn next(&self) -> Option<VirtualTime> {
        self.queue.first()
    }
}
