//! O10, I3, I4, I16: the visible output is the reference output, each record once, and for good.
//!
//! In transactional sinks a record may become visible only within the reference, only once by lineage
//! and operator, and only when a *completed* checkpoint holds its transaction (the output commit of
//! Elnozahy et al.; Flink's `TwoPhaseCommittingSink`). A transaction commits once, after it was
//! prepared, with as many records as were prepared, and is not taken back. At the end of a job all
//! that is expected is visible, and no transaction with records lingers (FLINK-23854), but where the
//! target itself has been told to abort it and is in trouble with that. A target that lets expire what was
//! prepared may take back what a completed checkpoint holds: the job cannot finish then, and need not.
//!
//! In at-least-once sinks nothing may be missing at the end, nothing be visible that is not in the
//! reference at all, and nothing too often before an attempt has failed after the first write.
//!
//! What readers of an external system see is judged in [`readers`], what is left there in [`held`].
//!
//! Memory is a count per expected record and a number per visible one: this property needs it.

mod held;
mod readers;

use std::sync::Arc;

use held::HeldOutput;
use readers::Readers;

use super::kind::Kind;
use super::reference::{DigestSet, Reference};
use super::shape::{Scene, Shape};
use super::verdict::Violation;
use crate::protocol::lineage::mix;
use crate::protocol::ordered::VecMap;
use crate::protocol::{
    Attempt, CheckpointId, Digest, LineageId, OperatorId, SubtaskId, TransactionId, VirtualTime,
};
use crate::trace::{OutputHeld, OutputRecord, SinkTrouble, SnapshotTaken, Stamp};

/// Judges output.
#[derive(Clone, Debug, Default)]
pub(super) struct OutputOracle {
    reference: Arc<Reference>,
    /// How often each expected record is visible, from transactions.
    committed: Vec<u32>,
    /// How often each expected record is visible, from outside transactions.
    written: Vec<u32>,
    /// Lineage and operator of what is visible from transactions.
    visible: DigestSet,
    transactions: VecMap<TransactionId, Progress>,
    /// What snapshots hold whose checkpoint has no outcome yet.
    held: Vec<Held>,
    /// How many attempts have begun.
    attempts: u32,
    /// An attempt has failed. What it wrote may still be on its way: whether it has arrived before
    /// the failure does not matter.
    may_repeat: bool,
    /// The target cannot get rid of transactions of itself.
    is_hanging: bool,
    /// The newest event of the target's last expiry: its begin, and what it settles in that instant, with nothing
    /// between but faults that strike.
    expiry: Option<(u64, VirtualTime)>,
    /// By sink, below which attempt producers are refused.
    fences: VecMap<SubtaskId, Attempt>,
    /// Of external systems.
    readers: Readers,
    /// What is left in external systems.
    held_outside: HeldOutput,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// How many records it was prepared with.
    prepared: Option<u64>,
    /// A completed checkpoint holds it.
    is_promised: bool,
    is_committed: bool,
    is_aborted: bool,
    /// The target has aborted it of itself after it was prepared.
    is_expired: bool,
}

#[derive(Clone, Debug)]
struct Held {
    checkpoint: CheckpointId,
    attempt: Attempt,
    transactions: Vec<TransactionId>,
}

impl OutputOracle {
    /// An oracle that holds the output against `reference`.
    pub fn new(reference: Arc<Reference>) -> Self {
        let committed = vec![0; reference.distinct()];
        Self { reference, committed, ..Self::default() }
    }

    /// The run begins.
    pub fn start(&mut self, scene: &Scene) {
        *self = Self::new(Arc::clone(&self.reference));
        if scene.shape.has_direct_sink() {
            self.written = vec![0; self.reference.distinct()];
        }
        self.readers.start(scene);
        let expected = usize::try_from(self.reference.records()).unwrap_or(0);
        self.visible.reserve(expected.min(1 << 20));
    }

    /// A subtask froze its state, with these transactions in it.
    pub fn handle_snapshot(&mut self, snapshot: &SnapshotTaken) {
        self.readers.handle_cut(snapshot.subtask, snapshot.checkpoint);
        if snapshot.transactions.is_empty() {
            return;
        }
        let transactions = snapshot.transactions.iter().map(|(_, id)| *id).collect();
        let (checkpoint, attempt) = (snapshot.checkpoint, snapshot.attempt);
        self.held.push(Held { checkpoint, attempt, transactions });
    }

