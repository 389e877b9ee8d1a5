//! One worker process, as the sweep that started it sees it.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::super::clock::Stopwatch;
use super::super::console::Console;
use super::super::error::CliError;
use super::messages::{Answer, read_line};

/// How long a worker may take to get ready.
const START_MAX: Duration = Duration::from_secs(60);

/// The subcommand that a worker is.
pub const SUBCOMMAND: &str = "worker-process";

/// Something that a worker said, or its silence for ever.
#[derive(Debug)]
pub struct News {
    /// Which worker: no two ever have the same number.
    pub worker: u64,
    /// What it said.
    pub word: Word,
}

/// What a worker said.
#[derive(Debug)]
pub enum Word {
    /// An answer.
    Answer(Answer),
    /// Something that is no answer.
    Nonsense(String),
    /// It has gone.
    Gone,
}

/// A worker process.
#[derive(Debug)]
pub struct WorkerProcess {
    child: Child,
    input: Option<ChildStdin>,
    complaints: Option<JoinHandle<VecDeque<String>>>,
    state: State,
    /// The runs that it was given, in order; it is at the first.
    taken: VecDeque<u64>,
    /// Since it began the first of those, or was started.
    busy: Stopwatch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It reads its orders.
    Starting,
    /// It runs what it is given.
    Working,
    /// It took too long for this run, and was killed.
    Overdue { at: u64 },
    /// It took too long to start, or said nonsense, and was killed.
    Dismissed,
}

/// How a worker that has gone ended.
#[derive(Debug)]
pub struct Gone {
    /// What it was at, if it was at anything.
    pub at: Option<u64>,
    /// Whether it was killed because that took too long.
    pub is_overdue: bool,
    /// Whether somebody else killed it.
    pub is_killed: bool,
    /// Whether it never got ready.
    pub is_stillborn: bool,
    /// What was given to it, and not begun.
    pub unbegun: VecDeque<u64>,
    /// How it ended, in words that are the same for every such end.
    pub cause: String,
    /// What it said in the end.
    pub details: String,
}

impl WorkerProcess {
    /// Starts one. What it says comes to `news`, under this number.
    pub fn start(
        number: u64,
        orders: &[u8],
        news: &SyncSender<News>,
        shown: &Arc<AtomicU64>,
    ) -> Result<Self, CliError> {
        let program = program()?;
        let mut child = Command::new(&program)
            .arg(SUBCOMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| CliError::io(&program, error))?;
        let mut input = child.stdin.take();
        if let Some(input) = &mut input {
            // A worker that is gone already will be found to be.
            let _ = input.write_all(orders);
        }
        if let Some(output) = child.stdout.take() {
            let news = news.clone();
            thread::spawn(move || listen(number, output, &news));
        }
        let shown = Arc::clone(shown);
        let complaints = child.stderr.take();
        let complaints =
            complaints.map(|errors| thread::spawn(move || read_complaints(errors, &shown)));
        let (state, taken, busy) = (State::Starting, VecDeque::new(), Stopwatch::start());
        Ok(Self { child, input, complaints, state, taken, busy })
    }

    /// It said that it is ready.
    pub fn handle_ready(&mut self) {
        if self.state == State::Starting {
            self.state = State::Working;
        }
    }

    /// It answered for a run. Whether that is the one it was at.
    pub fn handle_ran(&mut self, index: u64) -> bool {
        self.busy = Stopwatch::start();
        let is_expected = self.taken.front() == Some(&index);
        if is_expected {
            self.taken.pop_front();
        }
        is_expected
    }

    /// Gives it a run.
    pub fn give(&mut self, index: u64) {
        if self.taken.is_empty() {
            self.busy = Stopwatch::start();
        }
        self.taken.push_back(index);
        if let Some(input) = &mut self.input {
            // A worker that is gone will be found to be, and its runs given to another.
            let _ = writeln!(input, "{index}");
        }
    }

    /// Kills it if it took longer than `limit` for what it is at.
    pub fn end_if_overdue(&mut self, limit: Duration) {
        let busy = self.busy.elapsed();
        match (self.state, self.taken.front()) {
            (State::Working, Some(at)) if busy > limit => self.kill(State::Overdue { at: *at }),
            (State::Starting, _) if busy > START_MAX => self.kill(State::Dismissed),
            (State::Starting | State::Working | State::Overdue { .. } | State::Dismissed, _) => {}
        }
    }

    /// Kills it: nobody waits for what it is at.
    pub fn dismiss(&mut self) {
        self.kill(State::Dismissed);
    }

    fn kill(&mut self, state: State) {
        // It may be gone already, which is what is wanted.
        let _ = self.child.kill();
        self.state = state;
    }

