//! A queue that acknowledges what it takes, and drops repetitions by producer and number, after Apache Pulsar's
//! deduplication (PIP-6) and the labels of Doris and StarRocks.
//!
//! 1. What is published is seen at once. The acknowledgement may be lost, so that a producer publishes again.
//! 2. Of each named producer the queue keeps the highest number that it has taken. What does not have a higher one
//!    is acknowledged, *and dropped*: a producer that begins to count anew loses everything, and one that publishes
//!    out of order loses what it publishes late.
//! 3. A name is all that tells a producer from another. Who comes back under another name repeats what it published.

use serde::{Deserialize, Serialize};

use super::row::Row;
use super::system::{ExternalSystem, Held, Request, SystemOutputs, without_transactions};
use crate::protocol::ordered::VecMap;
use crate::trace::SinkFault;

/// What a queue is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// The name of the producer.
    pub producer: String,
    /// The number of this message; numbers of a producer rise.
    pub number: u64,
    /// The rows of the message.
    pub rows: Vec<Row>,
}

/// What a queue answers: the message is in it, or was dropped as a repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged;

/// The queue.
#[derive(Clone, Debug, Default)]
pub struct DeduplicatingQueue {
    /// The highest number of each producer.
    highest: VecMap<String, u64>,
}

impl DeduplicatingQueue {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn publish(&mut self, message: Publish, out: &mut SystemOutputs) {
        let Publish { producer, number, rows } = message;
        let is_new = self.highest.get(&producer).is_none_or(|highest| number > *highest);
        if is_new {
            self.highest.insert(producer, number);
            out.show(rows);
        }
    }
}

impl ExternalSystem for DeduplicatingQueue {
    fn name(&self) -> &'static str {
        "deduplicating-queue"
    }

    fn handle_request(&mut self, request: Request<'_>, out: &mut SystemOutputs) {
        match request.decode::<Publish>() {
            Err(error) => out.refuse(request.caller, format!("no message of a queue: {error}")),
            Ok(message) => {
                self.publish(message, out);
                out.answer(request.caller, &Acknowledged);
            }
        }
    }

    fn handle_timer(&mut self, _: u64, _: &mut SystemOutputs) {}

    fn handle_fault(&mut self, fault: Option<SinkFault>, _: &mut SystemOutputs) {
        without_transactions(fault);
    }

    /// Everything is durable.
    fn restart(&mut self, _: &mut SystemOutputs) {}

    /// What it has taken, readers see.
    fn held(&self) -> Vec<Held> {
        Vec::new()
    }

    fn boxed_clone(&self) -> Box<dyn ExternalSystem> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
