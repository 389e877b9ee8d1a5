//! The worker processes of a sweep: started, given runs, listened to, replaced when one is lost.
//!
//! One thread decides; a thread for each worker only reads what it says. A worker that dies, or is
//! silent for too long, is the result of the run that it was at; what it had been given beyond that is
//! given to another.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use cutwater::explore::Record;
use cutwater::protocol::ordered::VecMap;

use super::super::clock::Stopwatch;
use super::super::error::CliError;
use super::desk::Desk;
use super::hand::{Hand, News, Word};
use super::messages::Answer;

/// How many runs a worker is given at a time, so that it need not wait for the next one.
const DEPTH_MAX: u64 = 4;

/// How many words of workers may wait to be heard.
const NEWS_MAX: usize = 1_024;

/// How often is looked for workers that are late, and for an interruption.
const PERIOD: Duration = Duration::from_millis(50);

/// The workers.
pub struct Crew {
    /// By number; each has a place, from 0, which it inherits from the one that it replaces.
    hands: VecMap<u64, (usize, Hand)>,
    started: u64,
    orders: Vec<u8>,
    limit: Duration,
    news: Receiver<News>,
    speak: SyncSender<News>,
    shown: Arc<AtomicU64>,
}

impl Crew {
    /// Nobody yet. Every worker is given these orders, and at most so long for a run.
    pub fn new(orders: Vec<u8>, limit: Duration) -> Self {
        let (speak, news) = sync_channel(NEWS_MAX);
        let (hands, shown) = (VecMap::new(), Arc::default());
        Self { hands, started: 0, orders, limit, news, speak, shown }
    }

    /// Has everything done that `desk` gives out, by `jobs` workers.
    ///
    /// # Errors
    ///
    /// When no worker can be started, one refuses to work, or a result cannot be written.
    pub fn work(&mut self, desk: &mut Desk<'_>, jobs: usize) -> Result<(), CliError> {
        let jobs = jobs.min(usize::try_from(desk.left()).unwrap_or(usize::MAX));
        for place in 0..jobs {
            self.hire(place)?;
        }
        let mut looked = Stopwatch::start();
        while !desk.is_interrupted() {
            self.hand_out(desk);
            if !self.hands.values().any(|(_, hand)| hand.is_busy()) {
                return Ok(());
            }
            match self.news.recv_timeout(PERIOD) {
                Ok(news) => self.handle_news(news, desk)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if looked.elapsed() >= PERIOD {
                looked = Stopwatch::start();
                for (_, hand) in self.hands.values_mut() {
                    hand.end_if_overdue(self.limit);
                }
            }
        }
        self.hear_out(desk)
    }

    fn hire(&mut self, place: usize) -> Result<(), CliError> {
        let number = self.started;
        let hand = Hand::start(number, &self.orders, &self.speak, &self.shown)?;
        self.started += 1;
        self.hands.insert(number, (place, hand));
        Ok(())
    }

    /// Gives runs to whoever has room. Towards the end each has only one, so that all end together.
    fn hand_out(&mut self, desk: &mut Desk<'_>) {
        let hands = self.hands.len().max(1) as u64;
        let depth = (desk.left() / hands).clamp(1, DEPTH_MAX) as usize;
        for (place, hand) in self.hands.values_mut() {
            while hand.has_room(depth) {
                let Some(index) = desk.take() else { return };
                let is_idle = hand.at().is_none();
                hand.give(index);
                if is_idle {
                    desk.begins(*place, index);
                }
            }
        }
    }

    fn handle_news(&mut self, news: News, desk: &mut Desk<'_>) -> Result<(), CliError> {
        let Some((place, hand)) = self.hands.get_mut(&news.worker) else { return Ok(()) };
        match news.word {
            Word::Answer(Answer::Ready) => hand.handle_ready(),
            Word::Answer(Answer::Ran(record)) => {
                if !hand.handle_ran(record.index) {
                    return Err(nonsense(&format!("run {}, which it was not at", record.index)));
                }
                if let Some(next) = hand.at() {
                    desk.begins(*place, next);
                }
                desk.add(*record)?;
            }
            Word::Answer(Answer::Refused(why)) => return Err(CliError::usage(why)),
            Word::Nonsense(what) => return Err(nonsense(&what)),
            Word::Gone => self.handle_gone(news.worker, desk)?,
        }
        Ok(())
    }

    /// A worker has died, or was killed: what it was at is a result, and the rest goes to another.
    fn handle_gone(&mut self, worker: u64, desk: &mut Desk<'_>) -> Result<(), CliError> {
        let Some((place, hand)) = self.hands.remove(&worker) else { return Ok(()) };
        let gone = hand.bury();
        if gone.is_stillborn {
            let (cause, details) = (gone.cause, gone.details);
            return Err(CliError::usage(format!("a worker did not start: {cause}: {details}")));
        }
        gone.unbegun.iter().for_each(|index| desk.give_back(*index));
        if let Some(index) = gone.at {
            let name = desk.name(index);
            desk.add(if gone.is_overdue {
                Record::hung(name, self.limit.as_millis())
            } else {
                Record::died(name, &gone.cause, &gone.details)
            })?;
        }
        if desk.left() > 0 { self.hire(place) } else { Ok(()) }
    }

    /// The sweep was interrupted: what has been said already still counts.
    fn hear_out(&mut self, desk: &mut Desk<'_>) -> Result<(), CliError> {
        while let Ok(News { word, .. }) = self.news.try_recv() {
            if let Word::Answer(Answer::Ran(record)) = word {
                desk.add(*record)?;
            }
        }
        Ok(())
    }
}

/// No worker outlives its crew.
impl Drop for Crew {
    fn drop(&mut self) {
        for (_, (_, mut hand)) in std::mem::take(&mut self.hands) {
            hand.close();
            hand.dismiss();
            drop(hand.bury());
        }
    }
}

fn nonsense(what: &str) -> CliError {
    CliError::usage(format!(
        "a worker answered what is no answer: {what}; a job must not write to standard output"
    ))
}
