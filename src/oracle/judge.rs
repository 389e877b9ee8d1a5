//! The judge: all oracles, each told of what concerns it.

/// The scene of an event, borrowing only what the oracles do not.
macro_rules! scene {
    ($judge:expr, $stamp:expr) => {
        &mut Scene { shape: &$judge.shape, stamp: $stamp, found: &mut $judge.found }
    };
}

mod attempts;
mod concern;
mod outside;
mod rare;
mod savepoints;
mod splits;
mod time;

use std::sync::Arc;
use std::time::Duration;

use super::causes::CausesOracle;
use super::conservation::ConservationOracle;
use super::cut::CutOracle;
use super::durability::DurabilityOracle;
use super::event_time::EventTimeOracle;
use super::kind::Kind;
use super::lifecycle::LifecycleOracle;
use super::liveness::LivenessOracle;
use super::order::OrderOracle;
use super::output::OutputOracle;
use super::ownership::OwnershipOracle;
use super::recovery::RecoveryOracle;
use super::reference::Reference;
use super::shape::{Scene, Shape};
use super::splits::SplitsOracle;
use super::state::StateOracle;
use super::stopped_world::StoppedWorldOracle;
use super::termination::TerminationOracle;
use super::vector_clock::VectorClockOracle;
use super::verdict::{End, Verdict, Violation, Violations};
use crate::protocol::{Attempt, ChannelId, LineageId, ProcessId, SubtaskId, Topology, VirtualTime};
use crate::trace::{Event, SplitPosition, Stamp};

/// Judges one run by its trace, while it happens.
///
/// [`observe`](Self::observe) takes the events in order, from the first; [`finish`](Self::finish)
/// gives the verdict. After a violation the judge goes on, so that all oracles that fire are known,
/// but what it finds then may follow from the first.
#[derive(Clone, Debug)]
pub struct Judge {
    shape: Shape,
    found: Violations,
    /// Where the next event must lie.
    next: u64,
    /// The shape of the attempt that is about to start.
    reshaped: Option<(Attempt, Box<Topology>)>,
    now: VirtualTime,
    /// The attempt whose events count.
    attempt: Option<Attempt>,
    /// How many replaced coordinators go on.
    zombies: u32,
    /// The coordinator that started the attempt has been deposed.
    is_orphaned: bool,
    causes: CausesOracle,
    conservation: ConservationOracle,
    cut: CutOracle,
    durability: DurabilityOracle,
    event_time: EventTimeOracle,
    lifecycle: LifecycleOracle,
    liveness: LivenessOracle,
    order: OrderOracle,
    output: OutputOracle,
    ownership: OwnershipOracle,
    recovery: RecoveryOracle,
    splits: SplitsOracle,
    state: StateOracle,
    stopped_world: StoppedWorldOracle,
    termination: TerminationOracle,
    vector_clock: VectorClockOracle,
}

impl Judge {
    /// A judge of one run whose output must be `reference`.
    #[must_use]
    pub fn new(reference: Arc<Reference>) -> Self {
        Self {
            shape: Shape::default(),
            found: Violations::default(),
            next: 0,
            reshaped: None,
            now: VirtualTime::ZERO,
            attempt: None,
            zombies: 0,
            is_orphaned: false,
            causes: CausesOracle::default(),
            conservation: ConservationOracle::default(),
            cut: CutOracle::default(),
            durability: DurabilityOracle::default(),
            event_time: EventTimeOracle::new(Arc::clone(&reference)),
            lifecycle: LifecycleOracle::default(),
            liveness: LivenessOracle::default(),
            order: OrderOracle::default(),
            output: OutputOracle::new(reference),
            ownership: OwnershipOracle::default(),
            recovery: RecoveryOracle::default(),
            splits: SplitsOracle::default(),
            state: StateOracle::default(),
            stopped_world: StoppedWorldOracle::default(),
            termination: TerminationOracle::default(),
            vector_clock: VectorClockOracle::default(),
        }
    }

    /// Checkpoints of this run expire after `timeout`, which is far more than they take on average, or is not: where it
    /// is, some of them must complete as long as nothing goes wrong. Nothing of the kind is expected where nobody says so.
    #[must_use]
    pub fn expecting_checkpoints(mut self, is_patient: bool, timeout: Duration) -> Self {
        self.causes.expect_checkpoints(is_patient, timeout);
        self
    }

    /// Takes the next event.
    #[inline]
    pub fn observe(&mut self, stamp: Stamp, event: &Event) {
        self.place(stamp);
        match event {
            Event::Sent { channel, attempt, sequence, lineage, bytes: _ } => {
                if self.counts_on(stamp, *channel, *attempt) {
                    self.order.handle_sent(scene!(self, stamp), *channel, *sequence, *lineage);
                    self.cut.handle_sent(*channel, *lineage);
                    self.vector_clock.handle_sent(*channel);
                    self.state.handle_sent(*channel, *lineage);
                    self.termination.handle_sent(scene!(self, stamp), *channel);
                }
            }
            Event::Received { channel, attempt, sequence, lineage } => {
                if self.counts_on(stamp, *channel, *attempt) {
                    self.order.handle_received(scene!(self, stamp), *channel, *sequence, *lineage);
                    self.cut.handle_received(*channel, *lineage);
                    self.vector_clock.handle_received(*channel, *sequence);
                    self.state.handle_received(*channel, *lineage);
                    self.give(*channel, *lineage);
                    self.judge_move(stamp, self.shape.channels[channel.index()].to);
                }
            }
            Event::Read { subtask, attempt, split, offset, lineage } => {
                if self.counts_in(stamp, *subtask, *attempt) {
                    let entry = SplitPosition { split: *split, offset: *offset };
                    self.splits.handle_read(scene!(self, stamp), *subtask, *split);
                    self.state.handle_read(scene!(self, stamp), *subtask, entry, *lineage);
                    self.termination.handle_read(scene!(self, stamp), *subtask);
                    self.judge_move(stamp, *subtask);
                }
            }
            rare => self.observe_rare(stamp, rare),
        }
    }

