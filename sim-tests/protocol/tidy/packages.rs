//! The crates that are published together: one version, pinned to each other, each with its licences and its readme.

use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::root;

/// Where each crate is, lowest first: a crate names those before it.
const CRATES: [&str; 3] = ["src/protocol", "src/trace", "."];

/// What all of them have in common.
const COMMON: [&str; 4] = ["version", "edition", "rust-version", "license"];

/// What each says of itself.
const OWN: [&str; 4] = ["description", "keywords", "categories", "readme"];

/// What lies beside the source of each, the same everywhere.
const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

fn manifest(folder: &Path) -> Table {
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).expect("there is a manifest");
    text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// How a crate names those that it depends on, of those that are published with it.
fn complaints_of_pins(manifest: &Table, names: &[&str], version: &str) -> Vec<String> {
    let expected = format!("={version}");
    let dependencies = manifest["dependencies"].as_table().expect("it has dependencies");
    let own = dependencies.iter().filter(|(name, _)| names.contains(&name.as_str()));
    let is_pinned = |value: &Value| {
        let has = |key| value.get(key).and_then(Value::as_str);
        has("version") == Some(&expected) && has("path").is_some()
    };
    own.filter(|(_, value)| !is_pinned(value))
        .map(|(name, value)| {
            format!("{name} is {value}, expected version {expected:?}, and a path")
        })
        .collect()
}

/// Which of the files that it must have a package does not take.
fn complaints_of_files(folder: &Path, package: &Table) -> Vec<String> {
    let includes = package["include"].as_array().expect("it says what it takes");
    let includes: Vec<&str> = includes.iter().filter_map(Value::as_str).collect();
    let readme = package["readme"].as_str().expect("its readme is a file");
    let takes = |file: &str| includes.contains(&format!("/{file}").as_str());
    let is_there = |file: &str| folder.join(file).is_file();
    let mut complaints = Vec::new();
    if !takes(readme) || !is_there(readme) {
        complaints.push(format!("{readme} is missing, or not taken"));
    }
    for licence in LICENCES {
        let read = |folder: PathBuf| fs::read(folder.join(licence)).ok();
        if !includes.contains(&"/LICENSE-*") || read(folder.to_owned()) != read(root()) {
            complaints.push(format!("{licence} is missing, another one, or not taken"));
        }
    }
    complaints
}

#[test]
fn crates_are_published_together() {
    let manifests = CRATES.map(|crate_| manifest(&root().join(crate_)));
    let packages = manifests.each_ref().map(|one| one["package"].as_table().expect("a crate"));
    let names = packages.map(|package| package["name"].as_str().expect("it has a name"));
    let version = packages[2]["version"].as_str().expect("it has a version");
    for (at, package) in packages.iter().enumerate() {
        let (name, folder) = (names[at], root().join(CRATES[at]));
        for key in COMMON {
            assert_eq!(package.get(key), packages[2].get(key), "{name}: {key}");
        }
        for key in OWN {
            assert!(package.contains_key(key), "{name} has no {key}");
        }
        let keywords = package["keywords"].as_array().expect("a list");
        assert!(keywords.len() <= 5, "{name}: a registry takes five keywords");
        let mut complaints = complaints_of_pins(&manifests[at], &names[..at], version);
        complaints.extend(complaints_of_files(&folder, package));
        assert_eq!(complaints, [""; 0], "{name}");
        let dependencies = manifests[at]["dependencies"].as_table().expect("it has some");
        let used = names[..at].iter().filter(|lower| dependencies.contains_key(**lower)).count();
        assert_eq!(used, at, "{name} is over all that are published before it");
    }
}

#[test]
fn a_pin_that_is_none_is_found() {
    let found = |line: &str| {
        let manifest: Table = format!("[dependencies]\n{line}").parse().expect("it is TOML");
        complaints_of_pins(&manifest, &["lower"], "1.2.3").len()
    };
    assert_eq!(found(r#"lower = { version = "=1.2.3", path = "lower" }"#), 0);
    assert_eq!(found(r#"lower = { version = "1.2.3", path = "lower" }"#), 1);
    assert_eq!(found(r#"lower = { version = "=1.2.2", path = "lower" }"#), 1);
    assert_eq!(found(r#"lower = { path = "lower" }"#), 1);
    assert_eq!(found(r#"other = "1""#), 0);
}

#[test]
fn a_file_that_is_not_taken_is_found() {
    let mut manifest = manifest(&root().join("src/trace"));
    let package = manifest["package"].as_table_mut().expect("a crate");
    let folder = root().join("src/trace");
    assert_eq!(complaints_of_files(&folder, package), [""; 0]);
    assert_eq!(complaints_of_files(&root().join("src/render"), package).len(), 3);
    package["include"] = Value::Array(vec![Value::from("/**/*.rs")]);
    assert_eq!(complaints_of_files(&folder, package).len(), 3);
}
