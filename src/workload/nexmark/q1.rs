//! Query 1, currency conversion: every bid's price in euros.
//!
//! The output is a multiset whatever the order, since each bid gives one output that depends on it alone.

use serde::{Deserialize, Serialize};

use super::super::{Experiment, Workload, WorkloadError, WorkloadSettings};
use super::generator::{Bid, Event};
use super::{Events, bid, events, query};
use crate::dataflow::{EncodedSink, JobBuilder};

pub(in super::super) const WORKLOAD: Workload =
    query("nexmark-q1", "NEXMark query 1: every bid converted to euros; stateless", build);

/// NEXMark's rate is 0.908 euros to the dollar; here in thousandths, so that no float is in the way.
const EUROS_PER_1000_DOLLARS: u64 = 908;

/// A bid in euros.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct EuroBid {
    auction: u64,
    bidder: u64,
    /// In cents, rounded down.
    price: u64,
    at: i64,
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
        .map("convert", parallelism, converted)
        .transactional_sink("converted", parallelism, EncodedSink::new());
    job
}

fn converted(bid: Bid) -> EuroBid {
    let Bid { auction, bidder, price, at } = bid;
    EuroBid { auction, bidder, price: price * EUROS_PER_1000_DOLLARS / 1_000, at }
}

/// What the query must give, event by event.
fn reference(events: &[Event]) -> Vec<EuroBid> {
    let mut converted = Vec::new();
    for event in events {
        if let Event::Bid(bid) = event {
            let price = bid.price * EUROS_PER_1000_DOLLARS / 1_000;
            converted.push(EuroBid { auction: bid.auction, bidder: bid.bidder, price, at: bid.at });
        }
    }
    converted
}

#[cfg(test)]
mod tests {
    use super::super::samples::{bid, person};
    use super::*;

    #[test]
    fn a_price_is_converted_and_rounded_down() {
        let events = [bid(1, 2, 1_000, 5), person(9, "kate", "or", 6), bid(1, 3, 999, 7)];
        let prices: Vec<u64> = reference(&events).iter().map(|bid| bid.price).collect();
        assert_eq!(prices, [908, 907]);
    }
}
