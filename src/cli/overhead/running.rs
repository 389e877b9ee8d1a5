//! Runs on all cores, kept one by one: what was done before is not done again.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::lab::factor::Values;
use crate::lab::session::Done;
use crate::lab::{Report, Session, Settings, run_until};
use crate::protocol::Digest;

use super::super::error::CliError;
use super::super::progress::Progress;
use super::loading::usage;

/// The file of kept results in a directory: a line each, of the digest of its settings and its report.
pub const NAME: &str = "results";

/// The version of those lines; others are passed over.
const VERSION: &str = "v5";

/// No file of kept results is larger.
const BYTES_MAX: u64 = 1 << 30;

/// Results that outlive this process.
pub struct Kept {
    path: PathBuf,
    file: File,
    /// By the digest of their settings.
    held: BTreeMap<String, Report>,
}

impl Kept {
    /// Those of a directory, and what will be added to them. What cannot be read is left as it is: a killed process
    /// leaves half a line.
    pub fn open(directory: &Path) -> Result<Self, CliError> {
        let path = directory.join(NAME);
        let io = |error| CliError::io(&path, error);
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(io)?;
        file.try_lock().map_err(|_| {
            CliError::usage(format!("{}: another process writes to it", path.display()))
        })?;
        let length = file.metadata().map_err(io)?.len();
        if length > BYTES_MAX {
            let message =
                format!("{}: {length} bytes, expected {BYTES_MAX} at most", path.display());
            return Err(CliError::usage(message));
        }
        let text = std::fs::read(&path).map_err(io)?;
        let text = String::from_utf8_lossy(&text);
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").map_err(io)?;
        }
        let held = text.lines().filter_map(parsed).collect();
        Ok(Self { path, file, held })
    }

    fn find(&self, settings: &Settings) -> Option<Report> {
        self.held.get(&digest(settings)).cloned()
    }

    fn add(&mut self, settings: &Settings, report: &Report) -> Result<(), CliError> {
        let bytes = postcard::to_stdvec(report).expect("plain data can be encoded");
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let line = format!("{VERSION} {} {hex}\n", digest(settings));
        self.file.write_all(line.as_bytes()).map_err(|error| CliError::io(&self.path, error))
    }
}

/// All that decides a run, the program included.
fn digest(settings: &Settings) -> String {
    Digest::of(format!("{} {settings:?}", env!("CARGO_PKG_VERSION")).as_bytes()).to_string()
}

fn parsed(line: &str) -> Option<(String, Report)> {
    let mut words = line.split(' ');
    let (version, digest, hex) = (words.next()?, words.next()?, words.next()?);
    if version != VERSION || !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    Some((digest.to_owned(), postcard::from_bytes(&bytes?).ok()?))
}

/// How far a session came.
pub struct Came {
    /// What is done, before or now.
    pub done: Done,
    /// How much of it had been done before.
    pub before: usize,
    /// Whether it was interrupted.
    pub is_interrupted: bool,
}

/// Carries a session out, by so many threads, until it is done or `stop` is set.
pub fn carry_out(
    session: &Session,
    mut kept: Option<Kept>,
    threads: NonZeroUsize,
    stop: &AtomicBool,
) -> Result<Came, CliError> {
    let stages = session.stages();
    let total: usize = stages.iter().map(Vec::len).sum();
    let mut progress = Progress::new(total as u64, 0, threads.get());
    let mut came = Came { done: Done::new(), before: 0, is_interrupted: false };
    for stage in stages {
        let mut wanted: Vec<(Values, Settings)> = Vec::new();
        for values in stage {
            let settings = session.settings(&values, &came.done).map_err(usage)?;
            match kept.as_ref().and_then(|kept| kept.find(&settings)) {
                Some(report) => {
                    came.before += 1;
                    came.done.insert(values, report);
                }
                None => wanted.push((values, settings)),
            }
        }
        run_all(&wanted, threads, stop, |index, report| {
            let (values, settings) = &wanted[index];
            progress.add(u64::from(report.batches > 0), true);
            if let Some(kept) = &mut kept {
                kept.add(settings, &report)?;
            }
            came.done.insert(values.clone(), report);
            Ok(())
        })?;
        if stop.load(Ordering::Relaxed) {
            came.is_interrupted = true;
            break;
        }
    }
    progress.finish();
    Ok(came)
}

/// Each thread takes the next run; what comes of it is taken by this one.
fn run_all(
    wanted: &[(Values, Settings)],
    threads: NonZeroUsize,
    stop: &AtomicBool,
    mut take: impl FnMut(usize, Report) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    thread::scope(|scope| {
        let (speak, hear) = mpsc::channel();
        for _ in 0..threads.get().min(wanted.len()) {
            let (speak, next) = (speak.clone(), &next);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((_, settings)) = wanted.get(index) else { return };
                    let Some(report) = run_until(settings, stop) else { return };
                    if speak.send((index, report)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(speak);
        for (index, report) in hear {
            if let Err(error) = take(index, report) {
                *failed.lock().expect("nobody panics with it") = Some(error);
                stop.store(true, Ordering::Relaxed);
                return;
            }
        }
    });
    match failed.into_inner().expect("nobody panicked with it") {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
