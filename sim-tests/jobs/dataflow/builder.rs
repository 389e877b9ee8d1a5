//! Each mistake that a builder can find, with the words it finds for it.

use cutwater::dataflow::{
    BuildError, Collector, Context, EncodedSink, Job, JobBuilder, Operator, Replay,
    StateDeclarations, Stream, Subtask, SubtaskState,
};

use super::harness::source;
use super::lineage::Keep;

fn refused(declare: impl FnOnce(&JobBuilder)) -> String {
    let builder = JobBuilder::new("mistaken");
    declare(&builder);
    builder.build().unwrap_err().to_string()
}

fn sink(stream: &Stream<u64>, parallelism: u16) {
    stream.transactional_sink("sink", parallelism, EncodedSink::new());
}

#[test]
fn jobs_and_subtasks_move_between_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    fn sent<T: Send + Clone>() {}
    shared::<Job>();
    shared::<BuildError>();
    sent::<Subtask>();
    shared::<SubtaskState>();
}

#[test]
fn a_job_has_the_declared_shape() {
    let builder = JobBuilder::new("shape");
    let numbers = source::<u64>(&builder, 2);
    let kept = numbers.key_by(|n| *n).process("keep", 3, Keep::new);
    kept.filter("odd", 3, |n| n % 2 == 1).at_least_once_sink("log", 3, EncodedSink::new());
    numbers.flat_map("twice", 2, |n| [n, n]).transactional_sink("sink", 2, EncodedSink::new());
    let job = builder.build().unwrap();
    let topology = job.topology();
    assert_eq!(job.name(), "shape");
    let names: Vec<_> = topology.operators.iter().map(|o| o.name.as_str()).collect();
    assert_eq!(names, ["source", "keep", "odd", "log", "twice", "sink"]);
    let from_source: Vec<_> = topology
        .outputs(topology.subtask_named("source/1").unwrap())
        .map(|channel| topology.channel_name(channel))
        .collect();
    let expected = ["keep/0", "keep/1", "keep/2", "twice/1"].map(|to| format!("source/1->{to}"));
    assert_eq!(from_source, expected);
    let into_keep: Vec<_> = topology
        .inputs(topology.subtask_named("keep/2").unwrap())
        .map(|channel| topology.channel_name(channel))
        .collect();
    assert_eq!(into_keep, ["source/0->keep/2", "source/1->keep/2"]);
}

#[test]
fn parallelism_has_bounds() {
    let zero = refused(|builder| sink(&source::<u64>(builder, 1).rebalance(), 0));
    assert_eq!(zero, "`sink` has parallelism 0");
    let high = refused(|builder| sink(&source::<u64>(builder, 1).rebalance(), 257));
    assert_eq!(high, "`sink` has 257 subtasks, more than 256");
    let keyed = refused(|builder| {
        sink(&source(builder, 1).key_by(|n| *n).process("keep", 129, Keep::new), 129);
    });
    assert_eq!(keyed, "`keep` has 129 subtasks, but keyed state is spread over 128 key groups");
}

#[test]
fn forward_needs_equal_parallelism() {
    let text = refused(|builder| sink(&source(builder, 2), 3));
    let expected = "`source` (2 subtasks) forwards to `sink` (3): forward needs equal parallelism; \
                    use rebalance(), shift(), broadcast() or key_by()";
    assert_eq!(text, expected);
}

#[test]
fn names_are_unique_and_fit_for_traces() {
    let named = |name: &'static str| refused(move |b| sink(&source(b, 1).map(name, 1, |n| n), 1));
    assert_eq!(named(""), "operator number 1 has an empty name");
    assert_eq!(
        named("source"),
        "two operators are named `source`: names appear in traces and must be unique"
    );
    assert_eq!(
        named("count/1"),
        "the operator name `count/1` has other characters than a-z, 0-9, `-` and `_`"
    );
}

#[test]
fn streams_lead_from_a_source_to_a_sink() {
    assert_eq!(refused(|_| {}), "the job has no source");
    assert_eq!(refused(|builder| drop(source::<u64>(builder, 1))), "the job has no sink");
    let dangling = refused(|builder| {
        let numbers = source::<u64>(builder, 1);
        drop(numbers.map("lost", 1, |n| n));
        sink(&numbers, 1);
    });
    let expected = "nothing consumes the stream of `lost`: add a sink, or remove the operator";
    assert_eq!(dangling, expected);
}

#[test]
fn every_source_subtask_has_a_split() {
    let with = |subtasks, splits| {
        refused(move |b| sink(&b.source("lines", Replay::new(), subtasks, splits), subtasks))
    };
    assert_eq!(with(1, 0), "`lines` has no splits");
    let few = "`lines` has 3 subtasks for 2 splits: give it at least one split each";
    assert_eq!(with(3, 2), few);
}

#[test]
fn streams_of_two_builders_do_not_connect() {
    let (one, other) = (JobBuilder::new("one"), JobBuilder::new("other"));
    let left = source::<u64>(&one, 1).key_by(|n| *n);
    let right = source::<u64>(&other, 1).key_by(|n| *n);
    sink(&left.connect(right).process2("join", 1, Keep::new), 1);
    let expected = "`join` is connected to a stream of another job builder";
    assert_eq!(one.build().unwrap_err().to_string(), expected);
    assert_eq!(other.build().unwrap_err().to_string(), expected);
}

