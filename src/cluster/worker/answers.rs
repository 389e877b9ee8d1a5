//! Answers of the stores, the source log and the sink target, each handed to the task that asked.

use std::sync::Arc;

use super::super::io::Outbox;
use super::super::message::{Answer, Deploy, ObjectResult};
use super::super::task::{Purpose, Shapes};
use super::Worker;
use crate::dataflow::Heard;
use crate::protocol::{Defect, Digest, SnapshotHandle, SubtaskId, VirtualTime};

impl Worker {
    pub(super) fn handle_answer(
        &mut self,
        now: VirtualTime,
        answer: Answer,
        outbox: &mut dyn Outbox,
    ) {
        let request = answer.request();
        let Some(purpose) = self.requests.purpose(request).copied() else { return };
        if !self.can_use(purpose, &answer) {
            return;
        }
        self.requests.answered(request);
        match answer {
            Answer::Fetched(fetched) => {
                if let Purpose::Fetch { subtask, .. } = purpose {
                    self.with_current(now, subtask, outbox, |task, env| {
                        task.handle_fetched(*fetched, env);
                        Ok(())
                    });
                }
            }
            Answer::Object { result, .. } => {
                self.handle_object_answer(now, purpose, result, outbox);
            }
            Answer::System { reply, .. } => {
                if let Purpose::Outside { subtask, number } = purpose {
                    self.with_current(now, subtask, outbox, |task, env| {
                        task.handle_heard(number, Heard::Reply(reply), env);
                        Ok(())
                    });
                }
            }
            Answer::Sink { accepted, .. } => {
                self.handle_sink_answer(now, purpose, accepted, outbox);
            }
            Answer::Meta { .. } | Answer::SplitsListed { .. } => {}
        }
        self.report_ready(false, outbox);
        self.report_finished(false, outbox);
    }

    /// An answer that is of no use leaves its request unanswered: it is sent again. What was not read,
    /// or is not what was acknowledged, is read again; what was not deleted is deleted later.
    fn can_use(&self, purpose: Purpose, answer: &Answer) -> bool {
        let Answer::Object { result, .. } = answer else { return true };
        match (purpose, result) {
            (Purpose::Restore { .. } | Purpose::Delete, ObjectResult::Failed) => false,
            (Purpose::Restore { subtask, part }, ObjectResult::Read(bytes)) => {
                let handle = self.handle_of(subtask, part);
                handle.is_none_or(|handle| handle.digest == Digest::of(bytes))
                    || self.defects.has(Defect::CorruptReadAccepted)
            }
            _ => true,
        }
    }

    fn handle_object_answer(
        &mut self,
        now: VirtualTime,
        purpose: Purpose,
        result: ObjectResult,
        outbox: &mut dyn Outbox,
    ) {
        match purpose {
            Purpose::Restore { subtask, part } => {
                self.handle_snapshot(now, (subtask, part), result, outbox);
            }
            Purpose::Upload { subtask, checkpoint } => {
                let stored = result == ObjectResult::Done;
                self.with_current(now, subtask, outbox, |task, env| {
                    task.handle_uploaded(checkpoint, stored, env);
                    Ok(())
                });
            }
            Purpose::Fence { .. }
            | Purpose::PreCommit { .. }
            | Purpose::Commit { .. }
            | Purpose::Fetch { .. }
            | Purpose::Outside { .. }
            | Purpose::Delete => {}
        }
    }

    /// A snapshot that is gone, or makes no sense, ends the attempt.
    fn handle_snapshot(
        &mut self,
        now: VirtualTime,
        (subtask, part): (SubtaskId, u16),
        result: ObjectResult,
        outbox: &mut dyn Outbox,
    ) {
        let Some(handle) = self.handle_of(subtask, part) else { return };
        let Some(deploy) = self.execution.as_ref().map(|execution| Arc::clone(&execution.deploy))
        else {
            return;
        };
        let shapes = self.shapes_of(&deploy);
        self.with_current(now, subtask, outbox, |task, env| match result {
            ObjectResult::Read(bytes) => {
                task.handle_snapshot(&deploy, &shapes, (part, handle), &bytes, env)
            }
            ObjectResult::Missing
            | ObjectResult::Failed
            | ObjectResult::Listed(_)
            | ObjectResult::Done => Err(format!("{} is gone", handle.key)),
        });
    }

    /// One of the snapshots that a subtask starts from.
    fn handle_of(&self, subtask: SubtaskId, part: u16) -> Option<SnapshotHandle> {
        let execution = self.execution.as_ref()?;
        execution.deploy.reads_of(subtask).get(usize::from(part)).copied()
    }

    /// The job in the shape of what is deployed, and in that of the snapshots where it is another.
    fn shapes_of(&self, deploy: &Deploy) -> Shapes {
        let shape = deploy.shape.as_ref();
        let redistribution = shape.and_then(|shape| shape.redistribution.as_ref());
        let before = redistribution.map(|other| self.job_in(other.revision));
        Shapes { now: Arc::clone(&self.job), before }
    }

    fn handle_sink_answer(
        &mut self,
        now: VirtualTime,
        purpose: Purpose,
        accepted: bool,
        outbox: &mut dyn Outbox,
    ) {
        let (Purpose::Fence { subtask }
        | Purpose::PreCommit { subtask, .. }
        | Purpose::Commit { subtask, .. }
        | Purpose::Restore { subtask, .. }
        | Purpose::Upload { subtask, .. }
        | Purpose::Outside { subtask, .. }
        | Purpose::Fetch { subtask, .. }) = purpose
        else {
            return;
        };
        self.with_current(now, subtask, outbox, |task, env| {
            match purpose {
                Purpose::Fence { .. } if !accepted => {
                    return Err("the sink target has fenced this attempt".to_owned());
                }
                Purpose::Fence { .. } => task.handle_fenced(env),
                Purpose::PreCommit { checkpoint, .. } if accepted => {
                    task.handle_pre_committed(checkpoint, env);
                }
                // What was written before the barrier is not there, and later transactions do not
                // bring it back: only a restart does.
                Purpose::PreCommit { checkpoint, .. } => {
                    return Err(format!("the sink target lacks records of {checkpoint}"));
                }
                Purpose::Commit { transaction, .. } if accepted => {
                    task.handle_committed(transaction);
                }
                Purpose::Commit { transaction, .. } => {
                    return task.handle_refused(transaction, env);
                }
                Purpose::Restore { .. }
                | Purpose::Upload { .. }
                | Purpose::Fetch { .. }
                | Purpose::Outside { .. }
                | Purpose::Delete => {}
            }
            Ok(())
        });
    }
}
