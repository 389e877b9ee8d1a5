//! `cutwater sweep`: many seeds of many scenarios, on all cores.

mod report;
mod runs;

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;

use clap::Args;
use cutwater::explore::reach::SweepReach;
use cutwater::explore::{Experiments, StrategyName, Sweep, WorldKind};
use cutwater::protocol::Defect;
use serde::Serialize;

use super::arguments;
use super::console::Console;
use super::environment::{Environment, configuration_hash};
use super::error::CliError;
use super::exit::Exit;
use super::out::{JsonTarget, OutDir};
use super::reach;
use super::scenario_source::ScenarioSource;
use super::signal;
use runs::Runs;

/// What to sweep.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Names of built-in scenarios, or paths of .toml files; all built-in ones, but for the longest, when
    /// none is given
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// The seeds: the first, and the one after the last
    #[arg(long, value_name = "A..B", default_value = "0..100", value_parser = arguments::seeds)]
    seeds: Range<u64>,
    /// Threads; as many as there are cores when not given
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// How plans are chosen: random, swarm, aimed, pct or exhaustive
    #[arg(long, default_value_t, value_name = "NAME", value_parser = arguments::strategy)]
    strategy: StrategyName,
    /// The world: kernel or madsim
    #[arg(long, default_value = "kernel", value_parser = arguments::world)]
    world: WorldKind,
    /// Switches a seeded defect on; may be given more than once
    #[arg(long = "defect", value_name = "NAME", value_parser = arguments::defect)]
    defects: Vec<Defect>,
    /// Runs every seed twice, and compares
    #[arg(long)]
    twice: bool,
    /// Where to make a new directory for what is kept
    #[arg(long, value_name = "DIR", default_value = "cutwater-out")]
    out: PathBuf,
    /// Writes the report as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What is swept, as it is printed and written down before the first run.
#[derive(Clone, Debug, Serialize)]
pub struct Configuration {
    /// The scenarios, as the user named them.
    pub scenarios: Vec<String>,
    /// The first seed, and the one after the last.
    pub seeds: [u64; 2],
    /// How the plans are chosen.
    pub strategy: StrategyName,
    /// The world.
    pub world: WorldKind,
    /// Defects that are switched on.
    pub defects: Vec<Defect>,
    /// Whether every seed is run twice.
    pub twice: bool,
    /// Threads. They change nothing but the time it takes.
    pub jobs: usize,
    /// The hash of all that decides the runs, the content of the scenarios included.
    pub hash: String,
}

/// Sweeps.
pub fn execute(arguments: Arguments) -> Result<Exit, CliError> {
    let sources = ScenarioSource::all_named(&arguments.scenarios)?;
    let experiments = Experiments::new();
    for source in sources.iter().filter(|source| source.is_file) {
        source.try_out(&experiments, arguments.seeds.clone())?;
    }
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    let sweep = Sweep {
        scenarios: sources.iter().map(|source| source.scenario.clone()).collect(),
        seeds: arguments.seeds.clone(),
        strategy: arguments.strategy,
        defects: arguments::defect_set(&arguments.defects),
        world: arguments.world,
        jobs: arguments::jobs(arguments.jobs),
    };
    let configuration = configuration(&sources, &sweep, arguments.twice);
    let out = OutDir::create(&arguments.out, "sweep")?;
    out.write_json("configuration.json", &configuration)?;
    let environment = Environment::of(&configuration.hash);
    out.write_json("environment.json", &environment)?;
    let stop = signal::interruptible()?;
    let mut console = JsonTarget::console(json.as_ref());
    announce(&mut console, &configuration, &out)?;
    let done =
        Runs { sweep: &sweep, sources: &sources, experiments: &experiments, out: &out, stop }
            .execute(arguments.twice)?;
    let reached = SweepReach::of(&sweep.scenarios, &done.report);
    let report = report::Report::new(configuration, environment, &sweep, &sources, &reached, done);
    write!(console, "{report}")?;
    reach::keep(&reached, &out)?;
    out.write_json("report.json", &report)?;
    if let Some(json) = json {
        json.write(&report)?;
    }
    Ok(report.exit())
}

fn configuration(sources: &[ScenarioSource], sweep: &Sweep, twice: bool) -> Configuration {
    let Sweep { scenarios, seeds, strategy, defects, world, jobs } = sweep;
    let deciding = format!("{scenarios:?} {seeds:?} {strategy} {:?} {world}", Vec::from(*defects));
    Configuration {
        scenarios: sources.iter().map(|source| source.argument.clone()).collect(),
        seeds: [seeds.start, seeds.end],
        strategy: *strategy,
        world: *world,
        defects: defects.iter().collect(),
        twice,
        jobs: *jobs,
        hash: configuration_hash(&deciding),
    }
}

fn announce(out: &mut Console, configuration: &Configuration, dir: &OutDir) -> std::io::Result<()> {
    let Configuration { scenarios, seeds, strategy, world, defects, twice, jobs, hash } =
        configuration;
    writeln!(out, "scenarios      {}", scenarios.join(", "))?;
    let twice = if *twice { ", each twice" } else { "" };
    writeln!(out, "seeds          {}..{}{twice}", seeds[0], seeds[1])?;
    writeln!(out, "strategy       {strategy}")?;
    writeln!(out, "world          {world}, {jobs} threads")?;
    if !defects.is_empty() {
        let names: Vec<&str> = defects.iter().map(|defect| defect.name()).collect();
        writeln!(out, "defects        {}", names.join(", "))?;
    }
    writeln!(out, "configuration  {hash}")?;
    writeln!(out, "kept in        {}", dir.path().display())?;
    writeln!(out)
}
