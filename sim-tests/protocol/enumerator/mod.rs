//! Runs the walk-throughs in `fixtures/enumerator/`: an enumerator and its readers, as commented data.
//!
//! `UPDATE_WALKTHROUGHS=1 cargo test --test protocol enumerator` rewrites what is expected. A rewritten expectation
//! is a claim about the protocol: read the difference before it is committed.

mod stage;

use std::fs;
use std::path::{Path, PathBuf};

use cutwater::protocol::{Defect, DefectSet};

use crate::script::{Script, Step};
use stage::Stage;

/// The defects whose site is in the enumerator.
const DEFECTS: [Defect; 7] = [
    Defect::GatewayLeftOpen,
    Defect::LostEventUnnoticed,
    Defect::SplitsNotReturned,
    Defect::CheckpointedSplitsReturned,
    Defect::DiscoveredSplitsForgotten,
    Defect::KnownSplitsForgotten,
    Defect::MissingSplitTakenForRemoved,
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/enumerator")
}

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "nothing to run is a failure");
    paths
}

fn read(path: &Path) -> (String, Script) {
    let text = fs::read_to_string(path).expect("the file can be read");
    let script = Script::parse(&text);
    let script = script.unwrap_or_else(|trouble| panic!("{}:{trouble}", path.display()));
    (text, script)
}

/// The script with what its commands lead to.
fn played(script: &Script, defects: DefectSet) -> Result<Script, String> {
    let mut stage = Stage::new(defects);
    let mut played = script.clone();
    for Step { commands, expected, .. } in &mut played.steps {
        for (line, command) in commands {
            stage.run(command).map_err(|trouble| format!("{line}: {trouble}"))?;
        }
        *expected = stage.told();
    }
    Ok(played)
}

#[test]
fn every_walkthrough_holds() {
    let update = std::env::var_os("UPDATE_WALKTHROUGHS").is_some();
    for path in files() {
        let (text, script) = read(&path);
        assert!(script.opens_with_comment(), "{}: opens without a comment", path.display());
        let played = played(&script, DefectSet::NONE);
        let played = played.unwrap_or_else(|trouble| panic!("{}:{trouble}", path.display()));
        if update {
            fs::write(&path, played.render()).expect("the file can be written");
        } else {
            assert_eq!(played.render(), text, "{}", path.display());
        }
    }
}

#[test]
fn every_defect_of_the_enumerator_changes_a_walkthrough() {
    for defect in DEFECTS {
        let is_changed = |path: &PathBuf| {
            let script = read(path).1;
            played(&script, DefectSet::only(defect)).ok().as_ref() != Some(&script)
        };
        assert!(files().iter().any(is_changed), "no walk-through notices {defect}");
    }
}

#[test]
fn the_protocol_document_links_every_walkthrough() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PROTOCOL.md");
    let text = fs::read_to_string(&document).expect("the document is there");
    for path in files() {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let linked = text.contains(&format!("(../fixtures/enumerator/{name})"));
        assert!(linked, "docs/PROTOCOL.md does not link {name}");
    }
}

#[test]
fn an_unknown_command_fails_with_its_line() {
    let script = Script::parse("# What.\nsource a splits=1\naks a\n----\n").expect("a script");
    assert_eq!(played(&script, DefectSet::NONE).unwrap_err(), "3: unknown command \"aks a\"");
}
