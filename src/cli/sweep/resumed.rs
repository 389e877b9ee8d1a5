//! Whether a directory is that of a sweep, or may become one: in any other nothing is touched.

use std::fs;
use std::io;
use std::path::Path;

use super::super::error::CliError;
use super::results::{self, Header};

/// What file systems put into directories that are empty to everybody else.
const NOT_OURS: &[&str] = &["lost+found"];

/// Refuses a directory that holds something, and no results of a sweep.
///
/// Those of another configuration are refused where they are read.
pub fn check(dir: &Path, header: &Header) -> Result<(), CliError> {
    let names = match names(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // That it is no directory is told by who makes one.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(()),
        names => names.map_err(|error| CliError::io(dir, error))?,
    };
    let has_results = names.iter().any(|name| name == results::FILE);
    let is_ours = match has_results {
        true => results::is_begun(&dir.join(results::FILE), header)?,
        false => names.is_empty(),
    };
    if is_ours {
        return Ok(());
    }
    let (dir, file) = (dir.display(), results::FILE);
    let found = if has_results { format!("a {file} that is none") } else { names.join(", ") };
    Err(CliError::usage(format!(
        "--resume {dir}: expected the directory of a sweep, with its {file}, or an empty one; found {found}"
    )))
}

/// The first names in it, in order.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    const SHOWN_MAX: usize = 5;
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !NOT_OURS.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort_unstable_by_key(|name| (name != results::FILE, name.clone()));
    names.truncate(SHOWN_MAX);
    Ok(names)
}
