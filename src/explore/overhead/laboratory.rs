//! A job of one's own in the laboratory: what is known of it there, and what is measured for it here.

use std::collections::BTreeMap;

use super::{Case, Overhead};
use crate::dataflow::Job;
use crate::lab::factor::Factor;
use crate::lab::{Experiment, LabError};
use crate::protocol::{EdgeKind, Protocol, SubtaskId};

/// In how many parts the work is divided to see how large the state becomes: a checkpoint ends each.
const PARTS: f64 = 8.0;

impl Overhead {
    /// The job as an experiment of the [laboratory](crate::lab), which models engines: its shape, its parallelism, the
    /// bytes of a record, and the bytes of its state as a checkpoint of a run here uploads them.
    ///
    /// What a record costs is the engine profile's to say, and how fast records come, how often checkpoints are taken
    /// and on which machines is to be [varied](Experiment::vary).
    ///
    /// The laboratory has two shapes for it, and refuses the others with what is the matter:
    ///
    /// - a *chain*: one source, and exchanges by key or in turns, each from one operator to the next;
    /// - a *join*: the same behind an operator that two sources lead to.
    ///
    /// Operators that are joined by a forward edge are one, as engines chain them. All have the same parallelism.
    /// The state is divided evenly among the operators that are no source, and every record is taken to reach the end:
    /// that a filter drops some, or a join emits many, is not known.
    ///
    /// ```
    /// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
    /// use cutwater::explore::overhead::Overhead;
    /// use cutwater::lab::factor::{Factor, Library};
    /// use cutwater::lab::Session;
    ///
    /// let job = JobBuilder::new("sums");
    /// job.source("numbers", Replay::new(), 2, 2)
    ///     .key_by(|number: &u64| number % 7)
    ///     .reduce("sum", 2, |one, other| one + other)
    ///     .transactional_sink("out", 2, EncodedSink::new());
    /// let input = Input::dealt((0..2_000_u64).map(|number| Replay::entry(&number)), 2);
    /// let mut experiment = Overhead::new(&job, input)?.in_laboratory()?;
    /// experiment.vary(Factor::Profile, vec!["flink-rocksdb".to_owned()]);
    /// experiment.vary(Factor::Interval, vec!["none".to_owned(), "1s".to_owned()]);
    /// experiment.vary(Factor::Rate, vec!["50%".to_owned()]);
    /// experiment.vary(Factor::Measure, vec!["5s".to_owned()]);
    /// let rows = Session::new(experiment, Library::default())?.run()?;
    /// assert!(rows[1].ratio() < 1.01 && rows[1].report.completed >= 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the laboratory has no such shape.
    ///
    /// # Panics
    ///
    /// When there are no seeds, or a run does not do its work within [`LIVENESS_MS`](super::LIVENESS_MS).
    pub fn in_laboratory(&self) -> Result<Experiment, LabError> {
        let job = &self.prepared.experiment.job;
        let Shape { name: shape, exchanges, parallelism } = Outline::of(job)?.shape()?;
        let mut experiment = Experiment {
            name: job.name().to_owned(),
            about: "a job of one's own".to_owned(),
            repetitions: 1,
            ..Experiment::default()
        };
        let base = [
            (Factor::Shape, shape.to_owned()),
            (Factor::Exchanges, exchanges.to_string()),
            (Factor::Parallelism, parallelism.to_string()),
            (Factor::RecordBytes, format!("{}B", self.record_bytes())),
            (Factor::State, format!("{}B", self.state_bytes())),
        ];
        experiment.base.0.extend(base);
        Ok(experiment)
    }

    /// Bytes of an input record, as it is encoded: the mean, and at least one.
    fn record_bytes(&self) -> u64 {
        let input = &self.prepared.experiment.input;
        let splits = (0..input.split_count()).map(crate::protocol::SplitId);
        let lengths = splits.flat_map(|split| input.entries(split).map(|entry| entry.len() as u64));
        let (count, bytes) =
            lengths.fold((0, 0), |(count, bytes), length| (count + 1, bytes + length));
        (bytes / std::cmp::max(count, 1)).max(1)
    }

