//! Clocks that are wrong, and stores, sink targets and source logs that misbehave.

use super::fault::FaultDraw;
use super::small;
use crate::plan::fault::{ClockChange, Fault, PlannedFault, When};
use crate::plan::fault_class::{ClockTrouble, FaultClass};
use crate::protocol::{ProcessId, SplitId};
use crate::trace::{SinkFault, SinkTrouble, StoreFault, StoreTrouble};

impl FaultDraw<'_> {
    pub(super) fn clock(&mut self, class: FaultClass, trouble: ClockTrouble) -> PlannedFault {
        let when = match trouble {
            // Before any process has done more than start.
            ClockTrouble::Offset => When::At { us: 0 },
            ClockTrouble::Drift | ClockTrouble::Ahead | ClockTrouble::Behind => self.when(class),
        };
        let process = Some(self.anyone());
        let change = match trouble {
            ClockTrouble::Offset => {
                let us = self.step_us();
                ClockChange::Step { us: if self.stream.chance(50) { us } else { -us } }
            }
            ClockTrouble::Drift => ClockChange::Drift { ppm: self.ppm() },
            ClockTrouble::Ahead => ClockChange::Step { us: self.step_us() },
            ClockTrouble::Behind => ClockChange::Step { us: -self.step_us() },
        };
        PlannedFault { when, fault: Fault::Clock { process, change } }
    }

    /// At least one microsecond.
    fn step_us(&mut self) -> i64 {
        i64::try_from(self.us(self.ranges.clock_step_ms).max(1)).unwrap_or(i64::MAX)
    }

    /// Fast as often as slow.
    fn ppm(&mut self) -> i32 {
        let ppm = self.stream.within(self.ranges.clock_drift_ppm);
        // A clock that lost a whole second each second would stand still.
        let ppm = i32::try_from(ppm).unwrap_or(i32::MAX).clamp(1, 900_000);
        if self.stream.chance(50) { ppm } else { -ppm }
    }

    /// The object store more often than the meta store.
    pub(super) fn a_store(&mut self) -> ProcessId {
        let object = self.stream.chance(70);
        if object { ProcessId::ObjectStore } else { ProcessId::MetaStore }
    }

    pub(super) fn store(&mut self, class: FaultClass, trouble: StoreTrouble) -> PlannedFault {
        let when = self.when(class);
        let mut fault = trouble.fault();
        if let StoreFault::Slow { extra_ms } = &mut fault {
            *extra_ms = self.stream.within(self.ranges.store_extra_ms);
        }
        // The meta store keeps one record, replaced whole, that is not listed.
        let is_of_objects =
            matches!(fault, StoreFault::Torn | StoreFault::Corrupt | StoreFault::Lagging);
        let process = if is_of_objects { ProcessId::ObjectStore } else { self.a_store() };
        let for_us = self.us(self.ranges.store_ms);
        PlannedFault { when, fault: Fault::Store { process, fault, for_us } }
    }

    pub(super) fn sink(&mut self, class: FaultClass, trouble: SinkTrouble) -> PlannedFault {
        let when = self.when(class);
        let mut fault = trouble.fault();
        if let SinkFault::DelayedCommit { extra_ms } = &mut fault {
            *extra_ms = self.stream.within(self.ranges.sink_extra_ms);
        }
        let for_us = self.us(self.ranges.sink_ms);
        PlannedFault { when, fault: Fault::Sink { fault, for_us } }
    }

    pub(super) fn idle(&mut self, class: FaultClass) -> PlannedFault {
        let when = self.when(class);
        let split = SplitId(small(self.stream.below(self.targets.splits.into())));
        let for_us = self.us(self.ranges.idle_ms);
        PlannedFault { when, fault: Fault::Idle { split, for_us } }
    }
}
