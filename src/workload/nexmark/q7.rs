//! Query 7, highest bid: of every ten seconds, the bid with the highest price.
//!
//! Among bids of the same price the one with the lowest auction, then bidder, then time wins, so that
//! the order of arrival decides nothing. No bid is late, since each split is in order of time and the
//! watermark is the least of all splits'.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::generator::{Bid, Event};

/// Milliseconds that a window spans.
const SIZE: i64 = 10_000;

/// The highest bid of a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct HighestBid {
    /// When the window begins.
    pub(super) window: i64,
    pub(super) bid: Bid,
}

/// What the query must give: all bids of each window, compared at once.
pub(super) fn reference(events: &[Event]) -> Vec<HighestBid> {
    let mut windows = BTreeMap::<i64, Vec<&Bid>>::new();
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
