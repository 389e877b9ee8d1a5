//! Arguments that several subcommands share, and how they are read.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::str::FromStr as _;
use std::thread;
use std::time::Duration;

use strum::IntoEnumIterator as _;

use crate::explore::{StrategyName, WorldKind};
use crate::protocol::{Defect, DefectSet};

/// A range of seeds, `A..B`, that holds at least one.
pub fn seeds(text: &str) -> Result<Range<u64>, String> {
    let expected = "expected A..B, the first seed and the one after the last, such as 0..100";
    let (first, end) = text.split_once("..").ok_or(expected)?;
    let number = |digits: &str| {
        digits
            .replace('_', "")
            .parse::<u64>()
            .map_err(|error| format!("{digits:?}: {error}; {expected}"))
    };
    let (first, end) = (number(first)?, number(end)?);
    match first.cmp(&end) {
        std::cmp::Ordering::Less => Ok(first..end),
        std::cmp::Ordering::Equal => Err(format!("the range is empty; {expected}")),
        std::cmp::Ordering::Greater => Err(format!("the range is reversed; {expected}")),
    }
}

/// The name of a seeded defect.
pub fn defect(text: &str) -> Result<Defect, String> {
    Defect::from_str(text).map_err(|_| unknown("defect", text, Defect::all().map(Defect::name)))
}

/// The name of a world that this build has.
pub fn world(text: &str) -> Result<WorldKind, String> {
    let world = WorldKind::from_str(text)
        .map_err(|_| unknown("world", text, ["kernel", "madsim"].into_iter()))?;
    if world == WorldKind::Madsim && !cfg!(madsim) {
        return Err(
            "this build has no madsim world: build it with RUSTFLAGS=\"--cfg madsim\", as \
                    `cargo madsim` does in a checkout where RUSTFLAGS is not set"
                .to_owned(),
        );
    }
    Ok(world)
}

/// The name of a strategy.
pub fn strategy(text: &str) -> Result<StrategyName, String> {
    let known = StrategyName::iter().map(Into::into);
    StrategyName::from_str(text).map_err(|_| unknown("strategy", text, known))
}

/// Says that a name is not known, which one was perhaps meant, and which there are.
pub fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let meant = match closest(name, known.iter().copied()) {
        Some(meant) => format!(", did you mean {meant:?}?"),
        None => String::new(),
    };
    format!("unknown {what} {name:?}{meant}\n  expected one of: {}", known.join(", "))
}

/// The known name that looks most like `name`, if any does.
fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.8;
    let scored = known.map(|known| (strsim::jaro_winkler(name, known), known));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(score, _)| *score >= ALIKE).map(|(_, known)| known)
}

/// A number of threads or worker processes: more than there are cores anywhere help nobody.
pub fn number_of_jobs(text: &str) -> Result<NonZeroUsize, String> {
    const MOST: usize = 1_024;
    let expected = || format!("expected a number from 1 to {MOST}");
    let jobs: NonZeroUsize = text.parse().map_err(|_| expected())?;
    if jobs.get() <= MOST { Ok(jobs) } else { Err(expected()) }
}

/// As many threads as were asked for, or as there are cores.
pub fn jobs(asked: Option<NonZeroUsize>) -> usize {
    let cores = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    asked.map_or_else(cores, NonZeroUsize::get)
}

/// A length of time: `90s`, `10m`, `1h`, `500ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let expected = "expected a number and a unit: 500ms, 90s, 10m or 1h";
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let ms = amount(text, &units).ok_or(expected)?;
    if ms == 0 { Err(expected.to_owned()) } else { Ok(Duration::from_millis(ms)) }
}

/// A number of bytes, `2GiB` or `512MiB`; or `none`.
pub fn memory(text: &str) -> Result<Memory, String> {
    const LEAST: u64 = 256 << 20;
    if text == "none" {
        return Ok(Memory { bytes: None });
    }
    let expected = "expected 256MiB or more, such as 512MiB or 2GiB, or none";
    let bytes = amount(text, &[("MiB", 1 << 20), ("GiB", 1 << 30)]).ok_or(expected)?;
    if bytes < LEAST { Err(expected.to_owned()) } else { Ok(Memory { bytes: Some(bytes) }) }
}

/// How much memory a process may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// So many bytes; none where there is no limit.
    pub bytes: Option<u64>,
}

/// A whole number of a unit.
fn amount(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let (_, scale) = units.iter().find(|(unit, _)| *unit == &text[digits.len()..])?;
    digits.parse::<u64>().ok()?.checked_mul(*scale)
}

/// The digest of a trace: 32 hexadecimal digits, as they are told.
pub fn digest(text: &str) -> Result<String, String> {
    const DIGITS: usize = 32;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if text.len() == DIGITS && text.bytes().all(is_digit) {
        Ok(text.to_owned())
    } else {
        Err(format!("expected {DIGITS} hexadecimal digits, of 0 to 9 and a to f"))
    }
}

/// The defects as one set.
pub fn defect_set(defects: &[Defect]) -> DefectSet {
    defects.iter().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_that_leads_upwards() {
        assert_eq!(seeds("0..100"), Ok(0..100));
        assert_eq!(seeds("5..1_000"), Ok(5..1_000));
        assert!(seeds("7").is_err_and(|error| error.starts_with("expected A..B")));
        assert!(seeds("9..3").is_err_and(|error| error.contains("reversed")));
        assert!(seeds("3..3").is_err_and(|error| error.contains("empty")));
        assert!(seeds("a..3").is_err_and(|error| error.contains("\"a\"")));
    }

    #[test]
    fn amounts_have_a_number_and_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        for wrong in ["", "10", "m", "0s", "-1s", "1.5h", "1d", "99999999999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert_eq!(memory("2GiB"), Ok(Memory { bytes: Some(2 << 30) }));
        assert_eq!(memory("none"), Ok(Memory { bytes: None }));
        assert!(memory("1MiB").is_err() && memory("2GB").is_err());
    }

    #[test]
    fn an_unknown_name_is_told_which_was_meant() {
        let error = defect("channel-not-bloked").expect_err("no such defect");
        assert!(error.contains("did you mean \"channel-not-blocked\"?"), "{error}");
        let error = defect("zzz").expect_err("no such defect");
        assert!(
            !error.contains("did you mean") && error.contains("no-flush-at-barrier"),
            "{error}"
        );
    }
}
