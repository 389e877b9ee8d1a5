//! `cutwater view`: a run as one HTML file in which the cut can be seen.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use clap::Args;

use super::arguments;
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::failure;
use super::kept_plan::KeptPlan;
use super::out::{OutDir, new_file};
use crate::explore::viewing::{finding, run_for_view};
use crate::explore::{Experiments, WorldKind};
use crate::oracle::{Judge, Reference, Violation};
use crate::protocol::CheckpointId;
use crate::trace::{Event, Stamp, TraceReader};
use crate::view::trace_events::trace_events;
use crate::view::{EVENTS_MAX, Subject, View, shiviz};

/// What to look at.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A trace, a plan, or the directory of a failure or a sweep
    #[arg(value_name = "TRACE|PLAN|DIR")]
    what: PathBuf,
    /// Where to make a new directory for the page
    #[arg(long, value_name = "DIR", default_value = "cutwater-out")]
    out: PathBuf,
    /// The world in which a plan is run: kernel or madsim; where it was kept, if that is known
    #[arg(long, value_parser = arguments::world)]
    world: Option<WorldKind>,
    /// The number of the first event of a trace that is shown
    #[arg(long, value_name = "EVENT", default_value_t = 0)]
    from: u64,
    /// Opens the page with the system's own browser
    #[arg(long)]
    open: bool,
    /// Writes the run as Chrome's trace events as well, which Perfetto opens
    #[arg(long, value_name = "FILE")]
    trace_events: Option<PathBuf>,
    /// Writes the window of one checkpoint as a log for ShiViz as well
    #[arg(long, value_name = "FILE")]
    shiviz: Option<PathBuf>,
    /// The number of that checkpoint; the one that the page opens at when not given
    #[arg(long, value_name = "N", requires = "shiviz")]
    checkpoint: Option<u64>,
}

/// So many bytes of a trace are held at most, whatever its events are: a million usual ones are a third of it.
const BYTES_MAX: usize = 512 << 20;

/// The page's name in its directory.
pub const FILE: &str = "view.html";

/// Writes the page, and what else is asked for.
pub fn execute(arguments: &Arguments, experiments: &Experiments) -> Result<Exit, CliError> {
    let view = view(arguments, experiments)?;
    let mut out = Console::stdout();
    // What cannot be told, or written, is found out before anything is.
    let log =
        arguments.shiviz.as_ref().map(|_| shiviz_log(&view, arguments.checkpoint)).transpose()?;
    let files =
        [&arguments.trace_events, &arguments.shiviz].map(|path| path.as_deref().map(open_new));
    let [events_file, log_file] = files.map(Option::transpose);
    let (events_file, log_file) = (events_file?, log_file?);
    let page = OutDir::create(&arguments.out, "view")?.write(FILE, &view.html())?;
    writeln!(out, "{}", page.display())?;
    if let Some(target) = events_file {
        target.write(&mut out, &trace_events(&view))?;
    }
    if let (Some(target), Some(log)) = (log_file, log) {
        target.write(&mut out, &log)?;
    }
    if arguments.open {
        open(&page)?;
    }
    Ok(Exit::Held)
}

/// A file that was not there before.
struct Target<'a> {
    path: &'a Path,
    file: File,
}

fn open_new(path: &Path) -> Result<Target<'_>, CliError> {
    Ok(Target { path, file: new_file(path)? })
}

impl Target<'_> {
    /// Writes it, and tells where it is.
    fn write(mut self, out: &mut Console, text: &str) -> Result<(), CliError> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| CliError::io(self.path, error))?;
        Ok(writeln!(out, "{}", self.path.display())?)
    }
}

fn shiviz_log(view: &View, checkpoint: Option<u64>) -> Result<String, CliError> {
    let index = match checkpoint {
        None => view.opening().1,
        Some(number) => view.checkpoints.iter().rposition(|own| own.id == CheckpointId(number)),
    };
    let named = checkpoint
        .map_or("no checkpoint".to_owned(), |number| format!("no {}", CheckpointId(number)));
    let log = index.and_then(|index| shiviz::log(view, index));
    log.ok_or_else(|| CliError::usage(format!("--shiviz: there is {named} in the trace")))
}

/// With the program that a desktop opens files with.
fn open(page: &Path) -> Result<(), CliError> {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = Command::new(program);
    command.arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let failed = |error| {
        CliError::usage(format!("--open: {program}: {error}; open {} yourself", page.display()))
    };
    command.spawn().map(drop).map_err(failed)
}

fn view(arguments: &Arguments, experiments: &Experiments) -> Result<View, CliError> {
    let path = found(&arguments.what)?;
    if is_trace(&path)? {
        of_trace(&path, arguments.from)
    } else {
        of_plan(&path, arguments.world, experiments)
    }
}

/// The file that a directory is about: its plan, or that of the first failure in it.
fn found(path: &Path) -> Result<PathBuf, CliError> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let plan = path.join("plan.json");
    if plan.is_file() {
        return Ok(plan);
    }
    let failures = path.join("failures");
    let listed = std::fs::read_dir(&failures).into_iter().flatten().filter_map(Result::ok);
    let first =
        listed.map(|entry| entry.path()).filter(|path| path.join("plan.json").is_file()).min();
    let none = || {
        CliError::usage(format!("{}: there is no plan.json in it, and no failure", path.display()))
    };
    let first = first.ok_or_else(none)?;
    let shrunk = first.join("shrunk").join("plan.json");
    Ok(if shrunk.is_file() { shrunk } else { first.join("plan.json") })
}

