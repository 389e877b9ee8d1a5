//! From a description to a job and its input.

use cutwater::dataflow::{Input, Job, JobBuilder, Stream};
use cutwater::protocol::CheckpointSettings;

use super::looping;
use super::operators::{
    Count, Distinct, Join, Merge, Numbered, Remember, Rows, Total, Window, multiplicity,
};
use super::spec::{Edge, JobSpec, Partitioner, Row, SinkSpec, Step, StepKind};

/// The job that a description describes, which is to take checkpoints in this way.
pub fn job(spec: &JobSpec, checkpoints: &CheckpointSettings) -> Job {
    let builder = JobBuilder::new("generated");
    let mut streams = Vec::new();
    for (number, source) in spec.sources.iter().enumerate() {
        let splits = u16::try_from(source.splits.len()).expect("few splits");
        let rows = Rows::new(source.watermark_every);
        let name = format!("source{number}");
        streams.push(builder.source(&name, rows, source.parallelism, splits));
        builder.fix(&name); // It counts what it has read, which cannot be divided.
    }
    for (number, step) in spec.steps.iter().enumerate() {
        let stream = declare(&builder, step, &format!("step{number}"), &streams);
        streams.push(stream);
        fix_if_broadcast(&builder, step.input, &format!("step{number}"), step.kind.is_keyed());
    }
    for (number, sink) in (0..).zip(&spec.sinks) {
        attach(sink, number, &streams);
        fix_if_broadcast(&builder, sink.input, &format!("sink{number}"), false);
    }
    builder.checkpoints(checkpoints).build().expect("a generated job is valid")
}

/// How often a record comes that is broadcast depends on how many subtasks it is broadcast to.
fn fix_if_broadcast(builder: &JobBuilder, input: Edge, name: &str, is_keyed: bool) {
    if input.partitioner == Partitioner::Broadcast && !is_keyed {
        builder.fix(name);
    }
}

/// What its sources read.
pub fn input(spec: &JobSpec) -> Input {
    let encode = |row: &Row| postcard::to_stdvec(row).expect("a row is plain data");
    let splits = spec.sources.iter().flat_map(|source| &source.splits);
    Input::new(splits.map(|entries| entries.iter().map(encode).collect()).collect())
}

fn declare(builder: &JobBuilder, step: &Step, name: &str, streams: &[Stream<Row>]) -> Stream<Row> {
    let parallelism = step.parallelism;
    let plain = || spread(step.input, streams);
    let keyed = || streams[step.input.stream].key_by(|row: &Row| row.key);
    let second = || streams[step.second].key_by(|row: &Row| row.key);
    match step.kind {
        StepKind::Map { add } => plain().map(name, parallelism, move |row: Row| Row {
            key: row.key + 1,
            value: row.value + add,
        }),
        StepKind::Filter { modulus } => {
            plain().filter(name, parallelism, move |row: &Row| !row.value.is_multiple_of(modulus))
        }
        StepKind::FlatMap => plain().flat_map(name, parallelism, |row: Row| {
            let copy = move |n| Row { key: row.key, value: row.value + 7 * n };
            (0..multiplicity(row.value)).map(copy)
        }),
        StepKind::Remember => plain().process(name, parallelism, Remember::new).into_stream(),
        StepKind::Count => keyed().process(name, parallelism, Count::new).into_stream(),
        StepKind::Distinct => keyed().process(name, parallelism, Distinct::new).into_stream(),
        StepKind::Total => keyed().process(name, parallelism, Total::new).into_stream(),
        StepKind::Window { width } => {
            let make = move |states: &mut _| Window::new(states, width);
            keyed().process(name, parallelism, make).into_stream()
        }
        StepKind::Join => {
            keyed().connect(second()).process2(name, parallelism, Join::new).into_stream()
        }
        StepKind::Merge => {
            keyed().connect(second()).process2(name, parallelism, Merge::new).into_stream()
        }
        StepKind::Loop(spec) => looping::declare(builder, &spec, name, parallelism, &plain()),
    }
}

fn attach(sink: &SinkSpec, number: u8, streams: &[Stream<Row>]) {
    let stream = spread(sink.input, streams);
    let (name, parallelism) = (format!("sink{number}"), sink.parallelism);
    if sink.transactional {
        stream.transactional_sink(&name, parallelism, Numbered(number));
    } else {
        stream.at_least_once_sink(&name, parallelism, Numbered(number));
    }
}

fn spread(edge: Edge, streams: &[Stream<Row>]) -> Stream<Row> {
    spread_by(edge.partitioner, &streams[edge.stream])
}

/// A stream, spread like this.
pub fn spread_by(partitioner: Partitioner, stream: &Stream<Row>) -> Stream<Row> {
    match partitioner {
        Partitioner::Forward => stream.forward(),
        Partitioner::Rebalance => stream.rebalance(),
        Partitioner::Shift => stream.shift(),
        Partitioner::Broadcast => stream.broadcast(),
    }
}
