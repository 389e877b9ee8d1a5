//! What is swept: asked for by arguments, or as a results file says that it was.

use serde::{Deserialize, Serialize};

use super::super::arguments;
use super::super::environment::configuration_hash;
use super::super::error::CliError;
use super::super::scenario_source::ScenarioSource;
use crate::explore::{Registry, StrategyName, Sweep, WorldKind};
use crate::protocol::Defect;
use crate::protocol::ordered::VecMap;

/// Everything that decides the runs, as it is printed and written down before the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The hash of all that decides the runs, the content of the scenarios included.
    pub hash: String,
}

/// The content of the scenarios that are files, by the name that the user gave each.
pub type Files = VecMap<String, String>;

/// A sweep, with where its scenarios come from.
#[derive(Clone, Debug)]
pub struct SweepConfig {
    /// What to run.
    pub sweep: Sweep,
    /// Its scenarios, in the same order.
    pub sources: Vec<ScenarioSource>,
    /// Whether every seed is run twice.
    pub twice: bool,
}

impl SweepConfig {
    /// As it was written down.
    ///
    /// # Errors
    ///
    /// When this program has other scenarios under these names.
    pub fn of(
        configuration: &Configuration,
        files: &Files,
        jobs: usize,
        place: &str,
        registry: &Registry,
    ) -> Result<Self, CliError> {
        let source = |argument: &String| match files.get(argument) {
            Some(text) => ScenarioSource::of_text(argument, text.clone(), registry),
            None => ScenarioSource::registered(argument, registry),
        };
        let sources = configuration.scenarios.iter().map(source).collect::<Result<Vec<_>, _>>()?;
        let [start, end] = configuration.seeds;
        let sweep = Sweep {
            scenarios: sources.iter().map(|source| source.scenario.clone()).collect(),
            seeds: start..end,
            strategy: configuration.strategy,
            defects: arguments::defect_set(&configuration.defects),
            world: configuration.world,
            jobs,
        };
        let config = Self { sweep, sources, twice: configuration.twice };
        if start >= end || config.sources.is_empty() {
            return Err(CliError::usage(format!("{place}: it names no runs")));
        }
        let hash = config.configuration().hash;
        if hash != configuration.hash {
            let theirs = &configuration.hash;
            return Err(CliError::usage(format!(
                "{place}: its configuration is {theirs}, and what it names is {hash} to this \
                 program: its scenarios are others"
            )));
        }
        Ok(config)
    }

    /// As it is written down.
    pub fn configuration(&self) -> Configuration {
        let Sweep { scenarios, seeds, strategy, defects, world, .. } = &self.sweep;
        let defects = Vec::from(*defects);
        let deciding = format!("{scenarios:?} {seeds:?} {strategy} {defects:?} {world}");
        Configuration {
            scenarios: self.sources.iter().map(|source| source.argument.clone()).collect(),
            seeds: [seeds.start, seeds.end],
            strategy: *strategy,
            world: *world,
            defects,
            twice: self.twice,
            hash: configuration_hash(&deciding),
        }
    }

    /// The content of the scenarios that are files.
    pub fn files(&self) -> Files {
        let file = |source: &ScenarioSource| Some((source.argument.clone(), source.text.clone()?));
        self.sources.iter().filter_map(file).collect()
    }
}

impl Configuration {
    /// How `other` differs, in words; empty where it does not.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let names = |defects: &[Defect]| match defects {
            [] => "none".to_owned(),
            _ => defects.iter().map(|defect| defect.name()).collect::<Vec<_>>().join(", "),
        };
        let range = |[start, end]: [u64; 2]| format!("{start}..{end}");
        let told = [
            ("scenarios", self.scenarios.join(", "), other.scenarios.join(", ")),
            ("seeds", range(self.seeds), range(other.seeds)),
            ("strategy", self.strategy.to_string(), other.strategy.to_string()),
            ("world", self.world.to_string(), other.world.to_string()),
            ("defects", names(&self.defects), names(&other.defects)),
            ("each seed twice", self.twice.to_string(), other.twice.to_string()),
        ];
        let differing = told.into_iter().filter(|(_, one, two)| one != two);
        let mut said: Vec<String> =
            differing.map(|(what, one, two)| format!("{what}: {one}, not {two}")).collect();
        if said.is_empty() && self.hash != other.hash {
            let (one, two) = (&self.hash, &other.hash);
            said.push(format!("the content of a scenario: {one}, not {two}"));
        }
        said
    }
}
