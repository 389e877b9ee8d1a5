//! What a sweep found, for people and for programs. It is made from results files alone, so that a sweep
//! that was resumed, or joined from shards, tells the same as one that was not.

pub mod page;
mod text;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use strum::IntoEnumIterator as _;

use super::super::environment::Environment;
use super::super::exit::Exit;
use super::super::failure::{self, Reproduction};
use super::super::view;
use super::collected::{Collected, Failed, Group};
use super::failure_store::Kept;
use super::shard::Shard;
use super::sweep_config::{Configuration, SweepConfig};
use crate::explore::reach::SweepReach;
use crate::explore::reach::summary::{Figures, Unmet};
use crate::explore::record::RunClass;
use crate::explore::report::{Unreached, unreached};
use crate::explore::sweep::ScenarioReport;
use crate::explore::{Signature, Statistics, StrategyName};
use crate::plan::{FaultClass, FaultFamily, Scenario};
use crate::protocol::ordered::VecMap;

/// A sweep, or what has been run of it.
#[derive(Serialize)]
pub struct Report {
    configuration: Configuration,
    /// Which part of the sweep it is.
    shard: Shard,
    environment: Environment,
    /// How long it took; none where it was joined from others.
    pace: Option<Pace>,
    ended: Ended,
    /// How many runs belong to it that there is no record of.
    missing: u64,
    exit_code: u8,
    scenarios: Vec<Row>,
    /// Enabled fault classes that never struck; empty where anything failed.
    unreached: Vec<Unreached>,
    /// Expectations that no run met; empty where anything failed.
    unmet: Vec<Unmet>,
    /// Cells that were reached, and that a rule calls impossible: the rule is wrong.
    contradictions: Vec<String>,
    /// Cells, points and expectations that were reached.
    reach: Figures,
    divergent: Vec<DivergentRun>,
    groups: Vec<GroupRow>,
    /// Every failure: group by group, in each the one with the fewest events first; up to a bound.
    failures: Vec<FailedRun>,
    #[serde(skip)]
    exit: Exit,
    #[serde(skip)]
    total: Statistics,
}

/// How a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Everything was run.
    Finished,
    /// Its time was over.
    Budget,
    /// It had seen enough.
    Plateau {
        /// After so many turns.
        turns: u64,
    },
    /// Somebody interrupted it.
    Interrupted,
    /// Something went wrong outside.
    Broken,
    /// It was joined from shards that have not run everything.
    Partial,
}

/// How fast it was: all that differs when a sweep is run again, or elsewhere.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Pace {
    /// How many processes ran it.
    pub workers: usize,
    /// How long it took.
    pub seconds: f64,
    /// How many runs were made in that time.
    pub runs: u64,
    /// Their events.
    pub events: u64,
    /// Their virtual time.
    pub virtual_ns: u64,
}

/// One scenario.
#[derive(Serialize)]
pub struct Row {
    name: String,
    seeds: u64,
    faults: VecMap<FaultClass, u64>,
    completed: u64,
    aborted: u64,
    restores: u64,
    records: u64,
    events: u64,
    virtual_seconds: f64,
    violated: u64,
    panicked: u64,
    died: u64,
    liveness: u64,
    hung: u64,
    not_owed: u64,
}

/// Failures of one signature.
#[derive(Serialize)]
struct GroupRow {
    signature: String,
    runs: usize,
    /// How many of them are listed.
    listed: usize,
}

/// One run that did not hold.
#[derive(Serialize)]
pub struct FailedRun {
    signature: String,
    scenario: String,
    seed: u64,
    events: u64,
    violated: String,
    command: String,
    /// Where it is kept, if it is.
    kept: Option<PathBuf>,
    /// Its view, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    view: Option<PathBuf>,
    /// Whether it can be run in this process, without harm to it.
    #[serde(skip)]
    is_harmless: bool,
}

/// One plan of which two runs differ.
#[derive(Serialize)]
struct DivergentRun {
    scenario: String,
    seed: u64,
    first: String,
    second: String,
    command: String,
    /// Where two more runs of it part.
    parting: Option<String>,
}

/// How many failures are listed of each signature.
const LISTED_MAX: usize = 1_000;

