//! How late the flights of each airport leave, hour by hour, from reports that come out of order.
//!
//! A report comes up to three hours after its flight; the watermark stays two hours behind the latest
//! departure seen; so some reports are **late**: their hour is closed, and they are dropped. Which ones is
//! a function of the order of reports alone: there is one split and one source, which sends its
//! watermark on every channel right behind the record that raised it, so that every window's subtask
//! sees its own records and all watermarks in that order, and a restored one goes on with the watermark
//! that was in its snapshot. Sums and counts do not depend on order, and the mean is made from them with
//! integers; so the output is a multiset.

mod arrival;
mod reference;
mod table;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use self::arrival::{OUT_OF_ORDER_MAX, Report};
use self::table::{Flight, MINUTE};
use super::window::{Aggregate, Windows};
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, decoded, encoded};
use crate::dataflow::{EncodedSink, Entry, Input, JobBuilder, Source, SourceCollector};

/// How many rows the table has.
const FLIGHTS: u64 = 20_000;

/// How much a window spans.
const HOUR: i64 = 60 * MINUTE;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("flights"),
    about: Cow::Borrowed(
        "20,000 real flights in hourly event-time windows by airport; reports out of order, some too late",
    ),
    unit: Cow::Borrowed("flights"),
    records_usual: FLIGHTS,
    records_max: FLIGHTS,
    single_split: true,
    build: Build::Function(build),
};

/// How late the flights of one airport and hour left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct HourlyDelay {
    /// Where they left.
    airport: String,
    /// When the hour begins, in milliseconds since 1970.
    hour: i64,
    /// How many there were.
    flights: u64,
    /// Their delays together.
    delay_minutes: i64,
    /// Their mean delay in thousandths of a minute, rounded down.
    mean_thousandths: i64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let arrived = arrival::arrivals(table::flights()?, settings.records, settings.seed);
    let hours = reference::hours(&arrived);
    let input = Input::dealt(arrival::reports(&arrived).iter().map(encoded), 1);
    let experiment = Experiment::new(&job(settings), input, &hours.outputs)?;
    Ok(experiment.dropping(&hours.late))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let reports = job.source("reports", Reports { departure: 0 }, 1, 1);
    job.fix("reports");
    reports
        .key_by(|flight| (flight.origin.clone(), hour_of(flight)))
        .process("hours", parallelism, |states| Windows::new(states, Delays))
        .transactional_sink("delays", parallelism, EncodedSink::new());
    job
}

/// The beginning of the hour in which a flight was to leave.
fn hour_of(flight: &Flight) -> i64 {
    flight.departure - flight.departure.rem_euclid(HOUR)
}

/// Reads reports of flights.
#[derive(Clone)]
struct Reports {
    /// When the flight of the last report left. The next report counts from there, so that this must be
    /// in the snapshot: without it, every later flight would be in the wrong hour.
    departure: i64,
}

impl Source for Reports {
    type Out = Flight;
    type State = i64;

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Flight>) {
        let report: Report = decoded(entry.bytes);
        let flight = report.flight_after(self.departure);
        self.departure = flight.departure;
        out.emit(self.departure, flight);
        // Only full hours close windows. The runtime sends a watermark only where it rises.
        let closed = self.departure - OUT_OF_ORDER_MAX;
        out.watermark(closed - closed.rem_euclid(HOUR) - 1);
    }

    fn snapshot(&self) -> i64 {
        self.departure
    }

    fn restore(&mut self, departure: i64) {
        self.departure = departure;
    }
}

/// Flights and their delays.
#[derive(Clone)]
struct Delays;

impl Aggregate for Delays {
    type In = Flight;
    type Total = HourlyDelay;
    type Out = HourlyDelay;

    fn end(&self, flight: &Flight) -> i64 {
        hour_of(flight) + HOUR
    }

    fn add(&self, total: Option<HourlyDelay>, flight: Flight) -> HourlyDelay {
        let (flights, delay) = total.map_or((0, 0), |total| (total.flights, total.delay_minutes));
        HourlyDelay {
            hour: hour_of(&flight),
            airport: flight.origin,
            flights: flights + 1,
            delay_minutes: delay + flight.delay_minutes,
            mean_thousandths: 0,
        }
    }

    fn close(&self, total: HourlyDelay) -> Vec<HourlyDelay> {
        let thousandths = total.delay_minutes * 1_000;
        let mean_thousandths = thousandths.div_euclid(total.flights.cast_signed());
        vec![HourlyDelay { mean_thousandths, ..total }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::conformance::check_source;

    #[test]
    fn the_source_keeps_nothing_that_is_not_in_its_snapshot() {
        let flights = table::flights().expect("the built-in table is well formed");
        let arrived = arrival::arrivals(flights, Some(30), 0);
        let entries = arrival::reports(&arrived).iter().map(encoded).collect();
        assert_eq!(check_source(Reports { departure: 0 }, &[entries]), Ok(()));
    }
}
