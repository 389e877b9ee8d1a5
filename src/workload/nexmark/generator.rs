//! NEXMark's events: the auction site's persons, auctions and bids.
//!
//! They come from the `nexmark` crate, which draws each event from a generator seeded with the event's
//! id, as Beam's does: event *k* is a function of *k* alone, so that any part can be made again. Its
//! filler strings (descriptions, addresses, card numbers) are left out here; no query reads them.
//! (Its prices come from a power of floats, and its generator is another one where pointers are of 32
//! bits. A test pins the events, so that a platform on which they differ is known, since there traces
//! differ too; the expected output is computed from the same events and holds all the same.)
//!
//! A seed chooses where in the endless stream of events the input begins, always at the first of a
//! hundred persons, so that the hot sellers, bidders and auctions are within the input.

use nexmark::EventGenerator;
use nexmark::config::{NexmarkConfig, RateShape};
use nexmark::event as raw;
use serde::{Deserialize, Serialize};

/// Events in the pattern that repeats: 1 person, 3 auctions, 46 bids.
const EPOCH: u64 = 50;

/// Persons after which the hot seller and the hot bidder change.
const HOT_BATCH: u64 = 100;

/// How many beginnings the seeds choose from.
const BEGINNINGS: u64 = 100_000;

/// Milliseconds from one event to the next.
pub(super) const EVENT_INTERVAL: u64 = 100;

/// Something happened at the auction site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Event {
    /// Somebody signed up.
    Person(Person),
    /// Something was put up for auction.
    Auction(Auction),
    /// Somebody bid.
    Bid(Bid),
}

/// A person who sells and bids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Person {
    /// Unique.
    pub(super) id: u64,
    /// Full name.
    pub(super) name: String,
    /// One of ten cities.
    pub(super) city: String,
    /// One of `az`, `ca`, `id`, `or`, `wa` and `wy`.
    pub(super) state: String,
    /// When, in milliseconds since the beginning.
    pub(super) at: i64,
}

/// An item for sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Auction {
    /// Unique.
    pub(super) id: u64,
    /// The person who sells; not always one within the input.
    pub(super) seller: u64,
    /// From 10 to 14.
    pub(super) category: u64,
    /// In cents.
    pub(super) initial_bid: u64,
    /// In cents.
    pub(super) reserve: u64,
    /// When, in milliseconds since the beginning.
    pub(super) at: i64,
    /// When it ends, likewise.
    pub(super) expires: i64,
}

/// A bid in an auction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Bid {
    /// The auction; not always one within the input.
    pub(super) auction: u64,
    /// The person who bids; not always one within the input.
    pub(super) bidder: u64,
    /// In cents.
    pub(super) price: u64,
    /// When, in milliseconds since the beginning.
    pub(super) at: i64,
}

impl Event {
    /// When it happened, in milliseconds since the beginning.
    pub(super) fn at(&self) -> i64 {
        match self {
            Event::Person(person) => person.at,
            Event::Auction(auction) => auction.at,
            Event::Bid(bid) => bid.at,
        }
    }
}

/// The first `records` events of the input that `seed` chooses, in the order of their times.
pub(super) fn events(records: u64, seed: u64) -> impl Iterator<Item = Event> {
    EventGenerator::new(config(seed)).take(records as usize).map(Event::from)
}

/// Beam's constants, but for three. The rate is 10 events a second, so that windows of ten seconds are
/// many. Only 20 people are active instead of 1,000, so that most sellers are within the input, and as
/// many of them after their auction as before; and half of the sellers are hot instead of three in four,
/// so that short inputs have matches too.
///
/// Written out in full because the crate's default asks the operating system what time it is.
fn config(seed: u64) -> NexmarkConfig {
    let beginning = (seed % BEGINNINGS) * HOT_BATCH * EPOCH;
    let rate = (1_000 / EVENT_INTERVAL) as usize;
    NexmarkConfig {
        active_people: 20,
        in_flight_auctions: 100,
        out_of_order_group_size: 1,
        avg_person_byte_size: 0,
        avg_auction_byte_size: 0,
        avg_bid_byte_size: 0,
        hot_seller_ratio: 2,
        hot_auction_ratio: 2,
        hot_bidder_ratio: 4,
        hot_channel_ratio: 2,
        first_event_id: beginning as usize,
        first_event_number: 0,
        base_time: 0,
        num_categories: 5,
        auction_id_lead: 10,
        person_proportion: 1,
        auction_proportion: 3,
        bid_proportion: 46,
        first_auction_id: 1_000,
        first_person_id: 1_000,
        first_category_id: 10,
        person_id_lead: 10,
        sine_approx_steps: 10,
        us_states: strings(&["az", "ca", "id", "or", "wa", "wy"]),
        us_cities: strings(&CITIES),
        hot_channels: strings(&["none"]),
        hot_urls: strings(&["none"]),
        first_names: strings(&FIRST_NAMES),
        last_names: strings(&LAST_NAMES),
        num_event_generators: 1,
        rate_shape: RateShape::Square,
        rate_period: 600,
        first_rate: rate,
        next_rate: rate,
        us_per_unit: 1_000_000,
    }
}

