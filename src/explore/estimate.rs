//! How many seeds a detection takes, with what is not known about it.
//!
//! Each seed detects a defect with some probability p, independently of the others, so the number of seeds
//! to detection is geometric, and 1/p on average. A search that ends with its k-th detection, in run n,
//! estimates p by k/n. The confidence interval is the exact one (Clopper and Pearson, Biometrika 1934;
//! for searches that end with a detection the upper end of p is that of inverse sampling, which knows that
//! the last run detected): the p for which so many detections, or so few, would be seen in less than one
//! of forty searches.

use serde::Serialize;

/// The mean number of seeds to detection, and between which numbers it lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Runs by detections; none where nothing was detected.
    pub mean: Option<f64>,
    /// It is not below this.
    pub low: f64,
    /// It is not above this; none where nothing was detected.
    pub high: Option<f64>,
}

/// One half of what 95 % leaves.
const TAIL: f64 = 0.025;

impl Estimate {
    /// From `detections` in `runs`, the last of which detected something if `ended_by_detection`.
    #[must_use]
    pub fn of(runs: u64, detections: u64, ended_by_detection: bool) -> Self {
        let spared = if ended_by_detection { 1 } else { 0 };
        let (few_runs, few) = (runs - spared.min(runs), detections - spared.min(detections));
        let highest = solve(|p| at_most(few, few_runs, p) > TAIL);
        let low = 1.0 / highest.max(f64::MIN_POSITIVE);
        if detections == 0 {
            return Self { mean: None, low, high: None };
        }
        let lowest = solve(|p| 1.0 - at_most(detections - 1, runs, p) < TAIL);
        let mean = runs as f64 / detections as f64;
        Self { mean: Some(mean), low, high: Some(1.0 / lowest.max(f64::MIN_POSITIVE)) }
    }
}

/// The highest p for which a property holds that holds below it and not above.
fn solve(holds: impl Fn(f64) -> bool) -> f64 {
    const STEPS: u32 = 60;
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

/// The probability of at most `few` detections in `runs`, each with probability `p`.
fn at_most(few: u64, runs: u64, p: f64) -> f64 {
    if few >= runs {
        return 1.0;
    }
    let odds = p / (1.0 - p);
    let mut term = (runs as f64 * (-p).ln_1p()).exp();
    let mut sum = term;
    for number in 0..few {
        term *= (runs - number) as f64 / (number + 1) as f64 * odds;
        sum += term;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) -> bool {
        (found - expected).abs() < expected * 0.005
    }

    #[test]
    fn intervals_are_those_of_clopper_and_pearson() {
        // 5 of 50: p between 0.03328 and 0.21813.
        let estimate = Estimate::of(50, 5, false);
        assert_eq!(estimate.mean, Some(10.0));
        assert!(near(estimate.low, 1.0 / 0.21813), "{estimate:?}");
        assert!(estimate.high.is_some_and(|high| near(high, 1.0 / 0.03328)), "{estimate:?}");
        // None of 100: p below 0.03622.
        let estimate = Estimate::of(100, 0, false);
        assert_eq!((estimate.mean, estimate.high), (None, None));
        assert!(near(estimate.low, 1.0 / 0.03622), "{estimate:?}");
    }

    #[test]
    fn a_search_that_ends_with_a_detection_knows_more() {
        let (open, ended) = (Estimate::of(50, 5, false), Estimate::of(50, 5, true));
        assert!(ended.low > open.low && ended.high == open.high, "{ended:?}, {open:?}");
        let every = Estimate::of(5, 5, true);
        assert!(every.mean == Some(1.0) && near(every.low, 1.0), "{every:?}");
        assert!(every.high.is_some_and(|high| high > 1.5), "{every:?}");
    }
}
