//! Joins orders with the profiles of their customers, each in a wrong way of its own.

use std::collections::BTreeMap;

use cutwater::dataflow::{
    Collector, Context, ListState, StateDeclarations, TwoInputOperator, ValueState,
};
use cutwater::explore::Check;

use super::{Pair, RECORDS, check_of_two};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    WaitingInAField,
    Cached,
    ByArrival,
}

#[derive(Clone)]
struct Join {
    way: Way,
    profile: ValueState<u64>,
    waiting: ListState<u64>,
    /// By customer: what a snapshot does not hold.
    waiting_field: BTreeMap<u64, Vec<u64>>,
    profile_field: BTreeMap<u64, u64>,
}

impl Join {
    fn known(&self, customer: u64, ctx: &mut Context<'_>) -> Option<u64> {
        match self.way {
            Way::Cached => self.profile_field.get(&customer).copied(),
            Way::WaitingInAField | Way::ByArrival => ctx.value(&self.profile).get(),
        }
    }
}

impl TwoInputOperator for Join {
    /// A customer with its profile.
    type Left = Pair;
    /// A customer with its order.
    type Right = Pair;
    /// An order with the profile of its customer.
    type Out = Pair;

    fn process_left(
        &mut self,
        (customer, profile): Pair,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Pair>,
    ) {
        ctx.value(&self.profile).set(&profile);
        self.profile_field.insert(customer, profile);
        let waiting: Vec<u64> = ctx.list(&self.waiting).iter().collect();
        ctx.list(&self.waiting).clear();
        let field = self.waiting_field.remove(&customer).unwrap_or_default();
        waiting.into_iter().chain(field).for_each(|order| out.emit((order, profile)));
    }

    fn process_right(
        &mut self,
        (customer, order): Pair,
        ctx: &mut Context<'_>,
        out: &mut Collector<'_, Pair>,
    ) {
        match (self.known(customer, ctx), self.way) {
            (Some(profile), _) => out.emit((order, profile)),
            (None, Way::WaitingInAField) => {
                self.waiting_field.entry(customer).or_default().push(order);
            }
            (None, Way::Cached) => ctx.list(&self.waiting).push(&order),
            (None, Way::ByArrival) => out.emit((order, 0)),
        }
    }

    fn on_timer(&mut self, _: i64, _: &mut Context<'_>, _: &mut Collector<'_, Pair>) {}
}

/// The profiles of customers 0, 1, 2, …; and as many orders, each of the customer of `of`.
fn check(name: &str, way: Way, of: fn(u64) -> u64) -> Check {
    let number = RECORDS / 2;
    let profiles: Vec<Pair> = (0..number).map(|customer| (customer, 1_000 + customer)).collect();
    let orders: Vec<Pair> = (0..number).map(|order| (of(order), order)).collect();
    let expected: Vec<Pair> =
        orders.iter().map(|(customer, order)| (*order, 1_000 + customer)).collect();
    check_of_two(name, [profiles, orders], &expected, |profiles, orders| {
        let make = move |states: &mut StateDeclarations| Join {
            way,
            profile: states.value("profile"),
            waiting: states.list("waiting"),
            waiting_field: BTreeMap::new(),
            profile_field: BTreeMap::new(),
        };
        let (profiles, orders) = (profiles.key_by(|pair| pair.0), orders.key_by(|pair| pair.0));
        profiles.connect(orders).process2("join", 2, make).into()
    })
}

/// An order is some time ahead of the profile.
pub fn waiting_in_a_field() -> Check {
    check("waiting", Way::WaitingInAField, |order| (order + 20).min(RECORDS / 2 - 1))
}

/// An order is some time behind the profile.
pub fn cached() -> Check {
    check("cached", Way::Cached, |order| order.saturating_sub(20))
}

/// An order comes with the profile: if it were always a little later, all would be well.
pub fn by_arrival() -> Check {
    check("arrival", Way::ByArrival, |order| order)
}
