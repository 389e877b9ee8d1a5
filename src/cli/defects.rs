//! `cutwater defects`: which seeded defects are found, how fast, and by which strategy faster.

mod report;
mod shrink;

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use serde::Serialize;

use super::arguments;
use super::clock::Stopwatch;
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::out::JsonTarget;
use super::scenario_source::ScenarioSource;
use super::signal;
use crate::explore::defects::{DefectReport, DefectSearch};
use crate::explore::{Experiments, StrategyName, WorldKind};
use crate::protocol::Defect;
use report::{Comparison, StrategyReport};

/// What to search for, and where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The defects; all of them when none is given
    #[arg(value_name = "NAME", value_parser = arguments::defect)]
    names: Vec<Defect>,
    /// The seeds: one after the other, in one scenario after the other
    #[arg(long, value_name = "A..B", default_value = "0..3000", value_parser = arguments::seeds)]
    seeds: Range<u64>,
    /// A scenario or the path of a .toml file; may be given more than once; all that a sweep runs when
    /// not given
    #[arg(long = "scenario", value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// After how many detections of a defect its search ends
    #[arg(long, value_name = "N", default_value = "5")]
    detections: NonZeroUsize,
    /// Threads; as many as there are cores when not given
    #[arg(long, value_name = "N", value_parser = arguments::number_of_jobs)]
    jobs: Option<NonZeroUsize>,
    /// How plans are chosen: random, swarm, aimed, pct or exhaustive; of several, each is compared with
    /// the first
    #[arg(
        long = "strategy",
        value_name = "NAME,...",
        default_value = "swarm",
        value_delimiter = ',',
        value_parser = arguments::strategy
    )]
    strategies: Vec<StrategyName>,
    /// The world: kernel or madsim
    #[arg(long, default_value = "kernel", value_parser = arguments::world)]
    world: WorldKind,
    /// Shrinks the first plan that detects each defect, with the first strategy, and tells how small it
    /// gets
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
    found: &'a [StrategyReport],
    shrunk: Vec<shrink::Small>,
}

/// Searches.
pub fn execute(arguments: Arguments, experiments: &Experiments) -> Result<Exit, CliError> {
    let sources = ScenarioSource::all_named(&arguments.scenarios, experiments.registry())?;
    for source in sources.iter().filter(|source| source.is_file) {
        source.try_out(experiments, arguments.seeds.clone())?;
    }
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    let mut out = JsonTarget::console(json.as_ref());
    let search = DefectSearch {
        defects: if arguments.names.is_empty() { Defect::all().collect() } else { arguments.names },
        scenarios: sources.iter().map(|source| source.scenario.clone()).collect(),
        seeds: arguments.seeds,
        strategy: StrategyName::default(),
        world: arguments.world,
        jobs: arguments::jobs(arguments.jobs),
        detections: arguments.detections.get(),
    };
    announce(&mut out, &sources, &search, &arguments.strategies)?;
    let stop = signal::interruptible()?;
    let mut reports = Vec::new();
    let mut first = None;
    for strategy in arguments.strategies {
        let search = DefectSearch { strategy, ..search.clone() };
        let clock = Stopwatch::start();
        let found = run(&search, experiments, &stop)?;
        reports.push(StrategyReport::new(strategy, found.clone(), clock.elapsed().as_secs_f64()));
        first.get_or_insert((search, found));
    }
    conclude(&mut out, &reports)?;
    let small = match first {
        Some((search, found)) if arguments.shrink => {
            let run = shrink::Shrinking {
                search: &search,
                experiments,
                stop: &stop,
                keep: arguments.keep.as_deref(),
            };
            Some(run.all(&found, &mut out)?)
        }
        _ => None,
    };
    match (json, small) {
        (Some(json), Some(shrunk)) => json.write(&Shrunk { found: &reports, shrunk })?,
        (Some(json), None) => json.write(&reports)?,
        (None, _) => {}
    }
    Ok(exit(&reports, stop.load(Ordering::Relaxed)))
}

fn run(
    search: &DefectSearch,
    experiments: &Experiments,
    stop: &AtomicBool,
) -> Result<Vec<DefectReport>, CliError> {
    let mut reports: Vec<Option<DefectReport>> = vec![None; search.defects.len()];
    search
        .run(experiments, stop, |place, report| reports[place] = Some(report))
        .map_err(|error| CliError::usage(error.to_string()))?;
    Ok(reports.into_iter().flatten().collect())
}

fn conclude(out: &mut Console, reports: &[StrategyReport]) -> std::io::Result<()> {
    match reports {
        [only] => write!(out, "{only}"),
        several => write!(out, "{}", Comparison(several)),
    }
}

fn announce(
    out: &mut Console,
    sources: &[ScenarioSource],
    search: &DefectSearch,
    strategies: &[StrategyName],
) -> std::io::Result<()> {
    let strategies: Vec<&str> = strategies.iter().map(Into::into).collect();
    let names: Vec<&str> = sources.iter().map(|source| source.argument.as_str()).collect();
    let (seeds, world) = (&search.seeds, search.world);
    writeln!(out, "scenarios  {}", names.join(", "))?;
    writeln!(out, "strategies {}", strategies.join(", "))?;
    writeln!(out, "seeds      {}..{}, round robin, in the {world} world", seeds.start, seeds.end)?;
    writeln!(out, "until      {} detections of a defect\n", search.detections)
}

fn exit(reports: &[StrategyReport], is_interrupted: bool) -> Exit {
    if is_interrupted {
        Exit::Interrupted
    } else if reports.iter().all(StrategyReport::is_complete) {
        Exit::Held
    } else {
        Exit::Violated
    }
}
