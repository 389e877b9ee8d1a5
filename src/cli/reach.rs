//! `cutwater reach`: what sweeps reached, what they missed, and what nobody can reach.

mod heat_map;
mod text;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::out::{JsonTarget, OutDir, new_file};
use super::sweep::Collector;
use super::sweep::results;
use super::sweep::sweep_config::SweepConfig;
use crate::explore::Registry;
use crate::explore::reach::{ReachDocument, SweepReach};

pub use heat_map::heat_map;

/// What to show.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Directories that sweeps made, or their reach.json or results.jsonl; several are added up
    #[arg(value_name = "RESULTS", required = true)]
    results: Vec<PathBuf>,
    /// Only these scenarios; may be given more than once
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// Writes it all as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draws the matrix into a new SVG file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// What sweeps leave of their reach.
const FILE: &str = "reach.json";
/// The same as a picture.
const PICTURE: &str = "reach.svg";

/// Shows what was reached.
pub fn execute(arguments: &Arguments, registry: &Registry) -> Result<Exit, CliError> {
    let mut reach = SweepReach::default();
    for path in &arguments.results {
        reach.add(&read(path, registry)?);
    }
    select(&mut reach, &arguments.scenarios)?;
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    if let Some(path) = &arguments.svg {
        let written = new_file(path)?.write_all(heat_map(&reach).as_bytes());
        written.map_err(|error| CliError::io(path, error))?;
    }
    let mut console = JsonTarget::console(json.as_ref());
    write!(console, "{}", text::Told(&reach))?;
    if let Some(json) = json {
        json.write(&ReachDocument::new(&reach))?;
    }
    Ok(Exit::Held)
}

/// Leaves what a sweep reached in its directory.
pub fn keep(reach: &SweepReach, out: &OutDir) -> Result<(), CliError> {
    out.replace_json(FILE, &ReachDocument::new(reach))?;
    out.replace(PICTURE, heat_map(reach))?;
    Ok(())
}

/// Reads what a sweep left; a sweep that was killed has its results at least.
fn read(path: &Path, registry: &Registry) -> Result<SweepReach, CliError> {
    let (mut file, results) = (path.to_owned(), path.join(results::FILE));
    if path.is_dir() {
        file = path.join(FILE);
        if !file.exists() && results.exists() {
            return of_results(results, registry);
        }
    } else if path.extension().is_some_and(|extension| extension == "jsonl") {
        return of_results(file, registry);
    }
    let text = fs::read_to_string(&file).map_err(|error| CliError::io(&file, error))?;
    let locate = |error| CliError::usage(format!("{}: {error}", file.display()));
    ReachDocument::read(&text).map_err(locate)
}

/// What the runs in a results file reached.
fn of_results(file: PathBuf, registry: &Registry) -> Result<SweepReach, CliError> {
    let header = results::header(&file)?;
    let place = file.display().to_string();
    let config = SweepConfig::of(&header.configuration, &header.files, 1, &place, registry)?;
    let mut collector = Collector::new(&config, None);
    collector.read(&file, 0)?;
    Ok(SweepReach::of(&config.sweep.scenarios, &collector.finish().report))
}

/// Leaves only these scenarios, if any are named.
fn select(reach: &mut SweepReach, names: &[String]) -> Result<(), CliError> {
    let known = |name: &String| reach.scenarios.iter().any(|scenario| scenario.name == **name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let names: Vec<&str> =
            reach.scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
        let message = format!("no scenario {unknown:?} was swept; there are {}", names.join(", "));
        return Err(CliError::usage(message));
    }
    if !names.is_empty() {
        reach.scenarios.retain(|scenario| names.iter().any(|name| scenario.name == *name));
    }
    Ok(())
}
