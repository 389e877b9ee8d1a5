//! `cutwater sweep`: many seeds of many scenarios, in processes that may die, with results that stay.

mod collected;
mod dispatcher;
mod failure_store;
mod in_order;
mod messages;
pub mod report;
pub mod results;
mod resumed;
mod schedule;
pub mod shard;
mod smallest;
pub mod sweep_config;
pub mod worker;
mod worker_pool;
pub mod worker_process;

pub use collected::{Collected, Collector};
pub use failure_store::found;

use std::env;
use std::io::Write as _;
use std::num::{NonZeroU64, NonZeroUsize};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::Args;

use self::dispatcher::{Dispatcher, Setup};
use self::in_order::Watcher;
use self::messages::{Orders, line};
use self::report::{Ended, Pace, Report, Source};
use self::results::{Header, ResultsFile, Unread};
use self::schedule::Schedule;
use self::shard::{Shard, ShardArgument};
use self::sweep_config::{Configuration, SweepConfig};
use self::worker_pool::WorkerPool;
use super::arguments::{self, Memory};
use super::clock::Deadline;
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::junit::JunitTarget;
use super::out::{JsonTarget, OutDir};
use super::reach;
use super::scenario_source::ScenarioSource;
use super::signal;
use super::status_files::StatusFiles;
use super::table::count;
use crate::explore::reach::{Plateau, SweepReach};
use crate::explore::{Experiments, Record, StrategyName, Sweep, WorldKind};
use crate::protocol::Defect;

/// What to sweep.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Names of scenarios, or paths of .toml files; all that there are, but for the longest, when none is
    /// given
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,
    /// The seeds: the first, and the one after the last
    #[arg(long, value_name = "A..B", default_value = "0..100", value_parser = arguments::seeds)]
    seeds: Range<u64>,
    /// Worker processes; as many as there are cores when not given
    #[arg(long, value_name = "N", value_parser = arguments::number_of_jobs)]
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
    /// Ends after so long, all that follows the runs included: 90s, 10m, 1h
    #[arg(long, value_name = "TIME", value_parser = arguments::duration)]
    budget: Option<Duration>,
    /// Ends when no run of the last N showed a new cell of protocol point, fault and phase
    #[arg(long, value_name = "N")]
    until_plateau: Option<NonZeroU64>,
    /// How long a seed may take on the wall clock, before it counts as hung
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = arguments::duration)]
    seed_timeout: Duration,
    /// How much address space a worker may take, or `none` for no limit
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = arguments::memory)]
    memory: Memory,
    /// Runs only every n-th run, from the i-th on; `auto` asks Slurm which, `auto/n` Slurm or Kubernetes
    #[arg(long, value_name = "i/n")]
    shard: Option<ShardArgument>,
    /// Leaves the first failure as large as it is
    #[arg(long)]
    no_shrink: bool,
    /// Where to make a new directory for what is kept
    #[arg(long, value_name = "DIR", default_value = "cutwater-out")]
    out: PathBuf,
    /// Goes on with the sweep in this directory, or begins it there; say the rest as the first time
    #[arg(long, value_name = "DIR", conflicts_with = "out")]
    resume: Option<PathBuf>,
    /// Writes the report as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the report as JUnit XML to a new file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Sweeps.
pub fn execute(arguments: Arguments, experiments: &Experiments) -> Result<Exit, CliError> {
    let deadline = Deadline::after(arguments.budget);
    let config = config(&arguments, experiments)?;
    let shard = match arguments.shard {
        Some(asked) => asked.resolve(&|name| env::var(name).ok())?,
        None => Shard::WHOLE,
    };
    let header = Header::new(&config, shard);
    arguments.resume.iter().try_for_each(|dir| resumed::check(dir, &header))?;
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    let junit = arguments.junit.as_deref().map(JunitTarget::open).transpose()?;
    let out = match &arguments.resume {
        Some(dir) => OutDir::open(dir)?,
        None => OutDir::create(&arguments.out, "sweep")?,
    };
    let mut schedule = Schedule::new(&config.sweep, shard);
    let results = ResultsFile::open(out.path(), &header)?;
    let mut console = JsonTarget::console(json.as_ref());
    announce(&mut console, &config, &header)?;
    let results = take_in(results, &config, shard, &mut schedule)?;
    out.replace_json("configuration.json", &header.configuration)?;
    out.replace_json("environment.json", &header.environment)?;
    let stop = signal::interruptible()?;
    announce_schedule(&mut console, &schedule, &out)?;
    let setup = Running { stop: Arc::clone(&stop), schedule, results, deadline };
    let (ended, pace, worked) = run(&arguments, &config, &header, setup, &out)?;
    let mut troubles = Troubles::default();
    let is_whole = troubles.note(worked).is_some();
    let ended = if is_whole { ended } else { Ended::Broken };
    let finish = Finish { out: &out, deadline: &deadline, experiments };
    let (report, reached) = conclude(&config, &header, (ended, pace), &finish, &mut troubles)?;
    if is_whole || report.exit().is_finding() {
        write!(console, "{report}")?;
    }
    if !arguments.no_shrink && is_whole && ended != Ended::Interrupted {
        let small = smallest::shrink_first(&report, &config, &stop, &deadline, experiments);
        if let Some(small) = troubles.note(small).flatten() {
            write!(console, "\nthe first of them, shrunk\n\n{small}")?;
        }
    }
    troubles
        .note(out.replace(report::page::FILE, report::page::page(&report, &reached, out.path())));
    troubles.note(junit.map_or(Ok(()), |junit| junit.write(&report)));
    troubles.note(json.map_or(Ok(()), |json| json.write(&report)));
    Ok(troubles.exit(report.exit()))
}

