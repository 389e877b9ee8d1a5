//! Where a sweep is: a small file for each worker, so that a sweep that was killed, or hangs, tells.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};

use super::error::CliError;
use super::out::{OutDir, new_file};

/// One open file for each worker; removed when the sweep is over.
#[derive(Debug)]
pub struct Whereabouts {
    dir: OutDir,
    files: Vec<File>,
}

impl Whereabouts {
    /// A directory `running` with a file for each of `workers`. What an earlier sweep left goes away.
    pub fn new(out: &OutDir, workers: usize) -> Result<Self, CliError> {
        let left = out.path().join("running");
        if left.exists() {
            fs::remove_dir_all(&left).map_err(|error| CliError::io(&left, error))?;
        }
        let dir = out.inside("running")?;
        let open = |worker| new_file(&dir.path().join(format!("worker-{worker}")));
        let files = (0..workers).map(open).collect::<Result<_, _>>()?;
        Ok(Self { dir, files })
    }

    /// A worker begins a run. The line always has the same length: the last one is written over whole.
    ///
    /// A disk that is full does not end the sweep: only the whereabouts are not known then.
    pub fn begin(&self, worker: usize, scenario: &str, seed: u64) {
        let Some(mut file) = self.files.get(worker) else { return };
        let line = format!("{scenario:<40.40} seed {seed:>20}\n");
        let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(line.as_bytes()));
    }
}

impl Drop for Whereabouts {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.dir.path());
    }
}
