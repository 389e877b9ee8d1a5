//! What a sweep found, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use cutwater::explore::determinism::Divergent;
use cutwater::explore::reach::SweepReach;
use cutwater::explore::reach::summary::{Figures, Unmet};
use cutwater::explore::report::{Unreached, unreached};
use cutwater::explore::sweep::ScenarioReport;
use cutwater::explore::{Statistics, Sweep};
use cutwater::oracle::VerdictClass;
use cutwater::plan::{FaultClass, FaultFamily, Scenario};
use serde::Serialize;
use strum::IntoEnumIterator as _;

use super::super::environment::Environment;
use super::super::exit::Exit;
use super::super::failure::Reproduction;
use super::super::progress::{rate, ratio};
use super::super::scenario_source::ScenarioSource;
use super::super::table::{Align, Table, count};
use super::Configuration;
use super::runs::Done;

/// A finished or interrupted sweep.
#[derive(Serialize)]
pub struct Report {
    configuration: Configuration,
    environment: Environment,
    seconds: f64,
    is_interrupted: bool,
    exit_code: u8,
    scenarios: Vec<Row>,
    /// Enabled fault classes that never struck; empty where anything failed.
    unreached: Vec<Unreached>,
    /// Expectations that no run met; empty where anything failed.
    unmet: Vec<Unmet>,
    /// Cells, points and expectations that were reached.
    reach: Figures,
    /// With the command that shows it again.
    divergent: Vec<(Divergent, String)>,
    /// Where two runs of the first of them part.
    divergence: Option<String>,
    failures: Vec<Failed>,
    #[serde(skip)]
    exit: Exit,
    #[serde(skip)]
    total: Statistics,
}

/// One scenario.
#[derive(Serialize)]
struct Row {
    name: String,
    seeds: u64,
    faults: BTreeMap<FaultClass, u64>,
    completed: u64,
    aborted: u64,
    restores: u64,
    records: u64,
    events: u64,
    virtual_seconds: f64,
    violated: usize,
    panicked: usize,
    liveness: usize,
    not_owed: u64,
}

/// One run that did not hold.
#[derive(Serialize)]
struct Failed {
    violated: String,
    command: String,
    /// Where it is kept, if it is.
    kept: Option<String>,
}

impl Report {
    /// Makes the report.
    pub fn new(
        configuration: Configuration,
        environment: Environment,
        sweep: &Sweep,
        sources: &[ScenarioSource],
        reach: &SweepReach,
        done: Done,
    ) -> Self {
        let class = done.report.class();
        let (unreached, unmet) = match class {
            VerdictClass::Held if !done.is_interrupted => {
                (unreached(&sweep.scenarios, &done.report), reach.unmet())
            }
            _ => (Vec::new(), Vec::new()),
        };
        let exit = if done.is_interrupted {
            Exit::Interrupted
        } else if !done.divergent.is_empty() {
            Exit::NotDeterministic
        } else if !unreached.is_empty() || !unmet.is_empty() {
            Exit::Violated
        } else {
            Exit::of(class)
        };
        let mut total = Statistics::default();
        for scenario in &done.report.scenarios {
            total.add(&scenario.statistics);
        }
        Self {
            configuration,
            environment,
            seconds: done.elapsed.as_secs_f64(),
            is_interrupted: done.is_interrupted,
            exit_code: exit.code(),
            scenarios: rows(sweep, &done),
            unreached,
            unmet,
            reach: reach.figures(),
            failures: failures(sweep, sources, &done),
            divergent: twice_commands(sweep, sources, done.divergent),
            divergence: done.divergence,
            exit,
            total,
        }
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    fn seeds(&self) -> u64 {
        self.scenarios.iter().map(|row| row.seeds).sum()
    }

    fn table(&self) -> Table {
        let families: Vec<FaultFamily> = FaultFamily::iter()
            .filter(|family| self.scenarios.iter().any(|row| row.struck(*family).is_some()))
            .collect();
        let mut columns = vec![("scenario", Align::Left), ("seeds", Align::Right)];
        columns.extend(families.iter().map(|family| (family.into(), Align::Right)));
        columns.extend([
            ("completed", Align::Right),
            ("aborted", Align::Right),
            ("restores", Align::Right),
            ("records", Align::Right),
            ("verdict", Align::Left),
        ]);
        let mut table = Table::new(&columns);
        for row in &self.scenarios {
            let faults = families.iter().map(|family| row.struck(*family));
            let faults = faults.map(|number| number.map(count).unwrap_or_default());
            let counts = [row.completed, row.aborted, row.restores, row.records].map(count);
            let verdict = [row.verdict(&self.unreached, &self.unmet)];
            let head = [row.name.clone(), count(row.seeds)];
            table.row(head.into_iter().chain(faults).chain(counts).chain(verdict));
        }
        table
    }
}

fn rows(sweep: &Sweep, done: &Done) -> Vec<Row> {
    let scenarios = done.report.scenarios.iter().zip(&sweep.scenarios);
    scenarios.map(|(report, scenario)| Row::of(report, scenario)).collect()
}

impl Row {
    fn of(report: &ScenarioReport, scenario: &Scenario) -> Self {
        let classed = |wanted: &[VerdictClass]| {
            let classes = report.failures.iter().map(|failure| failure.verdict.class());
            classes.filter(|class| wanted.contains(class)).count()
        };
        let statistics = &report.statistics;
        let is_enabled = |class| scenario.faults.get(&class).is_some_and(|range| range.max > 0);
        let faults = FaultClass::iter().map(|class| (class, statistics.struck(class)));
        let faults = faults.filter(|(class, struck)| *struck > 0 || is_enabled(*class));
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
            violated: classed(&[VerdictClass::Safety]),
            panicked: classed(&[VerdictClass::Panicked]),
            liveness: classed(&[VerdictClass::Liveness, VerdictClass::Undecided]),
            not_owed: report.not_owed,
        }
    }

