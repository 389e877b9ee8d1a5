//! What readers of an external system see, whatever the protocol of the sink that wrote it.
//!
//! Behind a *committing* sink a reader sees a record once, for good, and only when a checkpoint that holds it has
//! completed: one that its subtask was given before its cut of that checkpoint, or of an earlier one of the same
//! attempt. Of what one subtask was given, what becomes visible together is in that order. This is judged from what
//! the subtask was given and froze, so that no failure is needed to see that a sink shows too early.
//!
//! What the system lets go of is lost where a completed checkpoint holds it, and a job need not finish without it. That
//! excuses a job only where something was in trouble at that time: a log whose timeout ends what was promised, and
//! nothing kept anybody from committing, says that the sink forgot to.
//!
//! Behind a *converging* sink a reader sees anything for a while, and in the end exactly the reference.
//!
//! Where a trace tells of no records in channels, nothing is known of what a subtask was given, and only the rest is
//! judged.

use std::hash::BuildHasherDefault;

use indexmap::IndexMap;

use super::super::kind::Kind;
use super::super::reference::{DigestHasher, DigestSet};
use super::super::shape::{Scene, Shape};
use super::super::verdict::Violation;
use crate::protocol::lineage::mix;
use crate::protocol::ordered::VecMap;
use crate::protocol::{CheckpointId, Digest, LineageId, OperatorId, OperatorRole, SubtaskId};
use crate::trace::OutputRecord;

/// What an operator promises to readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// Each record once, for good, and not too early.
    Once,
    /// What is expected, in the end.
    InTheEnd,
}

/// Something by record and operator.
type ByRecord<T> = IndexMap<u64, T, BuildHasherDefault<DigestHasher>>;

/// When a record was given to whom: numbers rise.
#[derive(Clone, Copy, Debug)]
struct Given {
    number: u64,
    subtask: SubtaskId,
    /// In which shape of the job.
    shape: usize,
}

/// What readers have seen, and what they may see.
#[derive(Clone, Debug, Default)]
pub(super) struct Readers {
    /// By operator; empty where none writes to an external system.
    promises: Vec<Option<Promise>>,
    /// Whether the trace tells of records in channels.
    knows_given: bool,
    number: u64,
    /// By subtask, what it was given since its last cut.
    given: VecMap<SubtaskId, Vec<(u64, Given)>>,
    /// What was given before a cut whose checkpoint has no outcome yet, oldest first.
    cuts: Vec<(CheckpointId, Vec<(u64, Given)>)>,
    /// What a completed checkpoint holds.
    promised: ByRecord<Given>,
    visible: DigestSet,
    /// Behind converging sinks: how often each content is seen.
    seen: VecMap<Digest, u64>,
    /// What the system has let go of for a reason, and nobody has been given again.
    let_go: ByRecord<LineageId>,
    /// What of it a completed checkpoint holds, and nobody has seen.
    gone: ByRecord<LineageId>,
}

impl Readers {
    /// The run begins.
    pub fn start(&mut self, scene: &Scene) {
        let promise = |role| match role {
            OperatorRole::CommittingSink | OperatorRole::StagingWriter => Some(Promise::Once),
            OperatorRole::ConvergingSink => Some(Promise::InTheEnd),
            OperatorRole::Source
            | OperatorRole::Operator
            | OperatorRole::TransactionalSink
            | OperatorRole::AtLeastOnceSink => None,
        };
        let operators = &scene.shape.topology().operators;
        let promises: Vec<_> = operators.iter().map(|operator| promise(operator.role)).collect();
        let are_there = promises.iter().any(Option::is_some);
        *self = Self { promises: if are_there { promises } else { Vec::new() }, ..Self::default() };
    }

    /// Whether anybody reads an external system.
    #[inline]
    pub fn are_there(&self) -> bool {
        !self.promises.is_empty()
    }

    pub fn promise(&self, operator: OperatorId) -> Option<Promise> {
        self.promises.get(operator.index()).copied().flatten()
    }

    /// A subtask was given a record. Whether it had been gone.
    pub fn handle_given(&mut self, shape: &Shape, subtask: SubtaskId, lineage: LineageId) -> bool {
        let operator = OperatorId(shape.operator(subtask));
        if self.promise(operator).is_none() {
            return false;
        }
        self.knows_given = true;
        self.number += 1;
        let key = key(operator, lineage);
        let given = Given { number: self.number, subtask, shape: shape.version() };
        self.given.entry(subtask).or_default().push((key, given));
        self.find_again(key)
    }

    /// The record is there again: with whoever was given it, or before the eyes of readers. Whether it had been gone.
    fn find_again(&mut self, key: u64) -> bool {
        self.let_go.swap_remove(&key);
        self.gone.swap_remove(&key).is_some()
    }

