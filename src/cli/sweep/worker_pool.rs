//! The worker processes of a sweep: started, given runs, listened to, replaced when one is lost.
//!
//! One thread decides; a thread for each worker only reads what it says. A worker that dies, or is
//! silent for too long, is the result of the run that it was at; what it had been given beyond that is
//! given to another. A run whose worker was killed from outside is made once more.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use super::super::clock::Stopwatch;
use super::super::console::Console;
use super::super::error::CliError;
use super::dispatcher::Dispatcher;
use super::messages::Answer;
use super::worker_process::{News, Word, WorkerProcess};
use crate::explore::Record;
use crate::explore::record::RunName;
use crate::protocol::ordered::{VecMap, VecSet};

/// How many runs a worker is given at a time, so that it need not wait for the next one.
const DEPTH_MAX: u64 = 4;

/// How many words of workers may wait to be heard.
const NEWS_MAX: usize = 1_024;

/// How often is looked for workers that are late, and for an interruption.
const PERIOD: Duration = Duration::from_millis(50);

/// The workers.
pub struct WorkerPool {
    /// By number; each has a place, from 0, which it inherits from the one that it replaces.
    processes: VecMap<u64, (usize, WorkerProcess)>,
    started: u64,
    /// Whether the system has room for more of them.
    has_room: bool,
    /// Runs whose worker was killed, and which were given out again.
    made_again: VecSet<u64>,
    orders: Vec<u8>,
    limit: Duration,
    news: Receiver<News>,
    speak: SyncSender<News>,
    shown: Arc<AtomicU64>,
}

impl WorkerPool {
    /// Nobody yet. Every worker is given these orders, and at most so long for a run.
    pub fn new(orders: Vec<u8>, limit: Duration) -> Self {
        let (speak, news) = sync_channel(NEWS_MAX);
        let (processes, made_again, shown) = (VecMap::new(), VecSet::new(), Arc::default());
        Self {
            processes,
            started: 0,
            has_room: true,
            made_again,
            orders,
            limit,
            news,
            speak,
            shown,
        }
    }

