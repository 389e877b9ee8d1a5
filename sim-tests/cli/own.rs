//! A program with jobs of its own: every command, by the template that users are given.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use super::harness::{Place, Said};

/// The program of `docs/YOUR_JOB.md`; built here, since only a test of everything builds examples.
fn program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--example", "orders"]);
        build.arg("--message-format=json").args(as_was(Path::new(env!("CARGO_BIN_EXE_cutwater"))));
        let output = build.output().expect("cargo can be started");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        executable(&String::from_utf8_lossy(&output.stdout)).expect("cargo says where it is")
    })
}

/// What makes cargo build where, and as, it built this program: it lies in a folder of its profile, in the folder of
/// the build.
fn as_was(built: &Path) -> Vec<OsString> {
    let profile = built.parent().expect("it is in a folder");
    let target = profile.parent().expect("that is in the folder of the build");
    let profile = match profile.file_name() {
        Some(name) if name == "debug" => "dev".into(),
        Some(name) => name.to_owned(),
        None => panic!("{}: expected a folder with a name", profile.display()),
    };
    vec!["--profile".into(), profile, "--target-dir".into(), target.into()]
}

/// The program of the last message that names one.
fn executable(messages: &str) -> Option<PathBuf> {
    let parsed = messages.lines().rev().map(|line| serde_json::from_str::<Value>(line).ok());
    parsed.flatten().find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[test]
fn it_is_built_as_this_program_was() {
    let told = |built| as_was(Path::new(built)).join(OsStr::new(" "));
    assert_eq!(told("/w/target/debug/cutwater"), "--profile dev --target-dir /w/target");
    assert_eq!(told("/elsewhere/release/cutwater"), "--profile release --target-dir /elsewhere");
    let built = program();
    let debug = Path::new(env!("CARGO_BIN_EXE_cutwater")).parent();
    assert_eq!(built.parent().and_then(Path::parent), debug, "{}", built.display());
}

fn run(place: &Place, line: &str) -> Said {
    let output = Command::new(program())
        .args(line.split_whitespace())
        .current_dir(place.path(""))
        .output()
        .expect("the program starts");
    Said::of(&output)
}

#[test]
fn it_knows_its_own_jobs_and_their_usual_scenarios() {
    let place = Place::new("own-lists");
    let said = run(&place, "scenarios");
    for name in ["orders", "orders-unaligned", "orders-rescaled", "forgetful-stopped"] {
        assert!(said.out.contains(name), "{name} is not in: {}", said.out);
    }
    assert!(!said.out.contains("word-count") && !said.out.contains("forgetful-rescaled"));
    assert!(run(&place, "workloads").out.contains("numbers the orders of each customer"));
    let unknown = run(&place, "run order --seed 1");
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("did you mean \"orders\"?"), "{}", unknown.err);
}

#[test]
fn a_job_that_is_right_holds_in_workers_and_in_shards() {
    let place = Place::new("own-holds");
    let said = run(&place, "sweep orders orders-rescaled --seeds 0..6 --shard 0/2 --out one");
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let said = run(&place, "sweep orders orders-rescaled --seeds 0..6 --shard 1/2 --out two");
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let joined = run(&place, "merge one/sweep-1 two/sweep-1");
    assert_eq!(joined.code, Some(0), "{}{}", joined.out, joined.err);
    assert!(joined.out.contains("orders-rescaled"), "{}", joined.out);
}

#[test]
fn what_fails_is_shrunk_replayed_and_told_in_its_own_values() {
    let place = Place::new("own-fails");
    let said = run(&place, "sweep forgetful --seeds 0..20 --out out");
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
    for words in
        ["output violated (forgetful, seed ", "orders replay out/sweep-1", "took \"customer\""]
    {
        assert!(said.out.contains(words), "{words:?} is not in: {}", said.out);
    }
    let failures = place.names("out/sweep-1/failures");
    let shrunk = failures
        .iter()
        .map(|name| format!("out/sweep-1/failures/{name}/shrunk"))
        .find(|dir| place.path(dir).exists())
        .expect("the first failure is shrunk");
    let test = place.read(&format!("{shrunk}/regression_test.rs"));
    assert!(test.contains("Experiments::of(crate::registry())"), "{test}");
    let plan = format!("{shrunk}/plan.json");
    let again = run(&place, &format!("replay {plan}"));
    assert_eq!(again.code, Some(1), "{}{}", again.out, again.err);
    assert!(again.out.contains("number/0 took \"customer\""), "{}", again.out);
    let other = place.read(&plan).replace("number, an operator", "counted, an operator");
    place.write("other.json", &other);
    let refused = run(&place, "replay other.json");
    assert_eq!(refused.code, Some(2), "{}", refused.out);
    for words in [
        "the plan is of another build of forgetful",
        "an operator is not there any more: counted, an operator in 1 subtasks",
    ] {
        assert!(refused.err.contains(words), "{words:?} is not in: {}", refused.err);
    }
    let kept = run(&place, &format!("bugs add {plan} --name lost --why Forgotten --dir bugs"));
    assert_eq!(kept.code, Some(0), "{}{}", kept.out, kept.err);
    assert_eq!(run(&place, "bugs test --dir bugs").code, Some(1), "it still fails");
}

#[test]
fn a_scenario_file_names_an_own_job() {
    let place = Place::new("own-scenario");
    let scenario = super::harness::QUICK.replace("workload = \"relay\"", "workload = \"orders\"");
    place.write("mine.toml", &scenario.replace("parallelism = 2", "parallelism = 2\nsplits = 2"));
    let said = run(&place, "run mine.toml --seed 3");
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    place.write("built-in.toml", super::harness::QUICK);
    let refused = run(&place, "run built-in.toml --seed 3");
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("unknown workload \"relay\""), "{}", refused.err);
}
