//! Query 12, bids per bidder in windows of ten seconds.
//!
//! NEXMark's own query counts in *processing* time, whose windows depend on when a bid happens to be
//! processed, so that it has no right answer to compare with. This one counts in event time. Counting
//! commutes, and no bid is late, since each split is in order of time and the watermark is the least
//! of all splits'.

use serde::{Deserialize, Serialize};

use super::super::window::{Aggregate, Windows};
use super::super::{Experiment, Workload, WorkloadError, WorkloadSettings};
use super::generator::{Bid, Event};
use super::{Events, bid, events, query};
use crate::dataflow::{EncodedSink, JobBuilder};
use crate::protocol::ordered::VecMap;

pub(in super::super) const WORKLOAD: Workload = query(
    "nexmark-q12",
    "NEXMark query 12, in event time: bids per bidder and ten seconds; tumbling windows",
    build,
);

/// Milliseconds that a window spans.
const SIZE: i64 = 10_000;

/// How often somebody bid in a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct BidCount {
    /// When the window begins.
    window: i64,
    bidder: u64,
    bids: u64,
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
        .key_by(|bid| (window_of(bid), bid.bidder))
        .process("count", parallelism, |states| Windows::new(states, Count))
        .transactional_sink("bid-counts", parallelism, EncodedSink::new());
    job
}

/// The beginning of the window of `bid`.
fn window_of(bid: &Bid) -> i64 {
    bid.at - bid.at.rem_euclid(SIZE)
}

/// The bids of a bidder in a window.
#[derive(Clone)]
struct Count;

impl Aggregate for Count {
    type In = Bid;
    type Total = BidCount;
    type Out = BidCount;

    fn end(&self, bid: &Bid) -> i64 {
        window_of(bid) + SIZE
    }

    fn add(&self, total: Option<BidCount>, bid: Bid) -> BidCount {
        let bids = total.map_or(0, |total| total.bids) + 1;
        BidCount { window: window_of(&bid), bidder: bid.bidder, bids }
    }

    fn close(&self, total: BidCount) -> Vec<BidCount> {
        vec![total]
    }
}

/// What the query must give, event by event.
fn reference(events: &[Event]) -> Vec<BidCount> {
    let mut counts = VecMap::<(i64, u64), u64>::new();
    for event in events {
        if let Event::Bid(bid) = event {
            *counts.entry((bid.at / SIZE * SIZE, bid.bidder)).or_default() += 1;
        }
    }
    let count = |((window, bidder), bids)| BidCount { window, bidder, bids };
    counts.into_iter().map(count).collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::bid;
    use super::*;

    #[test]
    fn bids_are_counted_by_bidder_and_window() {
        let events = [bid(1, 7, 1, 0), bid(2, 7, 1, 9_999), bid(1, 8, 1, 10), bid(1, 7, 1, 10_000)];
        let shown: Vec<String> = reference(&events)
            .iter()
            .map(|count| format!("{}: {} x{}", count.window, count.bidder, count.bids))
            .collect();
        assert_eq!(shown, ["0: 7 x2", "0: 8 x1", "10000: 7 x1"]);
    }
}
