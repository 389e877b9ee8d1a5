//! Troubles of services: which is in force, so that the end of an older one does not end a newer one.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Action, Errand, Run};
use crate::cluster::{SinkFault, StoreFault, Trouble};
use crate::plan::Fault;
use crate::protocol::{ProcessId, SplitId};
use crate::world::{Observer, slot_of};

/// What has one trouble at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Patient {
    Store(ProcessId),
    Sink,
    Split(SplitId),
}

/// Which fault ails what.
#[derive(Debug, Default)]
pub(super) struct Troubles(BTreeMap<Patient, usize>);

impl Patient {
    fn of(fault: &Fault) -> Option<Self> {
        match fault {
            Fault::Store { process, .. } => Some(Patient::Store(*process)),
            Fault::Sink { .. } => Some(Patient::Sink),
            Fault::Idle { split, .. } => Some(Patient::Split(*split)),
            _ => None,
        }
    }

    fn process(self) -> ProcessId {
        match self {
            Patient::Store(process) => process,
            Patient::Sink => ProcessId::SinkTarget,
            Patient::Split(_) => ProcessId::SourceLog,
        }
    }

    fn recovery(self) -> Trouble {
        match self {
            Patient::Store(_) => Trouble::Store(StoreFault::Healthy),
            Patient::Sink => Trouble::Sink(SinkFault::Healthy),
            Patient::Split(split) => Trouble::Split { split, is_idle: false },
        }
    }
}

impl<O: Observer> Run<O> {
    /// The service that a fault is about fares like this for a while.
    pub(super) fn afflict(&mut self, index: usize, trouble: Trouble, for_us: u64) {
        let Some(patient) = Patient::of(&self.plan.faults[index].fault) else { return };
        self.mark(index, patient.process());
        self.troubles.0.insert(patient, index);
        self.tell_service(patient.process(), trouble);
        self.schedule(self.now + Duration::from_micros(for_us), Action::Recover(index));
    }

    /// The time of a trouble is over: the service recovers, unless another has begun meanwhile.
    pub(super) fn recover(&mut self, index: usize) {
        let Some(patient) = Patient::of(&self.plan.faults[index].fault) else { return };
        if self.troubles.0.get(&patient) == Some(&index) {
            self.troubles.0.remove(&patient);
            self.tell_service(patient.process(), patient.recovery());
        }
    }

    /// All services recover.
    pub(super) fn recover_all(&mut self) {
        for (patient, _) in std::mem::take(&mut self.troubles.0) {
            self.tell_service(patient.process(), patient.recovery());
        }
    }

    fn tell_service(&mut self, process: ProcessId, trouble: Trouble) {
        let machine = self.slots[slot_of(process)].life.machine;
        self.schedule_errand(Errand::Afflict(machine, trouble));
    }
}
