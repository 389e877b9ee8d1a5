//! Troubles of services: those in force are told, and their end.

use std::sync::Arc;
use std::time::Duration;

use super::{Action, Errand, Run};
use crate::cluster::Trouble;
use crate::protocol::ProcessId;
use crate::world::{Observer, slot_of};

impl<O: Observer> Run<O> {
    /// The service that a fault is about fares badly for a while.
    pub(super) fn afflict(&mut self, index: usize, for_us: u64) {
        let plan = Arc::clone(&self.plan);
        let fault = &plan.faults[index].fault;
        if !self.troubles.begin(index, fault) {
            return;
        }
        if let Some((process, trouble)) = self.troubles.told(index, fault) {
            self.mark(index, process);
            self.tell_service(process, trouble);
        }
        self.schedule(self.now + Duration::from_micros(for_us), Action::Recover(index));
    }

    /// The time of a trouble is over: the service recovers, unless another has begun meanwhile.
    pub(super) fn recover(&mut self, index: usize) {
        if let Some((process, trouble)) = self.troubles.end(index, &self.plan.faults[index].fault) {
            self.tell_service(process, trouble);
        }
    }

    /// All services recover.
    pub(super) fn recover_all(&mut self) {
        for (process, trouble) in self.troubles.end_all() {
            self.tell_service(process, trouble);
        }
    }

    fn tell_service(&mut self, process: ProcessId, trouble: Trouble) {
        let machine = self.slots[slot_of(process)].life.machine;
        self.schedule_errand(Errand::Afflict(machine, trouble));
    }
}
