//! A job of one's own, checked through the library.

use cutwater::dataflow::{Collector, Context, EncodedSink, Input, JobBuilder, Operator, Replay};
use cutwater::explore::Check;
use cutwater::oracle::Verdict;
use cutwater::protocol::{Defect, DefectSet};

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
    let total = shout().seeds(0..30).run().expect("it holds");
    assert!(total.restores > 0 && total.completed > 0, "{total:?}");
}

#[test]
fn a_failure_names_its_seed() {
    let broken = shout().defects(DefectSet::only(Defect::CommitAtPreCommit)).seeds(3..30);
    let failure = broken.run().expect_err("the defect is found");
    let text = failure.to_string();
    assert!(text.contains(" violated (shout, seed "), "{text}");
    let seed = failure.plan.seed;
    let second = text.lines().nth(1).expect("there is a second line");
    assert!(second.ends_with(&format!(".seeds({seed}..{})", seed + 1)), "{text}");
    assert!(text.contains("VIOLATED HERE: ") && text.contains("● event"), "{text}");
    let view =
        text.lines().find_map(|line| line.strip_prefix("see it in ")).expect("it has a view");
    let view = std::fs::read_to_string(view).expect("the view is there");
    assert!(view.contains(&format!("<title>shout, seed {seed}</title>")), "of the run that failed");
    let nowhere =
        shout().out("/dev/null").defects(failure.plan.defects).seeds(seed..seed + 1).run();
    let told = nowhere.expect_err("it fails again").to_string();
    assert!(
        told.contains("no view of it: /dev/null: "),
        "what cannot be written keeps nothing from being told"
    );
    let alone = shout().defects(failure.plan.defects).seeds(seed..seed + 1).run();
    assert_eq!(alone.expect_err("it fails again").verdict, failure.verdict);
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

#[test]
fn an_operator_that_panics_is_a_violation_of_its_run() {
    let job = JobBuilder::new("fragile");
    job.source("lines", Replay::new(), 1, 1)
        .process("fragile", 1, |_: &mut _| Fragile)
        .transactional_sink("out", 1, EncodedSink::new());
    let input = Input::dealt((0..20).map(|n| Replay::entry(&format!("line {n}"))), 1);
    let check = Check::new::<String>(&job, input, &[]).expect("the job can be built");
    let failure = check.out(OUT).run().expect_err("it panics");
    assert!(
        matches!(&failure.verdict, Verdict::Panicked { message } if message == "line 7 is too much")
    );
    assert!(failure.to_string().starts_with("panicked (fragile, seed 0)"), "{failure}");
}
