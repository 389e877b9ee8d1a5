//! The results file of a sweep: JSON Lines, a header and then a record for each run as it ends.
//!
//! Every line is written whole, by one call, so that a sweep that is killed at any moment leaves a file
//! of whole lines, but perhaps for the last. What the file holds is what has been run.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::environment::Environment;
use super::super::error::CliError;
use super::shard::Shard;
use super::sweep_config::{Configuration, Files, SweepConfig};
use crate::explore::Record;
use crate::plan::file::{FileError, json_line_problem};

/// Its name in the directory of a sweep.
pub const FILE: &str = "results.jsonl";

/// How a results file begins.
const FORMAT: &str = "cutwater-results";

/// The version of the format that is written and read here.
const VERSION: u32 = 1;

/// No line is longer; the text of scenario files is the bulk of the longest, the header.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// The first line: what the records are of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    format: String,
    version: u32,
    /// What is swept.
    pub configuration: Configuration,
    /// The content of scenarios that are files.
    pub files: Files,
    /// Which part of it.
    pub shard: Shard,
    /// By what.
    pub environment: Environment,
}

impl Header {
    /// The header of a sweep that begins now.
    pub fn new(config: &SweepConfig, shard: Shard) -> Self {
        let configuration = config.configuration();
        let environment = Environment::of(&configuration.hash);
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            configuration,
            files: config.files(),
            shard,
            environment,
        }
    }

    /// How the sweep of `other` differs, but for the shard; empty where it does not.
    ///
    /// The compiler and the target make no difference to what a run does; the source code does.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut said = self.configuration.differences(&other.configuration);
        let (mine, theirs) = (&self.environment, &other.environment);
        let told = [
            ("version of cutwater", &mine.cutwater, &theirs.cutwater),
            ("commit", &mine.commit, &theirs.commit),
        ];
        for (what, one, two) in told.into_iter().filter(|(_, one, two)| one != two) {
            said.push(format!("{what}: {one}, not {two}"));
        }
        said
    }
}

/// A results file that is written.
#[derive(Debug)]
pub struct ResultsFile {
    path: PathBuf,
    file: File,
}

/// A results file of the right sweep, whose records nobody has read yet: that may take long.
#[derive(Debug)]
pub struct Unread<'a> {
    results: ResultsFile,
    header: &'a Header,
}

impl Unread<'_> {
    /// Goes on with the file, or begins it where there is nothing whole in it. `each` sees what it
    /// holds.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written; the first error of `each`, with its place.
    pub fn take_in(
        self,
        each: impl FnMut(Record) -> Result<(), CliError>,
    ) -> Result<ResultsFile, CliError> {
        let Self { mut results, header } = self;
        let whole = results.take_in(each)?;
        results.at_its_place(|file| {
            file.set_len(whole)?;
            file.seek(SeekFrom::End(0))
        })?;
        if whole == 0 {
            results.write_line(header)?;
        }
        Ok(results)
    }
}

