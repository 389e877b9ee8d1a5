//! Query 7, highest bid: of every ten seconds, the bid with the highest price.
//!
//! Among bids of the same price the one with the lowest auction, then bidder, then time wins, so that
//! the order of arrival decides nothing. No bid is late, since each split is in order of time and the
//! watermark is the least of all splits'.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::super::window::{Aggregate, Windows};
use super::super::{Experiment, Workload, WorkloadError, WorkloadSettings};
use super::generator::{Bid, Event};
use super::{Events, bid, events, query};
use crate::dataflow::{EncodedSink, JobBuilder};
use crate::protocol::ordered::VecMap;

pub(in super::super) const WORKLOAD: Workload = query(
    "nexmark-q7",
    "NEXMark query 7: the highest bid of every ten seconds; tumbling windows",
    build,
);

/// Milliseconds that a window spans.
const SIZE: i64 = 10_000;

/// The highest bid of a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct HighestBid {
    /// When the window begins.
    window: i64,
    bid: Bid,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let (events, input) = events(settings);
    Experiment::new(&job(settings), input, &reference(&events))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    job.source("events", Events, parallelism, settings.splits)
        .flat_map("bids", parallelism, bid)
        .key_by(window_of)
        .process("highest", parallelism, |states| Windows::new(states, Highest))
        .transactional_sink("highest-bids", parallelism, EncodedSink::new());
    job
}

/// The beginning of the window of `bid`.
fn window_of(bid: &Bid) -> i64 {
    bid.at - bid.at.rem_euclid(SIZE)
}

/// The highest bid so far.
#[derive(Clone)]
struct Highest;

impl Aggregate for Highest {
    type In = Bid;
    type Total = Bid;
    type Out = HighestBid;

    fn end(&self, bid: &Bid) -> i64 {
        window_of(bid) + SIZE
    }

    fn add(&self, highest: Option<Bid>, bid: Bid) -> Bid {
        match highest {
            Some(highest) if surpasses(&highest, &bid) => highest,
            Some(_) | None => bid,
        }
    }

    fn close(&self, bid: Bid) -> Vec<HighestBid> {
        vec![HighestBid { window: window_of(&bid), bid }]
    }
}

/// Whether `one` has the higher price or, at the same price, comes first by auction, bidder and time.
fn surpasses(one: &Bid, other: &Bid) -> bool {
    one.price > other.price || (one.price == other.price && one < other)
}

/// What the query must give: all bids of each window, compared at once.
fn reference(events: &[Event]) -> Vec<HighestBid> {
    let mut windows = VecMap::<i64, Vec<&Bid>>::new();
    for event in events {
        if let Event::Bid(bid) = event {
            windows.entry(bid.at / SIZE * SIZE).or_default().push(bid);
        }
    }
    let mut highest = Vec::new();
    for (window, mut bids) in windows {
        bids.sort_by_key(|bid| (Reverse(bid.price), bid.auction, bid.bidder, bid.at));
        highest.push(HighestBid { window, bid: bids[0].clone() });
    }
    highest
}

#[cfg(test)]
mod tests {
    use super::super::samples::bid;
    use super::*;

    #[test]
    fn the_highest_price_wins_and_then_the_lowest_auction() {
        let events =
            [bid(5, 1, 300, 0), bid(4, 2, 700, 9_999), bid(3, 3, 700, 20), bid(1, 1, 100, 10_000)];
        let shown: Vec<String> = reference(&events)
            .iter()
            .map(|highest| {
                format!("{}: {} {}", highest.window, highest.bid.auction, highest.bid.price)
            })
            .collect();
        assert_eq!(shown, ["0: 3 700", "10000: 1 100"]);
    }

    /// Ties are rare in the input, so the job's own comparison is held against the reference here.
    #[test]
    fn the_job_finds_the_same_winner_in_every_order() {
        let bids = [(5, 1, 700, 3), (3, 9, 700, 4), (3, 2, 700, 8), (3, 2, 700, 6), (1, 1, 699, 0)];
        let bids = bids.map(|(auction, bidder, price, at)| Bid { auction, bidder, price, at });
        let winner = Bid { auction: 3, bidder: 2, price: 700, at: 6 };
        for turn in 0..bids.len() {
            let mut bids = bids.clone();
            bids.rotate_left(turn);
            let highest =
                bids.iter().cloned().fold(None, |highest, bid| Some(Highest.add(highest, bid)));
            assert_eq!(highest.as_ref(), Some(&winner));
            let events = bids.map(Event::Bid);
            assert_eq!(reference(&events), [HighestBid { window: 0, bid: winner.clone() }]);
        }
    }
}
