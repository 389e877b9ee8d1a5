//! Clicks of users in sessions and in sliding windows, with clicks that come late.
//!
//! There is one split and one source, so that what is late is a function of the order of clicks alone, as in
//! `corrections`. A session takes late clicks for a while, and is given again; what no session takes goes to
//! a side output. A sliding window takes none: what comes for none of its windows is dropped.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::draw::Draw;
use super::own::Build;
use super::records::TimedRecords;
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{
    Aggregate, EncodedSink, Input, JobBuilder, OutputTag, WindowResult, Windows,
};
use crate::protocol::ordered::VecMap;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("visits"),
    about: Cow::Borrowed(
        "clicks in sessions with allowed lateness and in sliding windows: windows that merge, late ones aside",
    ),
    unit: Cow::Borrowed("clicks"),
    records_usual: 2_000,
    records_max: 10_000_000,
    single_split: true,
    build: Build::Function(build),
};

/// The longest pause within a visit, in milliseconds.
const GAP: i64 = 400;
/// How long after its end a visit takes clicks.
const LATENESS: i64 = 500;
/// How long a sliding window is, and from one to the next.
const SLIDING: [i64; 2] = [1_000, 400];
/// How far the watermark stays behind the latest click.
const OUT_OF_ORDER_MAX: i64 = 200;
/// How long a click is under way that is not held up, and one that is.
const DELAYS: [u64; 2] = [200, 3_000];
/// One click in so many is held up.
const HELD_UP: u64 = 6;
const STEP_MAX: u64 = 60;
const USERS: u64 = 5;

/// Clicks that no session takes.
const LATE: OutputTag<Click> = OutputTag::new("late");

/// A click of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Click {
    user: u64,
    at: i64,
    amount: u64,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Told {
    /// A session, as far as it had come.
    Visit { user: u64, start: i64, end: i64, clicks: u64, amount: u64 },
    /// The dearest click of a sliding window.
    Peak { user: u64, start: i64, amount: u64 },
    /// A click that no session took.
    Late { user: u64, at: i64, amount: u64 },
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let clicks = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt(clicks.iter().map(encoded), 1);
    let (mut told, dropped) = peaks(&clicks);
    told.extend(visits(&clicks));
    Ok(Experiment::new(&job(settings), input, &told)?.dropping(&dropped))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let clicks =
        job.source("clicks", TimedRecords::new(OUT_OF_ORDER_MAX, |click: &Click| click.at), 1, 1);
    job.fix("clicks");
    let users = clicks.key_by(|click| click.user);
    let visits = users
        .window(Windows::session(GAP as u32))
        .allowed_lateness(LATENESS as u32)
        .side_output_late(LATE)
        .aggregate("visits", parallelism, Count);
    let peaks = users
        .window(Windows::sliding(SLIDING[0] as u32, SLIDING[1] as u32))
        .reduce(
            "peaks",
            parallelism,
            |one, other| if one.amount < other.amount { other } else { one },
        )
        .map("peaks-told", parallelism, |WindowResult { key, window, value }| Told::Peak {
            user: key,
            start: window.start,
            amount: value.amount,
        });
    let late =
        visits.side_output(LATE).map("late-told", parallelism, |Click { user, at, amount }| {
            Told::Late { user, at, amount }
        });
    visits
        .map("visits-told", parallelism, |WindowResult { key, window, value: (clicks, amount) }| {
            Told::Visit { user: key, start: window.start, end: window.end, clicks, amount }
        })
        .union("all", parallelism, &[&peaks, &late])
        .transactional_sink("told", parallelism, EncodedSink::new());
    job
}

/// How many clicks, and what they come to.
#[derive(Clone)]
struct Count;

impl Aggregate for Count {
    type In = Click;
    type Accumulator = (u64, u64);
    type Out = (u64, u64);

    fn create(&self) -> (u64, u64) {
        (0, 0)
    }

    fn add(&self, click: Click, (clicks, amount): (u64, u64)) -> (u64, u64) {
        (clicks + 1, amount + click.amount)
    }

    fn merge(&self, one: (u64, u64), other: (u64, u64)) -> (u64, u64) {
        (one.0 + other.0, one.1 + other.1)
    }

    fn result(&self, total: &(u64, u64)) -> (u64, u64) {
        *total
    }
}

/// Clicks in the order in which they come; drawn from `seed`.
fn drawn(records: u64, seed: u64) -> Vec<Click> {
    let mut draw = Draw::new("visits", seed);
    let mut now = 0;
    let mut clicks: Vec<(i64, Click)> = (0..records)
        .map(|_| {
            now += draw.below(STEP_MAX).cast_signed();
            let delay = DELAYS[usize::from(draw.below(HELD_UP) == 0)];
            let comes = now + draw.below(delay).cast_signed();
            (comes, Click { user: draw.below(USERS), at: now, amount: draw.below(1 << 16) })
        })
        .collect();
    clicks.sort_by_key(|(comes, _)| *comes);
    clicks.into_iter().map(|(_, click)| click).collect()
}

