//! Query 5, hot items: the auctions with the most bids within ten seconds, every two seconds.
//!
//! Two stages: bids per auction and window, then per window the most of them. Every auction that ties is
//! an output. The result is a multiset whatever the order: counting and taking the maximum commute, and
//! no bid is late, since each split is in order of time and the watermark is the least of all splits'.

use serde::{Deserialize, Serialize};

use super::super::window::{Aggregate, Windows};
use super::super::{Experiment, Workload, WorkloadError, WorkloadSettings};
use super::generator::{Bid, Event};
use super::{Events, bid, events, query};
use crate::dataflow::{EncodedSink, JobBuilder};
use crate::protocol::ordered::VecMap;

pub(in super::super) const WORKLOAD: Workload = query(
    "nexmark-q5",
    "NEXMark query 5: the auctions with the most bids in sliding windows; two keyed stages, timers",
    build,
);

/// Milliseconds that a window spans.
const SIZE: i64 = 10_000;
/// Milliseconds from one window's beginning to the next one's.
const SLIDE: i64 = 2_000;

/// An auction that no other surpassed in a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct HotItem {
    /// When the window begins; may be negative.
    window: i64,
    auction: u64,
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
        .flat_map("bids", parallelism, |event| bid(event).into_iter().flat_map(in_windows))
        .key_by(|item| (item.window, item.auction))
        .process("count", parallelism, |states| Windows::new(states, Count))
        .key_by(|item| item.window)
        .process("hottest", parallelism, |states| Windows::new(states, Hottest))
        .transactional_sink("hot-items", parallelism, EncodedSink::new());
    job
}

/// One bid for each window that it falls into.
fn in_windows(bid: Bid) -> impl Iterator<Item = HotItem> {
    let newest = bid.at.div_euclid(SLIDE) * SLIDE;
    (0..SIZE / SLIDE).map(move |back| HotItem {
        window: newest - back * SLIDE,
        auction: bid.auction,
        bids: 1,
    })
}

/// The bids of an auction in a window.
#[derive(Clone)]
struct Count;

impl Aggregate for Count {
    type In = HotItem;
    type Total = HotItem;
    type Out = HotItem;

    fn end(&self, item: &HotItem) -> i64 {
        item.window + SIZE
    }

    fn add(&self, total: Option<HotItem>, item: HotItem) -> HotItem {
        HotItem { bids: total.map_or(0, |total| total.bids) + item.bids, ..item }
    }

    fn close(&self, total: HotItem) -> Vec<HotItem> {
        vec![total]
    }
}

/// The auctions with the most bids in a window.
#[derive(Clone)]
struct Hottest;

impl Aggregate for Hottest {
    type In = HotItem;
    type Total = Vec<HotItem>;
    type Out = HotItem;

    fn end(&self, item: &HotItem) -> i64 {
        item.window + SIZE
    }

    /// Keeps the ties in the order of auctions, so that equal states have equal snapshots.
    fn add(&self, total: Option<Vec<HotItem>>, item: HotItem) -> Vec<HotItem> {
        let mut hottest = total.unwrap_or_default();
        let most = hottest.first().map_or(0, |hot| hot.bids);
        if item.bids > most {
            hottest.clear();
        }
        if item.bids >= most {
            hottest.push(item);
            hottest.sort();
        }
        hottest
    }

    fn close(&self, total: Vec<HotItem>) -> Vec<HotItem> {
        total
    }
}

/// What the query must give: for each window, all bids once more.
fn reference(events: &[Event]) -> Vec<HotItem> {
    let last = events.last().map_or(0, Event::at);
    let mut hot = Vec::new();
    let mut window = SLIDE - SIZE;
    while window <= last {
        let first = events.partition_point(|event| event.at() < window);
        let end = events.partition_point(|event| event.at() < window + SIZE);
        hot.extend(hottest(window, &events[first..end]));
        window += SLIDE;
    }
    hot
}

fn hottest(window: i64, events: &[Event]) -> Vec<HotItem> {
    let mut counts = VecMap::<u64, u64>::new();
    for event in events {
        if let Event::Bid(bid) = event {
            *counts.entry(bid.auction).or_default() += 1;
        }
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let item = |(auction, bids)| HotItem { window, auction, bids };
    counts.into_iter().filter(|(_, bids)| *bids == most).map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::bid;
    use super::*;

    /// Worked out by hand: auction 1 leads until it drops out; then they tie; then 2 is left.
    #[test]
    fn all_that_tie_are_hot() {
        let events =
            [bid(1, 0, 9, 500), bid(1, 0, 9, 600), bid(2, 0, 9, 2_500), bid(1, 0, 9, 9_000)];
        let shown: Vec<String> = reference(&events)
            .iter()
            .map(|hot| format!("{}: {} x{}", hot.window, hot.auction, hot.bids))
            .collect();
        let expected = [
            "-8000: 1 x2",
            "-6000: 1 x2",
            "-4000: 1 x2",
            "-2000: 1 x2",
            "0: 1 x3",
            "2000: 1 x1",
            "2000: 2 x1",
            "4000: 1 x1",
            "6000: 1 x1",
            "8000: 1 x1",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_bid_is_in_five_windows() {
        let at = |at| Bid { auction: 1, bidder: 2, price: 3, at };
        let windows = |bid| in_windows(bid).map(|item| item.window).collect::<Vec<_>>();
        assert_eq!(windows(at(0)), [0, -2_000, -4_000, -6_000, -8_000]);
        assert_eq!(windows(at(11_999)), [10_000, 8_000, 6_000, 4_000, 2_000]);
    }

    #[test]
    fn the_job_keeps_all_that_tie_in_every_order() {
        let item = |auction, bids| HotItem { window: 0, auction, bids };
        let items = [item(4, 2), item(9, 3), item(1, 1), item(7, 3)];
        for turn in 0..items.len() {
            let mut items = items.clone();
            items.rotate_left(turn);
            let hottest = items.into_iter().fold(None, |hot, item| Some(Hottest.add(hot, item)));
            assert_eq!(hottest, Some(vec![item(7, 3), item(9, 3)]));
        }
    }
}
