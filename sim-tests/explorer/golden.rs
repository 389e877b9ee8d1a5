//! Golden digests: fifty plans whose traces are the same in every build, process and thread.
//!
//! The file holds what the digests are. `UPDATE_GOLDEN=1 cargo test --test explorer golden` writes it anew, which
//! is a claim that every difference was meant; the commit's message says what changed and why.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use cutwater::explore::{Experiments, WorldKind, run_plan};
use cutwater::plan::{Scenario, scenario};
use cutwater::protocol::DefectSet;

/// How many digests there are.
const PAIRS: usize = 50;

/// How many of them a fresh process computes again.
const FRESH: usize = 10;

const HEAD: &str = "\
# Digests of the traces of fifty runs: scenario, seed, digest.
#
# They are equal in debug and release builds, in fresh processes, on one thread and on many. Any change of
# an event, of its place, or of when it happens changes them. To write them anew is a claim that each such
# change was meant: say in the commit what changed and why, and change no digest together with anything
# else. UPDATE_GOLDEN=1 cargo test --test explorer golden
";

/// Set in a process that was started to compute some digests.
const PRINT: &str = "CUTWATER_GOLDEN_PRINT";

/// What each line of such a process's answer begins with.
const PRINTED: &str = "golden: ";

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/digests.txt")
}

/// Each scenario in turn, then each with the next seed.
fn pairs() -> Vec<(Scenario, u64)> {
    let scenarios = scenario::built_in();
    let pair = |number: usize| {
        let seed = (number / scenarios.len()) as u64;
        (scenarios[number % scenarios.len()].clone(), seed)
    };
    (0..PAIRS).map(pair).collect()
}

fn line_of(scenario: &Scenario, seed: u64, experiments: &Experiments) -> String {
    let plan = experiments.draw(scenario, seed, DefectSet::NONE).expect("it can be drawn");
    let prepared = experiments.prepare(&plan.job).expect("it was drawn for it");
    let outcome = run_plan(&plan, &prepared, WorldKind::Kernel, ()).0;
    format!("{} {seed} {}", scenario.name, outcome.digest)
}

fn lines_of(pairs: &[(Scenario, u64)]) -> Vec<String> {
    let experiments = Experiments::new();
    pairs.iter().map(|(scenario, seed)| line_of(scenario, *seed, &experiments)).collect()
}

fn golden() -> Vec<String> {
    let path = file();
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; UPDATE_GOLDEN=1 writes it", path.display());
    });
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

fn is_update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// The lines that differ, each as it should be and as it is.
fn differences(expected: &[String], found: &[String]) -> String {
    let mut told = String::new();
    for number in 0..expected.len().max(found.len()) {
        let [expected, found] = [expected, found].map(|all| all.get(number).map(String::as_str));
        if expected != found {
            let _ = writeln!(told, "- {}", expected.unwrap_or("nothing"));
            let _ = writeln!(told, "+ {}", found.unwrap_or("nothing"));
        }
    }
    told
}

fn assert_golden(expected: &[String], found: &[String]) {
    let told = differences(expected, found);
    assert!(
        told.is_empty(),
        "\n{told}if this was meant: UPDATE_GOLDEN=1 cargo test --test explorer golden"
    );
}

#[test]
fn digests_are_golden_on_one_thread() {
    let found = lines_of(&pairs());
    if is_update() {
        let path = file();
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(&path, format!("{HEAD}{}\n", found.join("\n"))).expect("it can be written");
    } else {
        assert_golden(&golden(), &found);
    }
}

/// Several threads take the pairs in turn, with one store of experiments between them.
#[test]
fn digests_are_golden_on_many_threads() {
    const THREADS: usize = 4;
    if is_update() {
        return;
    }
    let (pairs, experiments) = (pairs(), Experiments::new());
    let mut found = vec![String::new(); pairs.len()];
    thread::scope(|scope| {
        let share = |first: usize| {
            let (pairs, experiments) = (&pairs, &experiments);
            scope.spawn(move || {
                let own = (first..pairs.len()).step_by(THREADS).rev();
                let line = |number: usize| {
                    let (scenario, seed) = &pairs[number];
                    (number, line_of(scenario, *seed, experiments))
                };
                own.map(line).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = (0..THREADS).map(share).collect();
        for thread in threads {
            for (number, line) in thread.join().expect("no run panics") {
                found[number] = line;
            }
        }
    });
    assert_golden(&golden(), &found);
}

/// This test's own program is started again, and computes some digests with nothing left from before.
#[test]
fn digests_are_golden_in_a_fresh_process() {
    if is_update() {
        return;
    }
    let program = std::env::current_exe().expect("a test has a program");
    let mut command = Command::new(program);
    command
        .args(["--exact", "golden::prints_digests_when_asked_to", "--nocapture"])
        .env(PRINT, "1");
    let answer = command.output().expect("it can be started");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let text = String::from_utf8_lossy(&answer.stdout).into_owned();
    let printed = text.lines().filter_map(|line| Some(line.split_once(PRINTED)?.1.to_owned()));
    let golden: Vec<_> = golden().into_iter().rev().take(FRESH).collect();
    assert_golden(&golden, &printed.collect::<Vec<_>>());
}

#[test]
fn prints_digests_when_asked_to() {
    if std::env::var_os(PRINT).is_none() {
        return;
    }
    let last: Vec<_> = pairs().into_iter().rev().take(FRESH).collect();
    for line in lines_of(&last) {
        println!("{PRINTED}{line}");
    }
}

#[test]
fn a_digest_that_differs_is_told() {
    let lines = |all: &[&str]| all.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let told = differences(&lines(&["a 0 1", "b 0 2", "c 0 3"]), &lines(&["a 0 1", "b 0 9"]));
    assert_eq!(told, "- b 0 2\n+ b 0 9\n- c 0 3\n+ nothing\n");
}
