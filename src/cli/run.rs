//! `cutwater run`: one seed of a scenario, told in full.

use std::str::FromStr;

use clap::Args;

use super::arguments;
use super::error::CliError;
use super::exit::Exit;
use super::failure::Reproduction;
use super::run_report::{Files, RunReport};
use super::scenario_source::ScenarioSource;
use crate::explore::{Experiments, Registry, StrategyName, WorldKind, strategy};
use crate::plan::limits::LIVENESS_MS;
use crate::plan::{Fault, FaultClass, Plan, PlannedFault, Scenario, Setting, Span, When};
use crate::protocol::{Defect, ProcessId};

/// What to run.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The name of a scenario, or the path of a .toml file
    scenario: String,
    /// The seed
    #[arg(long, value_name = "N")]
    seed: u64,
    /// How plans are chosen: random, swarm, aimed, pct or exhaustive
    #[arg(long, default_value_t, value_name = "NAME", value_parser = arguments::strategy)]
    strategy: StrategyName,
    /// The world: kernel or madsim
    #[arg(long, default_value = "kernel", value_parser = arguments::world)]
    world: WorldKind,
    /// Switches a seeded defect on; may be given more than once
    #[arg(long = "defect", value_name = "NAME", value_parser = arguments::defect)]
    defects: Vec<Defect>,
    /// How many records, or `all` of the input, in place of what the scenario says
    #[arg(long, value_name = "N|all")]
    records: Option<Records>,
    /// Subtasks of each operator that may have several, in place of what the scenario says
    #[arg(long, value_name = "N")]
    parallelism: Option<u16>,
    /// So many crashes of workers, spread evenly, in place of those that the scenario says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    crashes: Option<u64>,
    /// Until when faults strike, in virtual milliseconds; otherwise what the scenario says, or half a
    /// second for each of the crashes
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    faults_until: Option<u64>,
    #[command(flatten)]
    files: Files,
}

/// How many records of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Records {
    All,
    First(u64),
}

impl FromStr for Records {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            number => number
                .replace('_', "")
                .parse()
                .map(Self::First)
                .map_err(|error| format!("{error}; expected a number, or all")),
        }
    }
}

/// How much time each crash is given where nothing else is said.
const CRASH_MS: u64 = 500;

/// Runs it.
pub fn execute(arguments: Arguments, experiments: &Experiments) -> Result<Exit, CliError> {
    let source = ScenarioSource::named(&arguments.scenario, experiments.registry())?;
    let scenario = arguments.adapted(&source.scenario, experiments.registry())?;
    let defects = arguments::defect_set(&arguments.defects);
    let plan = strategy(arguments.strategy)
        .plan(&scenario, arguments.seed, defects, experiments)
        .map_err(|error| source.locate(&error))?
        .ok_or_else(|| arguments.beyond())?;
    let prepared = experiments.prepare(&plan.job).map_err(|error| source.locate(&error))?;
    let entries: u64 = prepared.experiment.input.lengths().iter().sum();
    let mut plan = arguments.with_time(plan, entries);
    if let Some(crashes) = arguments.crashes {
        plan.faults.extend(even_crashes(&plan, crashes, scenario.nemesis.window_ms));
    }
    source.check(&plan, &prepared)?;
    let command = (scenario == source.scenario && !source.is_file)
        .then(|| arguments.reproduction(&source.argument).run_command(arguments.seed));
    let report = RunReport { plan: &plan, prepared: &prepared, world: arguments.world, command };
    let (exit, _) = report.tell(&arguments.files, "run")?;
    Ok(exit)
}

impl Arguments {
    fn reproduction<'a>(&self, scenario: &'a str) -> Reproduction<'a> {
        let (strategy, world) = (self.strategy, self.world);
        Reproduction { scenario, strategy, defects: arguments::defect_set(&self.defects), world }
    }

    /// The strategy has fewer plans than the number asked for.
    fn beyond(&self) -> CliError {
        let Self { scenario, seed, strategy, .. } = self;
        CliError::usage(format!("the {strategy} plans of {scenario} end before number {seed}"))
    }

    /// The scenario with what the arguments say in its place.
    fn adapted(&self, scenario: &Scenario, registry: &Registry) -> Result<Scenario, CliError> {
        let mut scenario = scenario.clone();
        let just = |number| Span { min: number, max: number };
        let workload = registry
            .workload(&scenario.job.workload)
            .map_err(|error| CliError::usage(error.to_string()))?;
        match self.records {
            None => {}
            Some(Records::All) => scenario.job.records = None,
            Some(Records::First(records)) => scenario.job.records = Some(just(records)),
        }
        if let Some(parallelism) = self.parallelism {
            let parallelism = u64::from(parallelism);
            scenario.job.parallelism = just(parallelism);
            if !workload.single_split {
                let splits = scenario.job.splits;
                let at_least = |number: u64| number.max(parallelism);
                scenario.job.splits = Span { min: at_least(splits.min), max: at_least(splits.max) };
            }
        }
        // What is asked for is not varied.
        let said = [
            (self.records.is_some(), Setting::Records),
            (self.parallelism.is_some(), Setting::Parallelism),
            (self.parallelism.is_some(), Setting::Splits),
            (self.crashes.is_some(), Setting::Faults),
            (self.faults_until.is_some(), Setting::Nemesis),
        ];
        let said = said.into_iter().filter(|(is_said, _)| *is_said);
        scenario.swarm.pinned.extend(said.map(|(_, setting)| setting));
        if self.crashes.is_some() {
            scenario.faults.remove(&FaultClass::CrashWorker);
        }
        let for_crashes = self.crashes.map(|crashes| crashes.saturating_mul(CRASH_MS));
        if let Some(until) = self.faults_until.or(for_crashes) {
            let window = &mut scenario.nemesis.window_ms;
            *window = Span { min: window.min.min(until), max: until };
        }
        Ok(scenario)
    }

    /// A longer input may take longer: reading it once more is granted on top.
    fn with_time(&self, mut plan: Plan, entries: u64) -> Plan {
        if self.records.is_some() {
            let reading_ms = entries.saturating_mul(plan.cluster.source_interval_us) / 1_000;
            plan.liveness_ms = LIVENESS_MS.clamp(plan.liveness_ms.saturating_add(reading_ms));
        }
        plan
    }
}

/// Crashes spread evenly over a time, of one worker after the other; each is back before the next.
fn even_crashes(plan: &Plan, crashes: u64, window_ms: Span) -> Vec<PlannedFault> {
    let healthy = (0..plan.cluster.workers).map(ProcessId::Worker);
    let healthy: Vec<ProcessId> = healthy.filter(|worker| !plan.lost.contains(worker)).collect();
    let spacing_us = (window_ms.max - window_ms.min) * 1_000 / crashes.max(1);
    let crash = |(number, process): (u64, &ProcessId)| PlannedFault {
        when: When::At { us: window_ms.min * 1_000 + number * spacing_us },
        fault: Fault::Crash { process: Some(*process), restart_after_us: Some(spacing_us / 4) },
    };
    (0..crashes).zip(healthy.iter().cycle()).map(crash).collect()
}
