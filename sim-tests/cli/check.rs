//! A job of one's own, checked through the library.

use std::path::Path;

use cutwater::dataflow::{Collector, Context, EncodedSink, Input, JobBuilder, Operator, Replay};
use cutwater::explore::{Check, CheckError, Registry, WorldKind};
use cutwater::oracle::Verdict;
use cutwater::plan::{FaultClass, Name, Plan, Scenario, Span};
use cutwater::protocol::{Defect, DefectSet, Guarantee};
use cutwater::trace::Point;
use cutwater::workload::{Experiment, Workload, WorkloadError, WorkloadSettings};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::harness::Place;

/// Where views go.
const OUT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/check");

fn shout() -> Check {
    let job = JobBuilder::new("shout");
    job.source("lines", Replay::new(), 1, 1)
        .map("shout", 1, |line: String| line.to_uppercase())
        .transactional_sink("out", 1, EncodedSink::new());
    let line = |n: u32| format!("line {n}");
    let expected: Vec<String> = (0..200).map(|n| line(n).to_uppercase()).collect();
    let input = Input::dealt((0..200).map(|n| Replay::entry(&line(n))), 1);
    let check = Check::new(&job, input, &expected).expect("the job can be built");
    check.out(OUT)
}

#[test]
fn a_job_that_is_exactly_once_holds_under_faults() {
    let checked = shout().seeds(0..30).run().expect("it holds");
    assert_eq!(checked.runs, 30);
    assert!(checked.flowing > 0 && checked.statistics.completed > 0, "{checked}");
    let again = shout().seeds(0..30).threads(3).run().expect("it holds");
    assert_eq!(checked, again, "whatever the number of threads");
}

#[test]
fn a_failure_is_small_and_names_its_record_and_its_commands() {
    let broken = shout().defects(DefectSet::only(Defect::CommitAtPreCommit)).seeds(3..60);
    let error = broken.run().expect_err("the defect is found");
    let text = error.to_string();
    assert_eq!(format!("{error:?}"), text, "a test prints Debug");
    assert!(text.lines().count() <= 50, "two screens: {text}");
    assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    assert!(text.contains(" violated (shout"), "{text}");
    assert!(text.contains("VIOLATED HERE: "), "{text}");
    let failure = error.failure().expect("a plan fails");
    assert!(failure.is_repeatable && failure.plan.faults.len() <= failure.drawn.faults.len());
    let seed = failure.drawn.seed;
    assert!(text.contains(&format!("CUTWATER_SEEDS={seed}..{}", seed + 1)), "{text}");
    let command = text.lines().find(|line| line.contains("CUTWATER_REPLAY=")).expect("it is told");
    let path = command.trim_start_matches("CUTWATER_REPLAY=").split(' ').next();
    let kept = Plan::read(Path::new(path.expect("it names a file"))).expect("it is kept");
    assert_eq!(kept, failure.plan);
    let again = shout().judge(&kept).expect_err("it fails again");
    assert_eq!(again.failure().map(|failure| &failure.verdict), Some(&failure.verdict));
    let one = shout().defects(failure.plan.defects).seeds(3..60).threads(1).run();
    assert_eq!(
        one.expect_err("it fails again").failure().map(|failure| failure.drawn.seed),
        Some(seed),
        "the lowest seed, whatever the number of threads"
    );
    let nowhere = shout().out("/dev/null").judge(&kept).expect_err("it fails again").to_string();
    assert!(nowhere.contains("nothing is kept of it: /dev/null: "), "{nowhere}");
}

/// Numbers its lines, with a number in a field.
#[derive(Clone)]
struct Forgetful(u64);

impl Operator for Forgetful {
    type In = String;
    type Out = (String, u64);

    fn process(&mut self, line: String, _: &mut Context<'_>, out: &mut Collector<'_, Self::Out>) {
        self.0 += 1;
        out.emit((line, self.0));
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Self::Out>) {}
}

pub fn forgetful(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let lines = settings.records.unwrap_or(300);
    let job = JobBuilder::new("forgetful");
    job.source("lines", Replay::new(), 1, 1)
        .process("number", 1, |_: &mut _| Forgetful(0))
        .transactional_sink("out", 1, EncodedSink::new());
    let line = || "line".to_owned();
    let input = Input::dealt((0..lines).map(|_| Replay::entry(&line())), 1);
    let expected: Vec<(String, u64)> = (1..=lines).map(|number| (line(), number)).collect();
    Experiment::new(&job, input, &expected)
}

pub fn registry() -> Registry {
    Registry::new().with(Workload::new("forgetful", forgetful).single_split())
}

