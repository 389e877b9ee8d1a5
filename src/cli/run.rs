//! `cutwater run`: one seed of a scenario, told in full.

use std::str::FromStr;

use clap::Args;
use cutwater::explore::{Experiments, WorldKind};
use cutwater::plan::{FaultClass, Plan, Scenario, Span};
use cutwater::protocol::Defect;
use cutwater::workload;

use super::arguments;
use super::error::CliError;
use super::exit::Exit;
use super::failure;
use super::scenario_source::ScenarioSource;
use super::telling::{Files, Telling};

/// What to run.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The name of a built-in scenario, or the path of a .toml file
    scenario: String,
    /// The seed
    #[arg(long, value_name = "N")]
    seed: u64,
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
    /// How many crashes of workers, in place of what the scenario says
    #[arg(long, value_name = "N")]
    crashes: Option<u64>,
    /// Until when faults strike, in virtual milliseconds, in place of what the scenario says
    #[arg(long, value_name = "MS")]
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

/// Runs it.
pub fn execute(arguments: Arguments) -> Result<Exit, CliError> {
    let source = ScenarioSource::named(&arguments.scenario)?;
    let scenario = arguments.adapted(&source.scenario)?;
    let experiments = Experiments::new();
    let defects = arguments::defect_set(&arguments.defects);
    let plan = experiments
        .draw(&scenario, arguments.seed, defects)
        .map_err(|error| source.blame(&error))?;
    let prepared = experiments.prepare(&plan.job).map_err(|error| source.blame(&error))?;
    let entries: u64 = prepared.experiment.input.lengths().iter().sum();
    let plan = arguments.with_time(plan, entries);
    let command = (scenario == source.scenario && !source.is_file)
        .then(|| failure::run_command(&source.argument, plan.seed, plan.defects, arguments.world));
    let telling = Telling { plan: &plan, prepared: &prepared, world: arguments.world, command };
    let (exit, _) = telling.tell(&arguments.files, "run")?;
    Ok(exit)
}

impl Arguments {
    /// The scenario with what the arguments say in its place.
    fn adapted(&self, scenario: &Scenario) -> Result<Scenario, CliError> {
        let mut scenario = scenario.clone();
        let just = |number| Span { min: number, max: number };
        let workload = workload::named(&scenario.job.workload)
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
        if let Some(crashes) = self.crashes {
            scenario.faults.insert(FaultClass::CrashWorker, just(crashes));
        }
        if let Some(until) = self.faults_until {
            let window = &mut scenario.nemesis.window_ms;
            *window = Span { min: window.min.min(until), max: until };
        }
        Ok(scenario)
    }

    /// A longer input may take longer: reading it once more is granted on top.
    fn with_time(&self, mut plan: Plan, entries: u64) -> Plan {
        if self.records.is_some() {
            plan.liveness_ms += entries.saturating_mul(plan.cluster.source_interval_us) / 1_000;
        }
        plan
    }
}
