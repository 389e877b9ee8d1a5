//! Query 12, bids per bidder in windows of ten seconds.
//!
//! NEXMark's own query counts in *processing* time, whose windows depend on when a bid happens to be
//! processed, so that it has no right answer to compare with. This one counts in event time. Counting
//! commutes, and no bid is late, since each split is in order of time and the watermark is the least
//! of all splits'.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::generator::Event;

/// Milliseconds that a window spans.
const SIZE: i64 = 10_000;

/// How often somebody bid in a window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct BidCount {
    /// When the window begins.
    pub(super) window: i64,
    pub(super) bidder: u64,
    pub(super) bids: u64,
}

/// What the query must give, event by event.
pub(super) fn reference(events: &[Event]) -> Vec<BidCount> {
    let mut counts = BTreeMap::<(i64, u64), u64>::new();
    for event in events {
        if let Event::Bid(bid) = event {
            *counts.entry((bid.at / SIZE * SIZE, bid.bidder)).or_default() += 1;
        }
    }
    let count = |((window, bidder), bids)| BidCount { window, bidder, bids };
    counts.into_iter().map(count).collect()
}
