//! What the environment says to a check: a test takes no arguments.

use std::env;
use std::ops::Range;
use std::path::PathBuf;

/// The seeds, instead of those of the test.
pub const SEEDS: &str = "CUTWATER_SEEDS";

/// A plan, instead of any seed.
pub const REPLAY: &str = "CUTWATER_REPLAY";

/// What it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    /// These seeds.
    pub seeds: Option<Range<u64>>,
    /// This plan.
    pub replay: Option<PathBuf>,
}

impl Variables {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// What is wrong with one of them.
    pub fn read() -> Result<Self, String> {
        let seeds = env::var_os(SEEDS).map(|text| seeds(&text.to_string_lossy())).transpose()?;
        Ok(Self { seeds, replay: env::var_os(REPLAY).map(PathBuf::from) })
    }
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || {
        format!(
            "{SEEDS} is {text:?}, expected A..B, the first seed and the one after the last, such as 0..10000"
        )
    };
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let number = |digits: &str| digits.replace('_', "").parse::<u64>().map_err(|_| wrong());
    let seeds = number(first)?..number(end)?;
    if seeds.is_empty() { Err(wrong()) } else { Ok(seeds) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_that_holds_one() {
        assert_eq!(seeds("0..10_000"), Ok(0..10_000));
        for wrong in ["7", "3..3", "5..2", "a..b", ""] {
            assert!(
                seeds(wrong).is_err_and(|problem| problem.contains("expected A..B")),
                "{wrong}"
            );
        }
    }
}