#[test]
fn a_registered_job_is_shrunk_in_its_records_and_replayed_by_its_program() {
    let check = Check::registered(registry(), "forgetful").expect("it is registered").out(OUT);
    let rehearsed = check.clone().run().expect_err("it forgets").to_string();
    assert!(rehearsed.contains("number/0") && rehearsed.contains("(\"line\", 1)"), "{rehearsed}");
    let error = check.clone().seeds_only().run().expect_err("it forgets");
    let text = error.to_string();
    assert!(text.contains("\ncargo run -- replay "), "{text}");
    let spaced = check.clone().seeds_only().out(Path::new(OUT).join("two words")).run();
    let spaced = spaced.expect_err("it forgets").to_string();
    assert!(spaced.contains("\ncargo run -- replay '"), "one word for a shell: {spaced}");
    let failure = error.failure().expect("a plan fails");
    assert!(failure.plan.job.records.is_some_and(|records| records < 100), "{text}");
    assert_eq!(
        refused(Check::registered(registry(), "forgetfull")),
        "unknown workload \"forgetfull\", expected one of forgetful"
    );
}

/// What the test below runs with variables of the environment.
#[test]
fn a_check_under_the_environment() {
    println!("{}", shout().seeds(0..1).run().expect("it holds"));
}

#[test]
fn the_environment_takes_the_place_of_arguments() {
    let inner = |variable: &str, value: &str| {
        let test = "check::a_check_under_the_environment";
        let program = std::env::current_exe().expect("this program has a file");
        let mut command = std::process::Command::new(program);
        command.args([test, "--exact", "--nocapture"]).env(variable, value);
        let output = command.output().expect("it starts");
        let said =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (output.status.success(), said.concat())
    };
    let (held, said) = inner("CUTWATER_SEEDS", "5..8");
    assert!(held && said.contains("3 plans held"), "{said}");
    let (held, said) = inner("CUTWATER_SEEDS", "5");
    assert!(!held && said.contains("CUTWATER_SEEDS is \"5\", expected A..B"), "{said}");
    let other = Check::registered(registry(), "forgetful").expect("it is registered");
    let path = Path::new(OUT).join("another.json");
    std::fs::create_dir_all(OUT).expect("it can be made");
    let plan = |check: &Check| check.plan(1).expect("it can be drawn").to_json();
    std::fs::write(&path, plan(&other)).expect("it can be written");
    let (held, said) = inner("CUTWATER_REPLAY", &path.display().to_string());
    assert!(!held && said.contains("is of job forgetful, expected one of shout"), "{said}");
    std::fs::write(&path, plan(&shout())).expect("it can be written");
    let (held, said) = inner("CUTWATER_REPLAY", &path.display().to_string());
    assert!(held && said.contains("1 plans held"), "{said}");
}

/// The command that replays, with all its lines.
fn printed_command(said: &str) -> String {
    let start = said.find("CUTWATER_REPLAY=").expect("it is told");
    let mut command = String::new();
    for line in said[start..].lines() {
        command.push_str(line);
        if !line.ends_with('\\') {
            break;
        }
        command.push('\n');
    }
    command
}

/// Fails, and prints the command that the test below starts.
#[test]
#[ignore = "it fails on purpose"]
fn a_judged_plan_does_not_hold() {
    let out = Path::new(OUT).join("it's judged");
    let broken = shout().defects(DefectSet::only(Defect::CommitAtPreCommit)).out(out);
    let plan = |seed| broken.plan(seed).expect("it can be drawn");
    let lost = (3..60).find_map(|seed| broken.judge(&plan(seed)).err());
    panic!("\n{}", lost.expect("the defect is found"));
}

