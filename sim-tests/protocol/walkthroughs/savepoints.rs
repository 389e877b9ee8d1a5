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
}
