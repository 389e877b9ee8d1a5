//! Payments that are told more than once, and the orders that they are for: deduplication with a time to
//! live, and a join by time.
//!
//! Both sources read one split, in the order of time, so that which of several equal payments is the first,
//! and which comes when the first is forgotten, is a function of the input. Each pair is emitted once,
//! whichever comes first; so the output is a multiset.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

use super::draw::Draw;
use super::own::Build;
use super::{Experiment, Workload, WorkloadError, WorkloadSettings, decoded, encoded};
use crate::dataflow::{
    Data, EncodedSink, Entry, Input, JobBuilder, Source, SourceCollector, TimeToLive,
};
use crate::protocol::ordered::VecMap;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("payments"),
    about: Cow::Borrowed(
        "payments told more than once, joined with their orders: deduplication with a time to live, a join by time",
    ),
    unit: Cow::Borrowed("orders and payments"),
    records_usual: 1_000,
    records_max: 10_000_000,
    single_split: true,
    build: Build::Function(build),
};

/// For how long a payment is remembered, in milliseconds.
const TTL: i64 = 300;
/// How long after its order a payment counts.
const DUE_MAX: i64 = 600;
/// How long after its order a payment comes, at most.
const COMES_MAX: u64 = 700;
/// How long after the last a payment is told again, at most.
const AGAIN_MAX: u64 = 250;
/// How often a payment is told again, at most.
const REPEATS_MAX: u64 = 3;
const STEP_MAX: u64 = 40;

/// An order, or a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamped<T> {
    order: u64,
    at: i64,
    what: T,
}

/// An order; what it costs.
type Order = Stamped<u64>;

/// A payment; a number of its own.
type Payment = Stamped<u32>;

/// A payment that came in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Paid {
    order: u64,
    price: u64,
    after_ms: i64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let records = settings.records.unwrap_or(WORKLOAD.records_usual);
    let (orders, payments) = drawn(records, settings.seed);
    let logs = vec![
        orders.iter().map(encoded).collect::<Vec<_>>(),
        payments.iter().map(encoded).collect::<Vec<_>>(),
    ];
    Experiment::new(&job(settings), Input::new(logs), &reference(&orders, &payments))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    let orders = job.source("orders", InTime::<u64>::new(), 1, 1);
    let payments = job.source("payments", InTime::<u32>::new(), 1, 1);
    job.fix("orders");
    job.fix("payments");
    let once = payments.key_by(|payment| (payment.order, payment.what)).deduplicate(
        "once",
        parallelism,
        TimeToLive::event_time(TTL as u32),
    );
    orders
        .key_by(|order| order.order)
        .interval_join(&once.key_by(|payment| payment.order), 0..=DUE_MAX)
        .process("paid", parallelism, paid)
        .transactional_sink("receipts", parallelism, EncodedSink::new());
    job
}

fn paid(order: &Order, payment: &Payment) -> Paid {
    Paid { order: order.order, price: order.what, after_ms: payment.at - order.at }
}

/// Orders and payments, `records` in all, in the order of their times; drawn from `seed`.
fn drawn(records: u64, seed: u64) -> (Vec<Order>, Vec<Payment>) {
    let mut draw = Draw::new("payments", seed);
    let mut now = 0;
    let (mut orders, mut payments) = (Vec::new(), Vec::new());
    while (orders.len() + payments.len()) as u64 <= records {
        now += draw.below(STEP_MAX).cast_signed();
        let order = orders.len() as u64;
        orders.push(Order { order, at: now, what: draw.below(1_000) });
        let mut at = now + draw.below(COMES_MAX).cast_signed();
        for _ in 0..=draw.below(REPEATS_MAX) {
            payments.push(Payment { order, at, what: 1 });
            at += draw.below(AGAIN_MAX).cast_signed();
        }
    }
    payments.sort_by_key(|payment| payment.at);
    let over = (orders.len() + payments.len()).saturating_sub(records as usize);
    payments.truncate(payments.len().saturating_sub(over));
    (orders, payments)
}

/// Reads what comes in the order of time.
struct InTime<T> {
    _records: std::marker::PhantomData<fn() -> T>,
}

impl<T> InTime<T> {
    fn new() -> Self {
        Self { _records: std::marker::PhantomData }
    }
}

impl<T> Clone for InTime<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T: Data> Source for InTime<T> {
    type Out = Stamped<T>;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Stamped<T>>) {
        let stamped: Stamped<T> = decoded(entry.bytes);
        let at = stamped.at;
        out.emit(at, stamped);
        // More of the same time may follow.
        out.watermark(at - 1);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Which payments count: each that is not remembered, if its order is not too long ago.
fn reference(orders: &[Order], payments: &[Payment]) -> Vec<Paid> {
    let mut remembered = VecMap::<u64, i64>::new();
    let mut counted = Vec::new();
    for payment in payments {
        if remembered.get(&payment.order).is_some_and(|first| payment.at < first + TTL) {
            continue;
        }
        remembered.insert(payment.order, payment.at);
        let order = &orders[payment.order as usize];
        let after_ms = payment.at - order.at;
        if (0..=DUE_MAX).contains(&after_ms) {
            counted.push(Paid { order: order.order, price: order.what, after_ms });
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_counts_again_when_it_is_forgotten() {
        let orders = [Order { order: 0, at: 100, what: 7 }];
        let payments = [100, 399, 400, 701].map(|at| Payment { order: 0, at, what: 1 });
        let counted: Vec<i64> =
            reference(&orders, &payments).iter().map(|paid| paid.after_ms).collect();
        assert_eq!(counted, [0, 300]);
    }

    #[test]
    fn some_are_told_again_and_some_come_too_late() {
        let (orders, payments) = drawn(1_000, 0);
        assert_eq!(orders.len() + payments.len(), 1_000);
        let counted = reference(&orders, &payments).len();
        assert!(payments.len() > counted + 100, "{counted} of {} count", payments.len());
        assert!(counted > orders.len() / 2, "{counted} payments for {} orders", orders.len());
    }
}
