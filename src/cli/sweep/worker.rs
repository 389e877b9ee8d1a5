//! `cutwater worker-process`: a process that runs what a sweep tells it to. What kills it, the sweep
//! survives.

use std::io::{self, BufReader, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use clap::Args;

use super::super::error::CliError;
use super::super::exit::Exit;
use super::messages::{Answer, Orders, line, read_line};
use super::sweep_config::SweepConfig;
use crate::explore::{Experiments, Record};

/// It has none: its orders come by standard input.
#[derive(Debug, Args)]
pub struct Arguments {}

/// How many runs may wait.
const WAITING_MAX: usize = 64;

/// Runs what it is told to, until there is nothing more to read.
pub fn execute(_: &Arguments, experiments: &Experiments) -> Result<Exit, CliError> {
    // Who interrupts a sweep often signals all its processes: when to end is the sweep's decision, and
    // its end is the end of this process's input.
    ctrlc::set_handler(|| {})
        .map_err(|error| CliError::usage(format!("cannot handle signals: {error}")))?;
    let mut input = BufReader::new(io::stdin());
    let Some(orders) = read_line(&mut input)? else {
        return Err(CliError::usage("worker-process is started by sweep, and by nobody else"));
    };
    let orders: Orders = serde_json::from_slice(&orders)
        .map_err(|error| CliError::usage(format!("orders that make no sense: {error}")))?;
    limit_memory(orders.memory)?;
    let config =
        SweepConfig::of(&orders.configuration, &orders.files, 1, "orders", experiments.registry())?;
    let (sender, indices) = sync_channel(WAITING_MAX);
    thread::spawn(move || listen(input, &sender));
    work(&config, experiments, &indices)?;
    Ok(Exit::Held)
}

/// Takes in what is to be run, and ends the process when nobody can tell any more, whatever it is at.
fn listen(mut input: BufReader<io::Stdin>, sender: &SyncSender<u64>) {
    while let Ok(Some(line)) = read_line(&mut input) {
        let index = str::from_utf8(&line).ok().and_then(|text| text.parse().ok());
        match index {
            Some(index) if sender.send(index).is_ok() => {}
            Some(_) | None => break,
        }
    }
    std::process::exit(i32::from(Exit::Held.code()));
}

fn work(
    config: &SweepConfig,
    experiments: &Experiments,
    indices: &Receiver<u64>,
) -> io::Result<()> {
    let mut out = io::stdout().lock();
    say(&mut out, &Answer::Ready)?;
    for index in indices {
        let answer = answer(config, experiments, index);
        say(&mut out, &answer)?;
    }
    Ok(())
}

fn answer(config: &SweepConfig, experiments: &Experiments, index: u64) -> Answer {
    let sweep = &config.sweep;
    if index >= sweep.runs() {
        return Answer::Refused(format!("there is no run {index}"));
    }
    let ran = if config.twice {
        sweep.run_one_twice(experiments, index)
    } else {
        sweep.run_one(experiments, index)
    };
    match ran {
        Ok(Some(run)) => Answer::Ran(Box::new(run.record)),
        Ok(None) => Answer::Ran(Box::new(Record::no_plan(sweep.name(index)))),
        Err(error) => {
            let (scenario, seed) = sweep.place(index);
            let source = &config.sources[scenario];
            Answer::Refused(format!("seed {seed}: {}", source.locate(&error)))
        }
    }
}

fn say(out: &mut impl Write, answer: &Answer) -> io::Result<()> {
    out.write_all(&line(answer))?;
    out.flush()
}

/// An allocation beyond the limit fails, and ends this process instead of the machine.
#[cfg(unix)]
fn limit_memory(bytes: Option<u64>) -> Result<(), CliError> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Some(bytes) = bytes else { return Ok(()) };
    let maximum = getrlimit(Resource::As).maximum;
    let current = Some(maximum.map_or(bytes, |maximum| maximum.min(bytes)));
    setrlimit(Resource::As, Rlimit { current, maximum })
        .map_err(|error| CliError::usage(format!("--memory: {error}; say --memory none")))
}

#[cfg(not(unix))]
fn limit_memory(_: Option<u64>) -> Result<(), CliError> {
    Ok(())
}
