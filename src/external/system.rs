//! What a system is to whoever hosts it.

use std::collections::VecDeque;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::row::Row;
use super::whole::decode_whole;
use crate::protocol::{ProcessId, VirtualTime};
use crate::trace::SinkFault;
use crate::trace::Upkeep;

/// An external system as a state machine: each call is one input, and what it brings about goes to `out`, in order.
///
/// It is asked by clients that may be dead by then, may ask twice, and may never hear the answer; what it makes of
/// that is what it models. Readers see what it [shows](SystemOutputs::show), from that moment on and for ever
/// unless it [hides](SystemOutputs::hide) it: that is what oracles judge.
///
/// The grammar of the project holds: no clock, no randomness, no I/O, nothing unordered.
pub trait ExternalSystem: Send + Sync {
    /// What it is called in messages.
    fn name(&self) -> &'static str;

    /// A request arrived. One that makes no sense is answered with [`SystemOutputs::refuse`].
    fn handle_request(&mut self, request: Request<'_>, out: &mut SystemOutputs);

    /// A timer that was set by [`SystemOutputs::wake`] is due. It may be one that was set before a restart.
    fn handle_timer(&mut self, timer: u64, out: &mut SystemOutputs);

    /// The system fares differently from here on; what was wrong before is over, and nothing is wrong where there
    /// is no fault. Late, lost and refused answers
    /// are its host's business: it is told of all faults, and minds those that are about its own state.
    fn handle_fault(&mut self, fault: Option<SinkFault>, out: &mut SystemOutputs);

    /// It has crashed and begins anew with what is durable in it. Its timers are gone.
    fn restart(&mut self, out: &mut SystemOutputs);

    /// What it holds and no reader sees, under the names that clients know: transactions, branches, uploads, files
    /// that wait for somebody. It is asked when a run is over; what is left then needs a reason.
    fn held(&self) -> Vec<Held>;

    /// A copy that is independent of it: a process can be forked.
    fn boxed_clone(&self) -> Box<dyn ExternalSystem>;
}

/// What a fault means to a system without transactions: nothing. Answers are its host's business, and there is
/// nothing that could be left open, prepared, or committed by somebody else. A new fault must be thought of here.
pub fn without_transactions(fault: Option<SinkFault>) {
    match fault {
        None
        | Some(
            SinkFault::TransactionTimeout
            | SinkFault::FencedProducer
            | SinkFault::DelayedCommit { .. }
            | SinkFault::HangingTransaction
            | SinkFault::RefusedCommit
            | SinkFault::ExpiredTransaction
            | SinkFault::UnansweredCommit
            | SinkFault::ForeignCommit,
        ) => {}
    }
}

impl Clone for Box<dyn ExternalSystem> {
    fn clone(&self) -> Self {
        self.boxed_clone()
    }
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller {
    /// The process that asked.
    pub process: ProcessId,
    /// The number of its request, which a repetition keeps. None where no answer is wanted.
    pub request: Option<u64>,
}

/// A request as it arrives.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who asks.
    pub caller: Caller,
    /// What it asks for.
    pub bytes: &'a [u8],
}

impl Request<'_> {
    /// What it asks for, if it is a `T`.
    ///
    /// # Errors
    ///
    /// What is wrong with the bytes.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, String> {
        decode_whole(self.bytes)
    }
}

/// What comes back from a system, or from whoever stands in for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Its answer.
    Answer(Vec<u8>),
    /// It did nothing: asking again later may help.
    Unavailable,
    /// It does not understand the request: asking again does not help.
    Malformed(String),
}

/// What a system holds under one name, and no reader sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// What its clients call it.
    pub name: String,
    /// Since when.
    pub since: VirtualTime,
    /// Who is to see to it that it goes.
    pub upkeep: Upkeep,
    /// The rows in it; where there are none it is nothing.
    pub rows: Vec<Row>,
}

/// One thing that an input of a system brings about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SystemOutput {
    /// Tell this caller.
    Reply {
        /// Who asked.
        caller: Caller,
        /// What it is told.
        reply: Reply,
    },
    /// A reader sees these rows from here on, in this order.
    Show(Vec<Row>),
    /// A reader does not see these rows any more.
    Hide(Vec<Row>),
    /// What the system had said to be safe, and not shown, is gone: nobody will see these rows.
    Expire(Vec<Row>),
    /// [`ExternalSystem::handle_timer`] is due after this long.
    Wake {
        /// How long.
        after: Duration,
        /// With this number.
        timer: u64,
    },
}

/// What a system brings about, in order.
#[derive(Clone, Debug)]
pub struct SystemOutputs {
    now: VirtualTime,
    outputs: VecDeque<SystemOutput>,
}

impl SystemOutputs {
    /// Nothing yet, at this time.
    #[must_use]
    pub fn new(now: VirtualTime) -> Self {
        Self { now, outputs: VecDeque::new() }
    }

    /// Answers. `answer` must be plain data.
    ///
    /// # Panics
    ///
    /// When the type's `Serialize` refuses.
    pub fn answer<T: Serialize>(&mut self, caller: Caller, answer: &T) {
        let bytes = postcard::to_stdvec(answer).expect("answers are plain data");
        self.reply(caller, Reply::Answer(bytes));
    }

    /// Says that the request makes no sense; `why` names what was expected.
    pub fn refuse(&mut self, caller: Caller, why: impl Into<String>) {
        self.reply(caller, Reply::Malformed(why.into()));
    }

    /// Shows rows to readers.
    pub fn show(&mut self, rows: Vec<Row>) {
        if !rows.is_empty() {
            self.outputs.push_back(SystemOutput::Show(rows));
        }
    }

    /// Hides rows from readers that were shown to them.
    pub fn hide(&mut self, rows: Vec<Row>) {
        if !rows.is_empty() {
            self.outputs.push_back(SystemOutput::Hide(rows));
        }
    }

    /// Lets rows go that it had said to be safe, and not shown. What it never said to be safe it may drop without
    /// a word: whoever wrote that finds out when he asks.
    pub fn expire(&mut self, rows: Vec<Row>) {
        if !rows.is_empty() {
            self.outputs.push_back(SystemOutput::Expire(rows));
        }
    }

    /// Sets a timer. None can be taken back: one that is of no interest any more is ignored when it comes.
    pub fn wake(&mut self, after: Duration, timer: u64) {
        self.outputs.push_back(SystemOutput::Wake { after, timer });
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> VirtualTime {
        self.now
    }

    /// What to carry out next, if anything.
    pub fn poll_output(&mut self) -> Option<SystemOutput> {
        self.outputs.pop_front()
    }

    fn reply(&mut self, caller: Caller, reply: Reply) {
        if caller.request.is_some() {
            self.outputs.push_back(SystemOutput::Reply { caller, reply });
        }
    }
}
