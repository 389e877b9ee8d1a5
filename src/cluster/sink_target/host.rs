//! The external system that a sink target hosts: requests in, replies and sights out, and what comes between.
//!
//! Trouble with answers is the host's, and the same for all systems: requests that come alone are late, refused or
//! unanswered. What comes in order does not suffer: a connection has no such troubles of its own.

use std::fmt;
use std::time::Duration;

use super::super::io::{Input, Outbox, Timer};
use super::super::message::{Answer, Message, RequestId, ToSinkTarget};
use super::super::trouble::{SinkFault, Trouble};
use crate::external::{
    Caller, ExternalSystem, Held, Reply, Request, Row, SystemOutput, SystemOutputs,
};
use crate::protocol::ordered::VecMap;
use crate::protocol::{OperatorId, ProcessId, VirtualTime};
use crate::trace::{Event, OutputHeld, OutputRecord};

/// A system, and the requests that it has yet to see.
#[derive(Clone)]
pub(super) struct Host {
    system: Box<dyn ExternalSystem>,
    fault: Option<SinkFault>,
    /// Requests that are carried out later, by ticket.
    delayed: VecMap<u64, (Caller, Vec<u8>)>,
    next: u64,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("system", &self.system.name()).finish_non_exhaustive()
    }
}

impl Host {
    /// The host of this system.
    pub(super) fn new(system: Box<dyn ExternalSystem>) -> Self {
        Self { system, fault: None, delayed: VecMap::new(), next: 0 }
    }

    /// What a crash leaves: the system, and its troubles.
    pub(super) fn restarted(&self) -> Self {
        Self { delayed: VecMap::new(), ..self.clone() }
    }

    /// Takes what concerns the system.
    pub(super) fn handle(&mut self, now: VirtualTime, input: &Input, outbox: &mut dyn Outbox) {
        let mut out = SystemOutputs::new(now);
        match input {
            Input::Message { from, message: Message::SinkTarget(message) } => {
                self.handle_message(*from, message, &mut out, outbox);
            }
            Input::Timer(Timer::System(timer)) => self.system.handle_timer(*timer, &mut out),
            Input::Timer(Timer::HeldBack(ticket)) => {
                if let Some(request) = self.delayed.remove(ticket) {
                    self.serve(request, &mut out);
                }
            }
            Input::Trouble(Trouble::Sink(fault)) => self.handle_fault(*fault, &mut out),
            Input::Start(incarnation) if incarnation.0 > 0 => self.system.restart(&mut out),
            Input::Timer(
                // The target's own, and those of other processes.
                Timer::Serve(_)
                | Timer::Heartbeat
                | Timer::Retry
                | Timer::Split(_)
                | Timer::Task { .. }
                | Timer::Coordinator(_),
            ) => {}
            Input::Message { .. } => {} // Not to a system.
            Input::Trouble(Trouble::Store(_) | Trouble::Split { .. }) => {}
            Input::Start(_) | Input::Rescale(_) | Input::ConnectionLost { .. } => {}
        }
        carry_out(&mut out, outbox);
    }

    /// What the system holds, and readers do not see: one event for the rows of each operator under a name.
    pub(super) fn held(&self) -> Vec<Event> {
        self.system.held().iter().flat_map(events_of_held).collect()
    }

    fn handle_message(
        &mut self,
        from: ProcessId,
        message: &ToSinkTarget,
        out: &mut SystemOutputs,
        outbox: &mut dyn Outbox,
    ) {
        match message {
            ToSinkTarget::Tell { bytes } => {
                let caller = Caller { process: from, request: None };
                self.system.handle_request(Request { caller, bytes }, out);
            }
            ToSinkTarget::Ask { request: RequestId(request), in_order, bytes } => {
                let caller = Caller { process: from, request: Some(*request) };
                match in_order {
                    true => self.system.handle_request(Request { caller, bytes }, out),
                    false => self.handle_alone(caller, bytes, out, outbox),
                }
            }
            ToSinkTarget::Write { .. } | ToSinkTarget::Operation { .. } => {}
        }
    }

