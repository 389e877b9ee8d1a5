//! Clocks that are wrong, and stores, sink targets and source logs that misbehave.

use super::fault::FaultDraw;
use super::small;
use crate::cluster::{SinkFault, StoreFault};
use crate::plan::fault::{ClockChange, Fault, PlannedFault, When};
use crate::plan::fault_class::FaultClass;
use crate::protocol::{ProcessId, SplitId};

impl FaultDraw<'_> {
    pub(super) fn clock(&mut self, class: FaultClass) -> PlannedFault {
        let when = match class {
            FaultClass::ClockOffset => When::At { us: 0 },
            _ => self.when(class),
        };
        let process = Some(self.actor());
        let change = match class {
            FaultClass::ClockDrift => ClockChange::Drift { ppm: self.ppm() },
            FaultClass::ClockStep => ClockChange::Step { us: self.step_us() },
            FaultClass::ClockBackwards => ClockChange::Step { us: -self.step_us() },
            _ => {
                let us = self.step_us();
                ClockChange::Step { us: if self.stream.chance(50) { us } else { -us } }
            }
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

    pub(super) fn store(&mut self, class: FaultClass) -> PlannedFault {
        let when = self.when(class);
        let fault = self.store_fault(class);
        let process = match fault {
            // The meta store keeps one record, replaced whole, that is not listed.
            StoreFault::Torn | StoreFault::Corrupt | StoreFault::Lagging => ProcessId::ObjectStore,
            _ => self.a_store(),
        };
        let for_us = self.us(self.ranges.store_ms);
        PlannedFault { when, fault: Fault::Store { process, fault, for_us } }
    }

    fn store_fault(&mut self, class: FaultClass) -> StoreFault {
        match class {
            FaultClass::SlowStore => {
                StoreFault::Slow { extra_ms: self.stream.within(self.ranges.store_extra_ms) }
            }
            FaultClass::StalledStore => StoreFault::Stalled,
            FaultClass::FullStore => StoreFault::Full,
            FaultClass::TornWrite => StoreFault::Torn,
            FaultClass::CorruptRead => StoreFault::Corrupt,
            FaultClass::LostAnswer => StoreFault::Mute,
            FaultClass::StaleListing => StoreFault::Lagging,
            FaultClass::LostUnsynced => StoreFault::Unsynced,
            FaultClass::DestroyedStore => StoreFault::Destroyed,
            _ => StoreFault::Failing,
        }
    }

    pub(super) fn sink(&mut self, class: FaultClass) -> PlannedFault {
        let when = self.when(class);
        let fault = match class {
            FaultClass::FencedProducer => SinkFault::FencedProducer,
            FaultClass::DelayedCommit => {
                SinkFault::DelayedCommit { extra_ms: self.stream.within(self.ranges.sink_extra_ms) }
            }
            FaultClass::HangingTransaction => SinkFault::HangingTransaction,
            _ => SinkFault::TransactionTimeout,
        };
        let for_us = self.us(self.ranges.sink_ms);
        PlannedFault { when, fault: Fault::Sink { fault, for_us } }
    }

    pub(super) fn idle(&mut self) -> PlannedFault {
        let when = self.when(FaultClass::IdleSplit);
        let split = SplitId(small(self.stream.below(self.targets.splits.into())));
        let for_us = self.us(self.ranges.idle_ms);
        PlannedFault { when, fault: Fault::Idle { split, for_us } }
    }
}
