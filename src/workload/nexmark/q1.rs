//! Query 1, currency conversion: every bid's price in euros.
//!
//! The output is a multiset whatever the order, since each bid gives one output that depends on it alone.

use serde::{Deserialize, Serialize};

use super::generator::Event;

/// NEXMark's rate is 0.908 euros to the dollar; here in thousandths, so that no float is in the way.
const EUROS_PER_1000_DOLLARS: u64 = 908;

/// A bid in euros.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct EuroBid {
    pub(super) auction: u64,
    pub(super) bidder: u64,
    /// In cents, rounded down.
    pub(super) price: u64,
    pub(super) at: i64,
}

/// What the query must give, event by event.
pub(super) fn reference(events: &[Event]) -> Vec<EuroBid> {
    let mut converted = Vec::new();
    for event in events {
        if let Event::Bid(bid) = event {
            let price = bid.price * EUROS_PER_1000_DOLLARS / 1_000;
            converted.push(EuroBid { auction: bid.auction, bidder: bid.bidder, price, at: bid.at });
        }
    }
    converted
}