/// What a report is made of.
pub struct Source<'a> {
    /// What was swept.
    pub config: &'a SweepConfig,
    /// Which part of it.
    pub shard: Shard,
    /// By what.
    pub environment: Environment,
    /// What there is of it.
    pub collected: &'a Collected,
    /// What it reached.
    pub reached: &'a SweepReach,
    /// The failures by signature.
    pub groups: &'a [Group],
    /// Where failures are kept.
    pub kept: &'a Kept,
    /// How it ended.
    pub ended: Ended,
    /// How long it took.
    pub pace: Option<Pace>,
}

impl Report {
    /// Where the first failure is kept that this process can run again.
    pub fn first_to_shrink(&self) -> Option<&Path> {
        self.failures.iter().filter(|failed| failed.is_harmless).find_map(|f| f.kept.as_deref())
    }

    /// Makes the report.
    pub fn new(source: Source<'_>) -> Self {
        let Source { config, shard, collected, reached, groups, kept, ended, pace, .. } = &source;
        let sweep = &config.sweep;
        let class = collected.report.class();
        // What a scenario expects it expects of its own ranges, of which the exhaustive strategy draws nothing.
        let is_to_be_gated = class >= RunClass::NotOwed
            && !matches!(ended, Ended::Interrupted | Ended::Broken)
            && sweep.strategy != StrategyName::Exhaustive;
        let (unreached, unmet) = match is_to_be_gated {
            true => (unreached(&sweep.scenarios, &collected.report), reached.unmet()),
            false => (Vec::new(), Vec::new()),
        };
        let contradictions = reached.contradictions();
        let is_as_told = unreached.is_empty() && unmet.is_empty() && contradictions.is_empty();
        let exit = exit(*ended, collected, is_as_told);
        let mut total = Statistics::default();
        for scenario in &collected.report.scenarios {
            total.add(&scenario.statistics);
        }
        let scenarios = collected.report.scenarios.iter().zip(&sweep.scenarios);
        Self {
            configuration: config.configuration(),
            shard: *shard,
            missing: shard.share(sweep.runs()) - collected.runs,
            pace: *pace,
            ended: *ended,
            exit_code: exit.code(),
            scenarios: scenarios.map(|(report, scenario)| Row::of(report, scenario)).collect(),
            unreached,
            unmet,
            contradictions,
            reach: reached.figures(),
            divergent: divergent(config, collected),
            groups: groups.iter().map(GroupRow::of).collect(),
            failures: failures(config, collected, groups, kept),
            exit,
            total,
            environment: source.environment,
        }
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The scenarios.
    pub fn scenarios(&self) -> &[Row] {
        &self.scenarios
    }

    /// What is wrong with a scenario, beside its failures: a line for each.
    pub fn shortcomings(&self, scenario: &str) -> Vec<String> {
        let unreached = self.unreached.iter().filter(|missing| missing.scenario == scenario);
        let divergent = self.divergent.iter().filter(|run| run.scenario == scenario);
        let unreached = unreached.map(|missing| {
            let Unreached { class, expected, .. } = missing;
            format!("{class} never struck, with {expected} expected")
        });
        let unmet = self.unmet.iter().filter(|missing| missing.scenario == scenario);
        let unmet = unmet.map(|missing| {
            format!("{} never happened, in {} runs", missing.expectation, missing.runs)
        });
        unreached.chain(unmet).chain(divergent.map(DivergentRun::headline)).collect()
    }

    /// The failures that are listed of a scenario.
    pub fn failures_of(&self, scenario: &str) -> impl Iterator<Item = &FailedRun> {
        self.failures.iter().filter(move |failed| failed.scenario == scenario)
    }
}

fn exit(ended: Ended, collected: &Collected, is_as_told: bool) -> Exit {
    if ended == Ended::Interrupted {
        Exit::Interrupted
    } else if !collected.divergent.is_empty() {
        Exit::NotDeterministic
    } else if !is_as_told {
        Exit::Violated
    } else {
        match Exit::of_worst(collected.report.class()) {
            Exit::Held if ended == Ended::Broken => Exit::Outside,
            exit => exit,
        }
    }
}

impl Row {
    fn of(report: &ScenarioReport, scenario: &Scenario) -> Self {
        let statistics = &report.statistics;
        let is_enabled = |class| scenario.faults.get(&class).is_some_and(|range| range.max > 0);
        let faults = FaultClass::iter().map(|class| (class, statistics.struck(class)));
        let faults = faults.filter(|(class, struck)| *struck > 0 || is_enabled(*class));
        let of_class = |class| report.of_class(class);
        Self {
            name: report.name.clone(),
            seeds: report.seeds,
            faults: faults.collect(),
            completed: statistics.completed,
            aborted: statistics.aborted,
            restores: statistics.restores,
            records: statistics.records,
            events: statistics.events,
            virtual_seconds: Duration::from_nanos(statistics.virtual_ns).as_secs_f64(),
            violated: of_class(RunClass::Safety),
            panicked: of_class(RunClass::Panicked),
            died: of_class(RunClass::Died),
            liveness: of_class(RunClass::Liveness) + of_class(RunClass::Undecided),
            hung: of_class(RunClass::Hung),
            not_owed: of_class(RunClass::NotOwed),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many seeds were run.
    pub fn seeds(&self) -> u64 {
        self.seeds
    }

    /// How many did not hold, by how.
    pub fn failed(&self) -> [(u64, &'static str); 5] {
        [
            (self.violated, "violated"),
            (self.panicked, "panicked"),
            (self.died, "died"),
            (self.liveness, "liveness"),
            (self.hung, "hung"),
        ]
    }

    /// How many faults of a family struck; none where it is not enabled.
    fn struck(&self, family: FaultFamily) -> Option<u64> {
        let of_family = self.faults.iter().filter(|(class, _)| class.family() == family);
        of_family.map(|(_, struck)| *struck).reduce(|all, struck| all + struck)
    }
}

impl GroupRow {
    fn of(group: &Group) -> Self {
        let runs = group.members.len();
        let signature = group.signature.to_string();
        Self { signature, runs, listed: runs.min(LISTED_MAX) }
    }
}

impl FailedRun {
    /// The first line about it.
    pub fn headline(&self) -> &str {
        &self.violated
    }

    /// The command that shows it again.
    pub fn command(&self) -> &str {
        &self.command
    }

    /// What it has in common with others.
    pub fn signature(&self) -> &str {
        &self.signature
    }
}

impl DivergentRun {
    fn headline(&self) -> String {
        let Self { scenario, seed, first, second, .. } = self;
        format!("not deterministic ({scenario}, seed {seed}): {first}, then {second}")
    }
}

/// Each with the command that shows again that it is not deterministic.
fn divergent(config: &SweepConfig, collected: &Collected) -> Vec<DivergentRun> {
    let sweep = &config.sweep;
    let run = |divergent: &super::collected::Divergent| {
        let (scenario, seed) = sweep.place(divergent.index);
        let source = &config.sources[scenario];
        DivergentRun {
            scenario: source.scenario.name.to_string(),
            seed,
            first: divergent.first.clone(),
            second: divergent.second.digest.clone(),
            command: Reproduction::of(&source.argument, sweep).twice_command(seed),
            parting: divergent.second.parting.clone(),
        }
    };
    collected.divergent.iter().map(run).collect()
}

fn failures(
    config: &SweepConfig,
    collected: &Collected,
    groups: &[Group],
    kept: &Kept,
) -> Vec<FailedRun> {
    let listed = groups.iter().flat_map(|group| group.members.iter().take(LISTED_MAX));
    listed.map(|place| failed_run(config, &collected.failed[*place], kept)).collect()
}

fn failed_run(config: &SweepConfig, failed: &Failed, kept: &Kept) -> FailedRun {
    let sweep = &config.sweep;
    let (scenario, seed) = sweep.place(failed.index);
    let source = &config.sources[scenario];
    let kept = kept.get(&failed.index);
    let command = match kept {
        // The file may change; the plan does not.
        Some(kept) if source.is_file => {
            failure::replay_command(&kept.join("plan.json"), sweep.world)
        }
        Some(_) | None => Reproduction::of(&source.argument, sweep).run_command(seed),
    };
    FailedRun {
        signature: failed.failure.signature.to_string(),
        scenario: source.scenario.name.to_string(),
        seed,
        events: failed.events,
        violated: failed.failure.headline.clone(),
        command,
        kept: kept.cloned(),
        view: kept.map(|kept| kept.join(view::FILE)).filter(|view| view.is_file()),
        is_harmless: !matches!(failed.failure.signature, Signature::Died(_) | Signature::Hung),
    }
}