    /// A subtask froze its state.
    pub fn handle_cut(&mut self, subtask: SubtaskId, checkpoint: CheckpointId) {
        if let Some(given) = self.given.get_mut(&subtask) {
            self.cuts.push((checkpoint, std::mem::take(given)));
        }
    }

    /// The checkpoint completed: what was given before its cuts, and before those of earlier ones, may be seen. What
    /// is given up belongs to the next that completes.
    pub fn handle_completed(&mut self, checkpoint: CheckpointId) {
        for (_, given) in self.cuts.extract_if(.., |(cut, _)| *cut <= checkpoint) {
            for (key, given) in given {
                if let Some(lineage) = self.let_go.get(&key) {
                    self.gone.insert(key, *lineage);
                }
                self.promised.insert(key, given);
            }
        }
    }

    /// What older attempts were given, and froze, is given again.
    pub fn handle_attempt_started(&mut self) {
        self.given.clear();
        self.cuts.clear();
    }

    /// What is gone, though a completed checkpoint holds it: the first of it.
    pub fn gone(&self) -> Option<LineageId> {
        self.gone.values().next().copied()
    }

    /// The system has let go of these, and there is a reason for it. What readers have seen, they have.
    pub fn handle_expired(&mut self, operator: OperatorId, records: &[OutputRecord]) {
        for record in records {
            let key = key(operator, record.lineage);
            if self.visible.contains(&key) {
                continue;
            }
            if self.promised.contains_key(&key) {
                self.gone.insert(key, record.lineage);
            }
            self.let_go.insert(key, record.lineage);
        }
    }

    /// Readers see a record from here on. Whether it counts as one that is to be seen once.
    pub fn show(&mut self, scene: &mut Scene, operator: OperatorId, record: OutputRecord) -> bool {
        match self.promise(operator) {
            Some(Promise::Once) => self.show_once(scene, operator, record),
            Some(Promise::InTheEnd) | None => {
                *self.seen.entry(record.digest).or_default() += 1;
                false
            }
        }
    }

    fn show_once(&mut self, scene: &mut Scene, operator: OperatorId, record: OutputRecord) -> bool {
        let key = key(operator, record.lineage);
        if self.knows_given && !self.promised.contains_key(&key) {
            let what = "and no completed checkpoint holds it";
            report(scene, Kind::EarlyOutput, (operator, record.lineage), what);
        }
        self.find_again(key);
        let is_new = self.visible.insert(key);
        if !is_new {
            let what = "which was visible already";
            report(scene, Kind::DuplicateOutput, (operator, record.lineage), what);
        }
        is_new
    }

    /// What becomes visible together is, for each subtask, in the order in which it was given it.
    pub fn judge_order(&self, scene: &mut Scene, operator: OperatorId, records: &[OutputRecord]) {
        if self.promise(operator) != Some(Promise::Once) {
            return;
        }
        let mut last = VecMap::new();
        for record in records {
            let Some(given) = self.promised.get(&key(operator, record.lineage)) else { continue };
            let before = last.insert((given.shape, given.subtask), given.number);
            if before.is_some_and(|before| before > given.number) {
                let what = "behind one that its sink was given later";
                return report(scene, Kind::DisorderedOutput, (operator, record.lineage), what);
            }
        }
    }

    /// Readers do not see these any more.
    pub fn hide(&mut self, scene: &mut Scene, operator: OperatorId, records: &[OutputRecord]) {
        for record in records {
            match self.promise(operator) {
                Some(Promise::Once) => {
                    let key = key(operator, record.lineage);
                    self.visible.swap_remove(&key);
                    let name = scene.shape.operator_name(operator);
                    let lineage = record.lineage;
                    let text =
                        format!("record {lineage} of {name} was visible, and is not any more");
                    scene.report(Violation::new(Kind::HiddenOutput, text).with(lineage));
                }
                Some(Promise::InTheEnd) | None => {
                    let times = self.seen.entry(record.digest).or_default();
                    *times = times.saturating_sub(1);
                }
            }
        }
    }

    /// How often this content is seen behind converging sinks.
    pub fn seen(&self, digest: Digest) -> u64 {
        self.seen.get(&digest).copied().unwrap_or(0)
    }

    /// What is seen behind converging sinks, and how often.
    pub fn all_seen(&self) -> impl Iterator<Item = (Digest, u64)> + '_ {
        self.seen.iter().map(|(digest, times)| (*digest, *times)).filter(|(_, times)| *times > 0)
    }
}

/// A record as an operator's.
fn key(operator: OperatorId, lineage: LineageId) -> u64 {
    lineage.0 ^ mix(u64::from(operator.0) + 1)
}

#[cold]
fn report(scene: &mut Scene, kind: Kind, (operator, lineage): (OperatorId, LineageId), what: &str) {
    let name = scene.shape.operator_name(operator);
    let text = format!("readers see record {lineage} of {name}, {what}");
    scene.report(Violation::new(kind, text).with(lineage));
}