    /// The checkpoint completed: the transactions that it holds are to be committed.
    pub fn handle_completed(&mut self, checkpoint: CheckpointId) {
        self.readers.handle_completed(checkpoint);
        for held in self.held.iter().filter(|held| held.checkpoint == checkpoint) {
            for transaction in &held.transactions {
                self.transactions.entry(*transaction).or_default().is_promised = true;
            }
        }
        self.held.retain(|held| held.checkpoint > checkpoint);
    }

    /// The checkpoint will never complete.
    pub fn handle_aborted(&mut self, checkpoint: CheckpointId) {
        self.held.retain(|held| held.checkpoint != checkpoint);
    }

    /// What older attempts snapshotted cannot complete any more.
    pub fn handle_attempt_started(&mut self, attempt: Attempt, at: VirtualTime) {
        self.held_outside.handle_attempt_started(at);
        self.readers.handle_attempt_started();
        self.held.retain(|held| held.attempt >= attempt);
        self.may_repeat |= self.attempts > 0;
        self.attempts = self.attempts.saturating_add(1);
    }

    /// The attempt is over.
    pub fn handle_attempt_failed(&mut self) {
        self.may_repeat = true;
    }

    /// The sink target fares differently.
    pub fn handle_trouble(&mut self, stamp: Stamp, trouble: Option<SinkTrouble>) {
        self.is_hanging = trouble == Some(SinkTrouble::HangingTransaction);
        if trouble == Some(SinkTrouble::ExpiredTransaction) {
            self.expiry = Some((stamp.number, stamp.at));
        }
    }

    /// A fault strikes, maybe while the target lets one transaction after the other expire.
    pub fn handle_fault(&mut self, stamp: Stamp) {
        self.is_of_expiry(stamp);
    }

    /// Whether this event is of the target's last expiry; the next one may be, too.
    fn is_of_expiry(&mut self, stamp: Stamp) -> bool {
        let is_next =
            self.expiry.is_some_and(|(newest, at)| (newest + 1, at) == (stamp.number, stamp.at));
        if is_next {
            self.expiry = Some((stamp.number, stamp.at));
        }
        is_next
    }

    /// What a completed checkpoint holds, and the target has let expire: nobody can commit it any more, and a job
    /// that finished all the same would finish without its records.
    pub fn expired(&self) -> Option<String> {
        let record = self.readers.gone().map(|record| format!("record {record}"));
        record.or_else(|| self.expired_transaction().map(|transaction| transaction.to_string()))
    }

    /// Whether readers wait for anything that is [lost](Self::expired).
    pub fn is_anything_lost(&self) -> bool {
        self.readers.gone().is_some()
    }

    fn expired_transaction(&self) -> Option<TransactionId> {
        self.expiry?; // Usually none has, and this is asked at each completion.
        let is_lost = |progress: &Progress| progress.is_expired && progress.is_promised;
        self.transactions.iter().find(|(_, progress)| is_lost(progress)).map(|(id, _)| *id)
    }

    /// Older producers of a sink are refused from here on.
    pub fn handle_fenced(&mut self, sink: SubtaskId, attempt: Attempt) {
        let fence = self.fences.entry(sink).or_default();
        *fence = (*fence).max(attempt);
    }

    /// A transaction takes its first records: it must be new.
    pub fn handle_opened(&mut self, scene: &mut Scene, transaction: TransactionId) {
        let progress = self.transactions.entry(transaction).or_default();
        let what = match (progress.is_committed, progress.is_aborted) {
            (true, _) => "committed",
            (false, true) => "aborted",
            (false, false) => return,
        };
        let text = format!("{transaction} takes records again, though it was {what}");
        report(scene, Kind::ReopenedTransaction, transaction, text);
    }

    /// A transaction is durable.
    pub fn handle_prepared(&mut self, transaction: TransactionId, records: u64) {
        self.transactions.entry(transaction).or_default().prepared = Some(records);
    }

    /// A transaction is gone: it must not have been visible, nor owed.
    pub fn handle_aborted_transaction(&mut self, scene: &mut Scene, transaction: TransactionId) {
        let is_expired = self.is_of_expiry(scene.stamp);
        let progress = self.transactions.entry(transaction).or_default();
        progress.is_aborted = true;
        progress.is_expired = is_expired && progress.prepared.is_some();
        let what = if progress.is_committed {
            "it was visible already"
        } else if progress.is_promised && !progress.is_expired {
            "a completed checkpoint holds it"
        } else {
            return;
        };
        let text = format!("{transaction} was aborted, though {what}");
        report(scene, Kind::AbortedTransaction, transaction, text);
    }

