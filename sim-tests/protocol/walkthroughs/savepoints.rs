//! Savepoints: asked for, taken, stopped at.

use cutwater::protocol::{
    CoordinatorOutput, CoordinatorTimer, RequestNumber, SavepointMode, SavepointRequest,
};

use super::message::Content;
use super::world::{StoreRequest, World};

impl World {
    /// Somebody asks for a savepoint.
    pub fn ask(&mut self, mode: SavepointMode) -> Result<(), String> {
        self.requests += 1;
        let number = self.requests;
        self.stimulus(format_args!("request {number}: a savepoint, {mode}"));
        let request = SavepointRequest { number: RequestNumber(self.requests), mode };
        self.coordinator.handle_request(self.now, request);
        self.settle();
        Ok(())
    }

    /// The last request is heard once more.
    pub fn ask_again(&mut self, mode: SavepointMode) -> Result<(), String> {
        self.requests = self.requests.checked_sub(1).ok_or("nothing was asked for")?;
        self.ask(mode)
    }

    /// All subtasks say that their input has ended: the coordinator waits for no trigger that is due.
    pub fn hear_all_ended(&mut self) -> Result<(), String> {
        if self.nodes.iter().any(|node| !node.ended) {
            return Err("not all input has ended".to_owned());
        }
        self.stimulus("the input of all has ended");
        self.coordinator.request(self.now);
        self.settle();
        Ok(())
    }

    /// What the coordinator wants of a savepoint.
    pub fn on_savepoint(&mut self, output: CoordinatorOutput) {
        match output {
            CoordinatorOutput::TriggerSavepoint { checkpoint, mode } => {
                self.say("coordinator", format!("trigger savepoint {checkpoint}, {mode}"));
                self.counted.remove(&checkpoint);
                if mode.is_terminal() {
                    // Nothing is triggered meanwhile: the wake-ups under way mean nothing.
                    self.timers.retain(|(_, timer)| *timer != CoordinatorTimer::Trigger);
                }
                self.send_to_all(&Content::Savepoint(checkpoint, mode));
            }
            CoordinatorOutput::WriteSavepoint(completed) => {
                let checkpoint = completed.checkpoint;
                self.say("coordinator", format!("write savepoint {checkpoint}"));
                self.store_requests.push_back(StoreRequest::Metadata(checkpoint));
            }
            CoordinatorOutput::AddSavepoint { checkpoint, request } => {
                let stopped = if request.mode.is_terminal() { ", stopped at it" } else { "" };
                self.say("coordinator", format!("record savepoint {checkpoint}{stopped}"));
                self.store_requests.push_back(StoreRequest::Add(checkpoint));
            }
            CoordinatorOutput::SavepointCompleted { checkpoint, .. } => {
                self.say("coordinator", format!("complete savepoint {checkpoint}"));
            }
            CoordinatorOutput::Stop(checkpoint) => {
                self.say(
                    "coordinator",
                    format!("stop: all commit what {checkpoint} holds, and finish"),
                );
                self.send_to_all(&Content::Stop(checkpoint));
            }
            CoordinatorOutput::Refused { reason, .. } => {
                self.say("coordinator", format!("refuse: {reason}"));
            }
            _ => unreachable!("it is of no savepoint"),
        }
    }
}
