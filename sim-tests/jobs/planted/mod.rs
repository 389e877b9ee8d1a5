//! Ten bugs as people plant them in jobs of their own: each is found, soon, and told with operator and record.

mod joining;
mod numbering;
mod sessions;

use std::path::Path;

use cutwater::dataflow::{EncodedSink, Input, JobBuilder, Replay, Stream};
use cutwater::explore::{Check, CheckError};

/// Where failures are kept.
const OUT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/planted");

/// What a job reads and writes.
type Pair = (u64, u64);

/// How many records the jobs read.
const RECORDS: u64 = 300;

/// The first screen of a terminal.
const SCREEN: usize = 25;

/// A bug: how a check of a job with it is made, and which of its operators it is in.
struct Planted {
    name: &'static str,
    operator: &'static str,
    /// What is told of its cause, or of what it is about.
    words: &'static str,
    check: fn() -> Check,
}

const ALL: [Planted; 10] = [
    Planted {
        name: "a counter in a field",
        operator: "number",
        words: "is not in its snapshot",
        check: numbering::in_a_field,
    },
    Planted {
        name: "a static counter",
        operator: "number",
        words: "it keeps something in a static",
        check: numbering::in_a_static,
    },
    Planted {
        name: "an external store",
        operator: "number",
        words: "it keeps something in a static, or outside",
        check: numbering::in_a_store,
    },
    Planted {
        name: "the wall clock",
        operator: "number",
        words: "it reads the wall clock",
        check: numbering::by_the_clock,
    },
    Planted {
        name: "hash order",
        operator: "number",
        words: "a HashMap or HashSet that is iterated",
        check: numbering::in_hash_order,
    },
    Planted {
        name: "a list of what was seen",
        operator: "number",
        words: "comes from entry ",
        check: numbering::seen_in_a_list,
    },
    Planted {
        name: "a deadline in a field",
        operator: "session",
        words: "which is watermark",
        check: sessions::deadline_in_a_field,
    },
    Planted {
        name: "waiting orders in a field",
        operator: "join",
        words: "got nothing",
        check: joining::waiting_in_a_field,
    },
    Planted {
        name: "a cached profile",
        operator: "join",
        words: "got nothing",
        check: joining::cached,
    },
    Planted {
        name: "an arrival race",
        operator: "join",
        words: "no fault is needed",
        check: joining::by_arrival,
    },
];

/// A check of a job with two sources of pairs, one split each.
fn check_of_two(
    name: &str,
    logs: [Vec<Pair>; 2],
    expected: &[Pair],
    build: impl FnOnce(Stream<Pair>, Stream<Pair>) -> Stream<Pair>,
) -> Check {
    let job = JobBuilder::new(name);
    let [left, right] =
        ["left", "right"].map(|source| job.source(source, Replay::<Pair>::new(), 1, 1));
    build(left, right).rebalance().transactional_sink("out", 1, EncodedSink::new());
    let entries = logs.map(|log| log.iter().map(Replay::entry).collect::<Vec<_>>());
    checked(&job, Input::new(entries.to_vec()), expected)
}

/// A check of a job with one source of pairs.
fn check_of_one(
    name: &str,
    splits: u16,
    log: &[Pair],
    expected: &[Pair],
    build: impl FnOnce(Stream<Pair>) -> Stream<Pair>,
) -> Check {
    let job = JobBuilder::new(name);
    let source = job.source("pairs", Replay::<Pair>::new(), 1, splits);
    job.fix("pairs");
    build(source).rebalance().transactional_sink("out", 1, EncodedSink::new());
    checked(&job, Input::dealt(log.iter().map(Replay::entry), splits), expected)
}

fn checked(job: &JobBuilder, input: Input, expected: &[Pair]) -> Check {
    let check = Check::new(job, input, expected).expect("the job can be checked");
    check.out(Path::new(OUT)).seeds(0..100).shrink_runs(100)
}

/// What is told of a job that must not hold.
fn told(check: &Check) -> (CheckError, String) {
    let error = *check.run().expect_err("it does not hold");
    let text = format!("{error:?}");
    (error, text)
}

#[test]
fn all_ten_are_found_and_the_first_screen_names_operator_and_record() {
    for Planted { name, operator, words, check } in ALL {
        let (error, text) = told(&check());
        println!("== {name}\n{text}\n");
        assert!(!matches!(error, CheckError::Usage(_) | CheckError::Untested(_)), "{name}: {text}");
        let screen: Vec<&str> = text.lines().take(SCREEN).collect();
        let said: Vec<&str> = screen.iter().flat_map(|line| line.split_whitespace()).collect();
        let said = said.join(" ");
        let names = |words: &str| said.contains(words);
        assert!(names(&format!("{operator}/")), "{name}: the operator is not told: {text}");
        assert!(names("(") && names(")"), "{name}: no record is told: {text}");
        assert!(names(words), "{name}: {words:?} is not told: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{name}: {text}");
    }
}

#[test]
fn seeds_alone_find_them_within_a_few() {
    let mut firsts = Vec::new();
    for Planted { name, check, .. } in ALL {
        let (error, text) = told(&check().seeds_only().shrink_runs(0));
        let failure = error.failure().unwrap_or_else(|| panic!("{name}: no plan fails: {text}"));
        println!("{name}: seed {}", failure.drawn.seed);
        firsts.push(failure.drawn.seed);
    }
    firsts.sort_unstable();
    assert!(firsts[4] <= 5, "the median of {firsts:?}");
}