    /// Whether a violation was found.
    #[must_use]
    #[inline]
    pub fn is_violated(&self) -> bool {
        !self.found.is_empty()
    }

    /// Whether the job cannot finish any more, and has been watched for long enough: nothing new is to be expected.
    #[must_use]
    #[inline]
    pub fn is_given_up(&self) -> bool {
        self.liveness.is_given_up()
    }

    /// What was found so far.
    #[must_use]
    pub fn violations(&self) -> &Violations {
        &self.found
    }

    /// The run is over: judges what was owed by its end.
    pub fn finish(&mut self, end: &End) -> Verdict {
        let at = match end {
            End::TimeLimit { at } => self.now.max(*at),
            End::Finished
            | End::StepLimit { .. }
            | End::Quiescent
            | End::Panicked { .. }
            | End::Stopped => self.now,
        };
        let number = self.next.saturating_sub(1);
        let stamp = Stamp { number, at, process: ProcessId::Coordinator };
        let is_decided = self.liveness.finish(scene!(self, stamp), end);
        if self.is_violated() {
            return Verdict::Violated(self.found.clone());
        }
        match end {
            End::Panicked { message } => Verdict::Panicked { message: message.clone() },
            End::Finished
            | End::Quiescent
            | End::TimeLimit { .. }
            | End::StepLimit { .. }
            | End::Stopped => {
                if let Some(why) = self.liveness.not_owed() {
                    Verdict::NotOwed { why: why.to_owned() }
                } else if is_decided {
                    Verdict::Held
                } else {
                    Verdict::Undecided
                }
            }
        }
    }

    /// A subtask was given a record.
    #[inline]
    fn give(&mut self, channel: ChannelId, lineage: LineageId) {
        if self.output.watches_readers() {
            let subtask = self.shape.channels[channel.index()].to;
            if self.output.handle_given(&self.shape, subtask, lineage) {
                self.judge_expired();
            }
        }
    }

    #[inline]
    fn judge_move(&mut self, stamp: Stamp, subtask: SubtaskId) {
        if self.stopped_world.is_active() {
            self.stopped_world.handle_moved(scene!(self, stamp), subtask);
        }
    }

    /// Events are numbered without gaps, in time order.
    #[inline]
    fn place(&mut self, stamp: Stamp) {
        if stamp.number != self.next || stamp.at < self.now {
            self.report_place(stamp);
        }
        self.next = stamp.number.wrapping_add(1);
        self.now = stamp.at;
    }

    #[cold]
    fn report_place(&mut self, stamp: Stamp) {
        let (number, at, next, now) = (stamp.number, stamp.at, self.next, self.now);
        let text = format!("event {number} at {at} follows {next} expected, at {now}");
        self.report(stamp, Kind::MisnumberedEvent, text);
    }

    /// Whether an event at a channel is of the attempt that counts.
    #[inline]
    fn counts_on(&mut self, stamp: Stamp, channel: ChannelId, attempt: Attempt) -> bool {
        if self.attempt == Some(attempt) && self.shape.has_channel(channel) {
            return true;
        }
        if !self.shape.ever_had_channel(channel) || self.attempt == Some(attempt) {
            self.report(stamp, Kind::UnknownEntity, format!("{channel} is not in the topology"));
        }
        self.judge_attempt(stamp, attempt);
        false
    }

    /// Whether an event at a subtask is of the attempt that counts.
    #[inline]
    fn counts_in(&mut self, stamp: Stamp, subtask: SubtaskId, attempt: Attempt) -> bool {
        if self.attempt == Some(attempt) && self.shape.has_subtask(subtask) {
            return true;
        }
        if self.attempt == Some(attempt) {
            self.report(stamp, Kind::UnknownEntity, format!("{subtask} is not in the topology"));
        } else {
            self.knows(stamp, subtask);
        }
        self.judge_attempt(stamp, attempt);
        false
    }

    /// Whether the job has, or has had, this subtask.
    fn knows(&mut self, stamp: Stamp, subtask: SubtaskId) -> bool {
        let is_known = self.shape.ever_had_subtask(subtask);
        if !is_known {
            self.report(stamp, Kind::UnknownEntity, format!("{subtask} is not in the topology"));
        }
        is_known
    }

    /// An attempt that is over is legal, one that has not started is not.
    #[cold]
    fn judge_attempt(&mut self, stamp: Stamp, attempt: Attempt) {
        let newest = self.attempt.max(self.recovery.newest_started());
        if newest.is_none_or(|newest| attempt > newest) {
            self.recovery.handle_unknown_attempt(scene!(self, stamp), attempt);
        }
    }

    #[cold]
    fn report(&mut self, stamp: Stamp, kind: Kind, text: String) {
        self.found.add(&self.shape, stamp, Violation::new(kind, text));
    }
}
