//! A directory of its own for each test, and the program run in it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// A scenario that is quick, and has a crash in it.
pub const QUICK: &str = r#"
version = 1
name = "quick"
about = "200 records, one crash"

[job]
workload = "relay"
records = 200
parallelism = 2

[cluster]
workers = 2

[faults]
crash-worker = 1

[nemesis]
window_ms = [50, 150]
aimed_percent = 0

[swarm]
pinned = ["job", "cluster", "checkpoints", "links", "nemesis", "faults"]
"#;

/// The quick scenario with other records, and all the time that there is for them.
pub fn quick_with(records: &str) -> String {
    let patient = QUICK.replace("version = 1", "version = 1\nliveness_ms = 604_800_000");
    patient.replace("records = 200", &format!("records = {records}"))
}

/// What a sweep leaves in its directory.
pub const SWEEP_FILES: [&str; 7] = [
    "configuration.json",
    "environment.json",
    "reach.json",
    "reach.svg",
    "report.html",
    "report.json",
    "results.jsonl",
];

/// An empty directory that one test works in.
pub struct Place {
    path: PathBuf,
}

/// What a command said, and how it ended.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A command that is still running.
pub struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
    read: String,
}

impl Place {
    /// The directory of the test `name`, made empty.
    pub fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
        if path.exists() {
            fs::remove_dir_all(&path).expect("an earlier run's directory can be removed");
        }
        fs::create_dir_all(&path).expect("the directory can be made");
        Self { path }
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("a file can be written");
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names in a directory, in order.
    pub fn names(&self, dir: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(dir)).unwrap_or_else(|error| panic!("{dir}: {error}"));
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry.expect("it can be read").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// Runs a command line, split at spaces, to its end.
    pub fn run(&self, line: &str) -> Said {
        let output = self.command(line).output().expect("the program starts");
        Said::of(&output)
    }

    /// Runs a command line with these variables set.
    pub fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Said {
        let output = self.command(line).envs(variables.iter().copied()).output();
        Said::of(&output.expect("the program starts"))
    }

    /// Runs a command line that can write no file beyond so many blocks of 512 bytes.
    pub fn run_limited(&self, line: &str, blocks: u32) -> Said {
        let program = env!("CARGO_BIN_EXE_cutwater");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} {line}");
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(&self.path);
        Said::of(&command.output().expect("a shell starts"))
    }

    /// Waits until a file that `writer` writes has so many lines.
    pub fn await_lines(&self, name: &str, lines: usize, writer: &mut Running) {
        let has =
            || fs::read_to_string(self.path(name)).is_ok_and(|it| it.lines().count() >= lines);
        while !has() {
            assert!(writer.is_running(), "it ended before {name} had {lines} lines");
            std::thread::yield_now();
        }
    }

    /// The indices of the runs in a results file, in order.
    pub fn indices(&self, name: &str) -> Vec<u64> {
        let text = self.read(name);
        let index = |line: &str| {
            let record: serde_json::Value = serde_json::from_str(line).expect("a whole line");
            record["index"].as_u64().expect("a number")
        };
        let mut indices: Vec<u64> = text.lines().skip(1).map(index).collect();
        indices.sort_unstable();
        indices
    }

    /// Starts a command line.
    pub fn start(&self, line: &str) -> Running {
        let mut command = self.command(line);
        let mut child = command.spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("its output is a pipe"));
        Running { child, lines, read: String::new() }
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cutwater"));
        command.args(line.split_whitespace()).current_dir(&self.path);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl Said {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The line of the output that begins with `start`, without it.
    pub fn line(&self, start: &str) -> &str {
        let line = self.out.lines().find_map(|line| line.strip_prefix(start));
        line.unwrap_or_else(|| panic!("no line {start:?} in:\n{}{}", self.out, self.err)).trim()
    }

    /// Asserts how it ended, and shows all it said where it did not.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.out, self.err);
        self
    }
}

impl Running {
    /// Whether it goes on.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its state can be read").is_none()
    }

    /// Reads on up to a line that begins with `start`.
    pub fn wait_for(&mut self, start: &str) {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).expect("the output can be read");
            assert!(read > 0, "the output ended before {start:?}:\n{}", self.read);
            self.read.push_str(&line);
            if line.starts_with(start) {
                return;
            }
        }
    }

    /// Sends a signal, by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill can be run").success());
    }

    /// Kills one of the processes that it has started.
    pub fn kill_one_child(&self) {
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.expect("Linux tells the children of a process");
        let first = children.split_whitespace().next().expect("it has workers");
        let sent = Command::new("kill").args(["-s", "KILL", first]).status();
        assert!(sent.expect("kill can be run").success());
    }

    /// Nobody reads what it says from here on. Waits for its end.
    pub fn abandon(self) -> Said {
        let Self { child, lines, .. } = self;
        drop(lines);
        Said::of(&child.wait_with_output().expect("it ends"))
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Said {
        std::io::Read::read_to_string(&mut self.lines, &mut self.read).expect("it can be read");
        let output = self.child.wait_with_output().expect("it ends");
        Said { out: self.read, ..Said::of(&output) }
    }
}

/// The report that a command wrote to standard output as JSON.
pub fn report(said: &Said) -> serde_json::Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.out))
}

/// A report without what differs from time to time.
pub fn timeless(mut report: serde_json::Value) -> serde_json::Value {
    report["pace"] = serde_json::Value::Null;
    report
}
