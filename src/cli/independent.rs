//! `cutwater independent`: what a failure leaves of checkpoints that nobody coordinates.

use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;

use clap::Args;

use super::arguments;
use super::clock::Stopwatch;
use super::error::CliError;
use super::exit::Exit;
use super::out::JsonTarget;
use super::table::{Align, Table};
use crate::independent::comparison::{Row, compare};

/// What to compare.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How many processes each operator has, one on each worker
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=20))]
    parallelism: u16,
    /// How many records each source reads in a second
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    rate: u16,
    /// The seeds that are taken together: they differ in the delays of links, and in when checkpoints are due
    #[arg(long, value_name = "A..B", default_value = "0..4", value_parser = arguments::seeds)]
    seeds: Range<u64>,
    /// Writes the rows as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Compares.
pub fn execute(arguments: &Arguments) -> Result<Exit, CliError> {
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    let mut out = JsonTarget::console(json.as_ref());
    let Arguments { parallelism, rate, seeds, .. } = arguments;
    writeln!(
        out,
        "jobs   a pipeline of 3 operators, and a join in a loop; {parallelism} processes an operator\n\
         input  {rate} records/s a source for 60 s, a failure after 48 s, seeds {}..{}\n\
         checkpoints  each process by itself, every 4 to 6 s, and before messages that force one\n",
        seeds.start, seeds.end
    )?;
    let clock = Stopwatch::start();
    let rows = compare(usize::from(*parallelism), u64::from(*rate), seeds);
    write!(out, "{}", table(&rows))?;
    for row in rows.iter().filter(|row| row.violated > 0) {
        let first = row.first.as_deref().unwrap_or_default();
        writeln!(out, "\n{}, {}: {first}", row.job, name(row))?;
    }
    let seconds = clock.elapsed().as_secs_f64();
    writeln!(out, "\ntimes are virtual; compared in {seconds:.1} s")?;
    if let Some(json) = json {
        json.write(&rows)?;
    }
    // A recovery graph with a hole in it is here to be found.
    let is_held = |row: &Row| row.skips_local_edges || row.violated == 0;
    Ok(if rows.iter().all(is_held) { Exit::Held } else { Exit::Violated })
}

fn name(row: &Row) -> String {
    match row.skips_local_edges {
        true => format!("{}, graph without local edges", row.scheme),
        false => row.scheme.to_string(),
    }
}

fn table(rows: &[Row]) -> Table {
    let right = |title| (title, Align::Right);
    let mut table = Table::new(&[
        ("job", Align::Left),
        ("checkpoints", Align::Left),
        right("taken"),
        right("forced : basic"),
        right("carried"),
        right("useless"),
        right("discarded"),
        right("begin anew"),
        right("rollback"),
        right("farthest"),
        right("wrong"),
    ]);
    for row in rows {
        let percent = |share: f64| format!("{share:.1} %");
        table.row([
            row.job.to_owned(),
            name(row),
            format!("{:.0}", row.checkpoints),
            format!("{:.2}", row.forced_per_basic),
            format!("{:.0} bytes", row.carried_bytes),
            percent(row.useless_percent),
            percent(row.discarded_percent),
            percent(row.from_nothing_percent),
            format!("{:.1} s", row.rollback_s),
            format!("{:.1} s", row.rollback_max_s),
            format!("{} runs", row.violated),
        ]);
    }
    table
}
