//! Golden digests: plans of every built-in scenario whose traces are the same in every build, process and thread.
//!
//! The file holds what the digests are, by scenario and seed. `UPDATE_GOLDEN=1 cargo test --test explorer golden`
//! writes it anew, which is a claim that every difference was meant; the commit's message says what changed and why.
//! A digest says that something changed, and not what: walk-throughs and oracles say that.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use cutwater::explore::{Experiments, WorldKind, run_plan};
use cutwater::plan::{Scenario, scenario};
use cutwater::protocol::DefectSet;

/// The seeds of each scenario.
const SEEDS: [u64; 2] = [0, 1];

/// A fresh process computes every eighth of them again.
const FRESH_STEP: usize = 8;

const HEAD: &str = "\
# Digests of the traces of two runs of each built-in scenario: scenario, seed, digest. Ordered by name, so that a
# new scenario adds lines and moves none.
#
# They are equal in debug and release builds, in fresh processes, on one thread and on many. Any change of
# an event, of its place, or of when it happens changes them. To write them anew is a claim that each such
# change was meant: say in the commit what changed and why, and change no digest together with anything
# else. UPDATE_GOLDEN=1 cargo test --test explorer golden
";

/// A scenario's name and a seed.
type Key = (String, u64);

/// The digest of each.
type Digests = BTreeMap<Key, String>;

/// Set in a process that was started to compute some digests.
const PRINT: &str = "CUTWATER_GOLDEN_PRINT";

/// What each line of such a process's answer begins with.
const PRINTED: &str = "golden: ";

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/digests.txt")
}

/// Each scenario with each of its seeds.
fn pairs() -> Vec<(Scenario, u64)> {
    let of_scenario = |scenario: Scenario| SEEDS.map(|seed| (scenario.clone(), seed));
    scenario::built_in().into_iter().flat_map(of_scenario).collect()
}

fn digest_of(scenario: &Scenario, seed: u64, experiments: &Experiments) -> (Key, String) {
    let plan = experiments.draw(scenario, seed, DefectSet::NONE).expect("it can be drawn");
    let prepared = experiments.prepare(&plan.job).expect("it was drawn for it");
    let outcome = run_plan(&plan, &prepared, WorldKind::Kernel, ()).0;
    ((scenario.name.to_string(), seed), outcome.digest)
}

fn digests_of(pairs: &[(Scenario, u64)]) -> Digests {
    let experiments = Experiments::new();
    pairs.iter().map(|(scenario, seed)| digest_of(scenario, *seed, &experiments)).collect()
}

/// One digest as a line of the file.
fn line(((scenario, seed), digest): (&Key, &String)) -> String {
    format!("{scenario} {seed} {digest}")
}

fn digest_in(line: &str) -> Option<(Key, String)> {
    let mut words = line.split(' ');
    let (scenario, seed, digest) = (words.next()?, words.next()?, words.next()?);
    Some(((scenario.to_owned(), seed.parse().ok()?), digest.to_owned()))
}

fn golden() -> Digests {
    let path = file();
    let text = fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("{}: {error}; UPDATE_GOLDEN=1 writes it", path.display());
    });
    let lines =
        text.lines().zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    let digest = |(line, number): (&str, u32)| {
        let found = digest_in(line);
        found.unwrap_or_else(|| {
            panic!("{}:{number}: expected scenario, seed, digest", path.display())
        })
    };
    lines.map(digest).collect()
}

fn is_update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// What differs, each as it should be and as it is; on either side, nothing is a difference as well.
fn differences(expected: &Digests, found: &Digests) -> String {
    let mut told = String::new();
    let of = |digests: &Digests, key: &Key| digests.get_key_value(key).map(line);
    let keys: BTreeMap<&Key, ()> =
        expected.keys().chain(found.keys()).map(|key| (key, ())).collect();
    for key in keys.into_keys() {
        let (expected, found) = (of(expected, key), of(found, key));
        if expected != found {
            let _ = writeln!(told, "- {}", expected.as_deref().unwrap_or("nothing"));
            let _ = writeln!(told, "+ {}", found.as_deref().unwrap_or("nothing"));
        }
    }
    told
}

fn assert_golden(expected: &Digests, found: &Digests) {
    let told = differences(expected, found);
    assert!(
        told.is_empty(),
        "\n{told}if this was meant: UPDATE_GOLDEN=1 cargo test --test explorer golden"
    );
}

#[test]
fn digests_are_golden_on_one_thread() {
    let found = digests_of(&pairs());
    if is_update() {
        let path = file();
        let lines: String = found.iter().map(|digest| line(digest) + "\n").collect();
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(&path, format!("{HEAD}{lines}")).expect("it can be written");
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
    let mut found = Digests::new();
    thread::scope(|scope| {
        let share = |first: usize| {
            let (pairs, experiments) = (&pairs, &experiments);
            scope.spawn(move || {
                let own = pairs.iter().skip(first).step_by(THREADS).rev();
                own.map(|(scenario, seed)| digest_of(scenario, *seed, experiments))
                    .collect::<Digests>()
            })
        };
        let threads: Vec<_> = (0..THREADS).map(share).collect();
        for thread in threads {
            found.extend(thread.join().expect("no run panics"));
        }
    });
    assert_golden(&golden(), &found);
}

/// The pairs whose digests a fresh process computes again, the last of them first.
fn fresh_pairs() -> Vec<(Scenario, u64)> {
    pairs().into_iter().rev().step_by(FRESH_STEP).collect()
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
    let printed = text.lines().filter_map(|line| digest_in(line.split_once(PRINTED)?.1));
    let mut golden = golden();
    let keys: Vec<Key> = fresh_pairs()
        .into_iter()
        .map(|(scenario, seed)| (scenario.name.to_string(), seed))
        .collect();
    golden.retain(|key, _| keys.contains(key));
    assert_golden(&golden, &printed.collect());
}

#[test]
fn prints_digests_when_asked_to() {
    if std::env::var_os(PRINT).is_none() {
        return;
    }
    for digest in &digests_of(&fresh_pairs()) {
        println!("{PRINTED}{}", line(digest));
    }
}

#[test]
fn a_digest_that_differs_is_told() {
    let digests =
        |all: &[&str]| all.iter().map(|line| digest_in(line).expect("it is one")).collect();
    let (expected, found) =
        (digests(&["a 0 1", "b 0 2", "c 0 3"]), digests(&["a 0 1", "b 0 9", "d 1 4"]));
    let told = differences(&expected, &found);
    assert_eq!(told, "- b 0 2\n+ b 0 9\n- c 0 3\n+ nothing\n- nothing\n+ d 1 4\n");
}