/// Whether a file begins as a trace does.
fn is_trace(path: &Path) -> Result<bool, CliError> {
    const LINE_MAX: u64 = 256;
    let file = File::open(path).map_err(|error| CliError::io(path, error))?;
    let mut line = Vec::new();
    let read = BufReader::new(file).take(LINE_MAX).read_until(b'\n', &mut line);
    read.map_err(|error| CliError::io(path, error))?;
    let is_named = path.extension().is_some_and(|extension| extension == "jsonl");
    Ok(is_named || String::from_utf8_lossy(&line).contains(crate::trace::codec::FORMAT))
}

fn of_plan(
    path: &Path,
    world: Option<WorldKind>,
    experiments: &Experiments,
) -> Result<View, CliError> {
    let kept = KeptPlan::read(path)?;
    let prepared = kept.prepare(path, experiments)?;
    let world = world.unwrap_or(kept.world);
    let command = failure::replay_command(path, world);
    Ok(run_for_view(&kept.plan, &prepared, world, EVENTS_MAX, &command).1)
}

/// A trace as it is, with what the oracles say of it where it is whole.
fn of_trace(path: &Path, from: u64) -> Result<View, CliError> {
    let Excerpt { events, violation, is_cut_off, .. } = Excerpt::read(path, from, BYTES_MAX)?;
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let mut facts = Vec::new();
    if is_cut_off {
        let next = events.last().map_or(0, |(stamp, _)| stamp.number + 1);
        facts.push(("goes on".to_owned(), format!("from event {next} on: --from {next} shows it")));
    }
    let command = failure::view_command(path);
    let finding = violation.map(|violation| {
        let record = violation.record.map(|record| format!("record {record}"));
        let about = violation.names.places().chain(record);
        let explanation = about.map(|what| format!("about: {what}")).collect();
        finding(Some(&violation), violation.to_string(), explanation, violation.event)
    });
    Ok(View::new(&events, Subject { title: name, facts, command, finding }))
}

/// As much of a trace as a view holds.
struct Excerpt {
    events: Vec<(Stamp, Event)>,
    violation: Option<Violation>,
    /// There is more in the file.
    is_cut_off: bool,
    /// How long the lines of these events are.
    bytes: usize,
}

impl Excerpt {
    /// Reads from event `from` on. What was there before is judged and forgotten, but for the shapes of the job.
    fn read(path: &Path, from: u64, bytes_max: usize) -> Result<Self, CliError> {
        let wrong = |error| CliError::usage(format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(|error| CliError::io(path, error))?;
        let mut reader =
            TraceReader::new(BufReader::with_capacity(1 << 16, file)).map_err(wrong)?;
        let mut judge = Some(Judge::new(Arc::new(Reference::unknown())));
        let mut excerpt = Self { events: Vec::new(), violation: None, is_cut_off: false, bytes: 0 };
        let mut expected = 0;
        while let Some(read) = reader.next() {
            let (stamp, event) = read.map_err(wrong)?;
            if stamp.number != expected {
                // The oracles need all of it.
                judge = None;
            }
            expected = stamp.number.wrapping_add(1);
            if excerpt.violation.is_none()
                && let Some(judge) = &mut judge
            {
                judge.observe(stamp, &event);
                excerpt.violation = judge.violations().first().cloned();
            }
            let is_shape = event.shape().is_some();
            if stamp.number >= from || is_shape {
                excerpt.bytes += reader.line_bytes();
                if excerpt.events.len() == EVENTS_MAX || excerpt.bytes > bytes_max {
                    excerpt.is_cut_off = true;
                    break;
                }
                excerpt.events.push((stamp, event));
            }
        }
        Ok(excerpt)
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::{Attempt, ProcessId, VirtualTime};
    use crate::trace::TraceWriter;

    use super::*;

    /// A trace of failures, each with a reason of a thousand bytes.
    fn wordy(name: &str, events: u64) -> PathBuf {
        let path = std::env::temp_dir().join(format!("cutwater-{name}-{}", std::process::id()));
        let mut writer = TraceWriter::new(File::create(&path).expect("it can be made"))
            .expect("its header can be written");
        for number in 0..events {
            let stamp = Stamp { number, at: VirtualTime::ZERO, process: ProcessId::Coordinator };
            let event = Event::AttemptFailed { attempt: Attempt(1), reason: "x".repeat(1_000) };
            writer.write(stamp, &event).expect("it can be written");
        }
        writer.finish().expect("it can be written");
        path
    }

    #[test]
    fn an_excerpt_is_bounded_by_bytes_as_well() {
        let path = wordy("bytes", 10);
        let few = Excerpt::read(&path, 0, 5_000).expect("it is a trace");
        let all = Excerpt::read(&path, 0, 20_000).expect("it is a trace");
        std::fs::remove_file(&path).expect("it is there");
        assert_eq!((few.events.len(), few.is_cut_off), (4, true));
        assert_eq!((all.events.len(), all.is_cut_off), (10, false));
    }
}
