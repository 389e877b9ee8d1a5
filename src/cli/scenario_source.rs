//! Where a scenario comes from: built in, by name, or a file, by path.

use std::path::Path;

use super::arguments::unknown;
use super::error::CliError;
use super::locate;
use super::patience;
use crate::explore::{Experiments, Prepared, Registry};
use crate::plan::{self, Plan, Scenario, limits};
use crate::protocol::DefectSet;
use crate::workload::WorkloadError;

/// A scenario, and how the user named it.
#[derive(Clone, Debug)]
pub struct ScenarioSource {
    /// What the user said: a name or a path.
    pub argument: String,
    /// Whether it is a file.
    pub is_file: bool,
    /// The content of the file; none where it is built in.
    pub text: Option<String>,
    /// The scenario.
    pub scenario: Scenario,
}

impl ScenarioSource {
    /// The scenarios that a sweep runs when none is named.
    fn in_sweep(registry: &Registry) -> Result<Vec<Self>, CliError> {
        let sources: Vec<Self> = registry.in_sweep().into_iter().map(Self::known).collect();
        if sources.is_empty() {
            return Err(CliError::usage(
                "this program has no scenarios: no workload is registered",
            ));
        }
        Ok(sources)
    }

    fn known(scenario: Scenario) -> Self {
        Self { argument: scenario.name.to_string(), is_file: false, text: None, scenario }
    }

    fn find(name: &str, registry: &Registry) -> Option<Self> {
        registry.scenario(name).cloned().map(Self::known)
    }

    /// The scenario of this name, which is none of a file.
    pub fn registered(name: &str, registry: &Registry) -> Result<Self, CliError> {
        Self::find(name, registry)
            .ok_or_else(|| CliError::usage(format!("this program has no scenario {name:?}")))
    }

    /// The scenario that an argument names.
    pub fn named(argument: &str, registry: &Registry) -> Result<Self, CliError> {
        if let Some(source) = Self::find(argument, registry) {
            return Ok(source);
        }
        if argument.contains(['/', '\\']) || argument.ends_with(".toml") {
            return Self::read(argument, registry);
        }
        let message = unknown("scenario", argument, registry.scenario_names().into_iter());
        Err(CliError::usage(format!("{message}\n  or the path of a .toml file")))
    }

    /// The scenarios that the arguments name; those of a sweep where there is none.
    pub fn all_named(arguments: &[String], registry: &Registry) -> Result<Vec<Self>, CliError> {
        if arguments.is_empty() {
            return Self::in_sweep(registry);
        }
        let mut sources: Vec<Self> = Vec::new();
        for argument in arguments {
            let source = Self::named(argument, registry)?;
            if let Some(twin) =
                sources.iter().find(|known| known.scenario.name == source.scenario.name)
            {
                let message = format!(
                    "{:?} and {argument:?} are both named {:?}: name each scenario once",
                    twin.argument, source.scenario.name
                );
                return Err(CliError::usage(message));
            }
            sources.push(source);
        }
        Ok(sources)
    }

    fn read(path: &str, registry: &Registry) -> Result<Self, CliError> {
        let text = plan::file::read_bounded(Path::new(path))?;
        Self::of_text(path, text, registry)
    }

    /// The scenario of a file with this content; `path` is what the user called it.
    pub fn of_text(path: &str, text: String, registry: &Registry) -> Result<Self, CliError> {
        let scenario = Scenario::from_toml(path, &text)?;
        if let Err(unknown) = registry.workload(&scenario.job.workload) {
            return Err(locate::job(path, &WorkloadError::Unknown(unknown)));
        }
        Ok(Self { argument: path.to_owned(), is_file: true, text: Some(text), scenario })
    }

    /// Draws a few plans, so that a job that cannot be is told before anything is run or written.
    pub fn try_out(
        &self,
        experiments: &Experiments,
        seeds: impl Iterator<Item = u64>,
    ) -> Result<(), CliError> {
        const TRIED_MAX: usize = 64;
        for seed in seeds.take(TRIED_MAX) {
            let located = |error| self.locate(&error);
            let plan = experiments.draw(&self.scenario, seed, DefectSet::NONE).map_err(located)?;
            self.check(&plan, &experiments.prepare(&plan.job).map_err(located)?)?;
        }
        Ok(())
    }

    /// Refuses a plan that was drawn, and that could not be read again, or under which its job would be late.
    pub fn check(&self, plan: &Plan, prepared: &Prepared) -> Result<(), CliError> {
        let beyond = limits::check_plan(plan).err().map(|refusal| refusal.problem);
        let problem = beyond.or_else(|| patience::problem(plan, prepared));
        let Some(problem) = problem.map(|problem| format!("seed {}: {problem}", plan.seed)) else {
            return Ok(());
        };
        Err(if self.is_file {
            let fields = ["liveness_ms", "records", "[job]"];
            locate::first_field(&self.argument, &fields, problem)
        } else {
            CliError::usage(format!("scenario {}, {problem}", self.argument))
        })
    }

    /// What is wrong with the job of this scenario, with its place.
    pub fn locate(&self, error: &WorkloadError) -> CliError {
        if self.is_file {
            locate::job(&self.argument, error)
        } else {
            CliError::usage(format!("scenario {}: {error}", self.argument))
        }
    }
}