#[test]
#[cfg(unix)]
fn the_command_of_a_judged_plan_judges_the_plan_that_was_kept() {
    let fails = |line: &str| {
        let output = std::process::Command::new("sh").args(["-c", line]).output();
        let output = output.expect("there is a shell");
        assert!(!output.status.success(), "{line} succeeds");
        [output.stdout, output.stderr]
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .concat()
    };
    let own = std::env::current_exe().expect("this program has a file");
    let place = Place::new("check-judged");
    // What `cargo test NAME -- ARGUMENTS` comes to, where this is the only test program.
    let cargo = format!(
        "#!/bin/sh\nname=$2; shift 3; exec '{}' \"$name\" \"$@\" --ignored\n",
        own.display()
    );
    place.write("cargo", &cargo);
    let path = place.path("");
    let cargo = format!("chmod u+x '{0}/cargo' && export PATH='{0}':\"$PATH\"", path.display());
    let first =
        fails(&format!("{cargo}; cargo test check::a_judged_plan_does_not_hold -- --exact"));
    assert!(!first.contains("CUTWATER_SEEDS="), "no seed of the check was run: {first}");
    let command = printed_command(&first);
    assert!(command.contains(r"/check/it'\''s judged/"), "{command}");
    let again = fails(&format!("{cargo}; {command}"));
    // All but the seed, which shrinking has made a plain one.
    let headline = |said: &str| {
        let line = said.lines().find(|line| line.contains(" violated (shout"));
        let (place, what) = line.and_then(|line| line.split_once("): ")).expect("it is told");
        format!("{}: {what}", place.split(", seed ").next().unwrap_or_default())
    };
    assert_eq!(headline(&again), headline(&first));
    let shrunk = |said: &str| {
        let told = said.split_once("shrunk       from ").expect("it is told").1;
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let is_as_it_was = |said: &str| {
        let shrunk = shrunk(said);
        let (from, to) = shrunk.split_once("; to ").expect("both are told");
        to.starts_with(&format!("{from}; in "))
    };
    assert!(is_as_it_was(&again), "the kept plan was run, which is as small as it gets: {again}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn plans_are_values_of_a_property(
        plan in (0..10_000_u64).prop_map(|seed| shout().plan(seed).expect("it can be drawn")).no_shrink()
    ) {
        shout().judge(&plan).expect("it holds");
    }
}

/// Panics at one record.
#[derive(Clone)]
struct Fragile;

impl Operator for Fragile {
    type In = String;
    type Out = String;

    fn process(&mut self, line: String, _: &mut Context<'_>, _: &mut Collector<'_, String>) {
        assert!(line != "line 7", "line 7 is too much");
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, String>) {}
}

fn fragile() -> Check {
    let job = JobBuilder::new("fragile");
    job.source("lines", Replay::new(), 1, 1)
        .process("fragile", 1, |_: &mut _| Fragile)
        .transactional_sink("out", 1, EncodedSink::new());
    let input = Input::dealt((0..20).map(|n| Replay::entry(&format!("line {n}"))), 1);
    Check::new::<String>(&job, input, &[]).expect("the job can be built").out(OUT)
}

#[test]
fn a_panic_names_operator_and_record() {
    let rehearsed = fragile().run().expect_err("it panics").to_string();
    assert!(rehearsed.contains("user code panics") && rehearsed.contains("line 7 is too much"));
    assert!(rehearsed.contains("fragile/0 was at \"line 7\""), "{rehearsed}");
    assert!(rehearsed.contains("check.rs:"), "{rehearsed}");
    let error = fragile().seeds_only().run().expect_err("it panics");
    let failure = error.failure().expect("a plan fails");
    assert!(
        matches!(&failure.verdict, Verdict::Panicked { message } if message == "line 7 is too much")
    );
    let text = error.to_string();
    assert!(text.starts_with("panicked (fragile"), "{text}");
    for words in ["operator     fragile/0", "record       \"line 7\", which comes from entry 7 of "]
    {
        assert!(text.contains(words), "{words} is not in: {text}");
    }
}

/// What is wrong with a check that cannot be made.
pub fn refused(error: Result<Check, CheckError>) -> String {
    match error.map(|_| ()) {
        Err(CheckError::Usage(problem)) => problem,
        other => panic!("it is made, or fails otherwise: {other:?}"),
    }
}

#[test]
fn mistakes_are_told_when_a_check_is_made() {
    let numbers: Vec<u64> = (0..20).collect();
    let job = |splits| {
        let job = JobBuilder::new("copy");
        job.source("numbers", Replay::<u64>::new(), 1, splits).transactional_sink(
            "out",
            1,
            EncodedSink::new(),
        );
        job
    };
    let dealt = |splits| Input::dealt(numbers.iter().map(Replay::entry), splits);
    let splits = refused(Check::new(&job(2), dealt(1), &numbers));
    assert_eq!(
        splits,
        "workload copy: its input has 1 splits, and its sources read 2: expected as many"
    );
    let lines = Input::dealt(numbers.iter().map(|n| Replay::entry(&format!("line {n}"))), 1);
    let other = refused(Check::new(&job(1), lines, &numbers));
    assert!(other.contains("expected what Replay::entry gives for that type"), "{other}");
    let at_least_once = job(1);
    at_least_once.requires(Guarantee::AtLeastOnce);
    let repeated = refused(Check::new(&at_least_once, dealt(1), &numbers));
    assert!(repeated.contains("its sink `out` makes each record visible once"), "{repeated}");
    let check = Check::new(&job(1), dealt(1), &numbers).expect("it can be made");
    if cfg!(not(madsim)) {
        let nowhere = check.clone().world(WorldKind::Madsim).run().expect_err("there is none");
        assert!(
            matches!(&*nowhere, CheckError::Usage(problem) if problem.contains("--cfg madsim"))
        );
    }
    let none = check.clone().seeds(5..5).run().expect_err("a range without a seed proves nothing");
    assert!(
        matches!(&*none, CheckError::Usage(problem) if problem.starts_with("its seeds are 5..5, which are none")),
        "{none}"
    );
    let mut foreign = check.plan(0).expect("it can be drawn");
    foreign.job.workload = Name::literal("other");
    let told = check.judge(&foreign).expect_err("it is of another job").to_string();
    assert!(told.contains("the plan is of job other, expected one of copy"), "{told}");
}

#[test]
fn an_output_that_is_not_the_expected_one_needs_no_failure() {
    let job = JobBuilder::new("copy");
    job.source("numbers", Replay::<u64>::new(), 1, 1)
        .map("double", 1, |number| 2 * number)
        .transactional_sink("out", 1, EncodedSink::new());
    let input = Input::dealt((0..10_u64).map(|number| Replay::entry(&number)), 1);
    let expected: Vec<u64> =
        (0..10).map(|number| if number == 4 { 9 } else { 2 * number }).collect();
    let check = Check::new(&job, input, &expected).expect("it can be made");
    let told = check.run().expect_err("it gives 8").to_string();
    assert_eq!(
        told,
        "copy: the job does not give what is expected of it, and nothing had failed\n\
         expected, not there:  9\n\
         there, not expected:  8"
    );
    let counted = check.scenario(built_in("counted-barriers")).seeds_only().run();
    let told = counted.expect_err("its sink is transactional").to_string();
    assert!(told.starts_with("the check is wrong: copy: at-least-once barriers"), "{told}");
}

/// Doubles numbers; version by version with so much more.
fn doubles(more: u64) -> JobBuilder {
    let job = JobBuilder::new("doubles");
    job.source("numbers", Replay::<u64>::new(), 1, 1)
        .map("double", 1, move |number| 2 * number + more)
        .transactional_sink("out", 1, EncodedSink::new());
    job
}

#[test]
fn every_version_of_a_job_gives_what_is_expected_and_goes_on_from_the_one_before() {
    let input = || Input::dealt((0..200_u64).map(|number| Replay::entry(&number)), 1);
    let expected: Vec<u64> = (0..200).map(|number| 2 * number).collect();
    let experiment = |more| {
        let first = Experiment::new(&doubles(0), input(), &expected).expect("it can be built");
        first.upgraded_to(&doubles(more)).expect("it goes on from the first")
    };
    let told = Check::of(experiment(1)).expect("it can be made").run();
    let told = told.expect_err("the second version gives one more").to_string();
    let words = "doubles: as version 1: the job does not give what is expected of it";
    assert!(told.starts_with(words), "{told}");
    let check = Check::of(experiment(0)).expect("it can be made");
    let checked = check.seeds(0..30).run().unwrap_or_else(|error| panic!("{error}"));
    assert!(checked.reach.point(Point::JobResumed) > 0, "{checked}");
}

/// Not read back: postcard writes no names.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Text(String),
}

