//! Answers of the stores, the source log and the sink target, each handed to the task that asked.

use std::sync::Arc;

use super::super::message::{Message, ObjectResult};
use super::super::process::Outbox;
use super::super::task::Purpose;
use super::Worker;
use crate::protocol::{SubtaskId, VirtualTime};

impl Worker {
    pub(super) fn handle_answer(
        &mut self,
        now: VirtualTime,
        message: Message,
        outbox: &mut impl Outbox,
    ) {
        let request = match &message {
            Message::Fetched(fetched) => fetched.request,
            Message::ObjectAnswer { request, .. } | Message::SinkAnswer { request, .. } => *request,
            _ => return,
        };
        let Some(purpose) = self.requests.answered(request) else { return };
        match message {
            Message::Fetched(fetched) => {
                if let Purpose::Fetch { subtask, .. } = purpose {
                    self.with_current(now, subtask, outbox, |task, env| {
                        task.handle_fetched(*fetched, env);
                        Ok(())
                    });
                }
            }
            Message::ObjectAnswer { result, .. } => {
                self.handle_object_answer(now, purpose, result, outbox);
            }
            Message::SinkAnswer { accepted, .. } => {
                self.handle_sink_answer(now, purpose, accepted, outbox);
            }
            _ => {}
        }
        self.report_ready(false, outbox);
    }

    fn handle_object_answer(
        &mut self,
        now: VirtualTime,
        purpose: Purpose,
        result: ObjectResult,
        outbox: &mut impl Outbox,
    ) {
        match purpose {
            Purpose::Restore { subtask } => self.handle_snapshot(now, subtask, result, outbox),
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
            | Purpose::Delete => {}
        }
    }

    /// A store that fails is asked again; a snapshot that is not what was acknowledged ends the attempt.
    fn handle_snapshot(
        &mut self,
        now: VirtualTime,
        subtask: SubtaskId,
        result: ObjectResult,
        outbox: &mut impl Outbox,
    ) {
        let Some(deploy) = self.execution.as_ref().map(|execution| Arc::clone(&execution.deploy))
        else {
            return;
        };
        let Some(handle) = deploy.snapshots.get(subtask.index()).copied() else { return };
        let checkpoint = deploy.checkpoint;
        self.with_current(now, subtask, outbox, |task, env| match result {
            ObjectResult::Read(bytes) => task.handle_snapshot(checkpoint, handle, &bytes, env),
            ObjectResult::Failed => {
                task.begin_restore(checkpoint, Some(handle), env);
                Ok(())
            }
            ObjectResult::Missing | ObjectResult::Done => Err(format!("{} is gone", handle.key)),
        });
    }

    fn handle_sink_answer(
        &mut self,
        now: VirtualTime,
        purpose: Purpose,
        accepted: bool,
        outbox: &mut impl Outbox,
    ) {
        let (Purpose::Fence { subtask }
        | Purpose::PreCommit { subtask, .. }
        | Purpose::Commit { subtask, .. }
        | Purpose::Restore { subtask }
        | Purpose::Upload { subtask, .. }
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
                // Later checkpoints would complete without what is missing: only reading it again helps.
                Purpose::PreCommit { checkpoint, .. } => {
                    return Err(format!("the sink target lacks records before {checkpoint}"));
                }
                Purpose::Commit { transaction, .. } if accepted => {
                    task.handle_committed(transaction);
                }
                Purpose::Commit { transaction, .. } => {
                    return Err(format!("the sink target has lost {transaction}"));
                }
                Purpose::Restore { .. }
                | Purpose::Upload { .. }
                | Purpose::Fetch { .. }
                | Purpose::Delete => {}
            }
            Ok(())
        });
    }
}
