//! NEXMark: queries over an auction site (Tucker et al. 2002; the constants are Apache Beam's).
//!
//! Each query has a file with its job and its reference; all read the same events.

mod generator;
pub(super) mod q1;
pub(super) mod q12;
pub(super) mod q3;
pub(super) mod q5;
pub(super) mod q7;

use std::borrow::Cow;

use generator::{Bid, Event};

use super::{Build, Function, Workload, WorkloadSettings, decoded, encoded};
use crate::dataflow::{Entry, Input, Source, SourceCollector};

/// What a watermark is rounded down to: an event need not be followed by one.
const SECOND: i64 = 1_000;

/// Reads events.
#[derive(Clone)]
struct Events;

impl Source for Events {
    type Out = Event;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Event>) {
        let event: Event = decoded(entry.bytes);
        let at = event.at();
        out.emit(at, event);
        // Each split is in the order of time, so all before this second has been read.
        out.watermark(at / SECOND * SECOND - 1);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// What each query's [`Workload`] has in common with the others'.
const fn query(name: &'static str, about: &'static str, build: Function) -> Workload {
    Workload {
        name: Cow::Borrowed(name),
        about: Cow::Borrowed(about),
        unit: Cow::Borrowed("events"),
        records_usual: 10_000,
        records_max: 1_000_000,
        single_split: false,
        build: Build::Function(build),
    }
}

/// The events that `settings` ask for, and the same as input, dealt out to the splits.
fn events(settings: &WorkloadSettings) -> (Vec<Event>, Input) {
    let records = settings.records.unwrap_or(q1::WORKLOAD.records_usual);
    let events: Vec<Event> = generator::events(records, settings.seed).collect();
    let input = Input::dealt_as(events.iter().map(encoded), settings.splits, settings.deal);
    (events, input)
}

/// The event if it is a bid.
fn bid(event: Event) -> Option<Bid> {
    match event {
        Event::Bid(bid) => Some(bid),
        Event::Person(_) | Event::Auction(_) => None,
    }
}

#[cfg(test)]
mod samples {
    //! Events for tests of references, made by hand.

    use super::generator::{Auction, Bid, Event, Person};

    pub(super) fn bid(auction: u64, bidder: u64, price: u64, at: i64) -> Event {
        Event::Bid(Bid { auction, bidder, price, at })
    }

    pub(super) fn auction(id: u64, seller: u64, category: u64, at: i64) -> Event {
        let (initial_bid, reserve, expires) = (100, 200, at + 1_000);
        Event::Auction(Auction { id, seller, category, initial_bid, reserve, at, expires })
    }

    pub(super) fn person(id: u64, name: &str, state: &str, at: i64) -> Event {
        let (name, city, state) = (name.to_owned(), "bend".to_owned(), state.to_owned());
        Event::Person(Person { id, name, city, state, at })
    }
}
