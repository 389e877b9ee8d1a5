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

use super::course::Fact;
use super::kind::Kind;
use super::oracles::{Oracle, listens};
use super::reference::{DigestSet, Reference};
use super::shape::Scene;
use super::verdict::Violation;
use crate::protocol::lineage::mix;
use crate::protocol::ordered::VecMap;
use crate::protocol::{
    Attempt, ChannelId, CheckpointId, Digest, LineageId, OperatorId, ProcessId, SubtaskId,
    TransactionId, VirtualTime,
};
use crate::trace::{OutputRecord, SinkTrouble, SnapshotTaken};

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

listens! { OutputOracle(self, scene, event) {
    Event::SnapshotTaken(ref snapshot) => { self.handle_snapshot(snapshot) }
    Event::Replayed { channel, lineage, .. } => { self.handle_received(scene, channel, lineage) }
    Event::Aborted { checkpoint, .. } => { self.held.retain(|held| held.checkpoint != checkpoint) }
    Event::AttemptFailed { .. } => { self.may_repeat = true }
    Event::SinkTroubled { trouble } => { self.is_hanging = trouble == SinkTrouble::HangingTransaction }
    Event::SinkRecovered {} => { self.is_hanging = false }
    Event::ProducersFenced { sink, attempt } => { self.handle_fenced(sink, attempt) }
    Event::TransactionOpened { transaction } => { self.handle_opened(scene, transaction) }
    Event::TransactionPrepared { transaction, records } => {
        self.transactions.entry(transaction).or_default().prepared = Some(records)
    }
    Event::TransactionCommitted { transaction, ref records } => { self.handle_committed(scene, transaction, records) }
    Event::TransactionAborted { transaction } => { self.handle_aborted(scene, transaction) }
    Event::OutputWritten { sink, ref records } => { self.handle_written(scene, sink, records) }
    Event::OutputShown { operator, ref records } => { self.handle_shown(scene, operator, records) }
    Event::OutputHidden { operator, ref records } => { self.readers.hide(scene, operator, records) }
    Event::OutputExpired { operator, ref records } => { self.handle_expired(scene, operator, records) }
    Event::OutputHeld(ref held) => { self.held_outside.judge(scene, held) }
    Event::ClockChanged { process, .. } => {
        if process == ProcessId::SinkTarget {
            self.held_outside.handle_clock_changed();
        }
    }
    Event::JobFinished { .. } => { self.handle_finished(scene) }
} }

impl Oracle for OutputOracle {
    fn start(&mut self, scene: &Scene) {
        let reference = Arc::clone(&scene.course.reference);
        let committed = vec![0; reference.distinct()];
        *self = Self { reference, committed, ..Self::default() };
        if scene.shape.has_direct_sink() {
            self.written = vec![0; self.reference.distinct()];
        }
        self.readers.start(scene);
        let expected = usize::try_from(self.reference.records()).unwrap_or(0);
        self.visible.reserve(expected.min(1 << 20));
    }

    fn learn(&mut self, scene: &mut Scene, fact: Fact) {
        match fact {
            Fact::AttemptStarted { attempt, .. } => {
                self.handle_attempt_started(attempt, scene.stamp.at);
            }
            Fact::Newest { checkpoint, .. } => self.handle_completed(scene, checkpoint),
            _ => {}
        }
    }
}

impl OutputOracle {
    /// A subtask froze its state, with these transactions in it.
    fn handle_snapshot(&mut self, snapshot: &SnapshotTaken) {
        self.readers.handle_cut(snapshot.subtask, snapshot.checkpoint);
        if snapshot.transactions.is_empty() {
            return;
        }
        let transactions = snapshot.transactions.iter().map(|(_, id)| *id).collect();
        let (checkpoint, attempt) = (snapshot.checkpoint, snapshot.attempt);
        self.held.push(Held { checkpoint, attempt, transactions });
    }

    /// The checkpoint completed: the transactions that it holds are to be committed.
    fn handle_completed(&mut self, scene: &mut Scene, checkpoint: CheckpointId) {
        self.readers.handle_completed(checkpoint);
        for held in self.held.iter().filter(|held| held.checkpoint == checkpoint) {
            for transaction in &held.transactions {
                self.transactions.entry(*transaction).or_default().is_promised = true;
            }
        }
        self.held.retain(|held| held.checkpoint > checkpoint);
        self.tell_expired(scene);
    }

