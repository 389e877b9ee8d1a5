//! `cutwater localise`: which event sealed the violation of a plan.

mod page;
mod plot;

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::arguments;
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::kept_plan::KeptPlan;
use super::out::{JsonTarget, new_file};
use super::signal;
use super::table::{count, whole};
use crate::explore::localise::{
    ContextLine, Estimate, Leap, Localisation, LocaliseError, Settings, localise,
};
use crate::explore::{Experiments, WorldKind};
use crate::plan::Plan;
use crate::protocol::VirtualTime;

/// What to look into.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The plan's file
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
    /// How many forks are run at each place; beside the steepest steps, four times as many
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    forks: u32,
    /// At how many places at first, spread evenly over the run
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    grid: u32,
    /// How many threads; all cores unless told otherwise
    #[arg(long, value_name = "N", value_parser = arguments::number_of_jobs)]
    jobs: Option<NonZeroUsize>,
    /// The world: only the kernel can be forked
    #[arg(long, default_value = "kernel", value_parser = arguments::world)]
    world: WorldKind,
    /// Writes what was found as JSON to a new file, or to standard output for `-`
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draws the probability over the run as SVG into a new file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Writes that and its figures as a page into a new file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Looks into it.
pub fn execute(arguments: Arguments, experiments: &Experiments) -> Result<Exit, CliError> {
    if arguments.world != WorldKind::Kernel {
        let message =
            format!("a run in the {} world cannot be forked: use kernel", arguments.world);
        return Err(CliError::usage(message));
    }
    let kept = KeptPlan::read(&arguments.plan)?;
    let prepared = kept.prepare(&arguments.plan, experiments)?;
    let (plan, path) = (kept.plan, arguments.plan.display().to_string());
    let json = arguments.json.as_deref().map(JsonTarget::open).transpose()?;
    let svg = arguments.svg.as_deref().map(|path| Ok((path, new_file(path)?)));
    let svg = svg.transpose().map_err(|error: CliError| error)?;
    let html = arguments.html.as_deref().map(|path| Ok((path, new_file(path)?)));
    let html = html.transpose().map_err(|error: CliError| error)?;
    let mut out = JsonTarget::console(json.as_ref());
    let Arguments { forks, grid, jobs, .. } = arguments;
    let settings = Settings { forks, grid, jobs: arguments::jobs(jobs) };
    let stop = signal::interruptible()?;
    let found = match localise(&plan, &prepared, &settings, &stop, |_| {}) {
        Ok(found) => found,
        Err(LocaliseError::Stopped) => return Ok(Exit::Interrupted),
        Err(error) => return Err(CliError::usage(format!("{path}: {error}"))),
    };
    tell(&mut out, &plan, &found)?;
    if let Some((path, mut file)) = svg {
        let picture = plot::picture(&plan, &found);
        file.write_all(picture.as_bytes()).map_err(|error| CliError::io(path, error))?;
        writeln!(out, "\nplot in {}", path.display())?;
    }
    if let Some((path, mut file)) = html {
        let page = page::page(&plan, &found);
        file.write_all(page.as_bytes()).map_err(|error| CliError::io(path, error))?;
        writeln!(out, "\npage in {}", path.display())?;
    }
    if let Some(json) = json {
        json.write(&found)?;
    }
    Ok(Exit::Held)
}

fn tell(out: &mut Console, plan: &Plan, found: &Localisation) -> io::Result<()> {
    let Localisation { violation, events, forks, estimates, leap } = found;
    writeln!(out, "localise     {}, seed {}: {violation}", plan.scenario, plan.seed)?;
    let (events, forks, places) = (count(*events), count(*forks), estimates.len());
    writeln!(out, "forks        {forks}, at {places} places of {events} events\n")?;
    writeln!(out, "   fork after event      time  violated  0 %{:>36}", "100 %")?;
    for estimate in estimates {
        let mark = if estimate.step == leap.after.step { ">>" } else { "  " };
        writeln!(out, "{mark}{}", row(estimate))?;
    }
    writeln!(
        out,
        "\n  █ share of forks with the same violation, ░ up to the end of its 95 % interval"
    )?;
    conclude(out, found)
}

/// How wide the bars are.
const BAR: usize = 40;

fn row(estimate: &Estimate) -> String {
    let Estimate { events, at_ns, probability, .. } = *estimate;
    let fork = format!("#{}", events.saturating_sub(1));
    let percent = format!("{:.0} %", probability * 100.0);
    let time = VirtualTime(at_ns).to_string();
    format!("{fork:>11}  {time:>13}  {percent:>8}  {}", bar(estimate)).trim_end().to_owned()
}

fn bar(estimate: &Estimate) -> String {
    let cells = |share: f64| usize::try_from(whole(share * BAR as f64)).unwrap_or(BAR);
    let full = cells(estimate.probability).min(BAR);
    let high = cells(estimate.high).clamp(full, BAR);
    format!("{}{}", "█".repeat(full), "░".repeat(high - full))
}

fn conclude(out: &mut Console, found: &Localisation) -> io::Result<()> {
    let leap = &found.leap;
    let share = |estimate: &Estimate| {
        format!(
            "{:.0} % [{:.0}, {:.0}]",
            estimate.probability * 100.0,
            estimate.low * 100.0,
            estimate.high * 100.0
        )
    };
    let (before, after) = (share(&leap.before), share(&leap.after));
    let events = place(leap);
    match leap.step.as_ref().filter(|_| leap.stands_out) {
        Some(step) => {
            writeln!(out, "\nsealed {events}: from {before} to {after}")?;
            writeln!(out, "{step}\n")?;
        }
        None => {
            writeln!(
                out,
                "\nno single step stands out; the steepest is {events}: from {before} to {after}\n"
            )?;
        }
    }
    for line in &leap.context {
        writeln!(out, "{}", context_row(line))?;
    }
    Ok(())
}

/// The events of the step that made the difference.
fn place(leap: &Leap) -> String {
    let (first, end) = (leap.before.events, leap.after.events);
    match end.saturating_sub(first) {
        0 => format!("after event #{}, in a step without events", first.saturating_sub(1)),
        1 => format!("by event #{first}"),
        _ => format!("by events #{first} to #{}", end - 1),
    }
}

fn context_row(line: &ContextLine) -> String {
    let mark = if line.is_sealing { ">>" } else { "  " };
    let (number, time) = (format!("#{}", line.number), VirtualTime(line.at_ns).to_string());
    format!("{mark}{number:>9}  {time:>13}  {:<13} {}", line.process, line.words)
}
