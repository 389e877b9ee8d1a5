//! What tests of systems share: a system on a bench, asked and looked at.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::system::{Caller, ExternalSystem, Held, Reply, Request, SystemOutput, SystemOutputs};
use super::{Row, SinkFault};
use crate::protocol::{LineageId, OperatorId, ProcessId, VirtualTime};

/// A system, and what its readers see by now.
pub struct Bench<S> {
    pub system: S,
    /// The numbers that readers see, in order.
    pub seen: Vec<u64>,
    /// The numbers that nobody will see.
    pub expired: Vec<u64>,
    /// Timers that are set.
    pub timers: Vec<u64>,
    asked: u64,
}

impl<S: ExternalSystem> Bench<S> {
    pub fn new(system: S) -> Self {
        Self { system, seen: Vec::new(), expired: Vec::new(), timers: Vec::new(), asked: 0 }
    }

    /// Asks, and expects an answer.
    pub fn ask<A: DeserializeOwned>(&mut self, request: &impl Serialize) -> A {
        self.asked += 1;
        let caller = Caller { process: ProcessId::Worker(0), request: Some(self.asked) };
        let bytes = postcard::to_stdvec(request).expect("plain data");
        let mut out = SystemOutputs::new(VirtualTime::ZERO);
        self.system.handle_request(Request { caller, bytes: &bytes }, &mut out);
        match self.look(&mut out) {
            Some(Reply::Answer(answer)) => postcard::from_bytes(&answer).expect("its answer"),
            other => panic!("no answer, but {other:?}"),
        }
    }

    /// Asks twice under one number, as who hears no answer does; both answers.
    pub fn ask_again<A: DeserializeOwned>(&mut self, request: &impl Serialize) -> [A; 2] {
        let first = self.ask(request);
        self.asked -= 1;
        [first, self.ask(request)]
    }

    /// The names under which it holds something, and how many rows.
    pub fn held(&self) -> Vec<(String, usize)> {
        let held = self.system.held().into_iter().filter(|held| !held.rows.is_empty());
        held.map(|held| (held.name, held.rows.len())).collect()
    }

    pub fn fault(&mut self, fault: SinkFault) {
        let mut out = SystemOutputs::new(VirtualTime::ZERO);
        self.system.handle_fault(Some(fault), &mut out);
        self.look(&mut out);
    }

    pub fn fire(&mut self, timer: u64) {
        let mut out = SystemOutputs::new(VirtualTime::ZERO);
        self.system.handle_timer(timer, &mut out);
        self.look(&mut out);
    }

    pub fn restart(&mut self) {
        let mut out = SystemOutputs::new(VirtualTime::ZERO);
        self.system.restart(&mut out);
        self.look(&mut out);
    }

    fn look(&mut self, out: &mut SystemOutputs) -> Option<Reply> {
        let mut answer = None;
        while let Some(output) = out.poll_output() {
            match output {
                SystemOutput::Reply { reply, .. } => {
                    assert_eq!(answer.replace(reply), None, "a request is answered once");
                }
                SystemOutput::Show(rows) => self.seen.extend(rows.iter().map(number)),
                SystemOutput::Hide(rows) => {
                    let hidden: Vec<u64> = rows.iter().map(number).collect();
                    self.seen.retain(|seen| !hidden.contains(seen));
                }
                SystemOutput::Expire(rows) => self.expired.extend(rows.iter().map(number)),
                SystemOutput::Wake { timer, .. } => self.timers.push(timer),
            }
        }
        answer
    }
}

/// Rows that hold these numbers.
pub fn rows(numbers: impl IntoIterator<Item = u64>) -> Vec<Row> {
    let row = |number: u64| Row {
        operator: OperatorId(0),
        lineage: LineageId(number),
        payload: postcard::to_stdvec(&number).expect("plain data"),
    };
    numbers.into_iter().map(row).collect()
}

fn number(row: &Row) -> u64 {
    postcard::from_bytes(&row.payload).expect("a number")
}

/// Answers twice what it is asked.
struct Echo;

impl ExternalSystem for Echo {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn handle_request(&mut self, request: Request<'_>, out: &mut SystemOutputs) {
        out.answer(request.caller, &());
        out.answer(request.caller, &());
    }

    fn handle_timer(&mut self, _: u64, _: &mut SystemOutputs) {}

    fn handle_fault(&mut self, _: Option<SinkFault>, _: &mut SystemOutputs) {}

    fn restart(&mut self, _: &mut SystemOutputs) {}

    fn held(&self) -> Vec<Held> {
        Vec::new()
    }

    fn boxed_clone(&self) -> Box<dyn ExternalSystem> {
        Box::new(Self)
    }
}

#[test]
#[should_panic(expected = "a request is answered once")]
fn a_second_answer_is_seen() {
    Bench::new(Echo).ask::<()>(&());
}
