//! How often forks are violated, place by place: a grid first, then more and more closely around what
//! rises most.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use serde::Serialize;

use super::forks::{Forks, Place};
use super::{LocaliseError, Settings};
use crate::protocol::ordered::{VecMap, VecSet};

/// What the forks at one place came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// How many steps lie before the place.
    pub step: u64,
    /// How many events lie before the place.
    pub events: u64,
    /// When the step before it happened, in nanoseconds of virtual time.
    pub at_ns: u64,
    /// How many forks were run.
    pub forks: u32,
    /// How many of them were violated.
    pub violated: u32,
    /// The share of them.
    pub probability: f64,
    /// The lower end of its 95 % confidence interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Estimate {
    fn new(index: usize, place: Place, Count { forks, violated }: Count) -> Self {
        let (low, high) = interval(violated, forks);
        let probability = f64::from(violated) / f64::from(forks.max(1));
        let (step, events, at_ns) = (index as u64, place.events, place.at.0);
        Self { step, events, at_ns, forks, violated, probability, low, high }
    }
}

/// The 95 % confidence interval of a share (Wilson 1927).
fn interval(hits: u32, of: u32) -> (f64, f64) {
    const Z: f64 = 1.96;
    let number = f64::from(of.max(1));
    let share = f64::from(hits) / number;
    let scale = 1.0 + Z * Z / number;
    let centre = (share + Z * Z / (2.0 * number)) / scale;
    let spread = (share * (1.0 - share) / number + Z * Z / (4.0 * number * number)).sqrt();
    let half = Z * spread / scale;
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// The counts so far, by the place's index.
pub struct Estimates {
    counts: VecMap<usize, Count>,
    places: Vec<Place>,
    /// The stretches that rose most, one of which is the leap.
    leaps: Vec<(usize, usize)>,
    /// Forks that were run and do not count.
    forgotten: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    forks: u32,
    violated: u32,
}

/// How often the steepest stretches are divided again.
const ROUNDS_MAX: u32 = 16;

/// How many stretches are divided in one round.
const STRETCHES: usize = 2;

/// Into how many parts.
const PARTS: usize = 4;

/// A stretch that rises by less than one in so many is not looked at more closely.
const RISE_MIN: u32 = 6;

/// How many forks a thread runs at once, from one run up to their place.
const CHUNK: u32 = 16;

/// How many of the steepest steps are looked at again, with forks of their own.
const LEAPS: usize = 3;

/// How many times as many forks the places beside these get.
const SHARPER: u32 = 4;

impl Estimates {
    fn new(places: Vec<Place>) -> Self {
        Self { counts: VecMap::new(), places, leaps: Vec::new(), forgotten: 0 }
    }

    /// Runs all forks that are needed.
    pub fn gather(
        forks: &Forks<'_>,
        settings: &Settings,
        stop: &AtomicBool,
        each: impl Fn(u64),
    ) -> Result<Self, LocaliseError> {
        let mut estimates = Self::new(forks.places().to_vec());
        let most = settings.forks.max(1);
        let run = |estimates: &mut Self, places: Vec<usize>, range: Range<u32>| {
            let items = items(&places, range);
            let counts = count_all(forks, &items, settings.jobs, stop)?;
            for ((place, range), violated) in items.into_iter().zip(counts) {
                let count = estimates.counts.entry(place).or_default();
                count.forks += range.end - range.start;
                count.violated += violated;
            }
            each(estimates.forks());
            Ok(())
        };
        let grid = estimates.grid(settings.grid);
        run(&mut estimates, grid, 0..most)?;
        for _ in 0..ROUNDS_MAX {
            let places = estimates.steepest(most);
            if places.is_empty() {
                break;
            }
            run(&mut estimates, places, 0..most)?;
        }
        estimates.leaps = estimates.steps().greatest(LEAPS);
        let beside = estimates.leaps.iter().flat_map(|(before, after)| [*before, *after]);
        let beside: VecSet<usize> = beside.collect();
        estimates.forget(&beside);
        let last = most.saturating_mul(SHARPER + 1);
        run(&mut estimates, beside.into_iter().collect(), most..last)?;
        Ok(estimates)
    }

    /// What was chosen for rising steeply is counted anew: chance chose it, too.
    fn forget(&mut self, places: &VecSet<usize>) {
        for place in places {
            if let Some(count) = self.counts.insert(*place, Count::default()) {
                self.forgotten += u64::from(count.forks);
            }
        }
    }

    /// Places spread evenly, the first and the last among them.
    fn grid(&self, points: u32) -> Vec<usize> {
        let last = self.places.len() - 1;
        let points = (points.max(2) as usize).min(last + 1).max(1);
        let mut places: Vec<usize> =
            (0..points).map(|point| last * point / (points - 1).max(1)).collect();
        places.dedup();
        places
    }

    /// Places within the stretches that rise most, if any rises more than the greatest single step.
    fn steepest(&self, forks: u32) -> Vec<usize> {
        let steps = self.steps();
        let single = steps.iter().filter(|step| step.is_single()).map(|step| step.rise).max();
        let least = (forks / RISE_MIN).max(1).max(single.unwrap_or(0).saturating_add(1) as u32);
        let mut steep: Vec<&Step> = steps.0.iter().filter(|step| !step.is_single()).collect();
        steep.retain(|step| step.rise >= i64::from(least));
        steep.sort_by_key(|step| (Reverse(step.rise), Reverse(step.after)));
        let divided = |step: &&Step| {
            let (from, length) = (step.before, step.after - step.before);
            let mut inner: Vec<usize> =
                (1..PARTS).map(|part| from + length * part / PARTS).collect();
            inner.retain(|place| *place > step.before && *place < step.after);
            inner.dedup();
            inner
        };
        steep.iter().take(STRETCHES).flat_map(divided).collect()
    }

    fn steps(&self) -> Steps {
        let counts: Vec<(usize, Count)> =
            self.counts.iter().map(|(place, count)| (*place, *count)).collect();
        let step = |pair: &[(usize, Count)]| Step {
            before: pair[0].0,
            after: pair[1].0,
            rise: i64::from(pair[1].1.violated) - i64::from(pair[0].1.violated),
        };
        Steps(counts.windows(2).map(step).collect())
    }

    /// How many forks were run.
    pub fn forks(&self) -> u64 {
        self.forgotten + self.counts.values().map(|count| u64::from(count.forks)).sum::<u64>()
    }

    /// The places before and after the greatest rise from one to the next, by their index, and what
    /// was counted there.
    pub fn greatest_rise(&self) -> [(usize, Estimate); 2] {
        let estimate = |place: usize| {
            let count = self.counts.get(&place).copied().unwrap_or_default();
            (place, Estimate::new(place, self.places[place], count))
        };
        let pairs = self.leaps.iter().map(|(before, after)| [estimate(*before), estimate(*after)]);
        let rise = |pair: &[(usize, Estimate); 2]| pair[1].1.probability - pair[0].1.probability;
        let greatest = pairs.max_by(|one, other| rise(one).total_cmp(&rise(other)));
        greatest.unwrap_or_else(|| [estimate(0), estimate(0)])
    }

    fn all(&self) -> impl Iterator<Item = Estimate> + '_ {
        let estimate =
            |(place, count): (&usize, &Count)| Estimate::new(*place, self.places[*place], *count);
        self.counts.iter().map(estimate)
    }

    /// All of them, in order.
    pub fn into_all(self) -> Vec<Estimate> {
        self.all().collect()
    }
}

