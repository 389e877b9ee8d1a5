//! `cutwater scenarios`: what there is to run.

use std::io::Write as _;

use clap::Args;
use serde::Serialize;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::out::json;
use super::table::{Align, Table};
use crate::explore::Registry;
use crate::plan::Scenario;
use crate::plan::limits::{self, Limit};
use crate::plan::scenario::Heading;

/// How to list them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Lists the numbers that scenarios and plans have instead, each with its range
    #[arg(long)]
    schema: bool,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    workload: &'a str,
    /// Whether a sweep runs it without being asked.
    in_sweep: bool,
    faults: Vec<String>,
    about: &'a str,
}

/// Lists the scenarios.
pub fn execute(arguments: &Arguments, registry: &Registry) -> Result<Exit, CliError> {
    if arguments.schema {
        return schema(arguments.json);
    }
    if arguments.json {
        let all = registry.scenario_names().into_iter().filter_map(|name| registry.scenario(name));
        let listed: Vec<Listed<'_>> = all.map(listed).collect();
        write!(Console::stdout(), "{}", json(&listed))?;
        return Ok(Exit::Held);
    }
    table(&registry.headings())
}

fn table(headings: &[Heading]) -> Result<Exit, CliError> {
    let mut table =
        Table::new(&[("scenario", Align::Left), ("workload", Align::Left), ("about", Align::Left)]);
    for heading in headings {
        table.row([&*heading.name, heading.workload(), &heading.about]);
    }
    let mut out = Console::stdout();
    write!(out, "{table}")?;
    let named: Vec<&str> =
        headings.iter().filter(|one| !one.in_sweep).map(|one| &*one.name).collect();
    if !named.is_empty() {
        writeln!(out, "\nonly run when named: {}", named.join(", "))?;
    }
    Ok(Exit::Held)
}

#[derive(Serialize)]
struct Number {
    name: &'static str,
    /// Which files have it: scenarios, plans, or both.
    files: String,
    min: u64,
    max: u64,
    unit: &'static str,
    about: &'static str,
}

impl From<&Limit> for Number {
    fn from(limit: &Limit) -> Self {
        let Limit { name, files, min, max, unit, about } = *limit;
        Self { name, files: files.to_string(), min, max, unit, about }
    }
}

/// What follows the table of numbers.
const SCHEMA_NOTE: &str = "
a scenario may give a range, [lowest, highest], wherever a seed draws the number
`checkpoints` of a scenario is `cluster.checkpoints` of a plan; `when` and `fault` are those of each of its faults";

fn schema(is_json: bool) -> Result<Exit, CliError> {
    let numbers: Vec<Number> = limits::ALL.into_iter().map(Number::from).collect();
    let mut out = Console::stdout();
    if is_json {
        write!(out, "{}", json(&numbers))?;
        return Ok(Exit::Held);
    }
    let mut table = Table::new(&[
        ("number", Align::Left),
        ("in", Align::Left),
        ("lowest", Align::Right),
        ("highest", Align::Right),
        ("unit", Align::Left),
        ("what it is", Align::Left),
    ]);
    for Number { name, files, min, max, unit, about } in numbers {
        table.row([name, &files, &min.to_string(), &max.to_string(), unit, about]);
    }
    write!(out, "{table}")?;
    writeln!(out, "{SCHEMA_NOTE}")?;
    Ok(Exit::Held)
}

fn listed(scenario: &Scenario) -> Listed<'_> {
    let enabled = scenario.faults.iter().filter(|(_, range)| range.max > 0);
    Listed {
        faults: enabled.map(|(class, _)| class.to_string()).collect(),
        name: &scenario.name,
        workload: &scenario.job.workload,
        in_sweep: scenario.in_sweep,
        about: &scenario.about,
    }
}
