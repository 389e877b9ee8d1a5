//! Numbers with units, as people write them.

/// A number of something, such as `10s` or `1.5GiB`, and what to multiply it with.
type Unit = (&'static str, f64);

const TIMES: &[Unit] =
    &[("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("min", 60e9), ("h", 3_600e9)];

const SIZES: &[Unit] = &[
    ("B", 1.0),
    ("kB", 1e3),
    ("KB", 1e3),
    ("KiB", 1_024.0),
    ("MB", 1e6),
    ("MiB", 1_048_576.0),
    ("GB", 1e9),
    ("GiB", 1_073_741_824.0),
    ("TB", 1e12),
    ("TiB", 1_099_511_627_776.0),
];

const COUNTS: &[Unit] = &[("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9)];

/// A time in nanoseconds.
///
/// # Errors
///
/// When it is none, or longer than a year.
pub fn time_ns(text: &str) -> Result<u64, String> {
    const YEAR: f64 = 365.0 * 24.0 * 3_600e9;
    number(text, TIMES, YEAR).map_err(|problem| {
        format!("{problem}, expected a time such as 10s, 100ms, 200us, 5min, at most a year")
    })
}

/// A time in whole milliseconds.
///
/// # Errors
///
/// When it is none, or no whole number of them.
pub fn time_ms(text: &str) -> Result<u64, String> {
    let ns = time_ns(text)?;
    if ns.is_multiple_of(1_000_000) {
        Ok(ns / 1_000_000)
    } else {
        Err(format!("{text:?}: expected whole milliseconds"))
    }
}

/// A time in whole microseconds.
///
/// # Errors
///
/// When it is none, or no whole number of them.
pub fn time_us(text: &str) -> Result<u64, String> {
    let ns = time_ns(text)?;
    if ns.is_multiple_of(1_000) {
        Ok(ns / 1_000)
    } else {
        Err(format!("{text:?}: expected whole microseconds"))
    }
}

/// A size in bytes.
///
/// # Errors
///
/// When it is none, no whole number of bytes, or above 1,000 TB.
pub fn bytes(text: &str) -> Result<u64, String> {
    number(text, SIZES, 1e15).map_err(|problem| {
        format!("{problem}, expected a size such as 80B, 64KiB, 1GiB, at most 1000TB")
    })
}

/// How many.
///
/// # Errors
///
/// When it is no whole number, or above 10^12.
pub fn count(text: &str) -> Result<u64, String> {
    number(&text.replace('_', ""), COUNTS, 1e12).map_err(|problem| {
        format!("{problem}, expected a whole number such as 1000, 50k, 1M, at most 1000G")
    })
}

/// Thousandths, of a share in per cent.
///
/// # Errors
///
/// When it is none of 0 % to 100 %, or not in whole tenths of a per cent.
pub fn permille(text: &str) -> Result<u64, String> {
    number(text, &[("%", 10.0)], 1_000.0).map_err(|problem| {
        format!("{problem}, expected a share such as 80% or 0.1%, in tenths, at most 100%")
    })
}

fn number(text: &str, units: &[Unit], most: f64) -> Result<u64, String> {
    let text = text.trim();
    let digits =
        text.find(|byte: char| !byte.is_ascii_digit() && byte != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| format!("{text:?} is no number with a unit"))?;
    let unit = unit.trim();
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let known: Vec<&str> =
            units.iter().map(|(name, _)| *name).filter(|name| !name.is_empty()).collect();
        return Err(format!("{text:?}: unknown unit {unit:?} (known: {})", known.join(", ")));
    };
    let value = number * factor;
    if value > most {
        return Err(format!("{text:?} is too much"));
    }
    whole(value, *factor).ok_or_else(|| format!("{text:?} comes to {value}, no whole number"))
}

/// The whole number that this is. Of a larger unit, such as `1.1GiB`, it may be off by what no measurement tells.
fn whole(value: f64, factor: f64) -> Option<u64> {
    const OFF: f64 = 1e-6;
    let off = (value - value.round()).abs();
    let allowed = if factor > 1.0 { value * OFF } else { 0.0 };
    (off <= allowed).then_some(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        assert_eq!(time_ns("1.5ms"), Ok(1_500_000));
        assert_eq!(time_ms("10s"), Ok(10_000));
        assert_eq!(bytes("1.5 KiB"), Ok(1_536));
        assert_eq!(count("1_000"), Ok(1_000));
        assert_eq!(count("50k"), Ok(50_000));
        assert_eq!(permille("0.1%"), Ok(1));
    }

    #[test]
    fn what_is_no_number_with_a_known_unit_is_refused() {
        let refused = |result: Result<u64, String>, part: &str| {
            let problem = result.expect_err(part);
            assert!(problem.contains(part), "{problem}");
        };
        refused(time_ns("10"), "unknown unit \"\"");
        refused(time_ns("10 parsecs"), "unknown unit \"parsecs\"");
        refused(time_ns("-1s"), "no number with a unit");
        refused(time_ms("1us"), "whole milliseconds");
        refused(time_us("1.5us"), "whole microseconds");
        refused(bytes("1e99GiB"), "unknown unit");
        refused(bytes("99999TiB"), "too much");
        refused(permille("101%"), "too much");
        refused(count("NaN"), "no number");
    }

    #[test]
    fn a_part_of_one_is_refused_and_not_cut_off() {
        for text in ["2.5", "1.7", "0.9", "0.0015k"] {
            let problem = count(text).expect_err(text);
            assert!(problem.contains("no whole number, expected a whole number"), "{problem}");
        }
        for problem in [bytes("0.5B"), bytes("0.0001KiB"), time_ns("0.5ns"), permille("0.05%")] {
            let problem = problem.expect_err("a part of one");
            assert!(problem.contains("no whole number, expected"), "{problem}");
        }
        assert_eq!(count("2.0"), Ok(2));
        assert_eq!(count("1.1k"), Ok(1_100));
        assert_eq!(count("0.29M"), Ok(290_000));
        assert_eq!(bytes("1.1GiB"), Ok(1_181_116_006));
    }
}