    /// Bytes of state, as a completed checkpoint uploads them: the mean over the run, and at least one.
    fn state_bytes(&self) -> u64 {
        let case = |interval_ms| Case {
            protocol: Protocol::Aligned,
            interval_ms,
            credits: self.credits.first().copied().unwrap_or(64),
        };
        let whole_ms = self.measure(case(0)).virtual_ms;
        let interval_ms = ((whole_ms / PARTS) as u64).max(1);
        (self.measure(case(interval_ms)).uploaded_bytes as u64).max(1)
    }
}

/// What the laboratory calls a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    name: &'static str,
    exchanges: usize,
    parallelism: u16,
}

/// What of a job decides its shape: operators that are chained are one, called after the first.
#[derive(Clone, Debug)]
struct Outline {
    /// The parallelism of each that is left, by the index of its first operator.
    operators: Vec<(usize, u16)>,
    /// Exchanges, from one of these to another; between two there may be several.
    edges: Vec<(usize, usize)>,
}

impl Outline {
    fn of(job: &Job) -> Result<Self, LabError> {
        let topology = job.topology();
        let mut all = BTreeMap::new();
        for (channel, shape) in topology.channel_ids().zip(&topology.channels) {
            let of = |subtask: SubtaskId| topology.subtasks[subtask.index()].operator.index();
            let edge = (of(shape.from), of(shape.to), shape.input, shape.edge);
            all.insert(edge, job.partition(channel).kind());
        }
        let inputs = |operator: usize| all.keys().filter(|(_, to, ..)| *to == operator).count();
        // In this order: an operator comes behind those that feed it.
        let mut first: Vec<usize> = (0..topology.operators.len()).collect();
        let mut edges = Vec::new();
        for ((from, to, ..), kind) in &all {
            match kind {
                EdgeKind::Hash | EdgeKind::Turns => edges.push((*from, *to)),
                EdgeKind::Forward if inputs(*to) == 1 && from < to => first[*to] = first[*from],
                EdgeKind::Forward => {
                    return Err(refused("a forward edge leads to an operator with several inputs"));
                }
                EdgeKind::Broadcast => {
                    return Err(refused("an edge is a broadcast, of which it has none"));
                }
            }
        }
        let edges = edges.into_iter().map(|(from, to)| (first[from], first[to])).collect();
        let is_left = |(index, _): &(usize, _)| first[*index] == *index;
        let operators = topology.operators.iter().map(|operator| operator.parallelism).enumerate();
        Ok(Self { operators: operators.filter(is_left).collect(), edges })
    }

    fn shape(&self) -> Result<Shape, LabError> {
        let parallelism = self.operators.first().map_or(1, |(_, parallelism)| *parallelism);
        if self.operators.iter().any(|(_, other)| *other != parallelism) {
            return Err(refused(
                "operators differ in their parallelism, and there all have the same",
            ));
        }
        let fed = |operator: usize| self.edges.iter().filter(move |(_, to)| *to == operator);
        let feeds =
            |operator: usize| self.edges.iter().filter(|(from, _)| *from == operator).count();
        let all = || self.operators.iter().map(|(operator, _)| *operator);
        if all().any(|operator| feeds(operator) > 1) {
            return Err(refused("a stream goes to several operators, and there to one"));
        }
        let is_source = |operator: usize| fed(operator).next().is_none();
        let sources = all().filter(|operator| is_source(*operator)).count();
        let (exchanges, operators) = (self.edges.len(), self.operators.len());
        // Nothing branches: with an edge less than operators for each source it is connected, and goes round nowhere.
        if exchanges + 1 != operators {
            return Err(refused("it is no tree: it has a loop, or parts that are not connected"));
        }
        let joins: Vec<usize> = all().filter(|operator| fed(*operator).count() > 1).collect();
        match (sources, joins.as_slice()) {
            (1, []) if exchanges > 0 => Ok(Shape { name: "chain", exchanges, parallelism }),
            (1, []) => Err(refused(
                "no record goes by key or in turns, and there is at least one exchange",
            )),
            (2, [join]) if fed(*join).all(|(from, _)| is_source(*from)) => {
                Ok(Shape { name: "join", exchanges: exchanges - 1, parallelism })
            }
            (2, [_]) => {
                Err(refused("an exchange lies before a join, and there sources lead to it"))
            }
            (sources, joins) => {
                let problem =
                    format!("{sources} sources and {} operators with several inputs", joins.len());
                Err(refused(&format!("{problem}, expected a chain or one join of two sources")))
            }
        }
    }
}

