//! What a plan's job was when the plan was kept: so that the plan is not run with another one of the same name.

use serde::{Deserialize, Serialize};

use super::JobPlan;
use crate::dataflow::Input;
use crate::protocol::ordered::VecSet;
use crate::protocol::{ChannelShape, Digest, OperatorShape, Topology};

/// The shape of a job, and the digest of its input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobShape {
    /// The settings that it is of.
    settings: JobPlan,
    /// The operators, such as `count, an operator in 3 subtasks`.
    operators: Vec<String>,
    /// Who sends to whom, such as `words to count`.
    edges: Vec<String>,
    /// How many entries each split of the input has.
    entries: Vec<u64>,
    /// Of the entries of all splits.
    input: Digest,
}

impl JobShape {
    /// The shape of the job with these settings, whose versions have these topologies, and which reads this input.
    #[must_use]
    pub fn of(settings: &JobPlan, versions: &[Topology], input: &Input) -> Self {
        let (mut operators, mut edges) = (Vec::new(), Vec::new());
        for (version, topology) in versions.iter().enumerate() {
            let named = |what: String| match version {
                0 => what,
                _ => format!("version {version}: {what}"),
            };
            operators.extend(topology.operators.iter().map(operator).map(named));
            let of_version: VecSet<String> =
                topology.channels.iter().map(|channel| edge(topology, channel)).collect();
            edges.extend(of_version.into_iter().map(named));
        }
        Self {
            settings: settings.clone(),
            operators,
            edges,
            entries: input.lengths(),
            input: input.digest(),
        }
    }

    /// How the job is `now` another one, a line each: none where a plan of the one is a plan of the other, and none
    /// where the plan was given other settings since.
    #[must_use]
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let mut said = Vec::new();
        if self.settings != now.settings {
            return said;
        }
        let mut compare = |what: &str, was: &[String], is: &[String]| {
            let lost = was.iter().filter(|one| !is.contains(one));
            said.extend(lost.map(|one| format!("{what} is not there any more: {one}")));
            let new = is.iter().filter(|one| !was.contains(one));
            said.extend(new.map(|one| format!("{what} was not there: {one}")));
        };
        compare("an operator", &self.operators, &now.operators);
        compare("an edge", &self.edges, &now.edges);
        if self.operators != now.operators && said.is_empty() {
            said.push("the operators are declared in another order".to_owned());
        }
        if self.entries != now.entries {
            let (was, is) = (counts(&self.entries), counts(&now.entries));
            said.push(format!("the input was {was}, and is {is}"));
        } else if self.input != now.input {
            said.push("the input has as many entries as before, and others".to_owned());
        }
        said
    }
}

fn operator(shape: &OperatorShape) -> String {
    use crate::protocol::OperatorRole::{
        AtLeastOnceSink, CommittingSink, ConvergingSink, Operator, Source, StagingWriter,
        TransactionalSink,
    };
    let role = match shape.role {
        Source => "a source",
        Operator => "an operator",
        TransactionalSink => "a transactional sink",
        AtLeastOnceSink => "an at-least-once sink",
        CommittingSink => "a committing sink",
        ConvergingSink => "a converging sink",
        StagingWriter => "a staging writer",
    };
    let uid = shape.uid.as_ref().map_or(String::new(), |uid| format!(", with the uid {uid}"));
    format!("{}, {role} in {} subtasks{uid}", shape.name, shape.parallelism)
}

fn edge(topology: &Topology, channel: &ChannelShape) -> String {
    let name = |subtask| &topology.operator_of(subtask).name;
    format!("{} to {}, input {}", name(channel.from), name(channel.to), channel.input)
}

fn counts(entries: &[u64]) -> String {
    format!("{} entries in {} splits", entries.iter().sum::<u64>(), entries.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::{Deal, EncodedSink, JobBuilder, Replay, SplitAssignment};
    use crate::plan::Name;

    fn shape(operator: &str, parallelism: u16, entries: &[u64]) -> JobShape {
        let job = JobBuilder::new("numbers");
        job.source("numbers", Replay::<u64>::new(), 1, 1)
            .rebalance()
            .map(operator, parallelism, |number| number)
            .rebalance()
            .transactional_sink("out", 1, EncodedSink::new());
        let input = Input::dealt(entries.iter().map(Replay::entry), 1);
        let settings = JobPlan {
            workload: Name::literal("numbers"),
            records: None,
            parallelism: 1,
            splits: 1,
            deal: Deal::Even,
            assignment: SplitAssignment::Static,
        };
        JobShape::of(&settings, &job.build().expect("it can be built").topologies(), &input)
    }

    #[test]
    fn what_differs_is_named() {
        let kept = shape("double", 2, &[1, 2]);
        assert_eq!(kept.differences(&shape("double", 2, &[1, 2])), [""; 0]);
        let other = kept.differences(&shape("triple", 2, &[1, 2]));
        assert_eq!(
            other[0],
            "an operator is not there any more: double, an operator in 2 subtasks"
        );
        assert_eq!(other[1], "an operator was not there: triple, an operator in 2 subtasks");
        assert_eq!(other.len(), 6, "and two edges each: {other:?}");
        let longer = kept.differences(&shape("double", 2, &[1, 2, 3]));
        assert_eq!(longer, ["the input was 2 entries in 1 splits, and is 3 entries in 1 splits"]);
        let changed = kept.differences(&shape("double", 2, &[1, 3]));
        assert_eq!(changed, ["the input has as many entries as before, and others"]);
    }
}
