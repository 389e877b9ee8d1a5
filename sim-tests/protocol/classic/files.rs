//! The systems in `fixtures/classic/`.

use std::fs;
use std::path::{Path, PathBuf};

use cutwater::classic::file::{events, snap, topology};
use cutwater::classic::run::{Run, run};
use cutwater::classic::script::Script;
use cutwater::classic::{Settings, System, Workload, codec};

/// The names of all systems that have events.
pub const SYSTEMS: [&str; 5] = ["mesh", "neighbours", "pair", "ring", "sources"];

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/classic")
}

fn text(name: &str) -> String {
    let path = folder().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A system and what happens to it.
pub fn system(name: &str, workload: Workload) -> (System, Script) {
    let file = format!("{name}.top");
    let system = topology(&text(&file), workload).unwrap_or_else(|it| panic!("{file}:{it}"));
    let file = format!("{name}.events");
    let script = events(&text(&file), &system.graph).unwrap_or_else(|it| panic!("{file}:{it}"));
    (system, script)
}

fn held(name: &str, workload: Workload, seed: u64) -> Run {
    let (system, script) = system(name, workload);
    let run = run(&system, &script, Settings::of_seed(seed));
    let run = run.unwrap_or_else(|error| panic!("{name}.events:{error}"));
    assert_eq!(run.violations, [], "{name}, seed {seed}");
    run
}

#[test]
fn every_topology_is_tried() {
    let names = fs::read_dir(folder()).expect("the folder is there").filter_map(|entry| {
        let name = entry.ok()?.file_name().to_string_lossy().into_owned();
        Some(name.strip_suffix(".top")?.to_owned())
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert_eq!(names, SYSTEMS);
}

#[test]
fn every_system_holds_under_a_hundred_seeds() {
    for name in SYSTEMS {
        for seed in 0..100 {
            let snapshots = held(name, Workload::Tokens, seed).snapshots;
            assert!(!snapshots.is_empty(), "{name}, seed {seed}");
        }
    }
}

#[test]
fn every_workload_holds_where_locks_can_be_given_back() {
    for workload in [Workload::Bank, Workload::Work, Workload::Locks] {
        for seed in 0..100 {
            assert_eq!(held("neighbours", workload, seed).snapshots.len(), 4);
        }
    }
}

/// `UPDATE_CLASSIC=1 cargo test --test protocol classic` writes them anew: a claim that each difference was meant.
#[test]
fn what_seed_0_records_is_as_it_was() {
    for name in SYSTEMS {
        let (system, _) = system(name, Workload::Tokens);
        for file in held(name, Workload::Tokens, 0).files(&system) {
            let path = format!("{name}-{}.snap", file.snapshot.0);
            if std::env::var_os("UPDATE_CLASSIC").is_some() {
                fs::write(folder().join(&path), file.to_string()).expect("it can be written");
            }
            assert_eq!(snap(&text(&path)).as_ref(), Ok(&file), "{path}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed| {
        let mut bytes = Vec::new();
        codec::write(&held("mesh", Workload::Tokens, seed).trace, &mut bytes).expect("memory");
        bytes
    };
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3), bytes(4));
}

#[test]
fn a_trace_is_read_as_it_was_written() {
    for workload in [Workload::Tokens, Workload::Bank, Workload::Work, Workload::Locks] {
        let trace = held("neighbours", workload, 1).trace;
        let mut bytes = Vec::new();
        codec::write(&trace, &mut bytes).expect("memory");
        let text = String::from_utf8(bytes).expect("JSON is text");
        assert_eq!(codec::read(&text).expect("it was written here"), trace);
        let broken = text.replacen("\"received\"", "\"recieved\"", 1);
        let error = codec::read(&broken).expect_err("no such event").to_string();
        assert!(error.starts_with("line ") && error.contains("recieved"), "{error}");
    }
    let error = codec::read("{}").expect_err("no header").to_string();
    assert_eq!(error, "line 1: expected the header of cutwater-classic-trace, version 1");
}

/// A run in which nothing is stable before its end would test nothing.
#[test]
fn snapshots_see_what_is_stable() {
    let last = |workload, seed| {
        let mut snapshots = held("neighbours", workload, seed).snapshots;
        snapshots.pop_last().expect("there are four").1
    };
    let (system, _) = system("neighbours", Workload::Locks);
    let deadlocks =
        (0..100).filter(|seed| last(Workload::Locks, *seed).deadlocked(&system.graph).len() == 3);
    assert!(deadlocks.count() > 10, "the circle closes");
    let over = (0..100).filter(|seed| last(Workload::Work, *seed).has_terminated());
    assert!(over.count() > 10, "the work is done");
    let not_yet = |seed: &u64| {
        let snapshots = held("neighbours", Workload::Work, *seed).snapshots;
        snapshots.values().any(|state| !state.has_terminated())
    };
    assert!((0..100).filter(not_yet).count() > 10, "and was not when the first was taken");
}
