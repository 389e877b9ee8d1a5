//! `cutwater defects`: which seeded defects are found, and how fast.

mod shrink;

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use clap::Args;
use cutwater::explore::defects::{DefectReport, DefectSearch};
use cutwater::explore::{Experiments, StrategyName, WorldKind};
use cutwater::protocol::Defect;
use serde::Serialize;

use super::arguments;
use super::clock::Stopwatch;
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::out::JsonTarget;
use super::scenario_source::ScenarioSource;
use super::signal;
use super::table::{Align, Table, count};

/// What to search for, and where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The defects; all of them when none is given
    #[arg(value_name = "NAME", value_parser = arguments::defect)]
    names: Vec<Defect>,
    /// The seeds: one after the other, in one scenario after the other
    #[arg(long, value_name = "A..B", default_value = "0..1000", value_parser = arguments::seeds)]
    seeds: Range<u64>,
    /// A built-in scenario or the path of a .toml file; may be given more than once; all built-in ones
    /// when not given
    #[arg(long = "scenario", value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// After how many detections of a defect its search ends
    #[arg(long, value_name = "N", default_value = "5")]
    detections: NonZeroUsize,
    /// Threads; as many as there are cores when not given
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// How plans are chosen: random, swarm, aimed, pct or exhaustive
    #[arg(long, default_value_t, value_name = "NAME", value_parser = arguments::strategy)]
    strategy: StrategyName,
    /// The world: kernel or madsim
    #[arg(long, default_value = "kernel", value_parser = arguments::world)]
    world: WorldKind,
    /// Shrinks the first plan that detects each defect, and tells how small it gets
    #[arg(long)]
    shrink: bool,
    /// Keeps what they shrink to in this directory, as `cutwater bugs add` does
    #[arg(long, value_name = "DIR", requires = "shrink")]
    keep: Option<PathBuf>,
    /// Writes the report as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// The report with `--shrink`.
#[derive(Serialize)]
struct Shrunk<'a> {
    found: &'a [DefectReport],
    shrunk: Vec<shrink::Small>,
}

/// Searches.
pub fn execute(arguments: Arguments) -> Result<Exit, CliError> {
    let sources = ScenarioSource::all_named(&arguments.scenarios)?;
    let experiments = Experiments::new();
    for source in sources.iter().filter(|source| source.is_file) {
        source.try_out(&experiments, arguments.seeds.clone())?;
    }
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    let mut out = JsonTarget::console(json.as_ref());
    let search = DefectSearch {
        defects: if arguments.names.is_empty() { Defect::all().collect() } else { arguments.names },
        scenarios: sources.iter().map(|source| source.scenario.clone()).collect(),
        seeds: arguments.seeds,
        strategy: arguments.strategy,
        world: arguments.world,
        jobs: arguments::jobs(arguments.jobs),
        detections: arguments.detections.get(),
    };
    announce(&mut out, &sources, &search)?;
    let stop = signal::interruptible()?;
    let clock = Stopwatch::start();
    let mut reports: Vec<Option<DefectReport>> = vec![None; search.defects.len()];
    search
        .run(&experiments, &stop, |place, report| reports[place] = Some(report))
        .map_err(|error| CliError::usage(error.to_string()))?;
    let reports: Vec<DefectReport> = reports.into_iter().flatten().collect();
    conclude(&mut out, &reports, clock)?;
    let small = if arguments.shrink {
        let run = shrink::Shrinking {
            search: &search,
            experiments: &experiments,
            stop: &stop,
            keep: arguments.keep.as_deref(),
        };
        Some(run.all(&reports, &mut out)?)
    } else {
        None
    };
    match (json, small) {
        (Some(json), Some(shrunk)) => json.write(&Shrunk { found: &reports, shrunk })?,
        (Some(json), None) => json.write(&reports)?,
        (None, _) => {}
    }
    Ok(exit(&reports, stop.load(Ordering::Relaxed)))
}

fn announce(
    out: &mut Console,
    sources: &[ScenarioSource],
    search: &DefectSearch,
) -> std::io::Result<()> {
    let names: Vec<&str> = sources.iter().map(|source| source.argument.as_str()).collect();
    let (seeds, world) = (&search.seeds, search.world);
    writeln!(out, "scenarios  {}", names.join(", "))?;
    writeln!(out, "seeds      {}..{}, round robin, in the {world} world", seeds.start, seeds.end)?;
    writeln!(out, "until      {} detections of a defect\n", search.detections)
}

fn conclude(out: &mut Console, reports: &[DefectReport], clock: Stopwatch) -> std::io::Result<()> {
    let mut table = Table::new(&[
        ("defect", Align::Left),
        ("found", Align::Left),
        ("first", Align::Right),
        ("median", Align::Right),
        ("runs", Align::Right),
        ("oracles", Align::Left),
        ("first in", Align::Left),
    ]);
    for report in reports {
        table.row(row(report));
    }
    write!(out, "{table}")?;
    let found = reports.iter().filter(|report| report.first().is_some()).count();
    let runs = count(reports.iter().map(|report| report.runs).sum());
    let seconds = clock.elapsed().as_secs_f64();
    let defects = reports.len();
    writeln!(out, "\n{found} of {defects} found, in {runs} runs and {seconds:.1} s")?;
    let anyway: u64 = reports.iter().map(|report| report.failing_anyway).sum();
    if anyway > 0 {
        let anyway = count(anyway);
        writeln!(
            out,
            "{anyway} runs failed that fail without the defect too: not counted as found"
        )?;
    }
    Ok(())
}

fn row(report: &DefectReport) -> [String; 7] {
    let oracles = report.oracles().into_iter().map(|(oracle, times)| format!("{oracle} {times}"));
    let first = report.first();
    let found = match (first, report.is_stopped) {
        (Some(_), _) => "yes",
        (None, true) => "stopped",
        (None, false) => "NO",
    };
    [
        report.defect.to_string(),
        found.to_owned(),
        first.map(|first| count(first.runs)).unwrap_or_default(),
        report.median().map(count).unwrap_or_default(),
        count(report.runs),
        oracles.collect::<Vec<_>>().join(", "),
        first.map(|first| format!("{} seed {}", first.scenario, first.seed)).unwrap_or_default(),
    ]
}

fn exit(reports: &[DefectReport], is_interrupted: bool) -> Exit {
    if is_interrupted {
        Exit::Interrupted
    } else if reports.iter().all(|report| report.first().is_some()) {
        Exit::Held
    } else {
        Exit::Violated
    }
}
