//! What tests of sinks share: a sink on its own, and a system that answers it at once.

use std::collections::VecDeque;

use crate::dataflow::outside::{Numbers, understood};
use crate::dataflow::{
    CommittingSink, Heard, NoAnswer, Opening, Outputs, RowMaker, SinkOutputs, SinkStep,
};
use crate::external::{Caller, ExternalSystem, Reply, Request, SystemOutput, SystemOutputs};
use crate::protocol::{
    Attempt, CheckpointId, DefectSet, LineageId, OperatorId, ProcessId, VirtualTime,
};

/// One subtask of a sink, and what it has said.
pub struct Bench<S: CommittingSink> {
    pub sink: S,
    pub is_open: bool,
    pub prepared: Vec<CheckpointId>,
    pub committed: usize,
    pub failed: Option<String>,
    numbers: Numbers<S::Token>,
}

impl<S: CommittingSink> Bench<S> {
    pub fn new(sink: S) -> Self {
        let (is_open, prepared, committed, failed) = Default::default();
        Self { sink, is_open, prepared, committed, failed, numbers: Numbers::new() }
    }

    /// Calls the sink, and carries out what it wants until it wants nothing. Timers do not fire.
    pub fn call<R>(
        &mut self,
        system: &mut dyn ExternalSystem,
        call: impl FnOnce(&mut S, &mut SinkOutputs<'_, S::Token>) -> R,
    ) -> R {
        let mut out = Outputs::default();
        let (numbers, defects) = (&mut self.numbers, DefectSet::NONE);
        let result = call(&mut self.sink, &mut SinkOutputs { defects, numbers, out: &mut out });
        let mut steps: VecDeque<SinkStep> = out.steps.into();
        while let Some(step) = steps.pop_front() {
            steps.extend(self.carry_out(system, step));
        }
        result
    }

    /// What the sink wants next because of that.
    fn carry_out(&mut self, system: &mut dyn ExternalSystem, step: SinkStep) -> Vec<SinkStep> {
        match step {
            SinkStep::Ask { number, bytes, .. } => {
                let reply = ask(system, &bytes).expect("it is answered");
                return self.answer(number, Heard::Reply(reply));
            }
            SinkStep::Tell { bytes } => {
                ask(system, &bytes);
            }
            SinkStep::Opened => self.is_open = true,
            SinkStep::Prepared(checkpoint) => self.prepared.push(checkpoint),
            SinkStep::Committed(_) => self.committed += 1,
            SinkStep::Failed(why) => self.failed = Some(why),
            SinkStep::Wake { .. } | SinkStep::RetryCommit { .. } => {}
        }
        Vec::new()
    }

    fn answer(&mut self, number: u64, heard: Heard) -> Vec<SinkStep> {
        let token = self.numbers.take(number).expect("it was asked");
        let answer: Result<S::Answer, NoAnswer> = understood(heard).expect("it makes sense");
        let mut out = Outputs::default();
        let (numbers, defects) = (&mut self.numbers, DefectSet::NONE);
        let mut outputs = SinkOutputs { defects, numbers, out: &mut out };
        self.sink.handle_answer(token, answer, &mut outputs);
        out.steps
    }
}

fn ask(system: &mut dyn ExternalSystem, bytes: &[u8]) -> Option<Reply> {
    let caller = Caller { process: ProcessId::Worker(0), request: Some(0) };
    let mut out = SystemOutputs::new(VirtualTime::ZERO);
    system.handle_request(Request { caller, bytes }, &mut out);
    let mut answer = None;
    while let Some(output) = out.poll_output() {
        match output {
            SystemOutput::Reply { reply, .. } => {
                assert_eq!(answer.replace(reply), None, "a request is answered once");
            }
            SystemOutput::Show(_)
            | SystemOutput::Hide(_)
            | SystemOutput::Expire(_)
            | SystemOutput::Wake { .. } => {}
        }
    }
    answer
}

/// How the only subtask of a sink begins in this attempt, from this checkpoint.
pub fn opening<S, C>(
    attempt: u32,
    checkpoint: u64,
    states: Vec<S>,
    committables: Vec<C>,
) -> Opening<S, C> {
    let (attempt, checkpoint) = (Attempt(attempt), Some(CheckpointId(checkpoint)));
    let (operator, index, parallelism) = (OperatorId(0), 0, 1);
    Opening { operator, index, parallelism, attempt, checkpoint, states, committables }
}

/// Makes rows of the record with this number.
pub fn row(number: u64) -> RowMaker {
    RowMaker { operator: OperatorId(0), lineage: LineageId(number), timestamp: 0 }
}