    /// Has everything done that `dispatcher` gives out, by `jobs` workers.
    ///
    /// # Errors
    ///
    /// When no worker can be started, one refuses to work, or a result cannot be written.
    pub fn work(&mut self, dispatcher: &mut Dispatcher<'_>, jobs: usize) -> Result<(), CliError> {
        let mut looked = Stopwatch::start();
        while !dispatcher.is_interrupted() && !dispatcher.is_late() {
            self.hand_out(dispatcher);
            let has_started = self.start_one_more(dispatcher, jobs)?;
            if !has_started && !self.processes.values().any(|(_, process)| process.is_busy()) {
                return Ok(());
            }
            let patience = if has_started { Duration::ZERO } else { PERIOD };
            match self.news.recv_timeout(patience) {
                Ok(news) => self.handle_news(news, dispatcher)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if looked.elapsed() >= PERIOD {
                looked = Stopwatch::start();
                for (_, process) in self.processes.values_mut() {
                    process.end_if_overdue(self.limit);
                }
            }
        }
        self.drain(dispatcher)
    }

    /// Starts a worker, one at a time, where there is work for it. Whether it did.
    ///
    /// Where the system has no room for another one, those that there are do the work.
    fn start_one_more(
        &mut self,
        dispatcher: &mut Dispatcher<'_>,
        jobs: usize,
    ) -> Result<bool, CliError> {
        let taken: usize = self.processes.values().map(|(_, process)| process.taken()).sum();
        let has_work = dispatcher.has_more(u64::try_from(taken).unwrap_or(u64::MAX));
        if !has_work || !self.has_room || self.processes.len() >= jobs {
            return Ok(false);
        }
        match WorkerProcess::start(self.started, &self.orders, &self.speak, &self.shown) {
            Ok(process) => {
                self.processes.insert(self.started, (self.free_place(), process));
                self.started += 1;
                Ok(true)
            }
            Err(error) if self.processes.is_empty() => Err(error),
            Err(error) => {
                self.has_room = false;
                let workers = self.processes.len();
                Console::warn(&format!("{error}: the sweep goes on with {workers} workers"));
                Ok(false)
            }
        }
    }

    /// The first place that no worker has.
    fn free_place(&self) -> usize {
        let is_free = |place: &usize| self.processes.values().all(|(taken, _)| taken != place);
        (0..).find(is_free).unwrap_or_default()
    }

    /// Gives runs to whoever has room. Towards the end each has only one, so that all end together.
    fn hand_out(&mut self, dispatcher: &mut Dispatcher<'_>) {
        let processes = self.processes.len().max(1) as u64;
        let depth = (dispatcher.left() / processes).clamp(1, DEPTH_MAX) as usize;
        for (place, process) in self.processes.values_mut() {
            while process.has_room(depth) {
                let Some(index) = dispatcher.take() else { return };
                let is_idle = process.at().is_none();
                process.give(index);
                if is_idle {
                    dispatcher.begins(*place, index);
                }
            }
        }
    }

    fn handle_news(&mut self, news: News, dispatcher: &mut Dispatcher<'_>) -> Result<(), CliError> {
        let Some((place, process)) = self.processes.get_mut(&news.worker) else { return Ok(()) };
        match news.word {
            Word::Answer(Answer::Ready) => process.handle_ready(),
            Word::Answer(Answer::Ran(record)) => {
                if !process.handle_ran(record.index) {
                    return Err(nonsense(&format!("run {}, which it was not at", record.index)));
                }
                if let Some(next) = process.at() {
                    dispatcher.begins(*place, next);
                }
                dispatcher.add(*record)?;
            }
            Word::Answer(Answer::Refused(why)) => return Err(CliError::usage(why)),
            Word::Nonsense(what) => return Err(nonsense(&what)),
            Word::Gone => self.handle_gone(news.worker, dispatcher)?,
        }
        Ok(())
    }

    /// A worker has died: what it was at is a result, and the rest goes to another. Where it was killed from
    /// outside that is told, and what it was at is made once more: perhaps that had nothing to do with it.
    fn handle_gone(
        &mut self,
        worker: u64,
        dispatcher: &mut Dispatcher<'_>,
    ) -> Result<(), CliError> {
        let Some((_, process)) = self.processes.remove(&worker) else { return Ok(()) };
        let gone = process.reap();
        if gone.is_stillborn {
            let (cause, details) = (gone.cause, gone.details);
            return Err(CliError::usage(format!("a worker did not start: {cause}: {details}")));
        }
        gone.unbegun.iter().for_each(|index| dispatcher.give_back(*index));
        if let Some(index) = gone.at {
            let name = dispatcher.name(index);
            if gone.is_killed && self.made_again.insert(index) {
                let RunName { scenario, seed, .. } = name;
                let cause = gone.cause;
                Console::warn(&format!(
                    "a worker was killed ({cause}) at {scenario}, seed {seed}: that is run once more"
                ));
                dispatcher.give_back(index);
                return Ok(());
            }
            dispatcher.add(if gone.is_overdue {
                Record::hung(name, self.limit.as_millis())
            } else {
                Record::died(name, &gone.cause, &gone.details)
            })?;
        }
        Ok(())
    }

    /// The sweep was interrupted, or its time is over: what has been said already still counts.
    fn drain(&mut self, dispatcher: &mut Dispatcher<'_>) -> Result<(), CliError> {
        while let Ok(News { word, .. }) = self.news.try_recv() {
            if let Word::Answer(Answer::Ran(record)) = word {
                dispatcher.add(*record)?;
            }
        }
        Ok(())
    }
}

/// No worker outlives its pool.
impl Drop for WorkerPool {
    fn drop(&mut self) {
        for (_, process) in self.processes.values_mut() {
            process.close();
            process.dismiss();
        }
        for (_, (_, process)) in std::mem::take(&mut self.processes) {
            drop(process.reap());
        }
    }
}

fn nonsense(what: &str) -> CliError {
    CliError::usage(format!(
        "a worker answered what is no answer: {what}; a job must not write to standard output"
    ))
}
