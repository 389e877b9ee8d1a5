//! Runs cells, over all cores, and says what was wrong with them.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cutwater::explore::{Check, Prepared, Statistics, WorldKind, run_plan};
use cutwater::plan::Scenario;
use cutwater::protocol::DefectSet;
use cutwater::trace::{Event, Stamp};
use cutwater::workload::Experiment;
use cutwater::world::Observer;

use super::cells::{Cell, Hazard, with_buffers};

/// Where it is kept what a cell failed with.
const OUT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/matrix");

/// Where a cell has few seeds, how many it has at most until its fault strikes.
const STRIKE_SEEDS_MAX: u64 = 40;

/// One in so many seeds of a cell must be struck, at least.
const STRUCK_SHARE_MIN: u64 = 10;

/// From how many seeds on some rescale must have been refused, where refusals are due.
const REFUSAL_SEEDS_MIN: u64 = 50;

/// Why any job may refuse a rescale: it came too early or too late, or was none.
const HARMLESS: [&str; 3] = ["does not know the job yet", "has finished", "runs at parallelism"];

/// In which world, how many seeds of each cell, with which bugs.
#[derive(Clone, Copy)]
pub struct Settings {
    pub world: WorldKind,
    pub seeds: u64,
    pub defects: DefectSet,
}

/// What the runs of a cell did.
#[derive(Default)]
pub struct Tally {
    pub statistics: Statistics,
    runs: u64,
    /// Runs in which what the cell is about struck.
    pub struck: u64,
    /// How often a barrier cut within a record.
    pub cuts: u64,
    /// Why rescales were refused.
    refusals: Vec<String>,
}

/// What `Statistics` do not count.
#[derive(Default)]
struct Seen {
    refusals: Vec<String>,
    reshaped: u64,
    cuts: u64,
}

impl Observer for Seen {
    fn observe(&mut self, _: Stamp, event: &Event) -> ControlFlow<()> {
        match event {
            Event::RescaleRefused { reason, .. } => self.refusals.push(reason.clone()),
            Event::Reshaped { .. } => self.reshaped += 1,
            Event::RecordCut { .. } => self.cuts += 1,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// A cell with its job, and what its seeds draw from.
pub struct Work {
    pub cell: Cell,
    pub scenario: Scenario,
    pub experiment: Experiment,
}

impl Work {
    pub fn new(cell: Cell, experiment: Experiment) -> Self {
        Self { cell, scenario: cell.scenario(), experiment }
    }

    /// Runs all seeds, every other one with buffers, up to the first that does not hold; and more of them where so few were no chance for
    /// the fault to strike.
    fn run(&self, settings: Settings) -> Result<Tally, String> {
        let Settings { world, seeds, defects } = settings;
        let prepared = Prepared::new(self.experiment.clone());
        let checks = [self.scenario.clone(), with_buffers(self.scenario.clone())].map(|scenario| {
            let check = Check::of(self.experiment.clone()).expect("the job can be checked");
            let check = check.scenario(scenario).world(world).defects(defects);
            check.out(OUT).seeds_only().shrink_runs(0)
        });
        let mut tally = Tally::default();
        let mut seed = 0;
        while seed < seeds || tally.struck == 0 && seed < STRIKE_SEEDS_MAX {
            let check = &checks[usize::from(seed % 2 == 1)];
            let plan = check.plan(seed).map_err(|error| format!("{}: {error}", self.cell))?;
            let (outcome, seen) = run_plan(&plan, &prepared, world, Seen::default());
            if !outcome.is_held(&plan) {
                let failure = check.clone().seeds(seed..seed + 1).run().err();
                let told = failure.map_or_else(|| outcome.verdict.to_string(), |f| f.to_string());
                return Err(format!("{}: {told}", self.cell));
            }
            tally.add(self.cell.hazard, &outcome.statistics, seen.unwrap_or_default());
            seed += 1;
        }
        Ok(tally)
    }

    /// A cell whose fault never struck, or that never got to what it is about, proves nothing.
    fn judge(&self, tally: &Tally, settings: Settings) -> Option<String> {
        let cell = self.cell;
        if tally.struck == 0 || tally.struck < settings.seeds / STRUCK_SHARE_MIN {
            let Tally { struck, runs, .. } = tally;
            return Some(format!("{cell}: it struck in {struck} of {runs} seeds only"));
        }
        if tally.statistics.completed == 0 {
            return Some(format!("{cell}: no checkpoint was completed"));
        }
        (cell.hazard == Hazard::Rescale)
            .then(|| self.judge_rescale(tally, settings.seeds))
            .flatten()
    }

    fn judge_rescale(&self, tally: &Tally, seeds: u64) -> Option<String> {
        let due = self.cell.group.rescale_refusal();
        let is_due = |reason: &String| due.is_some_and(|due| reason.contains(due));
        let undue = |reason: &&String| {
            !is_due(reason) && !HARMLESS.iter().any(|harmless| reason.contains(harmless))
        };
        if let Some(reason) = tally.refusals.iter().find(undue) {
            return Some(format!("{}: a rescale was refused: {reason}", self.cell));
        }
        let is_missing = due.is_some() && !tally.refusals.iter().any(is_due);
        (is_missing && seeds >= REFUSAL_SEEDS_MIN)
            .then(|| format!("{}: no rescale was refused, {due:?} was due", self.cell))
    }
}

impl Tally {
    fn add(&mut self, hazard: Hazard, statistics: &Statistics, seen: Seen) {
        let struck = match hazard {
            Hazard::Fault(class) => statistics.struck(class),
            Hazard::Rescale => seen.reshaped,
        };
        self.runs += 1;
        self.struck += u64::from(struck > 0);
        self.cuts += seen.cuts;
        self.statistics.add(statistics);
        self.refusals.extend(seen.refusals);
    }
}

/// Runs all of it over all cores. Gives what each cell did, in order, or what was wrong with it.
pub fn run_all(work: &[Work], settings: Settings) -> Vec<Result<Tally, String>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let worker = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = work.get(number) else { return };
            let ran = one.run(settings).and_then(|tally| match one.judge(&tally, settings) {
                Some(complaint) => Err(complaint),
                None => Ok(tally),
            });
            done.lock().expect("no worker panics").push((number, ran));
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(worker);
        }
    });
    let mut done = done.into_inner().expect("no worker panics");
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, ran)| ran).collect()
}

/// How often the faults of each class struck, over all cells.
pub fn total(tallies: &[Tally]) -> Statistics {
    let mut total = Statistics::default();
    for tally in tallies {
        total.add(&tally.statistics);
    }
    total
}
