//! What a job waits for: an answer, in words, to "why has it not finished?".
//!
//! Nothing is judged here. The steps of the newest attempt are folded as they come, whoever tells them.

use crate::oracle::shape::Scene;
use crate::protocol::ordered::VecSet;
use crate::protocol::{Attempt, CheckpointId, SubtaskId, TransactionId};
use crate::trace::Event;

/// How many of those that are waited for are named.
const NAMED_MAX: usize = 4;

/// The steps of the newest attempt that others wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct Awaited {
    attempt: Stage,
    /// Who has begun with its state.
    restored: VecSet<SubtaskId>,
    /// Who is through with its input.
    ended: VecSet<SubtaskId>,
    /// The newest checkpoint that the attempt has triggered, until it has an outcome.
    checkpoint: Option<Pending>,
    /// Sources whose enumerator is shut off from them while it is cut.
    closed: VecSet<SubtaskId>,
    /// Transactions that a coordinator or a restored sink has asked to commit.
    commits: VecSet<TransactionId>,
}

/// How far the newest attempt has come.
#[derive(Clone, Debug, Default)]
enum Stage {
    #[default]
    NoneYet,
    Deploying(Attempt),
    Running(Attempt),
    Failed(Attempt, String),
}

#[derive(Clone, Debug)]
struct Pending {
    id: CheckpointId,
    counted: VecSet<SubtaskId>,
    is_assembled: bool,
}

impl Awaited {
    /// Selects the steps that somebody waits for.
    pub fn select(&mut self, event: &Event) {
        match event {
            Event::AttemptStarted { attempt, .. } => self.start(*attempt),
            Event::AttemptRunning { attempt } => self.attempt = Stage::Running(*attempt),
            Event::AttemptFailed { attempt, reason } => {
                self.attempt = Stage::Failed(*attempt, reason.clone());
            }
            Event::Restored(restored) if self.is_of_newest(restored.attempt) => {
                self.restored.insert(restored.subtask);
            }
            Event::SubtaskEnded { subtask, attempt } if self.is_of_newest(*attempt) => {
                self.ended.insert(*subtask);
            }
            Event::GatewayClosed { subtask, .. } => {
                self.closed.insert(*subtask);
            }
            Event::GatewayReopened { subtask, .. } => {
                self.closed.remove(subtask);
            }
            Event::CommitRequested { transaction, .. } => {
                self.commits.insert(*transaction);
            }
            Event::TransactionCommitted { transaction, .. }
            | Event::TransactionAborted { transaction } => {
                self.commits.remove(transaction);
            }
            // Whose commit a reader sees is not told, only that one got through.
            Event::OutputShown { .. } => self.commits.clear(),
            _ => self.select_of_checkpoint(event),
        }
    }

    /// Selects the steps of a checkpoint.
    fn select_of_checkpoint(&mut self, event: &Event) {
        match event {
            Event::Triggered { checkpoint, .. } | Event::SavepointTriggered { checkpoint, .. } => {
                let counted = VecSet::default();
                self.checkpoint = Some(Pending { id: *checkpoint, counted, is_assembled: false });
            }
            Event::AcknowledgementCounted { subtask, checkpoint, .. } => {
                if let Some(pending) = self.pending(*checkpoint) {
                    pending.counted.insert(*subtask);
                }
            }
            Event::Assembled { checkpoint, .. } => {
                if let Some(pending) = self.pending(*checkpoint) {
                    pending.is_assembled = true;
                }
            }
            Event::Completed { checkpoint, .. }
            | Event::SavepointCompleted { checkpoint, .. }
            | Event::Aborted { checkpoint, .. } => {
                self.checkpoint.take_if(|pending| pending.id == *checkpoint);
            }
            _ => {}
        }
    }

    fn start(&mut self, attempt: Attempt) {
        *self = Self { attempt: Stage::Deploying(attempt), ..Self::default() };
    }

    fn is_of_newest(&self, attempt: Attempt) -> bool {
        match &self.attempt {
            Stage::NoneYet => false,
            Stage::Deploying(newest) | Stage::Running(newest) | Stage::Failed(newest, _) => {
                attempt == *newest
            }
        }
    }

    fn pending(&mut self, checkpoint: CheckpointId) -> Option<&mut Pending> {
        self.checkpoint.as_mut().filter(|pending| pending.id == checkpoint)
    }

    /// What is waited for, each part after `"; "`.
    pub fn tell(&self, scene: &Scene) -> String {
        match &self.attempt {
            Stage::NoneYet => "; no attempt was started".to_owned(),
            Stage::Failed(attempt, why) => {
                format!("; no attempt was started after {attempt}, which failed: {why}")
            }
            Stage::Deploying(attempt) => {
                let missing = missing(scene, &self.restored);
                let what = missing
                    .map_or("nobody has told the coordinator".to_owned(), |missing| {
                        format!("not restored: {missing}")
                    });
                format!("; {attempt} was started and does not run: {what}")
            }
            Stage::Running(attempt) => format!("; {attempt} runs{}", self.tell_running(scene)),
        }
    }

    fn tell_running(&self, scene: &Scene) -> String {
        let mut told = String::new();
        if let Some(running) = missing(scene, &self.ended) {
            told.push_str(&format!("; not at the end of their input: {running}"));
        }
        if let Some(pending) = &self.checkpoint {
            told.push_str(&format!("; {}", pending.tell(scene)));
        }
        if let Some(closed) = named(&self.closed, |subtask| scene.name(*subtask)) {
            told.push_str(&format!("; the enumerator's gateway is closed for {closed}"));
        }
        if let Some(commits) = named(&self.commits, ToString::to_string) {
            told.push_str(&format!("; asked to commit and not committed: {commits}"));
        }
        told
    }
}

impl Pending {
    fn tell(&self, scene: &Scene) -> String {
        let id = self.id;
        match missing(scene, &self.counted) {
            _ if self.is_assembled => format!("{id} is assembled and not completed"),
            Some(missing) => format!("{id} is pending, not acknowledged by {missing}"),
            None => format!("{id} is pending, acknowledged by all, and not assembled"),
        }
    }
}

/// The subtasks of the job that are not in `done`; none where all are.
fn missing(scene: &Scene, done: &VecSet<SubtaskId>) -> Option<String> {
    let missing: Vec<SubtaskId> =
        scene.shape.topology().subtask_ids().filter(|subtask| !done.contains(subtask)).collect();
    named(&missing, |subtask| scene.name(*subtask))
}

/// The first of them by name, and how many more there are.
fn named<'a, T: 'a>(
    all: impl IntoIterator<Item = &'a T>,
    name: impl Fn(&T) -> String,
) -> Option<String> {
    let names: Vec<String> = all.into_iter().map(name).collect();
    let more = names.len().saturating_sub(NAMED_MAX);
    let told = names.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match (names.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(told),
        (false, more) => Some(format!("{told} and {more} more")),
    }
}
