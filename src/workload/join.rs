//! Orders joined with their customers, from two sources of which one ends long before the other.
//!
//! One record in ten is a customer, so that when all customers have been read, most orders are still to
//! come: every checkpoint from then on has subtasks that have ended. Each order meets its customer once,
//! whichever comes first, and customers are unique; so the output is a multiset.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::lookup::Lookup;
use super::records::Records;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, encoded};
use crate::dataflow::{EncodedSink, Input, JobBuilder};
use crate::protocol::ordered::VecMap;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("join"),
    about: Cow::Borrowed(
        "orders joined with customers: two sources, one of which ends long before the other",
    ),
    unit: Cow::Borrowed("customers and orders"),
    records_usual: 2_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// Records for each customer, the customer among them.
const RECORDS_PER_CUSTOMER: u64 = 10;

/// The highest price of an order.
const PRICE_MAX: u64 = 10_000;

/// Somebody who orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Customer {
    /// Unique.
    id: u64,
    discount_percent: u64,
}

/// What a customer wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Order {
    /// Unique.
    id: u64,
    customer: u64,
    price: u64,
}

/// What a customer is to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Invoice {
    order: u64,
    customer: u64,
    /// In hundredths of a price.
    amount: u64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let records = settings.records.unwrap_or(WORKLOAD.records_usual);
    let (customers, orders) = drawn(records, settings.seed);
    let mut logs = dealt(&customers, settings);
    logs.extend(dealt(&orders, settings));
    Experiment::new(&job(settings), Input::new(logs), &reference(&customers, &orders))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let WorkloadSettings { parallelism, splits, .. } = *settings;
    let job = JobBuilder::new(&WORKLOAD.name);
    let customers = job.source("customers", Records::<Customer>::new(), parallelism, splits);
    let orders = job.source("orders", Records::<Order>::new(), parallelism, splits);
    orders
        .key_by(|order| order.customer)
        .connect(customers.key_by(|customer| customer.id))
        .process2("join", parallelism, |states| Lookup::new(states, invoice))
        .transactional_sink("invoices", parallelism, EncodedSink::new());
    job
}

fn invoice(order: &Order, customer: &Customer) -> Invoice {
    let amount = order.price * (100 - customer.discount_percent);
    Invoice { order: order.id, customer: customer.id, amount }
}

/// Customers, and orders of theirs, `records` in all; drawn from `seed`.
fn drawn(records: u64, seed: u64) -> (Vec<Customer>, Vec<Order>) {
    let mut draw = Draw::new("join", seed);
    let customer_count = records.div_ceil(RECORDS_PER_CUSTOMER);
    let customers =
        (0..customer_count).map(|id| Customer { id, discount_percent: draw.below(30) }).collect();
    let orders = (0..records - customer_count)
        .map(|id| Order { id, customer: draw.below(customer_count), price: draw.below(PRICE_MAX) })
        .collect();
    (customers, orders)
}

/// `records` in logs, one for each split.
fn dealt<T: Serialize>(records: &[T], settings: &WorkloadSettings) -> Vec<Vec<Vec<u8>>> {
    let mut logs = vec![Vec::new(); usize::from(settings.splits)];
    for (index, record) in records.iter().enumerate() {
        let split = settings.deal.split_of(index as u64, settings.splits);
        logs[usize::from(split)].push(encoded(record));
    }
    logs
}

/// What each order costs its customer.
fn reference(customers: &[Customer], orders: &[Order]) -> Vec<Invoice> {
    let discounts: VecMap<u64, u64> =
        customers.iter().map(|customer| (customer.id, customer.discount_percent)).collect();
    let mut invoices = Vec::new();
    for order in orders {
        let off = order.price * discounts[&order.customer];
        let amount = order.price * 100 - off;
        invoices.push(Invoice { order: order.id, customer: order.customer, amount });
    }
    invoices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_in_ten_is_a_customer() {
        let (customers, orders) = drawn(2_000, 0);
        assert_eq!((customers.len(), orders.len()), (200, 1_800));
        let (customers, orders) = drawn(1, 0);
        assert_eq!((customers.len(), orders.len()), (1, 0));
    }

    #[test]
    fn an_invoice_is_the_price_less_the_discount() {
        let customers = [Customer { id: 4, discount_percent: 25 }];
        let orders = [Order { id: 1, customer: 4, price: 200 }];
        let expected = [Invoice { order: 1, customer: 4, amount: 15_000 }];
        assert_eq!(reference(&customers, &orders), expected);
    }
}
