//! Savepoints: asked for.

use cutwater::protocol::{RequestNumber, SavepointMode, SavepointRequest};

use super::world::World;

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
}
