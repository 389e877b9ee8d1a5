//! A store of rows by key that is written to at once, after Elasticsearch's external versioning and HBase's cells.
//!
//! 1. A write replaces the row of its key, or deletes it, and readers see that at once.
//! 2. A write carries a version, and one with a lower version than what its key has had is dropped: the late write of
//!    a dead attempt changes nothing. A deletion leaves its version behind. A write without a version always counts.
//! 3. Writing the same again changes nothing that a reader sees.

use serde::{Deserialize, Serialize};

use super::row::Row;
use super::system::{ExternalSystem, Held, Request, SystemOutputs, without_transactions};
use crate::protocol::ordered::VecMap;
use crate::trace::SinkFault;

/// One write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upsert {
    /// The key.
    pub key: Vec<u8>,
    /// The version; none where the last write wins.
    pub version: Option<u64>,
    /// The row; none deletes it.
    pub row: Option<Row>,
}

/// Writes, in order. Answered with [`Written`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteBatch {
    /// The writes.
    pub writes: Vec<Upsert>,
}

/// All writes of the request count, or have been overtaken by newer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written;

/// What a key has.
#[derive(Clone, Debug, Default)]
struct Cell {
    version: u64,
    row: Option<Row>,
}

/// The store.
#[derive(Clone, Debug, Default)]
pub struct UpsertStore {
    cells: VecMap<Vec<u8>, Cell>,
}

impl UpsertStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn write(&mut self, Upsert { key, version, row }: Upsert, out: &mut SystemOutputs) {
        let cell = self.cells.entry(key).or_default();
        if version.is_some_and(|version| version < cell.version) {
            return;
        }
        cell.version = version.unwrap_or(cell.version);
        let before = std::mem::replace(&mut cell.row, row);
        let is_same =
            before.as_ref().map(|row| &row.payload) == cell.row.as_ref().map(|row| &row.payload);
        if !is_same {
            out.hide(before.into_iter().collect());
            out.show(cell.row.iter().cloned().collect());
        }
    }
}

impl ExternalSystem for UpsertStore {
    fn name(&self) -> &'static str {
        "upsert-store"
    }

    fn handle_request(&mut self, request: Request<'_>, out: &mut SystemOutputs) {
        match request.decode::<WriteBatch>() {
            Err(error) => out.refuse(request.caller, format!("no batch of writes: {error}")),
            Ok(WriteBatch { writes }) => {
                writes.into_iter().for_each(|write| self.write(write, out));
                out.answer(request.caller, &Written);
            }
        }
    }

    fn handle_timer(&mut self, _: u64, _: &mut SystemOutputs) {}

    fn handle_fault(&mut self, fault: Option<SinkFault>, _: &mut SystemOutputs) {
        without_transactions(fault);
    }

    /// Everything is durable.
    fn restart(&mut self, _: &mut SystemOutputs) {}

    /// What it has taken, readers see.
    fn held(&self) -> Vec<Held> {
        Vec::new()
    }

    fn boxed_clone(&self) -> Box<dyn ExternalSystem> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
