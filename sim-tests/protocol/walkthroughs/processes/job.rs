//! The job of a walk-through over the real processes: numbers are read, added up, and written.

use cutwater::dataflow::{
    Collector, Context, EncodedSink, Entry, Input, Job, JobBuilder, Operator, OperatorState,
    Source, SourceCollector, StateDeclarations, Stream, TwoInputOperator,
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
        let name = format!("sum-{depth}");
        numbers = numbers.broadcast().process(&name, width(stage), Sum::new).forward();
    }
    numbers.broadcast().transactional_sink("write", width(sinks), EncodedSink::new());
    builder.build().map_err(|error| error.to_string())
}

/// A job under the cyclic protocol: each name is an operator by itself, with one input or two, and `closes` is a channel
/// that leads back, such as `tail->head`. What comes round counts one if it is odd, and nothing if it is even.
pub fn looping_job(stages: &[Vec<&str>], closes: Option<&str>) -> Result<Job, String> {
    let closes = closes.map(|ends| ends.split_once("->").ok_or("expected such as loop=tail->head"));
    let closes = closes.transpose()?;
    let builder = JobBuilder::new("walk-through");
    let mut feedback = closes.map(|_| builder.feedback::<i64>("round"));
    let mut before: Vec<Stream<i64>> = Vec::new();
    for (depth, stage) in stages.iter().enumerate() {
        let mut streams = Vec::new();
        for name in stage {
            let round = closes.filter(|(_, to)| to == name).and(feedback.as_ref());
            let round = round.map(|feedback| feedback.stream());
            let numbers = match (before.as_slice(), round) {
                ([], None) => builder.source(name, Numbers, 1, 1),
                ([one], None) if depth + 1 == stages.len() => {
                    one.transactional_sink(name, 1, EncodedSink::new());
                    continue;
                }
                ([one], None) => one.process(name, 1, Sum::new).forward(),
                ([one], Some(round)) => joined(one, &round, name, true),
                ([left, right], None) => joined(left, right, name, false),
                _ => return Err(format!("{name} has an input too many")),
            };
            if closes.is_some_and(|(from, _)| from == *name)
                && let Some(feedback) = feedback.take()
            {
                feedback.close(&numbers);
            }
            streams.push(numbers);
        }
        before = streams;
    }
    builder.build().map_err(|error| error.to_string())
}

/// Adds up the numbers of two streams.
fn joined(left: &Stream<i64>, right: &Stream<i64>, name: &str, is_loop: bool) -> Stream<i64> {
    let (left, right) = (left.key_by(|_| 0_u8), right.key_by(|_| 0_u8));
    let both = left.connect(right);
    let make = move |states: &mut StateDeclarations| Join { sum: Sum::new(states), is_loop };
    both.process2(name, 1, make).forward()
}

/// What the log of a job holds that grows while it runs: nothing is known beforehand.
pub fn empty_log(sources: usize) -> Input {
    Input::new(vec![Vec::new(); sources])
}

/// The same job, in which each subtask goes by the name that the walk-through gave it.
pub fn named(job: &Job, names: &[String]) -> Topology {
    let mut topology = job.topology().clone();
    let roles = topology.subtask_ids().map(|id| topology.operator_of(id).role);
    let shape = |(role, name): (_, &String)| OperatorShape::new(name, role, 1);
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

impl Sum {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { sum: states.operator_list("sum") }
    }

    fn add(&self, number: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, i64>) {
        let mut sums = ctx.operator_list(&self.sum);
        let sum = number + sums.iter().sum::<i64>();
        sums.clear();
        sums.push(&sum);
        out.emit(sum);
    }
}

impl Operator for Sum {
    type In = i64;
    type Out = i64;

    fn process(&mut self, number: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, i64>) {
        self.add(number, ctx, out);
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, i64>) {}
}

/// Adds up what comes from two sides; on a loop, one for what is odd of the second.
#[derive(Clone)]
struct Join {
    sum: Sum,
    is_loop: bool,
}

impl TwoInputOperator for Join {
    type Left = i64;
    type Right = i64;
    type Out = i64;

    fn process_left(&mut self, number: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, i64>) {
        self.sum.add(number, ctx, out);
    }

    fn process_right(&mut self, number: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, i64>) {
        match self.is_loop {
            true if number % 2 == 0 => {}
            true => self.sum.add(1, ctx, out),
            false => self.sum.add(number, ctx, out),
        }
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, i64>) {}
}