    /// A transaction became visible.
    pub fn handle_committed(
        &mut self,
        scene: &mut Scene,
        transaction: TransactionId,
        records: &[OutputRecord],
    ) {
        self.is_of_expiry(scene.stamp); // A late commit that is carried out then is among it.
        let progress = self.transactions.entry(transaction).or_default();
        if let Some(what) = progress.refuses(records.len() as u64) {
            let number = records.len();
            let text = format!("{transaction} made {number} records visible, though {what}");
            report(scene, Kind::CommittedUnduly, transaction, text);
        }
        progress.is_committed = true;
        let operator = mix(u64::from(scene.shape.opened_by(transaction)) + 1);
        for record in records {
            self.show(scene, transaction, *record, operator);
        }
    }

    /// Records became visible outside any transaction.
    pub fn handle_written(&mut self, scene: &mut Scene, sink: SubtaskId, records: &[OutputRecord]) {
        if !self.reference.is_known() {
            return;
        }
        for record in records {
            self.show_directly(scene, sink, *record);
        }
    }

    /// Whether anybody reads an external system: then it matters what sinks are given.
    #[inline]
    pub fn watches_readers(&self) -> bool {
        self.readers.are_there()
    }

    /// A subtask was given a record. Whether that changes what is [lost](Self::expired).
    pub fn handle_given(&mut self, shape: &Shape, subtask: SubtaskId, lineage: LineageId) -> bool {
        self.readers.handle_given(shape, subtask, lineage)
    }

    /// Readers of the external system see these records from here on.
    pub fn handle_shown(
        &mut self,
        scene: &mut Scene,
        operator: OperatorId,
        records: &[OutputRecord],
    ) {
        self.readers.judge_order(scene, operator, records);
        for record in records {
            if self.readers.show(scene, operator, *record) {
                self.expect(scene, record.digest, |scene, what| {
                    let name = scene.shape.operator_name(operator);
                    let lineage = record.lineage;
                    let text = format!("readers see record {lineage} of {name}, {what}");
                    scene.report(Violation::new(Kind::UnexpectedOutput, text).with(lineage));
                });
            }
        }
    }

    /// Readers of the external system do not see these records any more.
    pub fn handle_hidden(
        &mut self,
        scene: &mut Scene,
        operator: OperatorId,
        records: &[OutputRecord],
    ) {
        self.readers.hide(scene, operator, records);
    }

    /// The external system has let go of these records, and a fault explains it.
    pub fn handle_let_go(&mut self, operator: OperatorId, records: &[OutputRecord]) {
        self.readers.handle_expired(operator, records);
    }

    /// The clock of the sink target is not virtual time any more.
    pub fn handle_clock_changed(&mut self) {
        self.held_outside.handle_clock_changed();
    }

    /// The run is over, and the external system holds this.
    pub fn handle_held(&mut self, scene: &mut Scene, held: &OutputHeld) {
        self.held_outside.judge(scene, held);
    }

    /// The job finished: all that is expected is visible, and nothing lingers.
    pub fn handle_finished(&mut self, scene: &mut Scene) {
        self.held_outside.handle_finished();
        self.judge_missing(scene);
        self.judge_stale(scene);
        for (transaction, progress) in &self.transactions {
            let is_open = !progress.is_committed
                && !progress.is_aborted
                && !self.hangs(*transaction, progress);
            if let Some(records @ 1..) = progress.prepared.filter(|_| is_open) {
                let text = format!(
                    "the job finished with {transaction} of {} neither committed nor aborted, \
                     {records} records in it",
                    scene.shape.producer(*transaction)
                );
                report(scene, Kind::LingeringTransaction, *transaction, text);
            }
        }
    }

    /// Whether its abort is the target's debt: it was asked for (its producer is fenced, and nothing
    /// promises it), and the target says that it cannot now. A job need not wait for that.
    fn hangs(&self, transaction: TransactionId, progress: &Progress) -> bool {
        let is_fenced =
            self.fences.get(&transaction.sink).is_some_and(|fence| transaction.attempt < *fence);
        self.is_hanging && is_fenced && !progress.is_promised
    }

    fn show(
        &mut self,
        scene: &mut Scene,
        transaction: TransactionId,
        record: OutputRecord,
        operator: u64,
    ) {
        if !self.visible.insert(record.lineage.0 ^ operator) {
            report_record(
                scene,
                Kind::DuplicateOutput,
                (transaction, record),
                "which was visible already",
            );
            return;
        }
        self.expect(scene, record.digest, |scene, what| {
            report_record(scene, Kind::UnexpectedOutput, (transaction, record), what);
        });
    }