/// From one place that was looked at to the next.
struct Step {
    before: usize,
    after: usize,
    /// How many more forks are violated.
    rise: i64,
}

impl Step {
    fn is_single(&self) -> bool {
        self.after == self.before + 1
    }
}

struct Steps(Vec<Step>);

impl Steps {
    fn iter(&self) -> impl Iterator<Item = &Step> {
        self.0.iter()
    }

    /// Those that rise most, at most so many; the later ones first, where several rise as much.
    fn greatest(&self, most: usize) -> Vec<(usize, usize)> {
        let mut steps: Vec<&Step> = self.0.iter().collect();
        steps.sort_by_key(|step| (Reverse(step.rise), Reverse(step.after)));
        steps.iter().take(most).map(|step| (step.before, step.after)).collect()
    }
}

/// What threads take one by one: a place, and some of its forks.
fn items(places: &[usize], range: Range<u32>) -> Vec<(usize, Range<u32>)> {
    let mut items = Vec::new();
    for place in places {
        let mut start = range.start;
        while start < range.end {
            let end = range.end.min(start.saturating_add(CHUNK));
            items.push((*place, start..end));
            start = end;
        }
    }
    items
}

/// Counts each item, on several threads; in the order of the items.
fn count_all(
    forks: &Forks<'_>,
    items: &[(usize, Range<u32>)],
    jobs: usize,
    stop: &AtomicBool,
) -> Result<Vec<u32>, LocaliseError> {
    let next = AtomicUsize::new(0);
    let counts: Vec<AtomicU64> = items.iter().map(|_| AtomicU64::new(0)).collect();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1).min(items.len()) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((place, range)) = items.get(index) else { break };
                    let violated = forks.count(*place, range.clone());
                    counts[index].store(u64::from(violated), Ordering::Relaxed);
                }
            });
        }
    });
    if stop.load(Ordering::Relaxed) {
        return Err(LocaliseError::Stopped);
    }
    Ok(counts.into_iter().map(|count| count.into_inner() as u32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_wilsons() {
        let (low, high) = interval(0, 10);
        assert!(low == 0.0 && (high - 0.277_5).abs() < 1e-3, "{low} {high}");
        let (low, high) = interval(32, 64);
        assert!((low - 0.380_9).abs() < 1e-3 && (high - 0.619_1).abs() < 1e-3, "{low} {high}");
        let (low, high) = interval(64, 64);
        assert!((low - 0.943_4).abs() < 1e-3 && high == 1.0, "{low} {high}");
    }

    #[test]
    fn items_cover_every_fork_once() {
        assert_eq!(items(&[3], 0..40), [(3, 0..16), (3, 16..32), (3, 32..40)]);
        assert_eq!(items(&[3, 9], 0..1), [(3, 0..1), (9, 0..1)]);
        assert_eq!(items(&[], 0..40), []);
    }

    #[test]
    fn a_rise_is_divided_until_it_is_one_step() {
        let place = |events| Place { events, at: crate::protocol::VirtualTime::ZERO };
        let count = |violated| Count { forks: 64, violated };
        let mut estimates = Estimates::new((0..100).map(place).collect());
        assert_eq!(estimates.grid(4), [0, 33, 66, 99]);
        for index in estimates.grid(4) {
            estimates.counts.insert(index, count(if index >= 57 { 64 } else { 0 }));
        }
        loop {
            let places = estimates.steepest(64);
            if places.is_empty() {
                break;
            }
            for index in places {
                estimates.counts.insert(index, count(if index >= 57 { 64 } else { 0 }));
            }
        }
        estimates.leaps = estimates.steps().greatest(1);
        assert_eq!(estimates.leaps, [(56, 57)]);
        assert!(estimates.counts.len() < 20, "{:?}", estimates.counts.keys());
    }
}