    /// How many faults of a family struck; none where it is not enabled.
    fn struck(&self, family: FaultFamily) -> Option<u64> {
        let of_family = self.faults.iter().filter(|(class, _)| class.family() == family);
        of_family.map(|(_, struck)| *struck).reduce(|all, struck| all + struck)
    }

    fn verdict(&self, unreached: &[Unreached], unmet: &[Unmet]) -> String {
        let mut said = Vec::new();
        let counted =
            [(self.violated, "violated"), (self.panicked, "panicked"), (self.liveness, "liveness")];
        for (number, what) in counted {
            if number > 0 {
                said.push(format!("{number} {what}"));
            }
        }
        for missing in unreached.iter().filter(|missing| missing.scenario == self.name) {
            said.push(format!("never {}", missing.class));
        }
        for missing in unmet.iter().filter(|missing| missing.scenario == self.name) {
            said.push(format!("never {}", missing.expectation));
        }
        match (said.is_empty(), self.seeds) {
            (true, 0) => "not run".to_owned(),
            (true, _) if self.not_owed > 0 => format!("held, {} not owed", self.not_owed),
            (true, _) => "held".to_owned(),
            (false, _) => said.join(", "),
        }
    }
}

/// Each with the command that shows again that it is not deterministic.
fn twice_commands(
    sweep: &Sweep,
    sources: &[ScenarioSource],
    divergent: Vec<Divergent>,
) -> Vec<(Divergent, String)> {
    let command = |divergent: Divergent| {
        let source = sources.iter().find(|source| source.scenario.name == divergent.scenario);
        let argument = source.map_or(divergent.scenario.as_str(), |source| &source.argument);
        let command = Reproduction::of(argument, sweep).twice_command(divergent.seed);
        (divergent, command)
    };
    divergent.into_iter().map(command).collect()
}

/// Kept failures come with their words; the others with a command at least.
fn failures(sweep: &Sweep, sources: &[ScenarioSource], done: &Done) -> Vec<Failed> {
    let mut failed = Vec::new();
    let seeds = sweep.seeds.end - sweep.seeds.start;
    for (place, scenario) in (0_u64..).zip(&done.report.scenarios) {
        let source = &sources[place as usize];
        for failure in &scenario.failures {
            let index = place * seeds + (failure.seed - sweep.seeds.start);
            failed.push(match done.kept.get(&index) {
                Some(kept) => Failed {
                    violated: kept.headline.clone(),
                    command: kept.command.clone(),
                    kept: Some(kept.path.display().to_string()),
                },
                None => Failed {
                    violated: failure.verdict.to_string(),
                    command: Reproduction::of(&source.argument, sweep).run_command(failure.seed),
                    kept: None,
                },
            });
        }
    }
    failed
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table())?;
        let elapsed = Duration::from_secs_f64(self.seconds);
        writeln!(
            f,
            "\n{} seeds in {:.1} s: {} seeds/s, {} events/s, simulated : wall {} : 1",
            count(self.seeds()),
            self.seconds,
            rate(self.seeds(), elapsed),
            rate(self.total.events, elapsed),
            ratio(self.total.virtual_ns, elapsed),
        )?;
        writeln!(f, "reach  {}", self.reach)?;
        for failed in self.failures.iter().filter(|failed| failed.kept.is_some()) {
            writeln!(f, "\n{}\n{}", failed.violated, failed.command)?;
            if let Some(kept) = &failed.kept {
                writeln!(f, "kept in {kept}")?;
            }
        }
        let unkept = self.failures.iter().filter(|failed| failed.kept.is_none()).count();
        if unkept > 0 {
            writeln!(f, "\n{} more failures are counted, and not kept", count(unkept as u64))?;
        }
        for missing in &self.unreached {
            let Unreached { scenario, class, expected } = missing;
            writeln!(f, "\n{scenario}: {class} never struck, with {expected} expected")?;
        }
        for missing in &self.unmet {
            let Unmet { scenario, expectation, runs } = missing;
            writeln!(f, "\n{scenario}: {expectation} never happened, in {} runs", count(*runs))?;
        }
        for (Divergent { scenario, seed, first, second }, command) in &self.divergent {
            writeln!(f, "\nnot deterministic ({scenario}, seed {seed}): {first}, then {second}")?;
            writeln!(f, "{command}")?;
        }
        if let Some(divergence) = &self.divergence {
            write!(f, "{divergence}")?;
        }
        if self.is_interrupted {
            writeln!(f, "\ninterrupted: the table shows what had been run")?;
        }
        Ok(())
    }
}
