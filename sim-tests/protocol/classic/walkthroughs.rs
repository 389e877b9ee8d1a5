//! Runs the walk-throughs in `fixtures/walkthroughs/chandy-lamport/`.
//!
//! `UPDATE_WALKTHROUGHS=1 cargo test --test protocol classic` rewrites what is expected. A rewritten expectation is a
//! claim about the protocol: read the difference before it is committed.

use std::fs;
use std::path::{Path, PathBuf};

use cutwater::protocol::chandy_lamport::{MarkerDefect, MarkerDefectSet};

use super::stage::Stage;
use crate::script::Script;

/// The defects whose site is in a process; a channel out of order needs delays, which these have not.
fn process_defects() -> impl Iterator<Item = MarkerDefect> {
    MarkerDefect::all().filter(|defect| *defect != MarkerDefect::ChannelOutOfOrder)
}

#[test]
fn every_walkthrough_holds() {
    let update = std::env::var_os("UPDATE_WALKTHROUGHS").is_some();
    for path in paths() {
        let script = read(&path);
        let played = play(&script, MarkerDefectSet::NONE);
        let played = played.unwrap_or_else(|trouble| panic!("{}:{trouble}", path.display()));
        if update {
            fs::write(&path, played.render()).expect("it can be written");
            continue;
        }
        for (step, actual) in script.steps.iter().zip(&played.steps) {
            let (path, whole) = (path.display(), actual.expected.join("\n"));
            let at = step.expected_at;
            assert_eq!(step.expected, actual.expected, "{path}:{at}: the whole block:\n{whole}");
        }
    }
}

#[test]
fn every_walkthrough_says_what_it_shows_and_is_linked() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PROTOCOL.md");
    let text = fs::read_to_string(&document).expect("the document is there");
    for path in paths() {
        assert!(read(&path).opens_with_comment(), "{}: opens without a comment", path.display());
        let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let link = format!("(../fixtures/walkthroughs/chandy-lamport/{name})");
        assert!(text.contains(&link), "docs/PROTOCOL.md does not link {name}");
    }
}

/// A defect that changes no walk-through would be a rule that none of them shows.
#[test]
fn every_defect_of_a_process_changes_a_walkthrough() {
    let scripts: Vec<Script> = paths().iter().map(|path| read(path)).collect();
    for defect in process_defects() {
        let changes = |script: &Script| {
            play(script, MarkerDefectSet::NONE) != play(script, MarkerDefectSet::only(defect))
        };
        assert!(scripts.iter().any(changes), "no walk-through notices {defect}");
    }
}

#[test]
fn an_unknown_command_fails_with_its_line() {
    let script = Script::parse("# What.\nprocesses A\nchanels A->A\n----\n").expect("well formed");
    let trouble = play(&script, MarkerDefectSet::NONE).expect_err("there is no such command");
    assert_eq!(trouble, "3: unknown command \"chanels A->A\"");
}

fn paths() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/walkthroughs/chandy-lamport");
    let entries = fs::read_dir(&folder).expect("the folder is there");
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{}: no walk-through", folder.display());
    paths
}

fn read(path: &Path) -> Script {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    Script::parse(&text).unwrap_or_else(|trouble| panic!("{}:{trouble}", path.display()))
}

fn play(script: &Script, defects: MarkerDefectSet) -> Result<Script, String> {
    let mut stage = Stage::with_defects(defects);
    let mut played = script.clone();
    for step in &mut played.steps {
        step.expected.clear();
        for (number, command) in &step.commands {
            let lines = stage.run(command).map_err(|trouble| format!("{number}: {trouble}"))?;
            step.expected.extend(lines);
        }
    }
    Ok(played)
}
