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
    let lines = [
        "sweep --seeds 9..3",
        "sweep --seeds 5",
        "sweep --seeds 4..4",
        "sweep --jobs 0",
        "sweep --world marsim",
        "sweep missing.toml",
        "run relay",
        "run relay --seed 1 --records none",
        "sweeep",
    ];
    let said = |line: &str| format!("$ cutwater {line}\n{}\n", refused(&place, line));
    assert_snapshot!(lines.map(said).concat());
}

#[test]
fn names_that_were_perhaps_meant() {
    let place = Place::new("bad-names");
    assert!(refused(&place, "sweep rely").starts_with(
        "error: unknown scenario \"rely\", did you mean \"relay\"?\n  expected one of: relay, "
    ));
    assert!(
        refused(&place, "defects chanel-not-blocked").contains(
            "unknown defect \"chanel-not-blocked\", did you mean \"channel-not-blocked\"?"
        )
    );
    assert!(refused(&place, "sweep relay --defect x").contains("expected one of: channel-not-"));
}

#[test]
fn scenario_files() {
    let place = Place::new("bad-scenarios");
    let refused_with = |(from, to): (&str, &str)| {
        assert!(QUICK.contains(from), "{from}");
        place.write("bad.toml", &QUICK.replace(from, to));
        format!("# {to}\n{}\n", refused(&place, "sweep bad.toml"))
    };
    let mistakes = [
        ("workers = 2", "wrkers = 2"),
        ("crash-worker", "crsh-worker"),
        ("\"relay\"", "\"rellay\""),
        ("parallelism = 2", "parallelism = 1000"),
        ("parallelism = 2", "splits = 3"),
        ("records = 200", "records = 0"),
        ("records = 200", "records = \"many\""),
        ("[50, 150]", "[150, 50]"),
        ("version = 1", "version = 7"),
        ("[job]", "[job"),
    ];
    assert_snapshot!(mistakes.map(refused_with).concat());
    place.write("one.toml", QUICK);
    place.write("two.toml", QUICK);
    let twins = refused(&place, "sweep one.toml two.toml");
    assert!(twins.starts_with("error: \"one.toml\" and \"two.toml\" are both named \"quick\""));
}

#[test]
fn plan_files() {
    let (place, plan) = with_plan("bad-plans");
    let refused_with = |(from, to): (&str, &str)| {
        assert!(plan.contains(from), "{from} in {plan}");
        place.write("bad.json", &plan.replacen(from, to, 1));
        format!("# {to}\n{}\n", refused(&place, "replay bad.json"))
    };
    let mistakes = [
        ("\"version\": 1", "\"version\": 2"),
        ("cutwater-plan", "cutwater-trace"),
        ("\"seed\": 1", "\"sed\": 1"),
        ("\"seed\": 1", "\"seed\": \"one\""),
        ("\"workload\": \"relay\"", "\"workload\": \"rellay\""),
        ("\"parallelism\": 2", "\"parallelism\": 3"),
        ("\"parallelism\": 2", "\"parallelism\": 0"),
        ("\"fetch_max\": 64", "\"fetch_max\": 0"),
        ("\"worker\": ", "\"worker\": 9"),
    ];
    assert_snapshot!(mistakes.map(refused_with).concat());
    place.write("bad.json", &plan[..plan.len() / 2]);
    let truncated = refused(&place, "replay bad.json");
    assert!(truncated.starts_with("error: bad.json:") && truncated.contains("EOF"), "{truncated}");
    std::fs::write(place.path("bad.json"), b"{\n\"\xFE\"}").expect("it can be written");
    assert!(refused(&place, "replay bad.json").contains("bad.json:2: no UTF-8: byte 0xfe"));
}

