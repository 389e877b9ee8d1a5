//! Which services are in trouble, and through which fault: a later one replaces an earlier, and only the
//! one in force is healed when its time is over.

use crate::cluster::Trouble;
use crate::plan::Fault;
use crate::protocol::ordered::VecMap;
use crate::protocol::{ProcessId, SplitId};

/// The troubles of all services.
#[derive(Clone, Debug, Default)]
pub struct Troubles {
    /// By what is in trouble: the fault in force, by its place in the plan.
    in_force: VecMap<Patient, usize>,
}

/// What can be in trouble on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Patient {
    Store(ProcessId),
    Sink,
    Split(SplitId),
}

impl Troubles {
    /// The fault at this place of the plan strikes: the service that is in trouble through it, if it makes sense
    /// where it strikes.
    pub fn begin(&mut self, index: usize, fault: &Fault) -> Option<ProcessId> {
        let patient = Patient::of(fault)?;
        self.in_force.insert(patient, index);
        Some(patient.process())
    }

    /// What to tell whom, if this fault is in force.
    #[must_use]
    pub fn told(&self, index: usize, fault: &Fault) -> Option<(ProcessId, Trouble)> {
        let patient = Patient::of(fault)?;
        if self.in_force.get(&patient) != Some(&index) {
            return None;
        }
        let trouble = match fault {
            Fault::Store { fault, .. } => Trouble::Store(Some(*fault)),
            Fault::Sink { fault, .. } => Trouble::Sink(Some(*fault)),
            Fault::Idle { split, .. } => Trouble::Split { split: *split, is_idle: true },
            _ => return None,
        };
        Some((patient.process(), trouble))
    }

    /// The time of this fault is over: what to tell whom, if it was in force.
    pub fn end(&mut self, index: usize, fault: &Fault) -> Option<(ProcessId, Trouble)> {
        let patient = Patient::of(fault)?;
        if self.in_force.get(&patient) != Some(&index) {
            return None;
        }
        self.in_force.remove(&patient);
        Some(patient.recovery())
    }

    /// All trouble is over: what to tell whom.
    pub fn end_all(&mut self) -> Vec<(ProcessId, Trouble)> {
        std::mem::take(&mut self.in_force).into_keys().map(Patient::recovery).collect()
    }
}

impl Patient {
    fn of(fault: &Fault) -> Option<Self> {
        match fault {
            Fault::Store { process, fault, .. } => {
                fault.applies_to(*process).then_some(Patient::Store(*process))
            }
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

    fn recovery(self) -> (ProcessId, Trouble) {
        let trouble = match self {
            Patient::Store(_) => Trouble::Store(None),
            Patient::Sink => Trouble::Sink(None),
            Patient::Split(split) => Trouble::Split { split, is_idle: false },
        };
        (self.process(), trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::StoreFault;

    fn store(fault: StoreFault) -> Fault {
        Fault::Store { process: ProcessId::ObjectStore, fault, for_us: 10 }
    }

    #[test]
    fn the_end_of_an_earlier_fault_does_not_heal_a_later_one() {
        let (first, second) = (store(StoreFault::Full), store(StoreFault::Mute));
        let mut troubles = Troubles::default();
        assert_eq!(troubles.begin(0, &first), Some(ProcessId::ObjectStore));
        assert_eq!(troubles.begin(1, &second), Some(ProcessId::ObjectStore));
        assert_eq!(troubles.told(0, &first), None, "it was replaced before it was told");
        let mute = Trouble::Store(Some(StoreFault::Mute));
        assert_eq!(troubles.told(1, &second), Some((ProcessId::ObjectStore, mute)));
        assert_eq!(troubles.end(0, &first), None);
        let healthy = Trouble::Store(None);
        assert_eq!(troubles.end(1, &second), Some((ProcessId::ObjectStore, healthy)));
        assert_eq!(troubles.end(1, &second), None, "it is over once");
    }

    #[test]
    fn services_and_splits_are_in_trouble_each_on_its_own() {
        let idle = |split| Fault::Idle { split: SplitId(split), for_us: 10 };
        let mut troubles = Troubles::default();
        troubles.begin(0, &store(StoreFault::Full));
        troubles.begin(1, &idle(0));
        troubles.begin(2, &idle(1));
        assert_eq!(troubles.end_all().len(), 3);
        assert_eq!(troubles.end_all(), [], "nothing is left");
    }

    #[test]
    fn what_makes_no_sense_does_not_strike() {
        let process = ProcessId::MetaStore;
        let torn = Fault::Store { process, fault: StoreFault::Torn, for_us: 10 };
        assert_eq!(Troubles::default().begin(0, &torn), None);
    }
}
