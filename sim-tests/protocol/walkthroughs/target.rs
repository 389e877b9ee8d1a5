//! The sink target: holds transactions and makes their records visible.

use std::collections::BTreeMap;

use cutwater::protocol::{SubtaskId, TransactionId};

/// How far the target has taken a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// It takes records, and dies with its producer.
    Open(Vec<i64>),
    /// It survives its producer, and is invisible.
    Prepared(Vec<i64>),
    /// Its records are visible.
    Committed,
}

/// The external system behind the sinks.
#[derive(Debug, Default)]
pub struct Target {
    transactions: BTreeMap<TransactionId, Transaction>,
    visible: Vec<i64>,
}

impl Target {
    /// Appends a record to an open transaction, opening it first if need be.
    pub fn write(&mut self, transaction: TransactionId, record: i64) -> Result<(), String> {
        let open = self.transactions.entry(transaction).or_insert(Transaction::Open(Vec::new()));
        match open {
            Transaction::Open(records) => {
                records.push(record);
                Ok(())
            }
            Transaction::Prepared(_) | Transaction::Committed => {
                Err(format!("{transaction} takes no more records"))
            }
        }
    }

    /// Whether something was written into a transaction that is not visible.
    pub fn has_records(&self, transaction: TransactionId) -> bool {
        match self.transactions.get(&transaction) {
            Some(Transaction::Open(records) | Transaction::Prepared(records)) => {
                !records.is_empty()
            }
            Some(Transaction::Committed) | None => false,
        }
    }

    /// Prepares a transaction; returns its records.
    pub fn prepare(&mut self, transaction: TransactionId) -> Result<Vec<i64>, String> {
        match self.transactions.remove(&transaction).unwrap_or(Transaction::Open(Vec::new())) {
            Transaction::Open(records) => {
                self.transactions.insert(transaction, Transaction::Prepared(records.clone()));
                Ok(records)
            }
            Transaction::Prepared(_) | Transaction::Committed => {
                Err(format!("{transaction} is prepared twice"))
            }
        }
    }

    /// Commits a transaction: what became visible, or nothing if it was committed before.
    pub fn commit(&mut self, transaction: TransactionId) -> Result<Option<Vec<i64>>, String> {
        match self.transactions.insert(transaction, Transaction::Committed) {
            Some(Transaction::Prepared(records)) => {
                self.visible.extend(&records);
                Ok(Some(records))
            }
            Some(Transaction::Committed) => Ok(None),
            Some(Transaction::Open(_)) | None => Err(format!("{transaction} was not prepared")),
        }
    }

    /// Aborts what `sink` has not committed, but those in `kept`; returns what was aborted.
    pub fn abort_all_but(&mut self, sink: SubtaskId, kept: &[TransactionId]) -> Vec<TransactionId> {
        let doomed = |(id, state): (&TransactionId, &Transaction)| match state {
            Transaction::Open(_) | Transaction::Prepared(_) => {
                (id.sink == sink && !kept.contains(id)).then_some(*id)
            }
            Transaction::Committed => None,
        };
        let aborted: Vec<_> = self.transactions.iter().filter_map(doomed).collect();
        self.transactions.retain(|id, _| !aborted.contains(id));
        aborted
    }

    /// What consumers see.
    pub fn visible(&self) -> &[i64] {
        &self.visible
    }

    /// What is prepared and not committed.
    pub fn prepared(&self) -> impl Iterator<Item = (TransactionId, &[i64])> {
        self.transactions.iter().filter_map(|(id, state)| match state {
            Transaction::Prepared(records) => Some((*id, records.as_slice())),
            Transaction::Open(_) | Transaction::Committed => None,
        })
    }
}
