//! `cutwater merge`: the results of shards, joined into the report of the whole sweep.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::junit::JunitTarget;
use super::out::{JsonTarget, new_file};
use super::sweep::report::page::page;
use super::sweep::report::{Ended, Report, Source};
use super::sweep::results::{self, Header};
use super::sweep::shard::Shard;
use super::sweep::sweep_config::SweepConfig;
use super::sweep::{Collected, Collector, found, write_configuration};
use super::table::count;
use crate::explore::Registry;
use crate::explore::reach::SweepReach;

/// What to join.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The results.jsonl of each shard, or the directory that it is in
    #[arg(value_name = "RESULTS", required = true)]
    results: Vec<PathBuf>,
    /// Reports what there is, though some of the runs are in none of the files
    #[arg(long)]
    partial: bool,
    /// Writes the report as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the report as JUnit XML to a new file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Writes the report as a page into a new file, with links to the views that the shards left
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Joins.
pub fn execute(arguments: &Arguments, registry: &Registry) -> Result<Exit, CliError> {
    let files: Vec<PathBuf> = arguments.results.iter().map(|path| results::named(path)).collect();
    let headers = headers(&files)?;
    let place = files[0].display().to_string();
    let first = &headers[0];
    let config = SweepConfig::of(&first.configuration, &first.files, 1, &place, registry)?;
    let mut collector = Collector::new(&config, None);
    let mut counts = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let before = collector.runs();
        collector.read(file, number)?;
        counts.push(collector.runs() - before);
    }
    let collected = collector.finish();
    let missing = missing(&config, &headers, &files, &counts);
    if !missing.is_empty() && !arguments.partial {
        let missing = missing.join("\n  ");
        return Err(CliError::usage(format!(
            "runs are missing:\n  {missing}\n  say --partial to report what there is"
        )));
    }
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    let junit = arguments.junit.as_deref().map(JunitTarget::open).transpose()?;
    let html = arguments.html.as_deref().map(|path| Ok((path, new_file(path)?)));
    let html = html.transpose().map_err(|error: CliError| error)?;
    let ended = if missing.is_empty() { Ended::Finished } else { Ended::Partial };
    let reached = SweepReach::of(&config.sweep.scenarios, &collected.report);
    let report = report((&config, &reached), first, &collected, &files, ended);
    let mut console = JsonTarget::console(json.as_ref());
    announce(&mut console, first, &files)?;
    write!(console, "{report}")?;
    if let Some(junit) = junit {
        junit.write(&report)?;
    }
    if let Some((path, mut file)) = html {
        let home = path.parent().unwrap_or(Path::new(""));
        let page = page(&report, &reached, home);
        file.write_all(page.as_bytes()).map_err(|error| CliError::io(path, error))?;
    }
    if let Some(json) = json {
        json.write(&report)?;
    }
    Ok(report.exit())
}

/// What each file is of: all of one sweep.
fn headers(files: &[PathBuf]) -> Result<Vec<Header>, CliError> {
    let headers = files.iter().map(|file| results::header(file));
    let headers = headers.collect::<Result<Vec<_>, _>>()?;
    for (header, file) in headers.iter().zip(files).skip(1) {
        let mut differences = headers[0].differences(header);
        let (one, other) = (headers[0].shard.of(), header.shard.of());
        if one != other {
            differences.push(format!("shards: {one}, not {other}"));
        }
        if !differences.is_empty() {
            let (first, file) = (files[0].display(), file.display());
            let differences = differences.join("\n  ");
            let message = format!("{first} and {file} are not of one sweep\n  {differences}");
            return Err(CliError::usage(message));
        }
    }
    Ok(headers)
}

/// Which runs are in none of the files: a line for each shard that lacks some.
fn missing(
    config: &SweepConfig,
    headers: &[Header],
    files: &[PathBuf],
    counts: &[u64],
) -> Vec<String> {
    let runs = config.sweep.runs();
    let all = headers[0].shard.of();
    let mut said = Vec::new();
    for index in 0..all {
        if said.len() == SAID_MAX {
            said.push("and more".to_owned());
            break;
        }
        let Ok(shard) = Shard::new(index, all) else { continue };
        let of_shard = || headers.iter().enumerate().filter(|(_, header)| header.shard == shard);
        let found: u64 = of_shard().map(|(file, _)| counts[file]).sum();
        let (share, lacking) = (shard.share(runs), shard.share(runs) - found);
        match of_shard().next() {
            None if share > 0 => said.push(format!("shard {shard}: no file of it, {share} runs")),
            Some((file, _)) if lacking > 0 => {
                let (file, lacking) = (files[file].display(), count(lacking));
                said.push(format!("shard {shard}: {lacking} of {} runs ({file})", count(share)));
            }
            None | Some(_) => {}
        }
    }
    said
}

/// How many shards are told of.
const SAID_MAX: usize = 20;

fn report(
    (config, reached): (&SweepConfig, &SweepReach),
    header: &Header,
    collected: &Collected,
    files: &[PathBuf],
    ended: Ended,
) -> Report {
    let groups = collected.groups();
    let kept = found(config, collected, files);
    Report::new(Source {
        config,
        reached,
        shard: Shard::WHOLE,
        environment: header.environment.clone(),
        collected,
        groups: &groups,
        kept: &kept,
        ended,
        pace: None,
    })
}

fn announce(out: &mut Console, header: &Header, files: &[PathBuf]) -> std::io::Result<()> {
    write_configuration(out, &header.configuration, None)?;
    let shards = header.shard.of();
    writeln!(out, "joined from    {} files of {shards} shards", files.len())?;
    writeln!(out)
}