impl ResultsFile {
    /// Opens the file in `dir`, or makes one where there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read or written, is of another sweep, or another process is writing it.
    pub fn open<'a>(dir: &Path, header: &'a Header) -> Result<Unread<'a>, CliError> {
        let path = dir.join(FILE);
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(&path);
        let results = Self { file: file.map_err(|error| CliError::io(&path, error))?, path };
        results.lock()?;
        results.compare(header)?;
        Ok(Unread { results, header })
    }

    /// Two writers would do the same runs twice. Where files cannot be locked, nothing is done.
    fn lock(&self) -> Result<(), CliError> {
        match self.file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => {
                let path = self.path.display();
                Err(CliError::usage(format!("{path}: another sweep is writing it")))
            }
            Ok(()) | Err(std::fs::TryLockError::Error(_)) => Ok(()),
        }
    }

    /// Compares the header of the file, where it has one.
    fn compare(&self, header: &Header) -> Result<(), CliError> {
        let Some(found) = Lines::new(&self.path, &self.file).header()? else { return Ok(()) };
        let mut differences = header.differences(&found);
        if header.shard != found.shard {
            differences.push(format!("shard: {}, not {}", header.shard, found.shard));
        }
        if differences.is_empty() {
            return Ok(());
        }
        let (path, differences) = (self.path.display(), differences.join("\n  "));
        Err(CliError::usage(format!(
            "{path}: the results of another configuration\n  {differences}"
        )))
    }

    /// Reads what is there. Returns how many bytes of it are whole lines.
    fn take_in(
        &mut self,
        mut each: impl FnMut(Record) -> Result<(), CliError>,
    ) -> Result<u64, CliError> {
        self.at_its_place(File::rewind)?;
        let mut lines = Lines::new(&self.path, &self.file);
        if lines.header()?.is_none() {
            return Ok(0);
        }
        while let Some(record) = lines.record()? {
            each(record).map_err(|error| lines.locate(&error))?;
        }
        Ok(lines.whole)
    }

    /// What the system refuses to do with the file is told with its path.
    fn at_its_place<T>(
        &mut self,
        act: impl FnOnce(&mut File) -> std::io::Result<T>,
    ) -> Result<T, CliError> {
        act(&mut self.file).map_err(|error| CliError::io(&self.path, error))
    }

    /// Writes one record, whole.
    ///
    /// # Errors
    ///
    /// When the file cannot be written; what it held before stays.
    pub fn append(&mut self, record: &Record) -> Result<(), CliError> {
        self.write_line(record)
    }

    fn write_line(&mut self, value: &impl Serialize) -> Result<(), CliError> {
        let mut line = serde_json::to_vec(value).expect("plain data can be encoded");
        line.push(b'\n');
        self.file.write_all(&line).map_err(|error| CliError::io(&self.path, error))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether a file is one of results: it has a first line, or the beginning of that of this sweep, which was
/// killed while it wrote it.
///
/// # Errors
///
/// When it cannot be read.
pub fn is_begun(path: &Path, header: &Header) -> Result<bool, CliError> {
    let file = File::open(path).map_err(|error| CliError::io(path, error))?;
    let mut start = Vec::new();
    let read = BufReader::new(file).take(LINE_BYTES_MAX).read_until(b'\n', &mut start);
    read.map_err(|error| CliError::io(path, error))?;
    let whole = serde_json::to_vec(header).expect("plain data can be encoded");
    Ok(start.ends_with(b"\n") || whole.starts_with(&start))
}

/// What a results file is of.
///
/// # Errors
///
/// When it cannot be read, or is no results file.
pub fn header(path: &Path) -> Result<Header, CliError> {
    let file = File::open(path).map_err(|error| CliError::io(path, error))?;
    let header = Lines::new(path, &file).header()?;
    header.ok_or_else(|| {
        CliError::usage(format!("{}: empty, expected the results of a sweep", path.display()))
    })
}

/// Reads a results file; `each` sees the records, and the header before them.
///
/// # Errors
///
/// When it cannot be read, or a line of it but a torn last one is not what it should be; the first
/// error of `each`, with its place.
pub fn read(
    path: &Path,
    mut each: impl FnMut(&Header, Record) -> Result<(), CliError>,
) -> Result<Header, CliError> {
    let file = File::open(path).map_err(|error| CliError::io(path, error))?;
    let header = header(path)?;
    let mut lines = Lines::new(path, &file);
    lines.header()?;
    while let Some(record) = lines.record()? {
        each(&header, record).map_err(|error| lines.locate(&error))?;
    }
    Ok(header)
}

/// The lines of a results file, each bounded.
struct Lines<'a> {
    path: &'a Path,
    reader: BufReader<&'a File>,
    line: Vec<u8>,
    /// The number of the last line, from 1.
    number: usize,
    /// How many bytes the lines so far have.
    whole: u64,
}

impl<'a> Lines<'a> {
    fn new(path: &'a Path, file: &'a File) -> Self {
        Self { path, reader: BufReader::new(file), line: Vec::new(), number: 0, whole: 0 }
    }

    /// The first line; none where it was never written whole.
    fn header(&mut self) -> Result<Option<Header>, CliError> {
        if !self.advance()? {
            return Ok(None);
        }
        #[derive(Deserialize)]
        struct Kind {
            format: String,
            version: u32,
        }
        let expected = format!("expected a line with format {FORMAT:?}, version {VERSION}");
        let kind: Kind = serde_json::from_slice(&self.line)
            .map_err(|error| self.content(format!("{}; {expected}", json_line_problem(&error))))?;
        if kind.format != FORMAT || kind.version != VERSION {
            let (format, version) = (kind.format, kind.version);
            let problem = format!("format is {format:?}, version {version}; {expected}");
            return Err(self.content(problem));
        }
        self.parse().map(Some)
    }

    /// The next record; none at the end.
    fn record(&mut self) -> Result<Option<Record>, CliError> {
        if self.advance()? { self.parse().map(Some) } else { Ok(None) }
    }

    /// Goes on to the next whole line. What the end cuts off is none.
    fn advance(&mut self) -> Result<bool, CliError> {
        self.line.clear();
        let mut bounded = (&mut self.reader).take(LINE_BYTES_MAX);
        let read = bounded.read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| CliError::io(self.path, error))? as u64;
        if self.line.last() == Some(&b'\n') {
            self.number += 1;
            self.whole += read;
            return Ok(true);
        }
        if read == LINE_BYTES_MAX {
            self.number += 1;
            return Err(self.content(format!("a line of more than {LINE_BYTES_MAX} bytes")));
        }
        Ok(false)
    }

    fn parse<T: for<'de> Deserialize<'de>>(&self) -> Result<T, CliError> {
        serde_json::from_slice(&self.line).map_err(|error| self.content(json_line_problem(&error)))
    }

    fn content(&self, problem: String) -> CliError {
        let (path, line) = (self.path.display().to_string(), self.number);
        CliError::File { error: FileError::Content { path, line, problem }, shown: String::new() }
    }

    /// The same error, at the line that was read last.
    fn locate(&self, error: &CliError) -> CliError {
        self.content(error.to_string())
    }
}

/// The results file that an argument names: itself, or the directory of its sweep.
pub fn named(argument: &Path) -> PathBuf {
    if argument.is_dir() { argument.join(FILE) } else { argument.to_owned() }
}
