//! The digests of two runs of every built-in scenario: what must be the same in every build.

use std::io::Write as _;

use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::locate;
use crate::explore::{Experiments, WorldKind, run_plan};
use crate::plan::scenario;
use crate::protocol::DefectSet;

/// The seeds of each scenario.
const SEEDS: [u64; 2] = [0, 1];

/// Prints them, a line each: scenario, seed, digest; by name.
pub fn print(experiments: &Experiments) -> Result<(), CliError> {
    let mut scenarios = scenario::built_in();
    scenarios.sort_by(|one, other| one.name.cmp(&other.name));
    let mut out = Console::stdout();
    for scenario in &scenarios {
        for seed in SEEDS {
            let refused = |error| locate::job(&scenario.name, &error);
            let plan = experiments.draw(scenario, seed, DefectSet::NONE).map_err(refused)?;
            let prepared = experiments.prepare(&plan.job).map_err(refused)?;
            let outcome = run_plan(&plan, &prepared, WorldKind::Kernel, ()).0;
            writeln!(out, "{} {seed} {}", scenario.name, outcome.digest)?;
        }
    }
    Ok(())
}
