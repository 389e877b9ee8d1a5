//! O12, I8, I17: a restore goes back to the newest completed checkpoint, all of it, and the dead take no effect.
//!
//! Attempts, terms and record versions strictly increase. An attempt starts from the newest completed
//! checkpoint (FLINK-14145) and all its subtasks from the same one. After a coordinator took over,
//! no older one writes the job's record; after a sink's producers were fenced, no older one prepares
//! a transaction (RisingWave #27087).

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::ordered::VecMap;
use crate::protocol::{Attempt, CheckpointId, SubtaskId, Term, TransactionId};
use crate::trace::Restored;

/// Judges recovery.
#[derive(Clone, Debug, Default)]
pub(super) struct RecoveryOracle {
    attempt: Option<Attempt>,
    restored: Option<CheckpointId>,
    newest: Option<CheckpointId>,
    term: Option<Term>,
    /// The newest version of the job's record.
    version: Option<u64>,
    /// The newest term that wrote the job's record.
    written: Option<Term>,
    /// By the name of a sink subtask, below which attempt producers are refused.
    fences: VecMap<SubtaskId, Attempt>,
}

listens! { RecoveryOracle(self, scene, event) {
    Event::LeadershipTaken { term } => { self.handle_leadership_taken(scene, term) }
    Event::AttemptStarted { attempt, term, restored } => {
        self.handle_attempt_started(scene, attempt, term, restored)
    }
    Event::Restored(ref restored) => { self.handle_restored(scene, restored) }
    Event::RecordWritten { version, term, .. } => { self.handle_record_written(scene, version, term) }
    Event::ProducersFenced { sink, attempt } => { self.handle_fenced(sink, attempt) }
    Event::TransactionOpened { transaction } => { self.handle_produced(scene, transaction, "opened") }
    Event::TransactionPrepared { transaction, .. } => { self.handle_produced(scene, transaction, "prepared") }
} }

impl Oracle for RecoveryOracle {
    fn start(&mut self, _scene: &Scene) {
        *self = Self::default();
    }

    fn learn(&mut self, _scene: &mut Scene, fact: Fact) {
        if let Fact::Newest { checkpoint, .. } = fact {
            self.newest = self.newest.max(Some(checkpoint));
        }
    }
}

impl RecoveryOracle {
    /// A coordinator reigns.
    fn handle_leadership_taken(&mut self, scene: &mut Scene, term: Term) {
        if let Some(last) = self.term.filter(|last| term <= *last) {
            report(
                scene,
                Kind::TermOutOfOrder,
                format!("a coordinator took over under {term}, after {last}"),
            );
        }
        self.term = self.term.max(Some(term));
    }

    /// An attempt starts.
    fn handle_attempt_started(
        &mut self,
        scene: &mut Scene,
        attempt: Attempt,
        term: Term,
        restored: Option<CheckpointId>,
    ) {
        if let Some(reigning) = self.term.filter(|reigning| term != *reigning) {
            report(
                scene,
                Kind::TermOutOfOrder,
                format!("{attempt} was started under {term}, {reigning} reigns"),
            );
        }
        if let Some(last) = self.attempt.filter(|last| attempt <= *last) {
            report(scene, Kind::AttemptOutOfOrder, format!("{attempt} was started after {last}"));
            return;
        }
        self.judge_restored(scene, attempt, restored);
        self.attempt = Some(attempt);
        self.restored = restored;
    }

    /// A subtask holds the state it starts from.
    fn handle_restored(&mut self, scene: &mut Scene, restored: &Restored) {
        if restored.checkpoint == self.restored {
            return;
        }
        let (name, attempt) = (scene.name(restored.subtask), restored.attempt);
        let (found, expected) = (shown(restored.checkpoint), shown(self.restored));
        let text = format!("{name} was restored from {found}, {attempt} starts from {expected}");
        let mut violation = Violation::new(Kind::OtherCheckpoint, text).by(restored.subtask);
        violation.checkpoint = restored.checkpoint;
        scene.report(violation);
    }

    /// The job's record was replaced.
    fn handle_record_written(&mut self, scene: &mut Scene, version: u64, term: Term) {
        if let Some(last) = self.version.filter(|last| version <= *last) {
            report(
                scene,
                Kind::RecordOverwritten,
                format!("version {version} of the job's record followed {last}"),
            );
        }
        if let Some(newest) = self.written.max(self.term).filter(|newest| term < *newest) {
            report(
                scene,
                Kind::RecordOverwritten,
                format!("the job's record was written under {term}, after {newest}"),
            );
        }
        self.version = self.version.max(Some(version));
        self.written = self.written.max(Some(term));
    }

    /// Older producers of a sink are refused from here on.
    fn handle_fenced(&mut self, sink: SubtaskId, attempt: Attempt) {
        let fence = self.fences.entry(sink).or_default();
        *fence = (*fence).max(attempt);
    }

    /// A producer opened or prepared a transaction: it must not be fenced.
    fn handle_produced(&mut self, scene: &mut Scene, transaction: TransactionId, what: &str) {
        let fence = self.fences.get(&transaction.sink).copied().unwrap_or_default();
        if transaction.attempt < fence {
            let name = scene.shape.producer(transaction);
            let text =
                format!("{transaction} of {name} was {what} after {fence} had fenced it off");
            let violation = Violation::new(Kind::FencedProducerActed, text);
            scene.report(violation.by(transaction.sink));
        }
    }

    fn judge_restored(&self, scene: &mut Scene, attempt: Attempt, restored: Option<CheckpointId>) {
        if restored == self.newest {
            return;
        }
        let (from, newest) = (shown(restored), shown(self.newest));
        let what = if restored > self.newest { "which never completed" } else { "not the newest" };
        let text =
            format!("{attempt} starts from {from}, {what}; the newest completed is {newest}");
        let mut violation = Violation::new(Kind::WrongCheckpoint, text);
        violation.checkpoint = restored;
        scene.report(violation);
    }
}

fn shown(checkpoint: Option<CheckpointId>) -> String {
    checkpoint.map_or_else(|| "nothing".to_owned(), |checkpoint| checkpoint.to_string())
}

#[cold]
fn report(scene: &mut Scene, kind: Kind, text: String) {
    scene.report(Violation::new(kind, text));
}
