//! Query 3, local item suggestion: who in Oregon, Idaho or California sells in category 10?
//!
//! A join of two streams: each auction meets its seller once, when the later of the two comes. So the
//! output is a multiset whichever comes first; persons are unique, and nothing in it depends on time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::generator::{Event, Person};

const CATEGORY: u64 = 10;
const STATES: [&str; 3] = ["or", "id", "ca"];

/// A seller and an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Suggestion {
    pub(super) name: String,
    pub(super) city: String,
    pub(super) state: String,
    pub(super) auction: u64,
}

/// What the query must give: first all the sellers, then all the auctions.
pub(super) fn reference(events: &[Event]) -> Vec<Suggestion> {
    let mut sellers = BTreeMap::<u64, &Person>::new();
    for event in events {
        if let Event::Person(person) = event
            && STATES.contains(&person.state.as_str())
        {
            sellers.insert(person.id, person);
        }
    }
    let mut suggestions = Vec::new();
    for event in events {
        if let Event::Auction(auction) = event
            && auction.category == CATEGORY
            && let Some(seller) = sellers.get(&auction.seller)
        {
            suggestions.push(Suggestion {
                name: seller.name.clone(),
                city: seller.city.clone(),
                state: seller.state.clone(),
                auction: auction.id,
            });
        }
    }
    suggestions
}
