//! The table of flights, read strictly: whatever is not as expected is named by line and field.

use std::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::super::error::InputError;

const FILE: &str = "flights-20k.csv";
const FLIGHTS: &str = include_str!("../../../fixtures/input/flights-20k.csv");
const COLUMNS: [&str; 5] = ["date", "delay_minutes", "distance_miles", "origin", "destination"];

/// One minute, in the unit of timestamps.
pub(super) const MINUTE: i64 = 60_000;

/// One flight: a row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Flight {
    /// When it was to leave, in milliseconds since 1970 as if local time were universal.
    pub(super) departure: i64,
    /// How late it was; negative when early.
    pub(super) delay_minutes: i64,
    /// How far it went.
    pub(super) distance_miles: u32,
    /// The airport it left, three capital letters.
    pub(super) origin: String,
    /// The airport it reached.
    pub(super) destination: String,
}

/// All flights, in the order of the file, which is by departure.
pub(super) fn flights() -> Result<&'static [Flight], InputError> {
    static TABLE: OnceLock<Result<Vec<Flight>, InputError>> = OnceLock::new();
    TABLE.get_or_init(|| parse(FLIGHTS)).as_deref().map_err(Clone::clone)
}

fn parse(table: &str) -> Result<Vec<Flight>, InputError> {
    let mut lines = table.lines().enumerate();
    let (_, header) = lines.next().unwrap_or((0, ""));
    if header != COLUMNS.join(",") {
        return Err(mismatch(1, "header", header, "the columns' names"));
    }
    lines.map(|(index, line)| parse_row(index + 1, line)).collect()
}

fn parse_row(line: usize, row: &str) -> Result<Flight, InputError> {
    let fields: Vec<&str> = row.split(',').collect();
    let [date, delay, distance, origin, destination] = fields[..] else {
        return Err(mismatch(line, "row", row, "five fields"));
    };
    Ok(Flight {
        departure: parse_minute(line, date)?,
        delay_minutes: number(line, COLUMNS[1], delay)?,
        distance_miles: number(line, COLUMNS[2], distance)?,
        origin: airport(line, COLUMNS[3], origin)?,
        destination: airport(line, COLUMNS[4], destination)?,
    })
}

/// `2001/03/31 22:27` in milliseconds since 1970.
fn parse_minute(line: usize, date: &str) -> Result<i64, InputError> {
    minute_of(date).ok_or_else(|| mismatch(line, COLUMNS[0], date, "a time like 2001/03/31 22:27"))
}

fn minute_of(date: &str) -> Option<i64> {
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'/',
        10 => byte == b' ',
        13 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    if date.len() != 16 || !date.bytes().enumerate().all(shape) {
        return None;
    }
    let part = |range: std::ops::Range<usize>| date[range].parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
    let (hour, minute) = (part(11..13)?, part(14..16)?);
    let real = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60;
    real.then(|| ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * MINUTE)
}

/// Days since 1970-01-01 in the Gregorian calendar, years counted from March so that leap days come
/// last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn number<N: FromStr>(line: usize, field: &'static str, text: &str) -> Result<N, InputError> {
    text.parse().map_err(|_| mismatch(line, field, text, "a whole number"))
}

fn airport(line: usize, field: &'static str, text: &str) -> Result<String, InputError> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Ok(text.to_owned())
    } else {
        Err(mismatch(line, field, text, "an airport of three capital letters"))
    }
}

fn mismatch(line: usize, field: &'static str, got: &str, expected: &'static str) -> InputError {
    InputError { file: FILE, line, field, got: got.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "date,delay_minutes,distance_miles,origin,destination\n";

    fn error_of(row: &str) -> String {
        let good = "2001/01/01 00:47,66,1750,DTW,LAS\n";
        match parse(&format!("{HEADER}{good}{row}\n")) {
            Ok(flights) => format!("read {flights:?}"),
            Err(error) => error.to_string(),
        }
    }

    /// Independent figures: `wc -l`, and `awk` over the second column.
    #[test]
    fn there_are_20000_flights_sorted_by_departure() {
        let flights = flights().expect("the built-in table is well formed");
        assert_eq!(flights.len(), 20_000);
        assert!(flights.is_sorted_by_key(|flight| flight.departure));
        assert_eq!(flights.iter().map(|flight| flight.delay_minutes).sum::<i64>(), 154_078);
        assert_eq!(flights.iter().filter(|flight| flight.origin == "DFW").count(), 1_103);
    }

    /// Independent figures: `date -u -d '2001-01-01 00:47' +%s`.
    #[test]
    fn departures_are_milliseconds_since_1970() {
        assert_eq!(minute_of("2001/01/01 00:47"), Some(978_310_020_000));
        assert_eq!(minute_of("2001/03/31 22:27"), Some(986_077_620_000));
        assert_eq!(minute_of("2000/02/29 00:00"), Some(951_782_400_000));
        assert_eq!(minute_of("1970/01/01 00:00"), Some(0));
        assert_eq!(minute_of("2001/13/01 00:00"), None);
        assert_eq!(minute_of("2001/01/01 24:00"), None);
        assert_eq!(minute_of("2001/01/01T00:00"), None);
        assert_eq!(minute_of("2001/01/01 0é:0"), None);
    }

    #[test]
    fn a_wrong_row_is_named_by_line_and_field() {
        let cases = [
            ("2001/01/01 1:10,95,2399,HNL,SFO", "3: date: \"2001/01/01 1:10\""),
            ("2001/01/01 01:10,late,2399,HNL,SFO", "3: delay_minutes: \"late\""),
            ("2001/01/01 01:10,95,-1,HNL,SFO", "3: distance_miles: \"-1\""),
            ("2001/01/01 01:10,95,2399,Hnl,SFO", "3: origin: \"Hnl\""),
            ("2001/01/01 01:10,95,2399,HNL,", "3: destination: \"\""),
            (
                "2001/01/01 01:10,95,2399,HNL",
                "3: row: \"2001/01/01 01:10,95,2399,HNL\", expected five",
            ),
        ];
        for (row, place) in cases {
            let error = error_of(row);
            assert!(error.starts_with(&format!("flights-20k.csv:{place}")), "{error}");
        }
        assert!(parse("date,delay").is_err_and(|error| error.field == "header"));
        assert!(parse("").is_err_and(|error| error.line == 1));
    }
}
