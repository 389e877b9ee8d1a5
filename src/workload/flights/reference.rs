//! What the windows must give, computed over the flights one by one in the order of their reports.

use super::HourlyDelay;
use super::arrival::OUT_OF_ORDER_MAX;
use super::table::{Flight, MINUTE};
use crate::protocol::ordered::VecMap;

const HOUR: i64 = 60 * MINUTE;

/// What the reference found.
#[derive(Clone, Debug, Default)]
pub(super) struct Hours {
    /// Every airport's hours that have a flight which was not late.
    pub(super) outputs: Vec<HourlyDelay>,
    /// The flights that were reported after their hour had been closed.
    pub(super) late: Vec<Flight>,
}

/// The hours of `arrived`.
pub(super) fn hours(arrived: &[Flight]) -> Hours {
    let mut latest: Option<i64> = None;
    let mut late = Vec::new();
    let mut totals = VecMap::<(&str, i64), (u64, i64)>::new();
    for flight in arrived {
        let hour = flight.departure / HOUR;
        let closed_until = latest.map_or(i64::MIN, |latest| latest - OUT_OF_ORDER_MAX - 1);
        if (hour + 1) * HOUR - 1 <= closed_until {
            late.push(flight.clone());
        } else {
            let total = totals.entry((&flight.origin, hour * HOUR)).or_default();
            *total = (total.0 + 1, total.1 + flight.delay_minutes);
        }
        latest = latest.max(Some(flight.departure));
    }
    Hours { outputs: totals.into_iter().map(output).collect(), late }
}

fn output(((airport, hour), (flights, delay)): ((&str, i64), (u64, i64))) -> HourlyDelay {
    HourlyDelay {
        airport: airport.to_owned(),
        hour,
        flights,
        delay_minutes: delay,
        mean_thousandths: (delay * 1_000).div_euclid(flights as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::super::arrival::arrivals;
    use super::super::table::flights;
    use super::*;

    fn flight(minute: i64, delay_minutes: i64, origin: &str) -> Flight {
        Flight {
            departure: minute * MINUTE,
            delay_minutes,
            distance_miles: 100,
            origin: origin.to_owned(),
            destination: "XXX".to_owned(),
        }
    }

    /// Worked out by hand: at 185 the watermark is just under 65, so hour 0 is closed and hour 1 is not.
    #[test]
    fn a_report_is_late_when_its_hour_is_closed() {
        let arrived = [
            flight(10, 7, "AAA"),
            flight(119, 1, "AAA"),
            flight(20, -9, "AAA"),
            flight(185, 0, "BBB"),
            flight(59, 100, "AAA"),
            flight(60, 3, "AAA"),
        ];
        let found = hours(&arrived);
        assert_eq!(found.late.len(), 1);
        let shown: Vec<String> = found
            .outputs
            .iter()
            .map(|h| {
                format!(
                    "{} {} {} {} {}",
                    h.airport,
                    h.hour / HOUR,
                    h.flights,
                    h.delay_minutes,
                    h.mean_thousandths
                )
            })
            .collect();
        assert_eq!(shown, ["AAA 0 2 -2 -1000", "AAA 1 2 4 2000", "BBB 3 1 0 0"]);
    }

    #[test]
    fn every_flight_is_counted_or_late_and_some_are_late() {
        let table = flights().expect("the built-in table is well formed");
        let found = hours(&arrivals(table, None, 0));
        let counted: u64 = found.outputs.iter().map(|output| output.flights).sum();
        let late = found.late.len() as u64;
        assert_eq!(counted + late, 20_000);
        assert!((101..5_000).contains(&late), "{late} are late");
    }
}