/// The watermark before each click, and the click.
fn with_watermarks(clicks: &[Click]) -> impl Iterator<Item = (i64, &Click)> {
    let mut latest: Option<i64> = None;
    clicks.iter().map(move |click| {
        let watermark = latest.map_or(i64::MIN, |latest| latest - OUT_OF_ORDER_MAX - 1);
        latest = latest.max(Some(click.at));
        (watermark, click)
    })
}

/// A session that is not forgotten.
#[derive(Clone, Debug)]
struct Open {
    start: i64,
    end: i64,
    clicks: u64,
    amount: u64,
}

impl Open {
    fn told(&self, user: u64) -> Told {
        let Open { start, end, clicks, amount } = *self;
        Told::Visit { user, start, end, clicks, amount }
    }
}

/// What sessions must be told, and which clicks none takes: clicks are gone through one by one.
fn visits(clicks: &[Click]) -> Vec<Told> {
    let mut told = Vec::new();
    let mut open: Vec<Vec<Open>> = vec![Vec::new(); USERS as usize];
    let mut before = i64::MIN;
    for (watermark, click) in with_watermarks(clicks) {
        for (user, sessions) in (0..).zip(&mut open) {
            let over = |session: &&Open| before < session.end - 1 && session.end - 1 <= watermark;
            told.extend(sessions.iter().filter(over).map(|session| session.told(user)));
            sessions.retain(|session| session.end - 1 + LATENESS > watermark);
        }
        before = watermark;
        let Click { user, at, amount } = *click;
        let sessions = &mut open[user as usize];
        let near = |session: &mut Open| session.start <= at + GAP && at <= session.end;
        let mut joined = Open { start: at, end: at + GAP, clicks: 1, amount };
        let touched: Vec<Open> = sessions.extract_if(.., near).collect();
        for other in &touched {
            joined.start = joined.start.min(other.start);
            joined.end = joined.end.max(other.end);
            joined.clicks += other.clicks;
            joined.amount += other.amount;
        }
        if joined.end - 1 + LATENESS <= watermark {
            told.push(Told::Late { user, at, amount });
            continue;
        }
        if joined.end - 1 <= watermark {
            told.push(joined.told(user));
        }
        sessions.push(joined);
    }
    for (user, sessions) in (0..).zip(&open) {
        let left = sessions.iter().filter(|session| session.end - 1 > before);
        told.extend(left.map(|session| session.told(user)));
    }
    told
}

/// What sliding windows must be told, and which clicks are dropped.
fn peaks(clicks: &[Click]) -> (Vec<Told>, Vec<Click>) {
    let [size, slide] = SLIDING;
    let mut windows = VecMap::<(u64, i64), u64>::new();
    let mut dropped = Vec::new();
    for (watermark, click) in with_watermarks(clicks) {
        let first = (click.at - size).div_euclid(slide) + 1;
        let starts = (first..=click.at.div_euclid(slide)).map(|number| number * slide);
        let open: Vec<i64> = starts.filter(|start| start + size - 1 > watermark).collect();
        if open.is_empty() {
            dropped.push(click.clone());
        }
        for start in open {
            let peak = windows.entry((click.user, start)).or_insert(0);
            *peak = click.amount.max(*peak);
        }
    }
    let told = |((user, start), amount)| Told::Peak { user, start, amount };
    (windows.into_iter().map(told).collect(), dropped)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn click(at: i64) -> Click {
        Click { user: 1, at, amount: 10 }
    }

    /// Worked out by hand. After 1,000 the watermark is 799, so that the visit of 0 (to 399) is given; 300
    /// makes it longer (to 699), and it is given again. After 2,000 the watermark is 1,799: the visits of 0
    /// to 300 and of 1,000 are over, and the first is forgotten. So 100 is late, and 1,250 joins the second.
    #[test]
    fn a_visit_is_given_corrected_and_forgotten() {
        let told = visits(&[0, 1_000, 300, 2_000, 100, 1_250].map(click));
        let visit =
            |start, end, clicks| Told::Visit { user: 1, start, end, clicks, amount: clicks * 10 };
        let expected = [
            visit(0, 400, 1),
            visit(0, 700, 2),
            visit(1_000, 1_400, 1),
            Told::Late { user: 1, at: 100, amount: 10 },
            visit(1_000, 1_650, 2),
            visit(2_000, 2_400, 1),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_click_is_in_the_windows_that_hold_its_time() {
        let (told, dropped) = peaks(&[1_000, 3_000, 5].map(click));
        let starts: Vec<i64> = told
            .iter()
            .filter_map(|told| match told {
                Told::Peak { start, .. } => Some(*start),
                Told::Visit { .. } | Told::Late { .. } => None,
            })
            .collect();
        assert_eq!(starts, [400, 800, 2_400, 2_800]);
        assert_eq!(dropped, [click(5)]);
    }

    #[test]
    fn visits_merge_and_some_clicks_are_late() {
        let clicks = drawn(1_000, 0);
        let told = visits(&clicks);
        let late = told.iter().filter(|told| matches!(told, Told::Late { .. })).count();
        assert!((10..300).contains(&late), "{late} are late");
        assert!(told.len() - late > 40, "{} visits are told", told.len() - late);
    }
}