/// What the outside world did wrong after something had been found: told, and no reason not to tell the rest.
#[derive(Debug, Default)]
struct Troubles {
    has_any: bool,
}

impl Troubles {
    /// Tells what is wrong, if something is.
    fn note<T>(&mut self, result: Result<T, CliError>) -> Option<T> {
        let told = |error: CliError| Console::complain(&error.to_string());
        let result = result.map_err(told).ok();
        self.has_any |= result.is_none();
        result
    }

    /// What was found counts for more than what could not be written.
    fn exit(&self, found: Exit) -> Exit {
        if self.has_any && !found.is_finding() { Exit::Outside } else { found }
    }
}

fn config(arguments: &Arguments, experiments: &Experiments) -> Result<SweepConfig, CliError> {
    let sources = ScenarioSource::all_named(&arguments.scenarios, experiments.registry())?;
    for source in sources.iter().filter(|source| source.is_file) {
        source.try_out(experiments, arguments.seeds.clone())?;
    }
    let sweep = Sweep {
        scenarios: sources.iter().map(|source| source.scenario.clone()).collect(),
        seeds: arguments.seeds.clone(),
        strategy: arguments.strategy,
        defects: arguments::defect_set(&arguments.defects),
        world: arguments.world,
        jobs: arguments::jobs(arguments.jobs),
    };
    let runs = sweep.seeds.end - sweep.seeds.start;
    if runs.checked_mul(sources.len() as u64).is_none_or(|runs| runs > RUNS_MAX) {
        let runs = count(RUNS_MAX);
        return Err(CliError::usage(format!("--seeds: a sweep has {runs} runs at most")));
    }
    check_begin(&sweep, experiments, &sources)?;
    Ok(SweepConfig { sweep, sources, twice: arguments.twice })
}

/// Refuses seeds that are beyond the last plan of every scenario: nothing would be run, and nothing told.
fn check_begin(
    sweep: &Sweep,
    experiments: &Experiments,
    sources: &[ScenarioSource],
) -> Result<(), CliError> {
    let Sweep { seeds, strategy, .. } = sweep;
    if *strategy != StrategyName::Exhaustive {
        return Ok(());
    }
    for (source, index) in sources.iter().zip((0..).map(|turn| sweep.at_turn(turn))) {
        if sweep.prepare(experiments, index).map_err(|error| source.locate(&error))?.is_some() {
            return Ok(());
        }
    }
    let first = seeds.start;
    Err(CliError::usage(format!("--seeds: the {strategy} plans end before number {first}")))
}

/// So that a bit for each run fits into memory.
const RUNS_MAX: u64 = 1 << 33;

/// What is in the results already is done.
fn take_in(
    results: Unread<'_>,
    config: &SweepConfig,
    shard: Shard,
    schedule: &mut Schedule<'_>,
) -> Result<ResultsFile, CliError> {
    results.take_in(|record| {
        collected::check(config, shard, &record)?;
        if schedule.finish(record.index) { Ok(()) } else { Err(collected::twice(&record)) }
    })
}

/// What runs are made with.
struct Running<'a> {
    stop: Arc<AtomicBool>,
    schedule: Schedule<'a>,
    results: ResultsFile,
    deadline: Deadline,
}

