//! Clocks that are wrong, and stores, sink targets and source logs that misbehave.

use super::fault::FaultDraw;
use super::small;
use crate::cluster::{SinkFault, StoreFault};
use crate::plan::fault::{ClockChange, Fault, PlannedFault, When};
use crate::plan::fault_class::FaultClass;
use crate::protocol::{ProcessId, SplitId};

impl FaultDraw<'_> {
    /// A clock that is off before any process has done more than start.
    pub(super) fn clock_offset(&mut self) -> PlannedFault {
        let (when, process) = (When::At { us: 0 }, Some(self.actor()));
        let us = self.step_us();
        let us = if self.stream.chance(50) { us } else { -us };
        PlannedFault { when, fault: Fault::Clock { process, change: ClockChange::Step { us } } }
    }

    pub(super) fn clock(
        &mut self,
        class: FaultClass,
        change: impl FnOnce(&mut Self) -> ClockChange,
    ) -> PlannedFault {
        let when = self.when(class);
        let process = Some(self.actor());
        let change = change(self);
        PlannedFault { when, fault: Fault::Clock { process, change } }
    }

    pub(super) fn ahead(&mut self) -> ClockChange {
        ClockChange::Step { us: self.step_us() }
    }

    pub(super) fn behind(&mut self) -> ClockChange {
        ClockChange::Step { us: -self.step_us() }
    }

    pub(super) fn drift(&mut self) -> ClockChange {
        ClockChange::Drift { ppm: self.ppm() }
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

    pub(super) fn store(
        &mut self,
        class: FaultClass,
        fault: impl FnOnce(&mut Self) -> StoreFault,
    ) -> PlannedFault {
        let when = self.when(class);
        let fault = fault(self);
        let process = match fault {
            // The meta store keeps one record, replaced whole, that is not listed.
            StoreFault::Torn | StoreFault::Corrupt | StoreFault::Lagging => ProcessId::ObjectStore,
            StoreFault::Healthy
            | StoreFault::Slow { .. }
            | StoreFault::Failing
            | StoreFault::Stalled
            | StoreFault::Full
            | StoreFault::Mute
            | StoreFault::Unsynced
            | StoreFault::Destroyed => self.a_store(),
        };
        let for_us = self.us(self.ranges.store_ms);
        PlannedFault { when, fault: Fault::Store { process, fault, for_us } }
    }

    pub(super) fn slow_store(&mut self) -> StoreFault {
        StoreFault::Slow { extra_ms: self.stream.within(self.ranges.store_extra_ms) }
    }

    pub(super) fn sink(
        &mut self,
        class: FaultClass,
        fault: impl FnOnce(&mut Self) -> SinkFault,
    ) -> PlannedFault {
        let when = self.when(class);
        let fault = fault(self);
        let for_us = self.us(self.ranges.sink_ms);
        PlannedFault { when, fault: Fault::Sink { fault, for_us } }
    }

    pub(super) fn delayed_commit(&mut self) -> SinkFault {
        SinkFault::DelayedCommit { extra_ms: self.stream.within(self.ranges.sink_extra_ms) }
    }

    pub(super) fn idle(&mut self) -> PlannedFault {
        let when = self.when(FaultClass::IdleSplit);
        let split = SplitId(small(self.stream.below(self.targets.splits.into())));
        let for_us = self.us(self.ranges.idle_ms);
        PlannedFault { when, fault: Fault::Idle { split, for_us } }
    }
}
