//! A job of one's own in the laboratory: what is known of it there, and what is measured for it here.

use super::{Case, Overhead};
use crate::lab::factor::Factor;
use crate::lab::{Experiment, LabError};
use crate::protocol::{OperatorId, Protocol, SubtaskId, Topology};

/// In how many parts the work is divided to see how large the state becomes: a checkpoint ends each.
const PARTS: f64 = 8.0;

impl Overhead {
    /// The job as an experiment of the [laboratory](crate::lab), which models engines: its shape, its parallelism, the
    /// bytes of a record, and the bytes of its state as a checkpoint of a run here uploads them.
    ///
    /// What a record costs is the engine profile's to say, and how fast records come, how often checkpoints are taken
    /// and on which machines is to be [varied](Experiment::vary).
    ///
    /// ```
    /// use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay};
    /// use cutwater::explore::overhead::Overhead;
    /// use cutwater::lab::factor::{Factor, Library};
    /// use cutwater::lab::Session;
    ///
    /// let job = JobBuilder::new("double");
    /// job.source("numbers", Replay::new(), 2, 2)
    ///     .map("double", 2, |number: u64| 2 * number)
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
    /// When the laboratory has no such shape: it has a chain of exchanges behind one source, and a join of two.
    ///
    /// # Panics
    ///
    /// When there are no seeds, or a run does not do its work within [`LIVENESS_MS`](super::LIVENESS_MS).
    pub fn in_laboratory(&self) -> Result<Experiment, LabError> {
        let job = &self.prepared.experiment.job;
        let topology = job.topology();
        let (shape, exchanges) = shape(topology)?;
        let mut experiment = Experiment {
            name: job.name().to_owned(),
            about: "a job of one's own".to_owned(),
            repetitions: 1,
            ..Experiment::default()
        };
        let parallelism =
            (0..topology.operators.len()).map(|operator| width(topology, operator)).max();
        let base = [
            (Factor::Shape, shape.to_owned()),
            (Factor::Exchanges, exchanges.to_string()),
            (Factor::Parallelism, parallelism.unwrap_or(1).to_string()),
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

fn width(topology: &Topology, operator: usize) -> usize {
    topology.subtasks.iter().filter(|subtask| subtask.operator.index() == operator).count()
}

/// What the laboratory calls the shape of a job, and how many exchanges a record passes.
fn shape(topology: &Topology) -> Result<(&'static str, usize), LabError> {
    let of = |subtask: SubtaskId| topology.subtasks[subtask.index()].operator;
    let mut edges: Vec<(OperatorId, OperatorId)> =
        topology.channels.iter().map(|channel| (of(channel.from), of(channel.to))).collect();
    edges.sort_unstable();
    edges.dedup();
    let operators = topology.operators.len();
    let fed = |operator: &usize| edges.iter().filter(|(_, to)| to.index() == *operator).count();
    let sources = (0..operators).filter(|operator| fed(operator) == 0).count();
    let widest = (0..operators).map(|operator| fed(&operator)).max().unwrap_or(0);
    match (sources, operators, widest) {
        (1, 2.., 0..=1) if edges.len() + 1 == operators => Ok(("chain", edges.len())),
        (2, 3, 2) => Ok(("join", 1)),
        _ => Err(LabError::Factor(format!(
            "a job of {sources} sources, {operators} operators and {} edges is no chain and no join of two sources, \
             which is what the laboratory has",
            edges.len()
        ))),
    }
}
