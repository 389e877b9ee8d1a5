//! Counts the pairs of each key until a deadline, which is in a field.

use std::collections::BTreeMap;

use cutwater::dataflow::{Collector, Context, Operator, StateDeclarations, ValueState};
use cutwater::explore::Check;

use super::{Pair, RECORDS, check_of_one};

/// How long a session lasts.
const LASTS: i64 = 10;

#[derive(Clone)]
struct Session {
    count: ValueState<u64>,
    /// By key: what a snapshot does not hold.
    deadlines: BTreeMap<u64, i64>,
}

impl Operator for Session {
    type In = Pair;
    type Out = Pair;

    fn process(&mut self, (key, _): Pair, ctx: &mut Context<'_>, _: &mut Collector<'_, Pair>) {
        ctx.value(&self.count).update(|count| count.unwrap_or(0) + 1);
        let deadline = ctx.timestamp() + LASTS;
        self.deadlines.entry(key).or_insert_with(|| {
            ctx.register_timer(deadline);
            deadline
        });
    }

    fn on_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, Pair>) {
        let key = ctx.key::<u64>();
        self.deadlines.remove(&key);
        if let Some(count) = ctx.value(&self.count).get() {
            out.emit((key, count));
        }
        ctx.value(&self.count).clear();
    }
}

fn pairs() -> Vec<Pair> {
    (0..RECORDS).map(|number| (number % 3, number)).collect()
}

/// The time of a pair is its place; a timer fires behind the pair whose time it has.
fn expected() -> Vec<Pair> {
    let (mut open, mut closed) = (BTreeMap::<u64, (u64, u64)>::new(), Vec::new());
    for (key, now) in pairs() {
        open.entry(key).or_insert((0, now + LASTS.unsigned_abs())).0 += 1;
        let due: Vec<u64> =
            open.iter().filter(|(_, (_, due))| *due <= now).map(|(key, _)| *key).collect();
        closed.extend(due.into_iter().filter_map(|key| open.remove_entry(&key)));
    }
    let all = closed.into_iter().chain(open);
    all.map(|(key, (count, _))| (key, count)).collect()
}

pub fn deadline_in_a_field() -> Check {
    check_of_one("deadline", 1, &pairs(), &expected(), |source| {
        let make = |states: &mut StateDeclarations| Session {
            count: states.value("count"),
            deadlines: BTreeMap::new(),
        };
        source.key_by(|pair| pair.0).process("session", 2, make).into()
    })
}