#[test]
fn a_feedback_is_closed_once_around_a_loop() {
    let open = refused(|builder| {
        let again = builder.feedback::<u64>("again");
        sink(&source(builder, 1).merge("all", 1, &again.stream()), 1);
    });
    assert_eq!(open, "the feedback `again` is never closed: nothing is fed back");
    let unread = refused(|builder| {
        let numbers = source::<u64>(builder, 1);
        builder.feedback("again").close(&numbers);
        sink(&numbers, 1);
    });
    assert_eq!(unread, "nothing reads the feedback `again`");
    let of_feedback = refused(|builder| {
        let (again, other) = (builder.feedback::<u64>("again"), builder.feedback("other"));
        again.close(&other.stream());
    });
    let expected =
        "the feedback `again` is closed with a feedback: close it with an operator's stream";
    assert_eq!(of_feedback, expected);
    let straight = refused(|builder| {
        let again = builder.feedback::<u64>("again");
        let all = source(builder, 1).merge("all", 1, &again.stream());
        again.close(&builder.source("other", Replay::new(), 1, 1).map("late", 1, |n| n));
        sink(&all, 1);
    });
    let expected = "the feedback `again` leads from `late` to `all`, which does not lead to `late`: \
                    that is no loop; declare `all` behind `late`";
    assert_eq!(straight, expected);
}

#[test]
fn a_feedback_belongs_to_one_builder() {
    let (one, other) = (JobBuilder::new("one"), JobBuilder::new("other"));
    one.feedback("again").close(&source::<u64>(&other, 1));
    let expected = "the feedback `again` is closed with a stream of another job builder";
    assert_eq!(one.build().unwrap_err().to_string(), expected);
}

#[test]
fn loops_have_an_entry_and_an_exit() {
    let endless = refused(|builder| {
        let again = builder.feedback::<u64>("again");
        let numbers = source(builder, 1);
        let round = numbers.merge("all", 1, &again.stream()).map("round", 1, |n| n + 1);
        again.close(&round);
        sink(&numbers, 1);
    });
    assert_eq!(endless, "no sink can be reached from `all`: its loop has no exit");
    let closed = refused(|builder| {
        let again = builder.feedback::<u64>("again");
        let round = again.stream().map("round", 1, |n| n + 1);
        again.close(&round);
        sink(&source::<u64>(builder, 1).merge("all", 1, &round), 1);
    });
    assert_eq!(closed, "`round` cannot be reached from a source: its loop has no other input");
}

#[test]
fn a_feedback_that_is_read_twice_closes_two_loops() {
    let builder = JobBuilder::new("overlapping");
    let again = builder.feedback::<u64>("again");
    let first = source(&builder, 2).merge("first", 2, &again.stream());
    let second = first.merge("second", 2, &again.stream().rebalance());
    again.close(&second.map("round", 2, |n| n + 1));
    sink(&second, 2);
    let job = builder.build().unwrap();
    let topology = job.topology();
    let back = topology.channel_ids().filter(|channel| job.loops().leads_back(*channel));
    let back: Vec<_> = back.map(|channel| topology.channel_name(channel)).collect();
    let forward = ["round/0->first/0", "round/0->second/0", "round/1->second/0"];
    let other = ["round/1->first/1", "round/0->second/1", "round/1->second/1"];
    let all: std::collections::BTreeSet<_> = forward.into_iter().chain(other).collect();
    assert_eq!(back.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), all);
}

#[test]
fn a_job_has_a_bounded_size() {
    let channels = refused(|builder| {
        let wide = source::<u64>(builder, 256).rebalance().map("wide", 256, |n| n);
        sink(&wide, 256);
    });
    assert_eq!(channels, "the job has more than 65535 channels");
    let consumers = refused(|builder| {
        let numbers = source::<u64>(builder, 1);
        (0..256).for_each(|n| {
            numbers.at_least_once_sink(&format!("sink-{n}"), 1, EncodedSink::new());
        });
    });
    assert_eq!(consumers, "the stream of `source` has more than 255 consumers");
    let splits = refused(|builder| {
        for name in ["left", "right"] {
            let numbers = builder.source(name, Replay::<u64>::new(), 1, 40_000);
            numbers.at_least_once_sink(&format!("{name}-sink"), 1, EncodedSink::new());
        }
    });
    assert_eq!(splits, "the sources have more than 65535 splits");
    let subtasks = refused(|builder| {
        let numbers = source::<u64>(builder, 256);
        (0..255).for_each(|n| {
            numbers.at_least_once_sink(&format!("sink-{n}"), 256, EncodedSink::new());
        });
    });
    assert_eq!(subtasks, "the job has more than 65535 subtasks");
}

/// Declares what it is told to, and does nothing.
#[derive(Clone)]
struct Idle;

impl Idle {
    fn declaring(names: &'static [&'static str]) -> impl Fn(&mut StateDeclarations) -> Self {
        move |states| {
            for name in names {
                let _ = states.value::<u64>(name);
            }
            Self
        }
    }
}

impl Operator for Idle {
    type In = u64;
    type Out = u64;

    fn process(&mut self, _: u64, _: &mut Context<'_>, _: &mut Collector<'_, u64>) {}

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, u64>) {}
}

#[test]
fn declared_state_has_unique_names_and_a_key() {
    let twice = refused(|builder| {
        let keyed = source::<u64>(builder, 1).key_by(|n| *n);
        sink(&keyed.process("idle", 1, Idle::declaring(&["sum", "sum"])), 1);
    });
    assert_eq!(twice, "`idle` declares the state `sum` twice");
    let unkeyed = refused(|builder| {
        sink(&source(builder, 1).process("idle", 1, Idle::declaring(&["sum"])), 1);
    });
    let expected = "`idle` declares the keyed state `sum`, but its input has no key: use key_by()";
    assert_eq!(unkeyed, expected);
}