    /// A request that came alone meets whatever is wrong.
    fn handle_alone(
        &mut self,
        caller: Caller,
        bytes: &[u8],
        out: &mut SystemOutputs,
        outbox: &mut dyn Outbox,
    ) {
        match self.fault {
            Some(SinkFault::DelayedCommit { extra_ms }) => {
                if self.delayed.values().any(|(other, _)| *other == caller) {
                    return; // Asked again: that one is under way.
                }
                self.delayed.insert(self.next, (caller, bytes.to_vec()));
                let after = Duration::from_millis(extra_ms);
                outbox.set_timer(after, Timer::HeldBack(self.next));
                self.next += 1;
            }
            Some(SinkFault::RefusedCommit) => reply(caller, Reply::Unavailable, outbox),
            Some(SinkFault::UnansweredCommit) => {
                let unheard = Caller { request: None, ..caller };
                self.system.handle_request(Request { caller: unheard, bytes }, out);
            }
            None
            | Some(
                SinkFault::TransactionTimeout
                | SinkFault::FencedProducer
                | SinkFault::HangingTransaction
                | SinkFault::ExpiredTransaction
                | SinkFault::ForeignCommit,
            ) => {
                self.system.handle_request(Request { caller, bytes }, out);
            }
        }
    }

    fn serve(&mut self, (caller, bytes): (Caller, Vec<u8>), out: &mut SystemOutputs) {
        self.system.handle_request(Request { caller, bytes: &bytes }, out);
    }

    fn handle_fault(&mut self, fault: Option<SinkFault>, out: &mut SystemOutputs) {
        if fault == self.fault {
            return;
        }
        self.fault = fault;
        while let Some((_, request)) = self.delayed.pop_first() {
            self.serve(request, out);
        }
        self.system.handle_fault(fault, out);
    }
}

fn carry_out(out: &mut SystemOutputs, outbox: &mut dyn Outbox) {
    while let Some(output) = out.poll_output() {
        match output {
            SystemOutput::Reply { caller, reply: content } => reply(caller, content, outbox),
            SystemOutput::Show(rows) => {
                let event = |operator, records| Event::OutputShown { operator, records };
                told(&rows, event).for_each(|event| outbox.event(event));
            }
            SystemOutput::Hide(rows) => {
                let event = |operator, records| Event::OutputHidden { operator, records };
                told(&rows, event).for_each(|event| outbox.event(event));
            }
            SystemOutput::Expire(rows) => {
                let event = |operator, records| Event::OutputExpired { operator, records };
                told(&rows, event).for_each(|event| outbox.event(event));
            }
            SystemOutput::Wake { after, timer } => outbox.set_timer(after, Timer::System(timer)),
        }
    }
}

fn events_of_held(held: &Held) -> Vec<Event> {
    let events = told(&held.rows, |operator, records| {
        let (name, since, upkeep) = (held.name.clone(), held.since, held.upkeep);
        Event::OutputHeld(Box::new(OutputHeld { operator, name, since, upkeep, records }))
    });
    events.collect()
}

fn reply(caller: Caller, reply: Reply, outbox: &mut dyn Outbox) {
    if let Some(request) = caller.request {
        outbox.send(
            caller.process,
            Message::Answer(Answer::System { request: RequestId(request), reply }),
        );
    }
}

/// One event for the rows of each operator that lie together.
fn told(
    rows: &[Row],
    event: impl Fn(OperatorId, Vec<OutputRecord>) -> Event,
) -> impl Iterator<Item = Event> {
    rows.chunk_by(|one, next| one.operator == next.operator).filter_map(move |rows| {
        let first = rows.first()?;
        Some(event(first.operator, rows.iter().map(Row::shown).collect()))
    })
}
