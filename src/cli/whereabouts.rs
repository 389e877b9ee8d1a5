//! Where a sweep is: a small file for each thread, so that a sweep that was killed, or hangs, tells.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::{Mutex, PoisonError};

use super::error::CliError;
use super::out::{OutDir, new_file};

/// One open file for each thread; removed when the sweep is over.
#[derive(Debug)]
pub struct Whereabouts {
    dir: OutDir,
    files: Vec<Mutex<File>>,
}

impl Whereabouts {
    /// A directory `running` with a file for each of `threads`.
    pub fn new(out: &OutDir, threads: usize) -> Result<Self, CliError> {
        let dir = out.inside("running")?;
        let open = |thread| new_file(&dir.path().join(format!("thread-{thread}"))).map(Mutex::new);
        let files = (0..threads).map(open).collect::<Result<_, _>>()?;
        Ok(Self { dir, files })
    }

    /// A thread begins a run. The line always has the same length: the last one is written over whole.
    ///
    /// A disk that is full does not end the sweep: only the whereabouts are not known then.
    pub fn begin(&self, thread: usize, scenario: &str, seed: u64) {
        let Some(file) = self.files.get(thread) else { return };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let line = format!("{scenario:<40.40} seed {seed:>20}\n");
        let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(line.as_bytes()));
    }
}

impl Drop for Whereabouts {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.dir.path());
    }
}
