//! What this program is called: commands are told as their reader types them.

use std::env;
use std::path::Path;

/// The name that this program was started by, without its folder.
pub fn name() -> String {
    let started = env::args_os().next();
    let name = started.as_deref().and_then(|path| Path::new(path).file_stem());
    name.map_or_else(|| "cutwater".to_owned(), |name| name.to_string_lossy().into_owned())
}
