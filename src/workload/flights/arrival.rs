//! The order in which flights are reported: not the order in which they left.

use serde::{Deserialize, Serialize};

use super::super::draw::Draw;
use super::table::{Flight, MINUTE};

/// A flight is reported at most this long after its departure.
pub(super) const REPORT_DELAY_MAX: i64 = 180 * MINUTE;

/// How far behind the latest departure the watermark stays; less than [`REPORT_DELAY_MAX`], so that
/// some reports are late.
pub(super) const OUT_OF_ORDER_MAX: i64 = 120 * MINUTE;

/// A flight as the log holds it: short, and only to be understood after the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Report {
    /// How long after the flight of the report before it left, or after 1970 began; negative if earlier.
    minutes: i64,
    delay_minutes: i64,
    distance_miles: u32,
    origin: String,
    destination: String,
}

impl Report {
    /// The flight of this report when that of the report before left at `departure`.
    pub(super) fn flight_after(self, departure: i64) -> Flight {
        Flight {
            departure: departure + self.minutes * MINUTE,
            delay_minutes: self.delay_minutes,
            distance_miles: self.distance_miles,
            origin: self.origin,
            destination: self.destination,
        }
    }
}

/// The reports of flights that are reported in this order.
pub(super) fn reports(arrived: &[Flight]) -> Vec<Report> {
    let mut last = 0;
    let mut reports = Vec::with_capacity(arrived.len());
    for flight in arrived {
        reports.push(Report {
            minutes: (flight.departure - last) / MINUTE,
            delay_minutes: flight.delay_minutes,
            distance_miles: flight.distance_miles,
            origin: flight.origin.clone(),
            destination: flight.destination.clone(),
        });
        last = flight.departure;
    }
    reports
}

/// `records` flights in a row, all when none, in the order of their reports. Where the stretch lies and
/// how long each report takes is drawn from `seed`.
pub(super) fn arrivals(flights: &[Flight], records: Option<u64>, seed: u64) -> Vec<Flight> {
    let mut draw = Draw::new("flights", seed);
    let taken = records.map_or(flights.len(), |records| flights.len().min(records as usize));
    let first = draw.slice_start(flights.len(), taken);
    let mut reports: Vec<(i64, &Flight)> = flights[first..first + taken]
        .iter()
        .map(|flight| (flight.departure + draw.below(REPORT_DELAY_MAX as u64) as i64, flight))
        .collect();
    reports.sort_by_key(|(reported, _)| *reported);
    reports.into_iter().map(|(_, flight)| flight.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::table::flights;
    use super::*;

    fn arrivals_of(records: Option<u64>, seed: u64) -> Vec<Flight> {
        arrivals(flights().expect("the built-in table is well formed"), records, seed)
    }

    #[test]
    fn the_order_is_shuffled_within_the_bound() {
        let arrived = arrivals_of(None, 1);
        let mut latest = i64::MIN;
        let mut behind = 0;
        for flight in &arrived {
            assert!(flight.departure > latest.saturating_sub(REPORT_DELAY_MAX));
            behind += usize::from(flight.departure < latest);
            latest = latest.max(flight.departure);
        }
        assert!(behind > 1_000, "only {behind} arrive after a later one");
    }

    #[test]
    fn nothing_is_lost_or_added() {
        let mut arrived = arrivals_of(None, 1);
        let mut all = flights().expect("the built-in table is well formed").to_vec();
        let whole = |flight: &Flight| format!("{flight:?}");
        arrived.sort_by_key(whole);
        all.sort_by_key(whole);
        assert_eq!(arrived, all);
    }

    #[test]
    fn reports_tell_the_flights_again() {
        let arrived = arrivals_of(Some(200), 2);
        let mut last = 0;
        for (report, flight) in reports(&arrived).into_iter().zip(&arrived) {
            assert_eq!(&report.flight_after(last), flight);
            last = flight.departure;
        }
    }

    #[test]
    fn the_order_is_a_function_of_the_seed() {
        assert_eq!(arrivals_of(Some(300), 5), arrivals_of(Some(300), 5));
        assert_ne!(arrivals_of(Some(300), 5), arrivals_of(Some(300), 6));
        assert_eq!(arrivals_of(Some(300), 5).len(), 300);
    }
}
