//! `cutwater workloads`: the jobs that scenarios can name.

use std::io::Write as _;

use clap::Args;
use serde::Serialize;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::out::json;
use super::table::{Align, Table, count};
use crate::explore::Registry;
use crate::workload::Workload;

/// How to list them.
#[derive(Debug, Args)]
pub struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    unit: &'a str,
    records_usual: u64,
    records_max: u64,
    single_split: bool,
    about: &'a str,
}

/// Lists the workloads.
pub fn execute(arguments: &Arguments, registry: &Registry) -> Result<Exit, CliError> {
    let mut out = Console::stdout();
    if arguments.json {
        let listed: Vec<Listed<'_>> = registry.workloads().map(listed).collect();
        write!(out, "{}", json(&listed))?;
        return Ok(Exit::Held);
    }
    let mut table = Table::new(&[
        ("workload", Align::Left),
        ("records", Align::Right),
        ("of", Align::Left),
        ("about", Align::Left),
    ]);
    for workload in registry.workloads() {
        let records = count(workload.records_usual);
        table.row([&*workload.name, &records, &*workload.unit, &*workload.about]);
    }
    write!(out, "{table}")?;
    Ok(Exit::Held)
}

fn listed(workload: &Workload) -> Listed<'_> {
    Listed {
        name: &workload.name,
        unit: &workload.unit,
        records_usual: workload.records_usual,
        records_max: workload.records_max,
        single_split: workload.single_split,
        about: &workload.about,
    }
}
