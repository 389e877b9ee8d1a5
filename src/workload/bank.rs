//! Transfers between accounts: money moves, and none is made or lost.
//!
//! Each transfer becomes a debit and a credit in one step of the source, so that both are before a
//! snapshot or both are after it: the balances of every aligned cut add up to 0, which the job declares
//! as its conserved quantity. The output is each account's final balance, given once when all input has
//! ended. A sum does not depend on the order of what is added, so the output is a multiset.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::draw::Draw;
use super::{Build, Experiment, Workload, WorkloadError, WorkloadSettings, decoded, encoded};
use crate::dataflow::{
    Collector, Context, EncodedSink, Entry, Input, JobBuilder, Operator, Source, SourceCollector,
    StateDeclarations, StateView, ValueState,
};
use crate::protocol::ordered::VecMap;

pub(super) const WORKLOAD: Workload = Workload {
    name: Cow::Borrowed("bank"),
    about: Cow::Borrowed(
        "transfers between accounts: the balances of every cut add up to nothing, and the last ones are known",
    ),
    unit: Cow::Borrowed("transfers"),
    records_usual: 2_000,
    records_max: 10_000_000,
    single_split: false,
    build: Build::Function(build),
};

/// How many accounts there are.
const ACCOUNTS: u64 = 50;

/// The largest amount of a transfer.
const AMOUNT_MAX: u64 = 1_000;

/// When final balances are given: only the watermark of ended input reaches it.
const END_OF_TIME: i64 = i64::MAX - 1;

/// Money moves from one account to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Transfer {
    from: u32,
    to: u32,
    amount: i64,
}

/// One side of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Booking {
    account: u32,
    amount: i64,
}

fn build(settings: &WorkloadSettings) -> Result<Experiment, WorkloadError> {
    let count = settings.records.unwrap_or(WORKLOAD.records_usual);
    let transfers = transfers(count, settings.seed);
    let input = Input::dealt_as(transfers.iter().map(encoded), settings.splits, settings.deal);
    Experiment::new(&job(settings), input, &balances(&transfers))
}

fn job(settings: &WorkloadSettings) -> JobBuilder {
    let parallelism = settings.parallelism;
    let job = JobBuilder::new(&WORKLOAD.name);
    job.source("transfers", Transfers, parallelism, settings.splits)
        .key_by(|booking| booking.account)
        .process("balance", parallelism, Balance::new)
        .conserving(Balance::total)
        .transactional_sink("balances", parallelism, EncodedSink::new());
    job
}

/// Reads transfers: each is a debit and a credit.
#[derive(Clone)]
struct Transfers;

impl Source for Transfers {
    type Out = Booking;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, Booking>) {
        let Transfer { from, to, amount } = decoded(entry.bytes);
        let time = entry.offset.cast_signed();
        out.emit(time, Booking { account: from, amount: -amount });
        out.emit(time, Booking { account: to, amount });
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}
}

/// Keeps the balance of each account, and gives it when all input has ended.
#[derive(Clone)]
struct Balance {
    balance: ValueState<i64>,
}

impl Balance {
    fn new(states: &mut StateDeclarations) -> Self {
        Self { balance: states.value("balance") }
    }

    /// What all accounts of a subtask have together.
    fn total(&self, state: &StateView<'_>) -> i64 {
        state.values(&self.balance).sum()
    }
}

impl Operator for Balance {
    type In = Booking;
    type Out = (u32, i64);

    fn process(
        &mut self,
        booking: Booking,
        ctx: &mut Context<'_>,
        _out: &mut Collector<'_, (u32, i64)>,
    ) {
        ctx.value(&self.balance).update(|balance| balance.unwrap_or(0) + booking.amount);
        ctx.register_timer(END_OF_TIME);
    }

    fn on_timer(&mut self, _: i64, ctx: &mut Context<'_>, out: &mut Collector<'_, (u32, i64)>) {
        let account = ctx.key();
        let balance = ctx.value(&self.balance).get().unwrap_or(0);
        out.emit((account, balance));
    }
}

/// Transfers between different accounts, drawn from `seed`.
fn transfers(count: u64, seed: u64) -> Vec<Transfer> {
    let mut draw = Draw::new("bank", seed);
    let transfer = |_| {
        let from = draw.below(ACCOUNTS);
        let to = (from + 1 + draw.below(ACCOUNTS - 1)) % ACCOUNTS;
        let amount = 1 + draw.below(AMOUNT_MAX).cast_signed();
        Transfer { from: from as u32, to: to as u32, amount }
    };
    (0..count).map(transfer).collect()
}

/// The balance of every account that a transfer touched.
fn balances(transfers: &[Transfer]) -> Vec<(u32, i64)> {
    let mut balances = VecMap::<u32, i64>::new();
    for transfer in transfers {
        *balances.entry(transfer.from).or_default() -= transfer.amount;
        *balances.entry(transfer.to).or_default() += transfer.amount;
    }
    balances.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_balances_together_are_nothing() {
        let balances = balances(&transfers(2_000, 0));
        assert_eq!(balances.len() as u64, ACCOUNTS);
        assert_eq!(balances.iter().map(|(_, balance)| balance).sum::<i64>(), 0);
        assert!(balances.iter().any(|(_, balance)| *balance != 0));
    }

    #[test]
    fn a_transfer_moves_money_between_two_accounts() {
        for transfer in transfers(5_000, 3) {
            assert_ne!(transfer.from, transfer.to);
            assert!((1..=1_000).contains(&transfer.amount));
        }
        let moved =
            [Transfer { from: 1, to: 2, amount: 30 }, Transfer { from: 2, to: 3, amount: 5 }];
        assert_eq!(balances(&moved), [(1, -30), (2, 25), (3, 5)]);
    }
}
