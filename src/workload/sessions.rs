//! Sessions of users: clicks that lie close together, told when the user has been away for long enough.
//!
//! Clicks are out of order, but never by more than the watermark stays behind, in any split; so none is
//! late. A session is a maximal run of a user's clicks with short gaps, whatever the order in which they
//! came: a click that falls between two sessions makes one of them. So the output is a multiset. Each
//! click moves its session's timer, so that timers are taken back as often as they fire.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::records::TimedRecords;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Input, JobBuilder, Operator, StateDeclarations, ValueState,
};

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("sessions"),
    about: Cow::Borrowed(
        "sessions of clicks that come out of order: timers that move, merging windows, many splits",
    ),
    unit: Cow::Borrowed("clicks"),
    records_usual: 2_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// The longest pause within a session, in milliseconds.
const GAP: i64 = 400;
/// How far a click may come after a later one.
const OUT_OF_ORDER_MAX: i64 = 300;
/// From one click to the next, of all users together, at most.
const STEP_MAX: u64 = 40;
const USERS: u64 = 8;

/// A click of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Click {
    user: u64,
    at: i64,
    amount: u64,
}

/// Clicks close together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Session {
    user: u64,
    first: i64,
    last: i64,
    clicks: u64,
    amount: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let clicks = drawn(settings.records.unwrap_or(WORKLOAD.records_usual), settings.seed);
    let input = Input::dealt_as(clicks.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job(settings), input, &reference(&clicks))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    job.source(
        "clicks",
        TimedRecords::new(OUT_OF_ORDER_MAX, |click: &Click| click.at),
        parallelism,
        settings.splits,
    )
    .key_by(|click| click.user)
    .process("sessions", parallelism, Sessions::new)
    .transactional_sink("told", parallelism, EncodedSink::new());
    job
}

/// Clicks in the order in which they come; drawn from `seed`.
fn drawn(records: u64, seed: u64) -> Vec<Click> {
    let mut draw = Draw::new("sessions", seed);
    let mut now = 0;
    let mut clicks: Vec<(i64, Click)> = (0..records)
        .map(|_| {
            now += draw.below(STEP_MAX).cast_signed();
            let comes = now + draw.below(OUT_OF_ORDER_MAX.unsigned_abs()).cast_signed();
            (comes, Click { user: draw.below(USERS), at: now, amount: draw.below(100) })
        })
        .collect();
    clicks.sort_by_key(|(comes, _)| *comes);
    clicks.into_iter().map(|(_, click)| click).collect()
}

/// Joins the clicks of a user to sessions.
#[derive(Clone)]
struct Sessions {
    /// The user's sessions that are not told, in order.
    open: ValueState<Vec<Session>>,
}

impl Sessions {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { open: states.value("open") }
    }
}

impl Operator for Sessions {
    type In = Click;
    type Out = Session;

    fn process(&mut self, click: Click, ctx: &mut Context<'_>, _: &mut Collector<'_, Session>) {
        let Click { user, at, amount } = click;
        if at + GAP <= ctx.watermark() {
            return ctx.drop_late();
        }
        let mut joined = Session { user, first: at, last: at, clicks: 1, amount };
        let mut open = ctx.value(&self.open).get().unwrap_or_default();
        for near in open.extract_if(.., |open| at >= open.first - GAP && at <= open.last + GAP) {
            ctx.delete_timer(near.last + GAP);
            joined.first = joined.first.min(near.first);
            joined.last = joined.last.max(near.last);
            joined.clicks += near.clicks;
            joined.amount += near.amount;
        }
        ctx.register_timer(joined.last + GAP);
        open.push(joined);
        open.sort();
        ctx.value(&self.open).set(&open);
    }

    fn on_timer(&mut self, at: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, Session>) {
        let mut state = ctx.value(&self.open);
        let mut open = state.get().unwrap_or_default();
        open.extract_if(.., |session| session.last + GAP == at).for_each(|told| out.emit(told));
        if open.is_empty() { state.clear() } else { state.set(&open) }
    }
}

/// What must come out: the clicks of each user in the order of their times, cut where a gap is long.
fn reference(clicks: &[Click]) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    for user in 0..USERS {
        let mut own: Vec<&Click> = clicks.iter().filter(|click| click.user == user).collect();
        own.sort_by_key(|click| click.at);
        for cut in own.chunk_by(|one, next| next.at - one.at <= GAP) {
            sessions.push(Session {
                user,
                first: cut[0].at,
                last: cut[cut.len() - 1].at,
                clicks: cut.len() as u64,
                amount: cut.iter().map(|click| click.amount).sum(),
            });
        }
    }
    sessions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn click(user: u64, at: i64) -> Click {
        Click { user, at, amount: 1 }
    }

    #[test]
    fn a_session_ends_where_a_gap_is_long() {
        let clicks = [click(1, 900), click(0, 0), click(0, 801), click(0, 400), click(1, 500)];
        let found = reference(&clicks);
        let shown: Vec<_> = found.iter().map(|s| (s.user, s.first, s.last, s.clicks)).collect();
        assert_eq!(shown, [(0, 0, 400, 2), (0, 801, 801, 1), (1, 500, 900, 2)]);
    }

    #[test]
    fn clicks_are_out_of_order_within_the_bound() {
        let clicks = drawn(1_000, 0);
        let mut latest = i64::MIN;
        let mut behind = 0;
        for click in &clicks {
            assert!(click.at >= latest.saturating_sub(OUT_OF_ORDER_MAX));
            behind += usize::from(click.at < latest);
            latest = latest.max(click.at);
        }
        assert!(behind > 300, "only {behind} come after a later one");
        assert!(reference(&clicks).len() > 30);
    }
}
