//! `cutwater scenarios`: what is built in.

use std::io::Write as _;

use clap::Args;
use cutwater::plan::Scenario;
use cutwater::plan::scenario::{named, names};
use serde::Serialize;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::out::json;
use super::table::{Align, Table};

/// How to list them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    workload: &'static str,
    /// Whether a sweep runs it without being asked.
    in_sweep: bool,
    faults: Vec<String>,
    about: &'static str,
}

/// Lists the built-in scenarios.
pub fn execute(arguments: &Arguments) -> Result<Exit, CliError> {
    let listed: Vec<Listed> = names().filter_map(named).map(listed).collect();
    let mut out = Console::stdout();
    if arguments.json {
        write!(out, "{}", json(&listed))?;
        return Ok(Exit::Held);
    }
    let mut table =
        Table::new(&[("scenario", Align::Left), ("workload", Align::Left), ("about", Align::Left)]);
    let others: Vec<&str> = listed.iter().filter(|one| !one.in_sweep).map(|one| one.name).collect();
    for Listed { name, workload, about, .. } in &listed {
        table.row([*name, *workload, *about]);
    }
    write!(out, "{table}")?;
    if !others.is_empty() {
        writeln!(out, "\nonly run when named: {}", others.join(", "))?;
    }
    Ok(Exit::Held)
}

fn listed(scenario: &'static Scenario) -> Listed {
    let enabled = scenario.faults.iter().filter(|(_, range)| range.max > 0);
    Listed {
        faults: enabled.map(|(class, _)| class.to_string()).collect(),
        name: &scenario.name,
        workload: &scenario.job.workload,
        in_sweep: scenario.in_sweep,
        about: &scenario.about,
    }
}
