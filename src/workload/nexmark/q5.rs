//! Query 5, hot items: the auctions with the most bids within ten seconds, every two seconds.
//!
//! Two stages: bids per auction and window, then per window the most of them. Every auction that ties is
//! an output. The result is a multiset whatever the order: counting and taking the maximum commute, and
//! no bid is late, since each split is in order of time and the watermark is the least of all splits'.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::generator::Event;

/// Milliseconds that a window spans.
const SIZE: i64 = 10_000;
/// Milliseconds from one window's beginning to the next one's.
const SLIDE: i64 = 2_000;

/// An auction that no other surpassed in a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct HotItem {
    /// When the window begins; may be negative.
    pub(super) window: i64,
    pub(super) auction: u64,
    pub(super) bids: u64,
}

/// What the query must give: for each window, all bids once more.
pub(super) fn reference(events: &[Event]) -> Vec<HotItem> {
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
    let mut counts = BTreeMap::<u64, u64>::new();
    for event in events {
        if let Event::Bid(bid) = event {
            *counts.entry(bid.auction).or_default() += 1;
        }
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let item = |(auction, bids)| HotItem { window, auction, bids };
    counts.into_iter().filter(|(_, bids)| *bids == most).map(item).collect()
}
