//! Splits that come up and go away while the job runs: what the outside lists, and what is known of it.
//!
//! A split is discovered once. From then on it is unassigned, a reader's, or read to its end; only what the
//! outside says to be removed is forgotten, since a listing may lack what is there (a broker that does not
//! answer, a directory listing that lags).
//!
//! After Flink's `KafkaSourceEnumerator` and `KinesisStreamsSourceEnumerator` (FLIP-27, FLIP-288).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::defect::{Defect, DefectSet};
use crate::ids::SplitId;

/// Which splits there are, as far as the outside knows now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Those that can be read, ascending. One that is missing may be back in the next listing.
    pub there: Vec<SplitId>,
    /// Those that will never be back, ascending.
    pub removed: Vec<SplitId>,
    /// Whether `there` and `removed` are all that there will ever be.
    pub is_complete: bool,
}

/// What an enumerator knows of the splits that it has discovered.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// Those that were discovered and are not removed, whoever has them, and if they were read to their end.
    known: BTreeSet<SplitId>,
    /// Whether no more will come up.
    is_complete: bool,
}

impl Discovery {
    /// What a checkpoint holds of it; nothing where there is none.
    pub fn new(known: &[SplitId]) -> Self {
        Self { known: known.iter().copied().collect(), is_complete: false }
    }

    /// Takes a listing; gives the splits that nobody knew of, ascending.
    pub fn handle_listing(&mut self, listing: &Listing, defects: DefectSet) -> Vec<SplitId> {
        if defects.has(Defect::MissingSplitTakenForRemoved) {
            self.known.retain(|split| listing.there.contains(split));
        }
        for split in &listing.removed {
            self.known.remove(split);
        }
        self.is_complete |= listing.is_complete;
        listing.there.iter().copied().filter(|split| self.known.insert(*split)).collect()
    }

    /// Whether no more will come up.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// The splits that are known, ascending.
    pub fn known(&self) -> Vec<SplitId> {
        self.known.iter().copied().collect()
    }
}
