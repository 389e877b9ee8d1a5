//! Where results go: known, and found free, before anything is measured.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::lab::{Session, results};

use super::super::error::CliError;
use super::super::out::{JsonTarget, OutDir, STDOUT, new_file};
use super::{Arguments, running};

/// The files that are open, and the directory of what is kept.
pub struct Targets {
    pub json: Option<JsonTarget>,
    pub html: Option<(PathBuf, File)>,
    pub directory: OutDir,
}

impl Targets {
    /// Opens all of them, or none: no two are the same, and none is written over.
    pub fn open(arguments: &Arguments, sessions: &[Session]) -> Result<Self, CliError> {
        check(arguments, sessions)?;
        let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
        let html = match &arguments.html {
            Some(path) => Some((path.clone(), new_file(path)?)),
            None => None,
        };
        let directory = match &arguments.out {
            Some(path) => OutDir::open(path)?,
            None => OutDir::create(Path::new("cutwater-out"), "overhead")?,
        };
        Ok(Self { json, html, directory })
    }
}

/// What would be found out after minutes of measuring is found out now.
fn check(arguments: &Arguments, sessions: &[Session]) -> Result<(), CliError> {
    let mut taken = BTreeSet::new();
    let mut take = |path: PathBuf, what: &str| {
        if taken.insert(path.clone()) {
            return Ok(());
        }
        let message = format!("{what} {}: something else is written there as well", path.display());
        Err(CliError::usage(message))
    };
    if let Some(directory) = &arguments.csv {
        for path in tables(&plain(directory), sessions) {
            if path.exists() {
                let message = format!("{}: exists, and is not written over", path.display());
                return Err(CliError::usage(message));
            }
            take(path, "--csv")?;
        }
    }
    if let Some(directory) = &arguments.out {
        let directory = plain(directory);
        let own = [running::NAME, "report.html"].map(|name| directory.join(name));
        for path in own.into_iter().chain(tables(&directory, sessions)) {
            take(path, "--out")?;
        }
    }
    let files = [("--html", &arguments.html), ("--json", &arguments.json)];
    for (what, path) in files.into_iter().filter_map(|(what, path)| Some((what, path.as_ref()?))) {
        if path.as_os_str() != STDOUT {
            take(plain(path), what)?;
        }
    }
    no_file_is_a_directory(&taken, arguments)
}

/// Where a directory is to be, no file is, and is not going to be.
fn no_file_is_a_directory(
    taken: &BTreeSet<PathBuf>,
    arguments: &Arguments,
) -> Result<(), CliError> {
    let directories = [("--csv", &arguments.csv), ("--out", &arguments.out)];
    for (what, path) in
        directories.into_iter().filter_map(|(what, path)| Some((what, path.as_ref()?)))
    {
        let is_inside = |parent: &Path| taken.contains(parent) || parent.is_file();
        if let Some(file) = plain(path).ancestors().find(|parent| is_inside(parent)) {
            let message = format!("{what} {}: {} is a file", path.display(), file.display());
            return Err(CliError::usage(message));
        }
    }
    Ok(())
}

/// The tables of all experiments in a directory: with several experiments each has one of its own.
fn tables(directory: &Path, sessions: &[Session]) -> Vec<PathBuf> {
    let of = |session: &Session| match sessions.len() {
        1 => directory.to_owned(),
        _ => directory.join(file_name(&session.experiment.name)),
    };
    let names = || results::files(&[], &[]).into_iter().map(|(name, _)| name);
    sessions.iter().flat_map(|session| names().map(move |name| of(session).join(name))).collect()
}

/// A name as a part of a path.
pub fn file_name(name: &str) -> String {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    name.chars().map(plain).collect()
}

/// The same place always as the same path, as far as can be told without asking the file system for links.
fn plain(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
