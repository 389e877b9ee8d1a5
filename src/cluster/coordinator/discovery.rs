//! Looks again and again which splits there are, for the enumerators that discover theirs.
//!
//! A coordinator looks from its first attempt on, for as long as it reigns: what its predecessor had discovered
//! and no checkpoint holds, it discovers anew.

use std::time::Duration;

use super::super::io::{CoordinatorWakeUp, Outbox, Timer};
use super::super::message::{Message, RequestId, ToSourceLog};
use super::super::settings::DiscoverySettings;
use super::deployment::Deployment;
use super::{Coordinator, Purpose, State};
use crate::protocol::{
    CheckpointId, Defect, Listing, ProcessId, SplitEnumerator, SplitId, VirtualTime,
};

impl Coordinator {
    /// The enumerators of a reign have begun, from this checkpoint.
    pub(super) fn begin_discovery(
        &mut self,
        now: VirtualTime,
        restored: Option<CheckpointId>,
        outbox: &mut dyn Outbox,
    ) {
        let discovers = self.job.enumerated().any(|(operator, ..)| self.job.discovers(operator));
        if restored.is_some() && self.defects.has(Defect::DiscoveryNotResumed) {
            return;
        }
        if discovers && !self.is_discovering {
            self.is_discovering = true;
            self.handle_discovery_due(now, outbox);
        }
    }

    /// It is time to look. One look at a time: an answer that is awaited still is as good as another.
    pub(super) fn handle_discovery_due(&mut self, now: VirtualTime, outbox: &mut dyn Outbox) {
        match &self.state {
            State::Finished => return,
            State::Leading { .. } if !self.requests.any(|one| *one == Purpose::Discover) => {
                let message = |request| Message::SourceLog(ToSourceLog::ListSplits { request });
                self.requests.send(now, ProcessId::SourceLog, Purpose::Discover, message, outbox);
            }
            State::TakingLeadership
            | State::Loading { .. }
            | State::Leading { .. }
            | State::Stopped => {}
        }
        let settings = self.settings.discovery.as_ref();
        let interval_ms = settings.map_or(DiscoverySettings::INTERVAL_MS, |all| all.interval_ms);
        outbox.set_timer(
            Duration::from_millis(interval_ms.max(1)),
            Timer::Coordinator(CoordinatorWakeUp::Discover),
        );
    }

    /// These splits are there. An answer counts once, and answers to what was asked later are newer. Who does not
    /// lead has nobody to tell: the record may be a successor's already.
    pub(super) fn handle_splits_listed(
        &mut self,
        request: RequestId,
        listing: &Listing,
        outbox: &mut dyn Outbox,
    ) {
        if self.requests.answered(request) != Some(Purpose::Discover) {
            return;
        }
        match &self.state {
            State::Leading { .. } => {}
            State::TakingLeadership | State::Loading { .. } | State::Stopped | State::Finished => {
                return;
            }
        }
        let owned: Vec<_> = self.job.enumerated().map(|(_, _, splits)| splits).collect();
        let enumerators = self.enumerators.all().zip(owned);
        enumerators.for_each(|(enumerator, owned)| tell(enumerator, listing, &owned));
        if self.takes_splits() {
            self.enumerators.all().for_each(SplitEnumerator::serve_waiting);
        }
        self.carry_out_enumerators(outbox);
    }

    /// Whether readers run that take splits. None does where the job is about to stop: a drained one has ended.
    pub(super) fn takes_splits(&self) -> bool {
        match &self.state {
            State::Leading { deployment: Deployment::Stopping { .. }, .. } => false,
            State::Leading { checkpoints, deployment } => {
                deployment.deploy().is_some() && !checkpoints.is_stopping()
            }
            State::TakingLeadership | State::Loading { .. } | State::Stopped | State::Finished => {
                false
            }
        }
    }
}

/// An enumerator learns of the splits of its own source.
fn tell(enumerator: &mut SplitEnumerator, listing: &Listing, owned: &[SplitId]) {
    let own = |listed: &[SplitId]| {
        listed.iter().copied().filter(|split| owned.binary_search(split).is_ok()).collect()
    };
    let Listing { there, removed, is_complete } = listing;
    let (there, removed) = (own(there), own(removed));
    enumerator.handle_listing(&Listing { there, removed, is_complete: *is_complete });
}