    /// What older attempts snapshotted cannot complete any more.
    fn handle_attempt_started(&mut self, attempt: Attempt, at: VirtualTime) {
        self.held_outside.handle_attempt_started(at);
        self.readers.handle_attempt_started();
        self.held.retain(|held| held.attempt >= attempt);
        self.may_repeat |= self.attempts > 0;
        self.attempts = self.attempts.saturating_add(1);
    }

    /// What a completed checkpoint holds, and the target has let expire: nobody can commit it any more, and a job
    /// that finished all the same would finish without its records.
    fn tell_expired(&self, scene: &mut Scene) {
        let record = self.readers.gone().map(|record| format!("record {record}"));
        let transaction = || self.expired_transaction(scene).map(|id| id.to_string());
        let what = record.or_else(transaction);
        scene.found.excuses.set_expired(what);
    }

    fn expired_transaction(&self, scene: &Scene) -> Option<TransactionId> {
        if !scene.course.weather.has_expiry() {
            return None; // Usually none has, and this is asked at each completion.
        }
        let is_lost = |progress: &Progress| progress.is_expired && progress.is_promised;
        self.transactions.iter().find(|(_, progress)| is_lost(progress)).map(|(id, _)| *id)
    }

    /// Older producers of a sink are refused from here on.
    fn handle_fenced(&mut self, sink: SubtaskId, attempt: Attempt) {
        let fence = self.fences.entry(sink).or_default();
        *fence = (*fence).max(attempt);
    }

    /// A transaction takes its first records: it must be new.
    fn handle_opened(&mut self, scene: &mut Scene, transaction: TransactionId) {
        let progress = self.transactions.entry(transaction).or_default();
        let what = match (progress.is_committed, progress.is_aborted) {
            (true, _) => "committed",
            (false, true) => "aborted",
            (false, false) => return,
        };
        let text = format!("{transaction} takes records again, though it was {what}");
        report(scene, Kind::ReopenedTransaction, transaction, text);
    }

    /// A transaction is gone: it must not have been visible, nor owed.
    fn handle_aborted(&mut self, scene: &mut Scene, transaction: TransactionId) {
        let is_expired = scene.course.weather.is_of_expiry(scene.stamp);
        let progress = self.transactions.entry(transaction).or_default();
        progress.is_aborted = true;
        progress.is_expired = is_expired && progress.prepared.is_some();
        let what = if progress.is_committed {
            Some("it was visible already")
        } else if progress.is_promised && !progress.is_expired {
            Some("a completed checkpoint holds it")
        } else {
            None
        };
        if let Some(what) = what {
            let text = format!("{transaction} was aborted, though {what}");
            report(scene, Kind::AbortedTransaction, transaction, text);
        }
        self.tell_expired(scene);
    }

    /// A transaction became visible.
    fn handle_committed(
        &mut self,
        scene: &mut Scene,
        transaction: TransactionId,
        records: &[OutputRecord],
    ) {
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
    fn handle_written(&mut self, scene: &mut Scene, sink: SubtaskId, records: &[OutputRecord]) {
        if !self.reference.is_known() {
            return;
        }
        for record in records {
            self.show_directly(scene, sink, *record);
        }
    }

    /// A subtask was given a record: where anybody reads an external system, it matters what sinks are given.
    #[inline]
    pub fn handle_received(&mut self, scene: &mut Scene, channel: ChannelId, lineage: LineageId) {
        if self.readers.are_there() {
            let subtask = scene.shape.channels[channel.index()].to;
            if self.readers.handle_given(scene.shape, subtask, lineage) {
                self.tell_expired(scene);
            }
        }
    }

    /// Readers of the external system see these records from here on.
    fn handle_shown(&mut self, scene: &mut Scene, operator: OperatorId, records: &[OutputRecord]) {
        let was_lost = self.readers.gone().is_some();
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
        if was_lost {
            self.tell_expired(scene);
        }
    }

    /// The external system has let go of these records: where a fault explains it, they are lost. It does as long as what
    /// it held up may be on its way.
    fn handle_expired(
        &mut self,
        scene: &mut Scene,
        operator: OperatorId,
        records: &[OutputRecord],
    ) {
        if !scene.is_settled() {
            self.readers.handle_expired(operator, records);
            self.tell_expired(scene);
        }
    }

    /// The job finished: all that is expected is visible, and nothing lingers.
    fn handle_finished(&mut self, scene: &mut Scene) {
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