/// Has the runs made. How that ended, and what went wrong with it: what had been run counts all the same.
fn run(
    arguments: &Arguments,
    config: &SweepConfig,
    header: &Header,
    setup: Running<'_>,
    out: &OutDir,
) -> Result<(Ended, Pace, Result<(), CliError>), CliError> {
    let Running { stop, schedule, results, deadline } = setup;
    let sweep = &config.sweep;
    let orders = Orders {
        configuration: header.configuration.clone(),
        files: header.files.clone(),
        memory: arguments.memory.bytes,
    };
    let watcher = arguments.until_plateau.map(until_plateau);
    let before = match &watcher {
        Some(_) => recorded(results.path())?,
        None => Vec::new(),
    };
    let mut dispatcher = Dispatcher::new(Setup {
        sweep,
        shard: header.shard,
        schedule,
        results,
        status_files: StatusFiles::new(out)?,
        watcher,
        deadline,
        stop,
    });
    before.into_iter().for_each(|record| dispatcher.recall(record));
    let worked =
        WorkerPool::new(line(&orders), arguments.seed_timeout).work(&mut dispatcher, sweep.jobs);
    let (ended, pace) = dispatcher.close();
    Ok((ended, pace, worked))
}

/// Ends a sweep when so many runs in a row have shown nothing new.
fn until_plateau(patience: NonZeroU64) -> Watcher<'static> {
    let mut plateau = Plateau::new(patience.get());
    let mut places = 0..;
    Box::new(move |record| match places.next() {
        Some(place) => plateau.add(place, &record.reach),
        None => ControlFlow::Break(()),
    })
}

/// The records of a results file.
fn recorded(path: &std::path::Path) -> Result<Vec<Record>, CliError> {
    let mut records = Vec::new();
    results::read(path, |_, record| {
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

/// What a sweep is finished with.
struct Finish<'a> {
    out: &'a OutDir,
    deadline: &'a Deadline,
    experiments: &'a Experiments,
}

/// Makes the report of what the results file holds, and keeps failures.
fn conclude(
    config: &SweepConfig,
    header: &Header,
    (ended, pace): (Ended, Pace),
    finish: &Finish<'_>,
    troubles: &mut Troubles,
) -> Result<(Report, SweepReach), CliError> {
    let turns_end = match ended {
        Ended::Plateau { turns } => Some(turns),
        Ended::Finished | Ended::Budget | Ended::Interrupted | Ended::Partial | Ended::Broken => {
            None
        }
    };
    let Finish { out, deadline, experiments } = *finish;
    let mut collector = Collector::new(config, turns_end);
    collector.read(&out.path().join(results::FILE), 0)?;
    let collected = collector.finish();
    let groups = collected.groups();
    let (kept, keeping) =
        failure_store::keep(config, &collected, &groups, out, deadline, experiments);
    troubles.note(keeping);
    let reached = SweepReach::of(&config.sweep.scenarios, &collected.report);
    let report = Report::new(Source {
        config,
        reached: &reached,
        shard: header.shard,
        environment: header.environment.clone(),
        collected: &collected,
        groups: &groups,
        kept: &kept,
        ended,
        pace: Some(pace),
    });
    troubles.note(reach::keep(&reached, out));
    troubles.note(out.replace_json("report.json", &report));
    Ok((report, reached))
}

/// What is swept: told at once, before results are read that it may go on with.
fn announce(out: &mut Console, config: &SweepConfig, header: &Header) -> std::io::Result<()> {
    write_configuration(out, &header.configuration, Some(config.sweep.jobs))?;
    if header.shard != Shard::WHOLE {
        let all = config.sweep.runs();
        let (shard, runs) = (header.shard, count(header.shard.share(all)));
        writeln!(out, "shard          {shard}: {runs} of {} runs", count(all))?;
    }
    Ok(())
}

/// What is left of it, and where it is kept.
fn announce_schedule(
    out: &mut Console,
    schedule: &Schedule<'_>,
    dir: &OutDir,
) -> std::io::Result<()> {
    if schedule.done() > 0 {
        let (done, all) = (count(schedule.done()), count(schedule.all()));
        writeln!(out, "resumed        {done} of {all} runs are done")?;
    }
    writeln!(out, "kept in        {}", dir.path().display())?;
    writeln!(out)
}

/// What is swept, before what came of it.
pub fn write_configuration(
    out: &mut Console,
    configuration: &Configuration,
    workers: Option<usize>,
) -> std::io::Result<()> {
    let Configuration { scenarios, seeds, strategy, world, defects, twice, hash } = configuration;
    writeln!(out, "scenarios      {}", scenarios.join(", "))?;
    let twice = if *twice { ", each twice" } else { "" };
    writeln!(out, "seeds          {}..{}{twice}", seeds[0], seeds[1])?;
    writeln!(out, "strategy       {strategy}")?;
    match workers {
        Some(workers) => writeln!(out, "world          {world}, {workers} workers")?,
        None => writeln!(out, "world          {world}")?,
    }
    if !defects.is_empty() {
        let names: Vec<&str> = defects.iter().map(|defect| defect.name()).collect();
        writeln!(out, "defects        {}", names.join(", "))?;
    }
    writeln!(out, "configuration  {hash}")
}
