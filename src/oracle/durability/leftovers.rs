//! What must be deleted before the job finishes: by whom, and why.
//!
//! A coordinator owes the deletion of what it discards and of what it was told of and gave up, and its first
//! attempt sweeps what its predecessors left. A new reign takes over the debts of the one before: all that lies in
//! the store then.

use crate::oracle::course::checkpoint_of;
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{CheckpointId, ObjectKey};

/// How many objects are remembered at most; beyond that the oldest are forgiven.
const OWED_MAX: usize = 4096;

/// Objects that must be gone when the job finishes.
#[derive(Clone, Debug, Default)]
pub(super) struct Leftovers {
    /// What the coordinator knows of, of checkpoints without an outcome.
    counted: VecSet<ObjectKey>,
    owed: VecMap<ObjectKey, Why>,
    /// What lay in the store when the reign began, until its first attempt sweeps.
    inherited: Vec<ObjectKey>,
    /// Completed checkpoints that the job's record did not name when the reign began: their coordinator died before
    /// it discarded them, and only a sweep finds what is left of them.
    unnamed: Vec<CheckpointId>,
    /// Listings show something else than what is durable: a sweep may miss what it is for.
    is_misled: bool,
    /// Objects were destroyed: what names the others may be gone with them.
    is_forgiven: bool,
}

/// Why an object must go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Discarded,
    GivenUp,
    Inherited,
}

impl Why {
    fn text(self) -> &'static str {
        match self {
            Self::Discarded => "its checkpoint was discarded",
            Self::GivenUp => "it had been acknowledged, and its checkpoint was aborted",
            Self::Inherited => "it was there when the coordinator took over, and nothing names it",
        }
    }
}

impl Leftovers {
    /// Everything that must be gone, and why.
    pub fn owed(&self) -> impl Iterator<Item = (ObjectKey, &'static str)> + '_ {
        let owed = self.owed.iter().filter(|_| !self.is_forgiven);
        owed.map(|(key, why)| (*key, why.text()))
    }

    /// A snapshot was acknowledged, and counted.
    pub fn handle_counted(&mut self, key: ObjectKey) {
        self.counted.insert(key);
        if self.counted.len() > OWED_MAX {
            self.counted.pop_first();
        }
    }

    /// The checkpoint was given up.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        let of_it = |key: &ObjectKey| checkpoint_of(*key) == checkpoint;
        let counted: Vec<_> = self.counted.iter().copied().filter(of_it).collect();
        for key in counted {
            self.counted.remove(&key);
            self.owe(key, Why::GivenUp);
        }
    }

    /// A completed checkpoint, with these snapshots, is needed no more.
    pub fn handle_discarded(&mut self, checkpoint: CheckpointId, snapshots: Vec<ObjectKey>) {
        if snapshots.is_empty() {
            return;
        }
        let is_found_by_sweep = self.unnamed.contains(&checkpoint);
        if is_found_by_sweep && self.is_misled {
            return; // The rest of it is hidden.
        }
        let why = if is_found_by_sweep { Why::Inherited } else { Why::Discarded };
        for key in snapshots.into_iter().chain([ObjectKey::Metadata { checkpoint }]) {
            self.counted.remove(&key);
            self.owe(key, why);
        }
    }

    /// A coordinator took over, while these objects lay in the store, and the job's record did not name these
    /// completed checkpoints.
    pub fn handle_leadership_taken(
        &mut self,
        stored: impl Iterator<Item = ObjectKey>,
        unnamed: impl Iterator<Item = CheckpointId>,
    ) {
        self.counted.clear();
        self.owed.clear();
        self.inherited = stored.collect();
        self.unnamed = unnamed.collect();
    }

    /// An attempt begins.
    pub fn handle_attempt_started(&mut self) {
        let inherited = std::mem::take(&mut self.inherited);
        if !self.is_misled {
            inherited.into_iter().for_each(|key| self.owe(key, Why::Inherited));
        }
    }

    /// Listings begin to show what was there a while ago, or what will be lost; or they are right again. A sweep is
    /// behind the start of an attempt: what is not found yet may be missed.
    pub fn handle_listings(&mut self, misleads: bool) {
        self.is_misled = misleads;
        if misleads {
            self.owed.retain(|_, why| *why != Why::Inherited);
        }
    }

    /// Objects were destroyed.
    pub fn forgive(&mut self) {
        self.is_forgiven = true;
    }

    /// The object is gone. Who was too late to know may still write it again, which nobody owes.
    pub fn handle_deleted(&mut self, key: ObjectKey) {
        self.owed.remove(&key);
        self.inherited.retain(|inherited| *inherited != key);
    }

    fn owe(&mut self, key: ObjectKey, why: Why) {
        self.owed.insert(key, why);
        if self.owed.len() > OWED_MAX {
            self.owed.pop_first();
        }
    }
}