    /// Nothing more will be given to it.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// It has gone: how, and what with.
    pub fn reap(mut self) -> Gone {
        self.input = None;
        let status = self.child.wait();
        let said = self.complaints.take().and_then(|thread| thread.join().ok()).unwrap_or_default();
        let at = match self.state {
            State::Overdue { at } => Some(at).filter(|at| self.taken.front() == Some(at)),
            State::Working | State::Starting | State::Dismissed => self.taken.front().copied(),
        };
        if at.is_some() {
            self.taken.pop_front();
        }
        let is_killed = status.as_ref().is_ok_and(is_killed) && self.state == State::Working;
        let cause = status.map_or_else(|error| error.to_string(), |status| cause(status, &said));
        Gone {
            at,
            is_overdue: matches!(self.state, State::Overdue { .. }),
            is_killed,
            is_stillborn: matches!(self.state, State::Starting | State::Dismissed),
            unbegun: self.taken,
            cause,
            details: details(&said),
        }
    }

    /// Whether more runs can be given to it.
    pub fn has_room(&self, depth: usize) -> bool {
        self.state == State::Working && self.taken.len() < depth
    }

    /// Whether something is expected of it.
    pub fn is_busy(&self) -> bool {
        !self.taken.is_empty() || self.state != State::Working
    }

    /// How many runs it was given and has not answered for.
    pub fn taken(&self) -> usize {
        self.taken.len()
    }

    /// What it is at.
    pub fn at(&self) -> Option<u64> {
        self.taken.front().copied()
    }
}

/// This program, also where its file has been replaced since it was started.
fn program() -> Result<PathBuf, CliError> {
    let itself = PathBuf::from("/proc/self/exe");
    if itself.exists() {
        return Ok(itself);
    }
    std::env::current_exe()
        .map_err(|error| CliError::usage(format!("cannot find this program's file: {error}")))
}

fn listen(worker: u64, output: ChildStdout, news: &SyncSender<News>) {
    let mut output = BufReader::with_capacity(1 << 16, output);
    let mut is_heard = true;
    while is_heard {
        let word = match read_line(&mut output) {
            Ok(Some(line)) => match serde_json::from_slice(&line) {
                Ok(answer) => Word::Answer(answer),
                Err(error) => Word::Nonsense(error.to_string()),
            },
            Ok(None) | Err(_) => break,
        };
        is_heard = news.send(News { worker, word }).is_ok();
    }
    let _ = news.send(News { worker, word: Word::Gone });
}

/// How many lines that workers complain with are shown, of all of them together.
const SHOWN_MAX: u64 = 40;

/// How many of the last of them are kept for the report.
const KEPT_MAX: usize = 8;

/// A longer line is broken.
const LINE_BYTES_MAX: u64 = 4 << 10;

/// Shows the first complaints of all workers, and keeps the last of this one.
fn read_complaints(errors: ChildStderr, shown: &AtomicU64) -> VecDeque<String> {
    let mut errors = BufReader::new(errors);
    let mut kept = VecDeque::new();
    loop {
        let mut line = Vec::new();
        match (&mut errors).take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return kept,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        match shown.fetch_add(1, Ordering::Relaxed) {
            number if number < SHOWN_MAX => Console::pass_on(&line),
            SHOWN_MAX => Console::pass_on("what workers say from here on is not shown"),
            _ => {}
        }
        if line.is_empty() || is_of_backtrace(&line) {
            continue;
        }
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(line);
    }
}

/// Whether a line belongs to a backtrace, which is longer than what is kept, and comes behind what it is of.
fn is_of_backtrace(line: &str) -> bool {
    line.starts_with("  ") || line.starts_with("stack backtrace:") || line.starts_with("note: ")
}

/// How it ended, without what differs from time to time.
fn cause(status: ExitStatus, said: &VecDeque<String>) -> String {
    let said = |words: &str| said.iter().any(|line| line.contains(words));
    let status = ending(status);
    if said("memory allocation of") {
        format!("{status}, out of memory")
    } else if said("has overflowed its stack") {
        format!("{status}, out of stack")
    } else {
        status
    }
}

/// Whether it ended of a signal that processes are ended with from outside, and seldom by what they run.
#[cfg(unix)]
fn is_killed(status: &ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    const HANG_UP: i32 = 1;
    const INTERRUPT: i32 = 2;
    const QUIT: i32 = 3;
    const KILL: i32 = 9;
    const TERMINATE: i32 = 15;
    matches!(status.signal(), Some(HANG_UP | INTERRUPT | QUIT | KILL | TERMINATE))
}

#[cfg(not(unix))]
fn is_killed(_: &ExitStatus) -> bool {
    false
}

#[cfg(unix)]
fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.signal(), status.code()) {
        (Some(9), _) => "signal 9, perhaps because the machine ran out of memory".to_owned(),
        (Some(signal), _) => format!("signal {signal}"),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "no exit code".to_owned(),
    }
}

#[cfg(not(unix))]
fn ending(status: ExitStatus) -> String {
    status.code().map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"))
}

/// The line that says most of what it said in the end.
fn details(said: &VecDeque<String>) -> String {
    let tells = |line: &&String| line.contains("memory allocation") || line.contains("overflowed");
    said.iter().rev().find(tells).or_else(|| said.back()).cloned().unwrap_or_default()
}