fn refused(problem: &str) -> LabError {
    LabError::Factor(format!("the laboratory has no such job: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::{EncodedSink, JobBuilder, KeyedStream, Replay, Stream};

    fn source(job: &JobBuilder, name: &str) -> Stream<u64> {
        job.source(name, Replay::new(), 2, 2)
    }

    fn by_key(stream: &Stream<u64>) -> KeyedStream<u64, u64> {
        stream.key_by(|number| number % 7)
    }

    fn sum(stream: &Stream<u64>, name: &str, parallelism: u16) -> Stream<u64> {
        Stream::clone(&by_key(stream).reduce(name, parallelism, |one, other| one + other))
    }

    fn join(one: &Stream<u64>, other: &Stream<u64>) -> Stream<u64> {
        let joined = by_key(one).interval_join(&by_key(other), 0..=1);
        Stream::clone(&joined.process("join", 2, |one, other| one + other))
    }

    fn sink(stream: &Stream<u64>) {
        stream.transactional_sink("out", 2, EncodedSink::new());
    }

    /// What becomes of a job: its shape, exchanges and parallelism, or why it has none.
    fn shape_of(build: impl Fn(&JobBuilder)) -> Result<(&'static str, usize, u16), String> {
        let job = JobBuilder::new("job");
        build(&job);
        let job = job.build().expect("a job");
        let shape = Outline::of(&job).and_then(|outline| outline.shape());
        shape
            .map(|shape| (shape.name, shape.exchanges, shape.parallelism))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_chain_has_its_exchanges_and_what_is_forward_is_chained() {
        let of = shape_of(|job| {
            sink(&sum(&source(job, "in").map("more", 2, |number| number + 1), "sum", 2))
        });
        assert_eq!(of, Ok(("chain", 1, 2)));
        let of =
            shape_of(|job| sink(&sum(&sum(&source(job, "in"), "one", 2), "two", 2).rebalance()));
        assert_eq!(of, Ok(("chain", 3, 2)));
    }

    #[test]
    fn a_join_is_one_whatever_comes_behind_it() {
        let both = |job: &JobBuilder| join(&source(job, "left"), &source(job, "right"));
        assert_eq!(shape_of(|job| sink(&both(job))), Ok(("join", 1, 2)));
        assert_eq!(shape_of(|job| sink(&sum(&both(job), "sum", 2))), Ok(("join", 2, 2)));
    }

    #[test]
    fn what_the_laboratory_cannot_model_is_refused_with_its_reason() {
        let refused = |build: &dyn Fn(&JobBuilder), reason: &str| {
            let said = shape_of(build).expect_err(reason);
            assert!(said.contains(reason), "{said}");
        };
        refused(&|job| sink(&source(job, "in")), "no record goes by key or in turns");
        refused(
            &|job| sink(&sum(&source(job, "in"), "sum", 1).rebalance()),
            "differ in their parallelism",
        );
        refused(&|job| sink(&source(job, "in").broadcast()), "a broadcast");
        let tree = |job: &JobBuilder| {
            let numbers = source(job, "in");
            sink(&sum(&numbers, "sum", 2));
            sum(&numbers, "other", 2).transactional_sink("other-out", 2, EncodedSink::new());
        };
        refused(&tree, "goes to several operators");
        let late = |job: &JobBuilder| {
            sink(&join(&sum(&source(job, "left"), "sum", 2), &source(job, "right")));
        };
        refused(&late, "lies before a join");
        let united = |job: &JobBuilder| {
            let [one, two, three] =
                ["one", "two", "three"].map(|name| source(job, name).rebalance());
            sink(&one.union("union", 2, &[&two, &three]));
        };
        refused(&united, "3 sources");
        let forward = |job: &JobBuilder| {
            sink(&source(job, "one").union("union", 2, &[&source(job, "two")]));
        };
        refused(&forward, "a forward edge leads to an operator with several inputs");
    }
}
