//! The job of a walk-through over the real processes: numbers are read, added up, and written.

use cutwater::dataflow::{
    Collector, Context, EncodedSink, Entry, Input, Job, JobBuilder, Operator, OperatorState,
    Source, SourceCollector, StateDeclarations,
};
use cutwater::protocol::{OperatorId, OperatorShape, SubtaskShape, Topology};

/// A job of stages such as `a b -> sum -> sink`: each stage is an operator, each name a subtask of it, and a
/// record goes to every subtask of the next stage.
pub fn job(stages: &[Vec<&str>]) -> Result<Job, String> {
    let [sources, between @ .., sinks] = stages else {
        return Err("a job reads and writes: `cluster a b -> sum -> sink`".to_owned());
    };
    if stages.iter().any(Vec::is_empty) {
        return Err("every stage has a subtask".to_owned());
    }
    let width = |stage: &[&str]| stage.len() as u16;
    let builder = JobBuilder::new("walk-through");
    let mut numbers = builder.source("read", Numbers, width(sources), width(sources));
    for (depth, stage) in between.iter().enumerate() {
        let sum = |states: &mut StateDeclarations| Sum { sum: states.operator_list("sum") };
        numbers = numbers.broadcast().process(&format!("sum-{depth}"), width(stage), sum).forward();
    }
    numbers.broadcast().transactional_sink("write", width(sinks), EncodedSink::new());
    builder.build().map_err(|error| error.to_string())
}

/// What the log of a job holds that grows while it runs: nothing is known beforehand.
pub fn empty_log(sources: usize) -> Input {
    Input::new(vec![Vec::new(); sources])
}

/// The same job, in which each subtask goes by the name that the walk-through gave it.
pub fn named(job: &Job, names: &[String]) -> Topology {
    let mut topology = job.topology().clone();
    let roles = topology.subtask_ids().map(|id| topology.operator_of(id).role);
    let shape =
        |(role, name): (_, &String)| OperatorShape { name: name.clone(), role, parallelism: 1 };
    let operators: Vec<_> = roles.zip(names).map(shape).collect();
    let subtask = |operator| SubtaskShape { operator: OperatorId(operator), index: 0 };
    topology.subtasks = (0..operators.len() as u16).map(subtask).collect();
    topology.operators = operators;
    topology
}

/// Reads numbers, and knows nothing of time.
#[derive(Clone)]
struct Numbers;

impl Source for Numbers {
    type Out = i64;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, i64>) {
        if let Ok(number) = postcard::from_bytes(entry.bytes) {
            out.emit(0, number);
        }
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Adds every number to its sum, and emits the sum.
#[derive(Clone)]
struct Sum {
    sum: OperatorState<i64>,
}

impl Operator for Sum {
    type In = i64;
    type Out = i64;

    fn process(&mut self, number: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, i64>) {
        let mut sums = ctx.operator_list(&self.sum);
        let sum = number + sums.iter().sum::<i64>();
        sums.clear();
        sums.push(&sum);
        out.emit(sum);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, i64>) {}
}
