//! Numbers the pairs of each key, each in a wrong way of its own.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use cutwater::dataflow::{
    Collector, Context, ListState, Operator, OperatorState, StateDeclarations,
};
use cutwater::explore::Check;

use super::{Pair, RECORDS, check_of_one};

/// Where the last number is kept, or what stands in for it.
#[derive(Clone)]
enum Numbers {
    Field(BTreeMap<u64, u64>),
    Static,
    Store(Arc<Mutex<BTreeMap<u64, u64>>>),
    Clock,
    HashOrder(ListState<u64>),
    SeenInAList(OperatorState<u64>),
}

impl Operator for Numbers {
    type In = Pair;
    type Out = Pair;

    fn process(&mut self, pair: Pair, ctx: &mut Context<'_>, out: &mut Collector<'_, Pair>) {
        let key = pair.0;
        let next = |last: &mut u64| {
            *last += 1;
            *last
        };
        match self {
            Self::Field(last) => out.emit((key, next(last.entry(key).or_default()))),
            Self::Static => out.emit((0, COUNTER.fetch_add(1, Ordering::Relaxed))),
            Self::Store(store) => {
                let mut store = store.lock().expect("nobody panics with it");
                out.emit((key, next(store.entry(key).or_default())));
            }
            Self::Clock => out.emit((key, now())),
            Self::HashOrder(waiting) => {
                ctx.list(waiting).push(&pair.1);
                let all: Vec<u64> = ctx.list(waiting).iter().collect();
                if all.len() == 10 {
                    in_some_order(all).into_iter().for_each(|number| out.emit((key, number)));
                    ctx.list(waiting).clear();
                }
            }
            Self::SeenInAList(seen) => {
                let is_new = ctx.operator_list(seen).iter().all(|known| known != pair.1);
                if is_new {
                    ctx.operator_list(seen).push(&pair.1);
                    out.emit(pair);
                }
            }
        }
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Pair>) {}
}

static COUNTER: AtomicU64 = AtomicU64::new(0);

#[expect(clippy::disallowed_types, reason = "the bug that is to be found")]
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(0))
}

/// As a hash set would be iterated.
#[expect(clippy::disallowed_types, reason = "the bug that is to be found")]
fn in_some_order(mut numbers: Vec<u64>) -> Vec<u64> {
    let hasher = std::hash::RandomState::new();
    numbers.sort_by_key(|number| hasher.hash_one(number));
    numbers
}

/// Pairs of five keys, in turn.
fn pairs() -> Vec<Pair> {
    (0..RECORDS).map(|number| (number % 5, number)).collect()
}

fn numbered() -> Vec<Pair> {
    pairs().into_iter().map(|(key, number)| (key, number / 5 + 1)).collect()
}

fn check(
    name: &str,
    expected: &[Pair],
    make: impl Fn(&mut StateDeclarations) -> Numbers + Send + Sync + 'static,
) -> Check {
    check_of_one(name, 2, &pairs(), expected, |source| {
        source.key_by(|pair| pair.0).process("number", 2, make).into()
    })
}

pub fn in_a_field() -> Check {
    check("field", &numbered(), |_| Numbers::Field(BTreeMap::new()))
}

pub fn in_a_static() -> Check {
    let expected: Vec<Pair> = (0..RECORDS).map(|number| (0, number)).collect();
    check("static", &expected, |_| Numbers::Static)
}

pub fn in_a_store() -> Check {
    let store = Arc::new(Mutex::new(BTreeMap::new()));
    check("store", &numbered(), move |_| Numbers::Store(Arc::clone(&store)))
}

pub fn by_the_clock() -> Check {
    let expected: Vec<Pair> = pairs().into_iter().map(|(key, _)| (key, now())).collect();
    check("clock", &expected, |_| Numbers::Clock)
}

/// One split: which ten numbers wait together depends on their order.
pub fn in_hash_order() -> Check {
    check_of_one("hash-order", 1, &pairs(), &pairs(), |source| {
        let make = |states: &mut StateDeclarations| Numbers::HashOrder(states.list("waiting"));
        source.key_by(|pair| pair.0).process("number", 2, make).into()
    })
}

/// Every pair comes twice, and is wanted once. A list of a subtask is dealt out anew when there are more of them.
pub fn seen_in_a_list() -> Check {
    let once: Vec<Pair> = (0..RECORDS / 2).map(|number| (number, number)).collect();
    let twice: Vec<Pair> = once.iter().chain(&once).copied().collect();
    check_of_one("seen", 2, &twice, &once, |source| {
        let make =
            |states: &mut StateDeclarations| Numbers::SeenInAList(states.operator_list("seen"));
        source.key_by(|pair| pair.0).process("number", 2, make).into()
    })
}
