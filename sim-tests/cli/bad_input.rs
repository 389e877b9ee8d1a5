//! Mistakes of the outside world: each is told with its place and with what was expected, ends with
//! exit code 2, and changes no file.

use insta::assert_snapshot;

use crate::harness::{Place, QUICK};

/// What is said about a mistake. Nothing was run, and nothing written.
fn refused(place: &Place, line: &str) -> String {
    let before = place.names(".");
    let said = place.run(line).expect(2);
    assert_eq!(said.out, "", "{line}");
    assert_eq!(place.names("."), before, "{line}");
    said.err
}

/// A place with a plan in it, as a run wrote it.
fn with_plan(name: &str) -> (Place, String) {
    let place = Place::new(name);
    place.write("quick.toml", QUICK);
    place.run("run quick.toml --seed 1").expect(0);
    let plan = place.read("cutwater-out/run-1/plan.json");
    (place, plan)
}

#[test]
fn arguments() {
    let place = Place::new("bad-arguments");
    assert_snapshot!(refused(&place, "sweep --seeds 9..3"), @"");
    assert_snapshot!(refused(&place, "sweep --seeds 5"), @"");
    assert_snapshot!(refused(&place, "sweep --world marsim"), @"");
    assert_snapshot!(refused(&place, "run relay"), @"");
    assert!(refused(&place, "sweep rely").starts_with(
        "error: unknown scenario \"rely\", did you mean \"relay\"?\n  expected one of: relay, "
    ));
    assert!(
        refused(&place, "defects chanel-not-blocked").contains(
            "unknown defect \"chanel-not-blocked\", did you mean \"channel-not-blocked\"?"
        )
    );
    assert!(refused(&place, "sweep relay --defect x").contains("expected one of: channel-not-"));
    assert!(refused(&place, "sweep missing.toml").starts_with("error: missing.toml: No such file"));
}

#[test]
fn scenario_files() {
    let place = Place::new("bad-scenarios");
    let refused_with = |from: &str, to: &str| {
        assert!(QUICK.contains(from), "{from}");
        place.write("bad.toml", &QUICK.replace(from, to));
        refused(&place, "sweep bad.toml")
    };
    assert_snapshot!(refused_with("workers = 2", "wrkers = 2"), @"");
    assert_snapshot!(refused_with("crash-worker", "crsh-worker"), @"");
    assert_snapshot!(refused_with("\"relay\"", "\"rellay\""), @"");
    assert_snapshot!(refused_with("parallelism = 2", "parallelism = 1000"), @"");
    assert_snapshot!(refused_with("[50, 150]", "[150, 50]"), @"");
    assert_snapshot!(refused_with("version = 1", "version = 7"), @"");
    assert_snapshot!(refused_with("records = 200", "records = 0"), @"");
    place.write("one.toml", QUICK);
    place.write("two.toml", QUICK);
    assert_snapshot!(refused(&place, "sweep one.toml two.toml"), @"");
}

#[test]
fn plan_files() {
    let (place, plan) = with_plan("bad-plans");
    let refused_with = |from: &str, to: &str| {
        assert!(plan.contains(from), "{from} in {plan}");
        place.write("bad.json", &plan.replacen(from, to, 1));
        refused(&place, "replay bad.json")
    };
    assert_snapshot!(refused_with("\"version\": 1", "\"version\": 2"), @"");
    assert_snapshot!(refused_with("cutwater-plan", "cutwater-trace"), @"");
    assert_snapshot!(refused_with("\"seed\": 1", "\"sed\": 1"), @"");
    assert_snapshot!(refused_with("\"seed\": 1", "\"seed\": \"one\""), @"");
    assert_snapshot!(refused_with("\"relay\"", "\"rellay\""), @"");
    assert_snapshot!(refused_with("\"workers\": 2", "\"workers\": 1"), @"");
    assert_snapshot!(refused_with("\"credits\": ", "\"credits\": 0, \"credits\": "), @"");
    assert_snapshot!(refused_with("\"worker\": ", "\"worker\": 9"), @"");
    place.write("bad.json", &plan[..plan.len() / 2]);
    let truncated = refused(&place, "replay bad.json");
    assert!(truncated.starts_with("error: bad.json:") && truncated.contains("EOF"), "{truncated}");
    std::fs::write(place.path("bad.json"), [0xFF, 0xFE, 0x00]).expect("it can be written");
    assert!(refused(&place, "replay bad.json").contains("bad.json: stream did not contain valid"));
}

#[test]
fn nothing_is_written_over() {
    let (place, plan) = with_plan("not-over");
    let configuration = |n| place.read(&format!("cutwater-out/sweep-{n}/configuration.json"));
    place.run("sweep quick.toml --seeds 0..1").expect(0);
    let first = configuration(1);
    place.run("sweep quick.toml --seeds 7..9").expect(0);
    assert_ne!(configuration(2), first);
    assert_eq!(configuration(1), first);
    place.run("run quick.toml --seed 2").expect(0);
    assert_eq!(place.read("cutwater-out/run-1/plan.json"), plan);

    place.write("mine.txt", "mine");
    let lines = [
        "sweep quick.toml --seeds 0..1 --json mine.txt",
        "sweep quick.toml --seeds 0..1 --out mine.txt",
        "run quick.toml --seed 1 --trace mine.txt",
        "defects no-flush-at-barrier --json mine.txt",
        "overhead --json mine.txt",
    ];
    for line in lines {
        let said = refused(&place, line);
        assert!(said.contains("mine.txt: ") && said.contains("xists"), "{line}: {said}");
        assert_eq!(place.read("mine.txt"), "mine", "{line}");
    }
}