const CITIES: [&str; 10] = [
    "phoenix",
    "los angeles",
    "san francisco",
    "boise",
    "portland",
    "bend",
    "redmond",
    "seattle",
    "kent",
    "cheyenne",
];
const FIRST_NAMES: [&str; 11] = [
    "peter", "paul", "luke", "john", "saul", "vicky", "kate", "julie", "sarah", "deiter", "walter",
];
const LAST_NAMES: [&str; 9] =
    ["shultz", "abrams", "spencer", "white", "bartels", "walton", "smith", "jones", "noris"];

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl From<raw::Event> for Event {
    fn from(event: raw::Event) -> Self {
        match event {
            raw::Event::Person(person) => Event::Person(person.into()),
            raw::Event::Auction(auction) => Event::Auction(auction.into()),
            raw::Event::Bid(bid) => Event::Bid(bid.into()),
        }
    }
}

impl From<raw::Person> for Person {
    fn from(person: raw::Person) -> Self {
        Self {
            id: person.id as u64,
            name: person.name,
            city: person.city,
            state: person.state,
            at: person.date_time.cast_signed(),
        }
    }
}

impl From<raw::Auction> for Auction {
    fn from(auction: raw::Auction) -> Self {
        Self {
            id: auction.id as u64,
            seller: auction.seller as u64,
            category: auction.category as u64,
            initial_bid: auction.initial_bid as u64,
            reserve: auction.reserve as u64,
            at: auction.date_time.cast_signed(),
            expires: auction.expires.cast_signed(),
        }
    }
}

impl From<raw::Bid> for Bid {
    fn from(bid: raw::Bid) -> Self {
        Self {
            auction: bid.auction as u64,
            bidder: bid.bidder as u64,
            price: bid.price as u64,
            at: bid.date_time.cast_signed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoded;
    use super::*;
    use crate::protocol::Digest;

    fn counts(events: impl Iterator<Item = Event>) -> (u64, u64, u64) {
        events.fold((0, 0, 0), |(persons, auctions, bids), event| match event {
            Event::Person(_) => (persons + 1, auctions, bids),
            Event::Auction(_) => (persons, auctions + 1, bids),
            Event::Bid(_) => (persons, auctions, bids + 1),
        })
    }

    #[test]
    fn persons_auctions_and_bids_are_as_1_to_3_to_46() {
        assert_eq!(counts(events(5_000, 3)), (100, 300, 4_600));
    }

    #[test]
    fn an_event_is_a_function_of_seed_and_index() {
        let whole: Vec<Event> = events(2_000, 9).collect();
        assert_eq!(whole, events(2_000, 9).collect::<Vec<_>>());
        assert_eq!(whole[..700], events(700, 9).collect::<Vec<_>>());
        let later = EventGenerator::new(config(9)).with_offset(1_234).next().map(Event::from);
        assert_eq!(later.as_ref(), whole.get(1_234));
        assert_ne!(whole, events(2_000, 10).collect::<Vec<_>>());
    }

    /// The figure is what the first platform gave; see the module on why it could differ.
    #[test]
    fn events_are_the_same_on_every_platform() {
        let mut digest = Digest::default();
        for event in events(5_000, 1) {
            digest.push(Digest::of(&encoded(&event)).0);
        }
        assert_eq!(digest.to_string(), "795ab803bba687c8");
    }

    #[test]
    fn times_rise_by_a_tenth_of_a_second() {
        let times: Vec<i64> = events(20_000, 0).map(|event| event.at()).collect();
        assert_eq!((times[0], times[1], times[19_999]), (0, 100, 1_999_900));
        assert!(times.is_sorted_by(|earlier, later| earlier < later));
    }

    #[test]
    fn ids_are_unique_and_rise() {
        let persons: Vec<u64> = events(5_000, 2)
            .filter_map(|event| match event {
                Event::Person(person) => Some(person.id),
                Event::Auction(_) | Event::Bid(_) => None,
            })
            .collect();
        assert_eq!(persons, (1_200..1_300).collect::<Vec<_>>());
    }
}
