//! Where files go: a new directory for each command. Nothing is ever written over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::console::Console;
use super::error::CliError;

/// A directory that this command made, and nobody else writes to.
#[derive(Clone, Debug)]
pub struct OutDir {
    path: PathBuf,
}

/// How many names are tried when others take numbers at the same time.
const TRIES_MAX: u64 = 1_000;

impl OutDir {
    /// Makes `base/kind-N`, with the next free number.
    pub fn create(base: &Path, kind: &str) -> Result<Self, CliError> {
        fs::create_dir_all(base).map_err(|error| CliError::io(base, error))?;
        let first = highest_number(base, kind)? + 1;
        for number in first..first + TRIES_MAX {
            let path = base.join(format!("{kind}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(CliError::io(&path, error)),
            }
        }
        let message = format!("{}: no free directory name {kind}-N", base.display());
        Err(CliError::usage(message))
    }

    /// The directory `path`, made where it is not there.
    pub fn open(path: &Path) -> Result<Self, CliError> {
        fs::create_dir_all(path).map_err(|error| CliError::io(path, error))?;
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a directory inside.
    pub fn inside(&self, name: &str) -> Result<Self, CliError> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(|error| CliError::io(&path, error))?;
        Ok(Self { path })
    }

    /// Writes a new file.
    pub fn write(&self, name: &str, content: &str) -> Result<PathBuf, CliError> {
        let path = self.path.join(name);
        let mut file = new_file(&path)?;
        file.write_all(content.as_bytes()).map_err(|error| CliError::io(&path, error))?;
        Ok(path)
    }

    /// Writes a new file of JSON.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<PathBuf, CliError> {
        self.write(name, &json(value))
    }

    /// Writes a file of JSON in place of an earlier one of this command, which stays whole until then.
    pub fn replace_json(&self, name: &str, value: &impl Serialize) -> Result<PathBuf, CliError> {
        self.replace(name, json(value))
    }

    /// Writes a file in place of an earlier one of this command, which stays whole until then.
    pub fn replace(&self, name: &str, content: impl AsRef<[u8]>) -> Result<PathBuf, CliError> {
        let (path, new) = (self.path.join(name), self.path.join(format!("{name}.new")));
        let written = fs::write(&new, content).and_then(|()| fs::rename(&new, &path));
        written.map_err(|error| {
            // What could not be written in full is of no use to anybody, and takes the space there is.
            let _ = fs::remove_file(&new);
            CliError::io(&path, error)
        })?;
        Ok(path)
    }
}

/// Plain data as JSON for people and programs.
pub fn json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("plain data can be encoded");
    text.push('\n');
    text
}

/// Opens a file that must not exist yet.
pub fn new_file(path: &Path) -> Result<File, CliError> {
    OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            let message = format!("{}: exists, and is not written over", path.display());
            CliError::usage(message)
        } else {
            CliError::io(path, error)
        }
    })
}

/// The highest N of the directories `kind-N`; 0 where there is none.
fn highest_number(base: &Path, kind: &str) -> Result<u64, CliError> {
    let mut highest = 0;
    for entry in fs::read_dir(base).map_err(|error| CliError::io(base, error))? {
        let name = entry.map_err(|error| CliError::io(base, error))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(kind)?.strip_prefix('-'));
        highest = highest.max(number.and_then(|number| number.parse().ok()).unwrap_or(0));
    }
    Ok(highest)
}

/// What stands for standard output where a file is asked for.
pub const STDOUT: &str = "-";

/// Where a report goes as JSON.
#[derive(Debug)]
pub enum JsonTarget {
    /// To standard output, and nothing else does.
    Stdout,
    /// To a file that was not there before.
    File(PathBuf, File),
}

impl JsonTarget {
    /// The target that `path` names; `-` is standard output.
    pub fn open(path: &Path) -> Result<Self, CliError> {
        if path.as_os_str() == STDOUT {
            return Ok(Self::Stdout);
        }
        Ok(Self::File(path.to_owned(), new_file(path)?))
    }

    /// The console that leaves standard output to the report, if that goes there.
    pub fn console(target: Option<&Self>) -> Console {
        match target {
            Some(Self::Stdout) => Console::silent(),
            Some(Self::File(..)) | None => Console::stdout(),
        }
    }

    /// Writes the report.
    pub fn write(self, report: &impl Serialize) -> Result<(), CliError> {
        match self {
            Self::Stdout => Ok(Console::stdout().write_all(json(report).as_bytes())?),
            Self::File(path, mut file) => {
                file.write_all(json(report).as_bytes()).map_err(|error| CliError::io(&path, error))
            }
        }
    }
}
