//! Where the runs of a sweep are given out, and their records come in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::super::clock::Deadline;
use super::super::error::CliError;
use super::super::progress::Progress;
use super::super::status_files::StatusFiles;
use super::in_order::{InOrder, Watcher};
use super::report::{Ended, Pace};
use super::results::ResultsFile;
use super::schedule::Schedule;
use super::shard::Shard;
use crate::explore::record::RunName;
use crate::explore::{Record, Sweep};

/// All that has to be known while runs come and go.
pub struct Dispatcher<'a> {
    sweep: &'a Sweep,
    shard: Shard,
    schedule: Schedule<'a>,
    results: ResultsFile,
    status_files: StatusFiles,
    progress: Progress,
    /// Ends the sweep when it has seen enough.
    in_order: Option<InOrder<'a>>,
    deadline: Deadline,
    stop: Arc<AtomicBool>,
    pace: Pace,
}

/// What a dispatcher is set up with.
pub struct Setup<'a> {
    /// What is swept.
    pub sweep: &'a Sweep,
    /// Which part of it.
    pub shard: Shard,
    /// What of it is done, and what is not.
    pub schedule: Schedule<'a>,
    /// Where records go.
    pub results: ResultsFile,
    /// Where it is told what is being run.
    pub status_files: StatusFiles,
    /// Sees every record in the order of turns, and may end the sweep.
    pub watcher: Option<Watcher<'a>>,
    /// When nothing more is given out.
    pub deadline: Deadline,
    /// Set when the sweep is interrupted.
    pub stop: Arc<AtomicBool>,
}

impl<'a> Dispatcher<'a> {
    /// Nothing is given out yet.
    pub fn new(setup: Setup<'a>) -> Self {
        let Setup { sweep, shard, schedule, results, status_files, watcher, deadline, stop } =
            setup;
        Self {
            progress: Progress::new(schedule.all(), schedule.done(), sweep.jobs),
            sweep,
            shard,
            schedule,
            results,
            status_files,
            in_order: watcher.map(InOrder::new),
            deadline,
            stop,
            pace: Pace { workers: sweep.jobs, ..Pace::default() },
        }
    }

    /// Lets the watcher see a record that was there before.
    pub fn recall(&mut self, record: Record) {
        self.watch(record);
    }

    /// Gives out the next run.
    pub fn take(&mut self) -> Option<u64> {
        self.look_at_the_clock();
        self.schedule.take()
    }

    fn look_at_the_clock(&mut self) {
        if self.deadline.is_over() {
            self.schedule.end();
        }
    }

    /// Whether runs will be given out, where so many are with workers.
    pub fn has_more(&mut self, with_workers: u64) -> bool {
        self.look_at_the_clock();
        !self.schedule.is_over() && self.left() > with_workers
    }

    /// Whether what is being run is to be given up: it had a moment to come to its end.
    pub fn is_late(&self) -> bool {
        const GRACE: Duration = Duration::from_millis(500);
        self.deadline.is_over_since(GRACE)
    }

    /// A run that was given out was not begun.
    pub fn give_back(&mut self, index: u64) {
        self.schedule.give_back(index);
    }

    /// How many runs there is no record of.
    pub fn left(&self) -> u64 {
        self.schedule.all() - self.schedule.done()
    }

    /// What a run is called.
    pub fn name(&self, index: u64) -> RunName {
        self.sweep.name(index)
    }

    /// The worker at `place` begins a run.
    pub fn begins(&mut self, place: usize, index: u64) {
        let (scenario, seed) = self.sweep.place(index);
        self.status_files.begin(place, &self.sweep.scenarios[scenario].name, seed);
    }

    /// A run is done: writes down what came of it.
    ///
    /// # Errors
    ///
    /// When that cannot be written.
    pub fn add(&mut self, record: Record) -> Result<(), CliError> {
        if !self.schedule.finish(record.index) {
            return Ok(());
        }
        self.results.append(&record)?;
        self.progress.add(record.statistics.virtual_ns, record.failure.is_none());
        self.pace.runs += 1;
        self.pace.events += record.statistics.events;
        self.pace.virtual_ns += record.statistics.virtual_ns;
        self.watch(record);
        Ok(())
    }

    fn watch(&mut self, record: Record) {
        let (sweep, shard) = (self.sweep, self.shard);
        let Some(in_order) = &mut self.in_order else { return };
        let has_turn = |turn| shard.has(sweep.at_turn(turn));
        in_order.add(sweep.turn_of(record.index), record, has_turn);
        if in_order.end().is_some() {
            self.schedule.end();
        }
    }

    /// Whether the sweep is to end at once.
    pub fn is_interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Nothing more comes in: how it ended, and how long it took.
    pub fn close(mut self) -> (Ended, Pace) {
        self.pace.seconds = self.progress.finish().as_secs_f64();
        let plateau = self.in_order.as_ref().and_then(InOrder::end);
        let ended = match plateau {
            Some(turns) => Ended::Plateau { turns },
            None if self.is_interrupted() && self.left() > 0 => Ended::Interrupted,
            None if self.deadline.is_over() && self.left() > 0 => Ended::Budget,
            None => Ended::Finished,
        };
        (ended, self.pace)
    }
}
