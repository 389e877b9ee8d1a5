//! `cutwater overhead`: what checkpoints cost, in virtual time.

use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::arguments;
use super::clock::Stopwatch;
use super::error::CliError;
use super::exit::Exit;
use super::out::JsonTarget;
use super::table::{Align, Table, count, whole};
use crate::explore::Experiments;
use crate::explore::overhead::{self, Case, Cost};
use crate::protocol::Protocol;

/// How to measure.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The seeds over which means are taken: they differ in the delays of links
    #[arg(long, value_name = "A..B", default_value = "0..3", value_parser = arguments::seeds)]
    seeds: Range<u64>,
    /// Writes the report as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What is written.
#[derive(Debug, Serialize)]
struct Report {
    /// Aligned barriers at one interval after another.
    intervals: Vec<Cost>,
    /// One protocol after another at the same interval.
    protocols: Vec<Cost>,
}

/// Measures.
pub fn execute(arguments: &Arguments) -> Result<Exit, CliError> {
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    let mut out = JsonTarget::console(json.as_ref());
    let plan = overhead::plan((Protocol::Aligned, 0), arguments.seeds.start);
    let records = count(plan.job.records.unwrap_or_default());
    let (job, seeds) = (&plan.job, &arguments.seeds);
    writeln!(
        out,
        "job    {} of {records} words, {} subtasks an operator, no faults, seeds {}..{}",
        job.workload, job.parallelism, seeds.start, seeds.end
    )?;
    if let Some(cost) = plan.cluster.cost {
        let (record, frozen) = (cost.record_ns / 1_000, cost.freeze_byte_ns);
        let store = plan.cluster.object_store;
        let (upload, byte) = (store.latency_us / 1_000, store.byte_ns);
        writeln!(
            out,
            "costs  {record} us a record, {frozen} ns a frozen byte, {upload} ms and {byte} ns a byte an upload\n"
        )?;
    }
    let clock = Stopwatch::start();
    let experiments = Experiments::new();
    let measure = |cases: &[Case]| {
        let costs = overhead::measure(&experiments, &arguments.seeds, cases);
        costs.map_err(|error| CliError::usage(error.to_string()))
    };
    let intervals = measure(&overhead::intervals())?;
    write!(out, "{}", by_interval(&intervals))?;
    let protocols = measure(&overhead::protocols())?;
    writeln!(out, "\nevery {} ms, protocol by protocol\n", overhead::COMPARED_MS)?;
    write!(out, "{}", by_protocol(&protocols))?;
    let seconds = clock.elapsed().as_secs_f64();
    writeln!(out, "\ntimes are virtual; measured in {seconds:.1} s")?;
    if let Some(json) = json {
        json.write(&Report { intervals, protocols })?;
    }
    Ok(Exit::Held)
}

fn by_interval(costs: &[Cost]) -> Table {
    table(("interval", Align::Right), costs, |cost| match cost.interval_ms {
        0 => "none".to_owned(),
        interval_ms => format!("{} ms", count(interval_ms)),
    })
}

fn by_protocol(costs: &[Cost]) -> Table {
    table(("protocol", Align::Left), costs, |cost| cost.protocol.to_string())
}

fn table(first: (&'static str, Align), costs: &[Cost], name: impl Fn(&Cost) -> String) -> Table {
    let right = |title| (title, Align::Right);
    let mut table = Table::new(&[
        first,
        right("time"),
        right("records/s"),
        right("overhead"),
        right("checkpoints"),
        right("each takes"),
        right("alignment"),
        right("blocked"),
        right("uploaded each"),
        right("in flight"),
    ]);
    for cost in costs {
        let time = format!("{:.0} ms", cost.virtual_ms);
        let rate = count(whole(cost.records_per_second));
        if cost.interval_ms == 0 {
            table.row([name(cost), time, rate]);
            continue;
        }
        table.row([
            name(cost),
            time,
            rate,
            format!("{:+.1} %", cost.overhead_percent),
            format!("{:.0}", cost.completed),
            format!("{:.1} ms", cost.checkpoint_ms),
            format!("{:.1} ms", cost.alignment_ms),
            format!("{:.1} %", cost.blocked_percent),
            format!("{} bytes", count(whole(cost.uploaded_bytes))),
            format!("{} records", count(whole(cost.in_flight))),
        ]);
    }
    table
}
