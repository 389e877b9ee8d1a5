//! House rules, checked on the source: who may name whom, sizes, and words that have no place.
//!
//! A plain test that reads files, so that a rule is a few lines, and fails with the line that breaks it.
//! Each rule is seen to fail, on an example beside it.

mod layers;
mod lexer;
mod packages;
mod sizes;
mod wildcards;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

/// A source file, as rules see it.
pub struct SourceFile {
    /// From the root of the repository, with forward slashes.
    pub path: String,
    /// As it is.
    pub text: String,
    /// The same length, with comments and the content of literals blanked out.
    pub code: String,
    /// The same, with what only tests compile blanked out as well.
    pub shipped: String,
}

impl SourceFile {
    /// A file with this content.
    pub fn new(path: &str, text: &str) -> Self {
        let code = lexer::code_of(text);
        let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
        let is_test = is_test || path.ends_with("/testing.rs") || !path.starts_with("src/");
        let shipped = if is_test { String::new() } else { lexer::without_tests(&code) };
        Self { path: path.to_owned(), text: text.to_owned(), code, shipped }
    }
}

/// The line of a byte offset, from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, each: &mut dyn FnMut(&Path)) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder can be listed").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, each);
        } else {
            each(&path);
        }
    }
}

fn source_files() -> Vec<SourceFile> {
    let mut files = Vec::new();
    for folder in ["src", "sim-tests", "benches"] {
        walk(&root().join(folder), &mut |path| {
            if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).expect("source is text");
                let relative = path.strip_prefix(root()).expect("it lies below the root");
                let shown = relative.to_string_lossy().replace('\\', "/");
                files.push(SourceFile::new(&shown, &text));
            }
        });
    }
    assert!(
        files.len() > 50,
        "{} source files found: the rules look in the wrong place",
        files.len()
    );
    files
}

fn check(rule: impl Fn(&SourceFile) -> Vec<String>) {
    let complaints: Vec<_> = source_files().iter().flat_map(rule).collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn modules_name_only_those_below_them() {
    check(layers::complaints);
}

#[test]
fn files_and_functions_are_short() {
    check(sizes::complaints);
}

#[test]
fn words_stay_where_they_belong() {
    check(words::complaints);
}

#[test]
fn no_fixture_folder_is_empty() {
    let mut folders = vec![root().join("fixtures")];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).expect("fixtures can be listed");
        let paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
        assert!(!paths.is_empty(), "{} is empty", folder.display());
        folders.extend(paths.into_iter().filter(|path| path.is_dir()));
    }
}

#[test]
fn no_arm_stands_for_events_that_it_does_not_name() {
    check(wildcards::complaints);
}
