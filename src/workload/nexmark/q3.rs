//! Query 3, local item suggestion: who in Oregon, Idaho or California sells in category 10?
//!
//! A join of two streams: each auction meets its seller once, when the later of the two comes. So the
//! output is a multiset whichever comes first; persons are unique, and nothing in it depends on time.

use serde::{Deserialize, Serialize};

use super::super::lookup::Lookup;
use super::super::{Experiment, Workload, WorkloadError, WorkloadSettings};
use super::generator::{Auction, Event, Person};
use super::{Events, events, query};
use crate::dataflow::{EncodedSink, JobBuilder};
use crate::protocol::ordered::VecMap;

pub(in super::super) const WORKLOAD: Workload = query(
    "nexmark-q3",
    "NEXMark query 3: sellers in three states joined with their items of one category; two inputs",
    build,
);

const CATEGORY: u64 = 10;
const STATES: [&str; 3] = ["or", "id", "ca"];

/// A seller and an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Suggestion {
    name: String,
    city: String,
    state: String,
    auction: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let (events, input) = events(settings);
    Experiment::new(&job(settings), input, &reference(&events))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let events = job.source("events", Events, parallelism, settings.splits);
    let items = events.flat_map("items", parallelism, wanted_item);
    let sellers = events.flat_map("sellers", parallelism, local_seller);
    items
        .key_by(|auction| auction.seller)
        .connect(sellers.key_by(|seller| seller.id))
        .process2("join", parallelism, |states| Lookup::new(states, suggestion))
        .transactional_sink("suggestions", parallelism, EncodedSink::new());
    job
}

fn suggestion(auction: &Auction, seller: &Person) -> Suggestion {
    let Person { name, city, state, .. } = seller.clone();
    Suggestion { name, city, state, auction: auction.id }
}

fn local_seller(event: Event) -> Option<Person> {
    match event {
        Event::Person(person) => STATES.contains(&person.state.as_str()).then_some(person),
        Event::Auction(_) | Event::Bid(_) => None,
    }
}

fn wanted_item(event: Event) -> Option<Auction> {
    match event {
        Event::Auction(auction) => (auction.category == CATEGORY).then_some(auction),
        Event::Person(_) | Event::Bid(_) => None,
    }
}

/// What the query must give: first all the sellers, then all the auctions.
fn reference(events: &[Event]) -> Vec<Suggestion> {
    let mut sellers = VecMap::<u64, &Person>::new();
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

#[cfg(test)]
mod tests {
    use super::super::samples::{auction, person};
    use super::*;

    #[test]
    fn an_auction_meets_its_seller_whichever_comes_first() {
        let events = [
            auction(1, 70, 10, 0),
            person(70, "kate", "or", 1),
            auction(2, 70, 10, 2),
            auction(3, 70, 11, 3),
            person(71, "paul", "az", 4),
            auction(4, 71, 10, 5),
            auction(5, 72, 10, 6),
        ];
        let shown: Vec<String> = reference(&events)
            .iter()
            .map(|found| format!("{} {} {}", found.name, found.state, found.auction))
            .collect();
        assert_eq!(shown, ["kate or 1", "kate or 2"]);
    }
}