    /// A record with this content is visible for good: it must be expected.
    fn expect(&mut self, scene: &mut Scene, digest: Digest, report: impl FnOnce(&mut Scene, &str)) {
        if !self.reference.is_known() {
            return;
        }
        let Some(index) = self.reference.index_of(digest) else {
            return report(scene, "which is not expected at all");
        };
        self.committed[index] += 1;
        let expected = self.reference.expected(index).map_or(0, |(_, count)| count);
        if self.committed[index] > expected {
            report(scene, &format!("whose content is expected {expected} times only"));
        }
    }

    /// What readers see in the end where anything may be seen for a while: no more than is expected.
    fn judge_stale(&self, scene: &mut Scene) {
        if !self.reference.is_known() {
            return;
        }
        let expected = |digest| {
            let index = self.reference.index_of(digest);
            index.and_then(|index| self.reference.expected(index)).map_or(0, |(_, count)| count)
        };
        let mut all = self.readers.all_seen();
        let stale = all.find(|(digest, times)| *times > u64::from(expected(*digest)));
        if let Some((digest, times)) = stale {
            let expected = expected(digest);
            let text = format!(
                "the job finished, and readers see the content with digest {digest} {times} times, which is \
                 expected {expected} times"
            );
            scene.report(Violation::new(Kind::StaleOutput, text));
        }
    }

    fn show_directly(&mut self, scene: &mut Scene, sink: SubtaskId, record: OutputRecord) {
        let found = self.reference.index_of(record.digest);
        let Some(count) = found.and_then(|index| self.written.get_mut(index)) else {
            let what = "which is not expected at all";
            report_direct(scene, Kind::UnexpectedOutput, (sink, record), what);
            return;
        };
        *count += 1;
        let index = found.unwrap_or_default();
        let visible = u64::from(*count) + u64::from(self.committed[index]);
        let expected = self.reference.expected(index).map_or(0, |(_, count)| count);
        if visible > u64::from(expected) && !self.may_repeat {
            let what = "once too often, and no attempt had failed";
            report_direct(scene, Kind::RepeatedWrite, (sink, record), what);
        }
    }

    fn judge_missing(&self, scene: &mut Scene) {
        let mut missing = 0;
        let mut first = None;
        for index in 0..self.reference.distinct() {
            let Some((digest, expected)) = self.reference.expected(index) else { continue };
            let written = self.written.get(index).copied().unwrap_or(0);
            let seen = u32::try_from(self.readers.seen(digest)).unwrap_or(u32::MAX);
            let visible = self.committed[index].saturating_add(written).saturating_add(seen);
            if visible < expected {
                missing += u64::from(expected - visible);
                first = first.or(Some((index, digest)));
            }
        }
        if let Some((index, digest)) = first {
            let total = self.reference.records();
            let text = format!(
                "the job finished with {missing} of {total} expected records not visible, \
                 first the one with digest {digest}, number {index} of the distinct ones"
            );
            scene.report(Violation::new(Kind::MissingOutput, text));
        }
    }
}

impl Progress {
    /// Why so many records may not become visible, if they may not.
    fn refuses(&self, records: u64) -> Option<String> {
        if self.is_committed {
            return (records > 0).then(|| "it was committed before".to_owned());
        }
        if self.is_aborted {
            return Some("it was aborted before".to_owned());
        }
        match self.prepared {
            None => Some("it was never prepared".to_owned()),
            Some(prepared) if prepared != records => {
                Some(format!("it was prepared with {prepared}"))
            }
            Some(_) if !self.is_promised && records > 0 => {
                Some("no completed checkpoint holds it".to_owned())
            }
            Some(_) => None,
        }
    }
}

#[cold]
fn report(scene: &mut Scene, kind: Kind, transaction: TransactionId, text: String) {
    let violation = Violation::new(kind, text);
    scene.report(violation.by(transaction.sink));
}

#[cold]
fn report_record(
    scene: &mut Scene,
    kind: Kind,
    (transaction, record): (TransactionId, OutputRecord),
    what: &str,
) {
    let name = scene.shape.producer(transaction);
    let lineage = record.lineage;
    let text = format!("{transaction} of {name} made record {lineage} visible, {what}");
    let violation = Violation::new(kind, text);
    scene.report(violation.by(transaction.sink).with(lineage));
}

#[cold]
fn report_direct(
    scene: &mut Scene,
    kind: Kind,
    (sink, record): (SubtaskId, OutputRecord),
    what: &str,
) {
    let (name, lineage) = (scene.name(sink), record.lineage);
    let text = format!("{name} wrote record {lineage}, {what}");
    scene.report(Violation::new(kind, text).by(sink).with(lineage));
}
