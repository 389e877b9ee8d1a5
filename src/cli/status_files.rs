//! Where a sweep is: a small file for each worker, so that a sweep that was killed, or hangs, tells.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};

use super::error::CliError;
use super::out::{OutDir, new_file};
use crate::protocol::ordered::VecMap;

/// One open file for each worker that has begun a run; removed when the sweep is over.
#[derive(Debug)]
pub struct StatusFiles {
    dir: OutDir,
    files: VecMap<usize, Option<File>>,
}

impl StatusFiles {
    /// A directory `running`, empty. What an earlier sweep left goes away.
    pub fn new(out: &OutDir) -> Result<Self, CliError> {
        let left = out.path().join("running");
        if left.exists() {
            fs::remove_dir_all(&left).map_err(|error| CliError::io(&left, error))?;
        }
        let dir = out.inside("running")?;
        Ok(Self { dir, files: VecMap::new() })
    }

    /// A worker begins a run. The line always has the same length: the last one is written over whole.
    ///
    /// A disk that is full does not end the sweep: only the status files are missing then.
    pub fn begin(&mut self, worker: usize, scenario: &str, seed: u64) {
        let path = self.dir.path().join(format!("worker-{worker}"));
        let file = self.files.entry(worker).or_insert_with(|| new_file(&path).ok());
        let Some(file) = file else { return };
        let line = format!("{scenario:<40.40} seed {seed:>20}\n");
        let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(line.as_bytes()));
    }
}

impl Drop for StatusFiles {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.dir.path());
    }
}
