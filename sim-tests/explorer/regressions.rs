//! Every kept plan is what it was: it fails as expected with its defects, holds without them, and its
//! trace is the same to the byte.
//!
//! `UPDATE_GOLDEN=1 cargo test --test explorer regressions` writes digests and traces anew where the engine was
//! meant to change; never what is expected. That is a claim, which the commit's message explains.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cutwater::explore::regression::{
    Complaint, Expected, Regression, TRACE_EVENTS_MAX, read_trace,
};
use cutwater::explore::regression_test::regression_test;
use cutwater::explore::{Experiments, Signature};
use cutwater::plan::Name;
use cutwater::protocol::DefectSet;
use cutwater::trace::TraceWriter;

/// A test as `cutwater shrink` writes it, which is compiled and run here.
#[path = "shrunk/channel_not_blocked.rs"]
mod channel_not_blocked;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/regressions")
}

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort_unstable();
    assert!(!files.is_empty(), "{}: no plans are kept", folder().display());
    files
}

fn is_update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

#[test]
fn every_kept_plan_is_what_it_was() {
    let experiments = Experiments::new();
    let mut told = Vec::new();
    for path in files() {
        let kept = Regression::read(&path).unwrap_or_else(|error| panic!("{error}"));
        let trace = read_trace(&path).unwrap_or_else(|error| panic!("{error}"));
        let complaints = kept.replay(&experiments, trace.as_deref()).expect("its job can be made");
        let (differing, failing): (Vec<_>, Vec<_>) =
            complaints.into_iter().partition(|it| matches!(it, Complaint::Trace { .. }));
        if is_update() && failing.is_empty() && !differing.is_empty() {
            update(&path, &kept, &experiments);
            continue;
        }
        let name = path.display();
        let all = failing.into_iter().chain(differing);
        told.extend(all.map(|it| format!("{name}: {it}\n  cutwater replay {name}")));
    }
    assert!(
        told.is_empty(),
        "\n{}\nif the engine was meant to change: UPDATE_GOLDEN=1 cargo test --test explorer regressions",
        told.join("\n")
    );
}

/// Writes the digest and the trace anew.
fn update(path: &Path, kept: &Regression, experiments: &Experiments) {
    let (now, found) =
        Regression::new(kept.plan.clone(), &kept.why, experiments).expect("its job can be made");
    fs::write(path, now.to_json()).expect("it can be written");
    let beside = path.with_extension("trace.jsonl");
    let _ = fs::remove_file(&beside);
    if now.digest.is_some() && found.trace.len() <= TRACE_EVENTS_MAX {
        let file = fs::File::create(&beside).expect("it can be written");
        let mut writer =
            TraceWriter::new(std::io::BufWriter::new(file)).expect("it can be written");
        for (stamp, event) in &found.trace {
            writer.write(*stamp, event).expect("it can be written");
        }
        writer.finish().expect("it can be written").flush().expect("it can be written");
    }
}

#[test]
fn a_test_is_generated_to_the_byte() {
    let path = folder().join("channel-not-blocked.json");
    let kept = Regression::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let Expected::Fails(signature) = &kept.expected else { panic!("it is expected to fail") };
    let source =
        regression_test(&Name::literal("channel-not-blocked"), &kept.plan, signature, None);
    let sample = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("sim-tests/explorer/shrunk/channel_not_blocked.rs");
    if is_update() {
        fs::write(&sample, &source).expect("it can be written");
    }
    let written = fs::read_to_string(&sample).expect("it is there");
    assert!(
        written == source,
        "UPDATE_GOLDEN=1 cargo test --test explorer regressions; found:\n{source}"
    );
}

#[test]
fn a_plan_that_comes_out_otherwise_is_told_with_the_first_event_that_differs() {
    let experiments = Experiments::new();
    let path = folder().join("channel-not-blocked.json");
    let mut kept = Regression::read(&path).unwrap_or_else(|error| panic!("{error}"));
    let mut trace = read_trace(&path).expect("it can be read").expect("it is there");
    let place = trace.len() / 2;
    trace[place].0.at.0 += 1;
    kept.digest = Some("another".to_owned());
    let complaints = kept.replay(&experiments, Some(&trace)).expect("its job can be made");
    let [Complaint::Trace { divergence: Some(divergence), .. }] = complaints.as_slice() else {
        panic!("{complaints:?}");
    };
    assert_eq!(divergence.common, place as u64);
    assert_eq!(divergence.before.len(), 3);
    assert!(!divergence.left.is_empty() && !divergence.right.is_empty());

    kept.digest = None;
    kept.expected = Expected::Fails(Signature::Hung);
    let complaints = kept.replay(&experiments, None).expect("its job can be made");
    assert!(matches!(complaints.as_slice(), [Complaint::Outcome { found: Some(_), .. }]));

    kept.plan.defects = DefectSet::NONE;
    let complaints = kept.replay(&experiments, None).expect("its job can be made");
    assert!(matches!(complaints.as_slice(), [Complaint::Outcome { found: None, .. }]));
}

#[test]
fn what_is_no_kept_plan_is_refused_with_its_place() {
    let path = files().remove(0);
    let text = fs::read_to_string(&path).expect("it can be read");
    let refused = |text: &str| {
        Regression::from_json("kept.json", text).expect_err("it is refused").to_string()
    };
    let other = text.replace("cutwater-regression", "cutwater-plan");
    assert!(refused(&other).starts_with("kept.json:2: format is"));
    let newer = text.replacen("\"version\": 1", "\"version\": 2", 1);
    assert!(refused(&newer).starts_with("kept.json:3: version is 2"));
    let unknown = text.replacen("\"why\"", "\"reason\"", 1);
    assert!(refused(&unknown).contains("unknown field `reason`"));
    assert!(refused(&text[..text.len() / 2]).starts_with("kept.json:"));
}