#[test]
fn a_type_that_is_not_read_back_is_named() {
    let job = JobBuilder::new("untagged");
    job.source("numbers", Replay::<u64>::new(), 1, 1)
        .map(
            "wrap",
            1,
            |n: u64| if n > 3 { Untagged::Text(n.to_string()) } else { Untagged::Number(n) },
        )
        .map("unwrap", 1, |wrapped: Untagged| format!("{wrapped:?}"))
        .transactional_sink("out", 1, EncodedSink::new());
    let input = || Input::dealt((0..5_u64).map(|n| Replay::entry(&n)), 1);
    let within = refused(Check::new::<String>(&job, input(), &[]));
    assert!(within.contains("unwrap/0") && within.contains("Untagged"), "{within}");
    assert!(within.contains("#[serde(untagged)]"), "{within}");
    let expected = refused(Check::new(&job, input(), &[Untagged::Number(1)]));
    assert!(expected.contains("the expected output: Number(1)"), "{expected}");
}

#[test]
fn what_is_never_restored_while_records_flow_tests_nothing() {
    let mut scenario = shout().plan(0).map(|_| built_in("calm")).expect("it can be drawn");
    scenario.faults = [(FaultClass::CrashWorker, Span::new(1, 1))].into();
    scenario.nemesis.window_ms = Span::new(60_000, 61_000);
    scenario.nemesis.aimed_percent = 0;
    let told = shout().scenario(scenario).seeds(0..12).run().expect_err("nothing crashes in time");
    assert!(
        told.to_string().starts_with("nothing was tested: none of 12 plans restored shout"),
        "{told}"
    );
    let mut calm = built_in("calm");
    calm.faults = [(FaultClass::CrashWorker, Span::new(0, 0))].into();
    let held = shout().scenario(calm).seeds(0..12).run().expect("no crash is asked for");
    assert_eq!((held.runs, held.flowing), (12, 0));
}

pub fn built_in(name: &str) -> Scenario {
    cutwater::plan::scenario::named(name).expect("it is built in").clone()
}