#[test]
fn plans_that_name_what_does_not_exist() {
    let (place, plan) = with_plan("bad-plan-names");
    let refused_with = |(field, value, problem): (&str, &str, &str)| {
        let before = match field {
            "slow_control" | "priorities" => "\"local_us\"",
            _ => "\"safety_ms\"",
        };
        let field = format!("\"{field}\": {value},\n{before}");
        place.write("bad.json", &plan.replacen(before, &field, 1));
        let said = refused(&place, "replay bad.json");
        assert!(said.starts_with("error: bad.json:") && said.contains(problem), "{field}: {said}");
    };
    let link = |from: &str| {
        format!(r#"[{{"from": {from}, "to": "coordinator", "latency": {{"uniform": 5}}}}]"#)
    };
    refused_with(("slow_control", &link(r#"{"worker": 9}"#), "slow_control[0]: worker-9 does not"));
    refused_with(("slow_control", &link("\"nobody\""), "unknown variant `nobody`"));
    let priority = r#"[{"process": {"worker": 9}, "from_us": 0, "extra_us": 1}]"#;
    refused_with(("priorities", priority, "priorities[0]: worker-9 does not exist"));
    refused_with(("lost", r#"[{"worker": 9}]"#, "lost[0]: worker-9 does not exist"));
    refused_with(("lost", r#"["coordinator"]"#, "lost[0]: coordinator cannot be lost"));
    let all = r#"[{"worker": 1}, {"worker": 0}, {"worker": 0}]"#;
    refused_with(("lost", all, "0 workers with"));
    let at = |point: &str| {
        format!(
            r#"[{{"when": {{"point": {{"point": "{point}", "occurrence": 1}}}}, "fault": {{"crash": {{}}}}}}]"#
        )
    };
    let asks =
        |request: &str| format!(r#"[{{"when": {{"at": {{"us": 5}}}}, "request": {request}}}]"#);
    let resume = asks(r#"{"resume-at": {"parallelism": 1000}}"#);
    refused_with((
        "requests",
        &resume,
        "requests[0].request.parallelism is 1000, expected 1 to 128",
    ));
    let resume = asks(r#"{"resume-at": {"parallelism": 128}}"#);
    refused_with(("requests", &resume, "requests[0]: "));
    refused_with(("requests", &asks(r#"{"resume-at": {}}"#), "missing field `parallelism`"));
    let resume = asks(r#"{"resume-as": {"version": 1}}"#);
    refused_with(("requests", &resume, "has no version 1: the newest is 0"));
    let resume = asks(r#"{"resume-as": {"version": 17}}"#);
    refused_with(("requests", &resume, "requests[0].request.version is 17, expected 0 to 16"));
    refused_with(("requests", &asks("\"resumed\""), "unknown variant `resumed`"));
    let faults = plan.find("\"faults\"").expect("it has faults");
    let end = plan.find("\"safety_ms\"").expect("faults are before it");
    let with_faults = |faults_are: &str| {
        let text = format!("{}\"faults\": {faults_are},\n{}", &plan[..faults], &plan[end..]);
        place.write("bad.json", &text);
        refused(&place, "replay bad.json")
    };
    assert!(with_faults(&at("snapshot-takn")).contains("unknown variant `snapshot-takn`"));
    let subtask = at("snapshot-taken").replace("\"occurrence\"", "\"subtask\": 99, \"occurrence\"");
    assert!(with_faults(&subtask).contains("faults[0]: subtask 99 of a job with"));
}

#[test]
fn a_plan_whose_last_workers_cannot_hold_the_job_that_is_asked_for() {
    let (place, plan) = with_plan("bad-plan-shapes");
    let at = |slots: u16, parallelism: u16| {
        let rescale = format!(r#"{{"when": {{"at": {{"us": 5}}}}, "parallelism": {parallelism}}}"#);
        let fields = format!("\"lost\": [{{\"worker\": 1}}],\n\"rescales\": [{rescale}],\n");
        let plan = plan.replacen("\"slots\": 2", &format!("\"slots\": {slots}"), 1);
        place.write("bad.json", &plan.replacen("\"safety_ms\"", &(fields + "\"safety_ms\""), 1));
    };
    at(4, 3);
    let said = refused(&place, "replay bad.json");
    let problem = "1 workers with 4 slots have room for 4 subtasks, the job has up to 5";
    assert!(said.contains(problem), "{said}");
    at(4, 1);
    place.run("replay bad.json").expect(0);
    // It is refused when it is asked for, and the job goes on.
    at(4, 20);
    place.run("replay bad.json").expect(0);
}

#[test]
fn directories_that_cannot_be_written() {
    let place = Place::new("unwritable");
    place.write("quick.toml", QUICK);
    place.write("file", "");
    for line in [
        "sweep quick.toml --seeds 0..1 --out file/below",
        "sweep quick.toml --seeds 0..1 --resume file/below",
        "run quick.toml --seed 1 --out file/below",
        "sweep quick.toml --seeds 0..1 --json file/below",
        "sweep quick.toml --seeds 0..1 --junit file/below",
        "sweep quick.toml --seeds 0..1 --out /dev/null/below",
    ] {
        let said = refused(&place, line);
        assert!(said.contains("below: Not a directory"), "{line}: {said}");
    }
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
