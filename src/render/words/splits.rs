//! Splits that are discovered, assigned, released and removed, in words.

use super::{Clause, Names};
use crate::trace::Event;

impl Names<'_> {
    /// What readers and enumerators tell each other.
    pub(super) fn of_enumerator(&self, event: &Event) -> Option<Clause> {
        Some(match event {
            Event::SplitAppeared { split } => Clause::act(format!("has {split} from here on")),
            Event::SplitDiscovered { split, .. } => Clause::act(format!("discovers {split}")),
            Event::SplitsKnown { checkpoint, known, .. } => Clause::act(format!(
                "snapshots the enumerator for {checkpoint}, {} splits known",
                known.len()
            )),
            Event::SplitReleased { subtask, split, .. } => {
                Clause::new(self.subtask(*subtask), "is done with", split.to_string())
            }
            Event::SplitRemoved { split } => Clause::act(format!("removes {split}")),
            Event::SplitRequested { subtask, .. } => {
                Clause::new(self.subtask(*subtask), "asks for a split", "")
            }
            Event::SplitAssigned { subtask, split, .. } => {
                Clause::act(format!("assigns {split} to {}", self.subtask(*subtask)))
            }
            Event::SplitAccepted { subtask, split, .. } => {
                Clause::new(self.subtask(*subtask), "takes", split.to_string())
            }
            Event::SplitsExhausted { subtask, .. } => {
                Clause::act(format!("has no more splits for {}", self.subtask(*subtask)))
            }
            Event::SplitsReturned { subtask, splits, .. } => {
                let splits: Vec<_> = splits.iter().map(ToString::to_string).collect();
                let from = self.subtask(*subtask);
                Clause::act(format!("takes {} back from {from}", splits.join(", ")))
            }
            Event::EnumeratorSnapshot { checkpoint, unassigned, .. } => Clause::act(format!(
                "snapshots the enumerator for {checkpoint}, {} splits unassigned",
                unassigned.len()
            )),
            Event::EnumeratorRestored { unassigned, .. } => {
                Clause::act(format!("has {} splits to assign", unassigned.len()))
            }
            Event::GatewayClosed { subtask, checkpoint, .. } => {
                let to = self.subtask(*subtask);
                Clause::act(format!("holds back what it tells {to} until |{checkpoint}"))
            }
            Event::GatewayReopened { subtask, checkpoint, .. } => {
                let to = self.subtask(*subtask);
                Clause::act(format!("tells {to} what it held back for |{checkpoint}"))
            }
            _ => return None,
        })
    }
}
