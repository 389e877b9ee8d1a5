//! The driver: runs one process over TCP connections to the others.
//!
//! It is written on tokio alone. What is simulated about it (the runtime, the network, the clock) is
//! outside: the same source drives a process on real sockets.

mod agenda;
pub mod clock;
pub mod delays;
pub mod either;
pub mod frame;
mod incoming;
pub mod outgoing;
pub mod process_instance;
mod session;

use std::any::Any;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use clock::Clock;
use frame::Class;
use process_instance::ProcessInstance;

use crate::cluster::Message;
use crate::plan::MessageAction;
use crate::protocol::{Incarnation, ProcessId, VirtualTime};
use crate::trace::{Event, MessageKind};
use crate::world::network::Delivery;

/// Where lives of a process are, one after the other. A life that was replaced while it went on keeps
/// its machine; the next is on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Machine(pub u16);

/// One life of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// The process that lives.
    pub process: ProcessId,
    /// The how-manieth, from 0.
    pub incarnation: Incarnation,
    /// The machine that the life has.
    pub machine: Machine,
}

/// What a driver needs of the run that it is part of.
pub trait World: Send + Sync {
    /// The run's clock.
    fn clock(&self) -> Clock;

    /// What the clock of a process shows at this time of the run's.
    fn local_time(&self, process: ProcessId, now: VirtualTime) -> VirtualTime;

    /// How long it takes until the clock of a process has run for `duration`.
    fn wait(&self, process: ProcessId, duration: Duration) -> Duration;

    /// Where a machine is reached.
    fn address(&self, machine: Machine) -> SocketAddr;

    /// To which machine a message leads.
    fn machine_of(&self, to: ProcessId, message: &Message) -> Machine;

    /// A process takes an input.
    fn step(&self);

    /// An event happens; `Break` when nothing may follow it.
    fn event(&self, life: Life, now: VirtualTime, event: &Event) -> ControlFlow<()>;

    /// A control message is sent, and its link is to take `delay`: what happens to it, if anything. One
    /// that is to wait for an event is kept by the world.
    fn strike_message(
        &self,
        from: ProcessId,
        now: VirtualTime,
        to: ProcessId,
        kind: MessageKind,
        delayed: (Duration, &Message),
    ) -> Option<MessageAction>;

    /// What becomes of a message that has arrived: whether the process gets to see it.
    fn delivery(
        &self,
        now: VirtualTime,
        ends: (ProcessId, ProcessId),
        class: Class,
        message: &Message,
    ) -> Delivery;

    /// Something failed that must not: the run is over, and whoever started it is told.
    fn fail(&self, failure: Box<dyn Any + Send>);
}

/// Drives a life of a process, until its tasks are killed.
pub async fn drive(instance: Arc<ProcessInstance>) {
    instance.start();
    tokio::spawn(listen(Arc::clone(&instance)));
    instance.keep_time().await;
    // Its connections live until the whole of it is killed.
    std::future::pending().await
}

async fn listen(instance: Arc<ProcessInstance>) {
    if let Err(error) = incoming::listen(Arc::clone(&instance)).await {
        instance.fail(Box::new(format!("{} cannot listen: {error}", instance.address())));
    }
}

/// Locks, whoever panicked while he held the lock: a panic ends the run anyway.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
