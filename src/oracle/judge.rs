//! The judge: all oracles, each told of what it listens for.

use std::sync::Arc;
use std::time::Duration;

use super::Oracles;
use super::course::{Course, Facts, Hearing};
use super::findings::{Excuses, Findings};
use super::kind::Kind;
use super::reference::Reference;
use super::shape::Scene;
use super::verdict::{End, Verdict, Violation, Violations};
use crate::protocol::{ProcessId, VirtualTime};
use crate::trace::{Event, RunStarted, SplitPosition, Stamp};

/// The scene of an event, borrowing only what the oracles do not.
macro_rules! scene {
    ($judge:expr, $stamp:expr) => {
        &mut Scene {
            course: &$judge.course,
            shape: &$judge.course.shape,
            stamp: $stamp,
            found: &mut $judge.found,
        }
    };
}

/// Judges one run by its trace, while it happens.
///
/// [`observe`](Self::observe) takes the events in order, from the first; [`finish`](Self::finish)
/// gives the verdict. After a violation the judge goes on, so that all oracles that fire are known,
/// but what it finds then may follow from the first.
#[derive(Clone, Debug)]
pub struct Judge {
    course: Course,
    oracles: Oracles,
    found: Findings,
    /// Where the next event must lie.
    next: u64,
    now: VirtualTime,
}

impl Judge {
    /// A judge of one run whose output must be `reference`.
    #[must_use]
    pub fn new(reference: Arc<Reference>) -> Self {
        Self {
            course: Course::new(reference),
            oracles: Oracles::default(),
            found: Findings::default(),
            next: 0,
            now: VirtualTime::ZERO,
        }
    }

    /// Checkpoints of this run expire after `timeout`, which is far more than they take on average, or is not: where it
    /// is, some of them must complete as long as nothing goes wrong. Nothing of the kind is expected where nobody says so.
    #[must_use]
    pub fn expecting_checkpoints(mut self, is_patient: bool, timeout: Duration) -> Self {
        self.oracles.causes.expect_checkpoints(is_patient, timeout);
        self
    }

    /// Takes the next event. What comes with every record goes straight to those who listen for it, and in the order
    /// of the list.
    #[inline]
    pub fn observe(&mut self, stamp: Stamp, event: &Event) {
        self.place(stamp);
        match event {
            Event::Sent { channel, attempt, sequence, lineage, bytes: _ } => {
                let (scene, all) = (scene!(self, stamp), &mut self.oracles);
                if scene.counts_on(*channel, *attempt) {
                    all.order.handle_sent(scene, *channel, *sequence, *lineage);
                    all.cut.handle_sent(*channel, *lineage);
                    all.vector_clock.handle_sent(*channel);
                    all.state.handle_sent(*channel, *lineage);
                    all.termination.handle_sent(scene, *channel);
                }
            }
            Event::Received { channel, attempt, sequence, lineage } => {
                let (scene, all) = (scene!(self, stamp), &mut self.oracles);
                if scene.counts_on(*channel, *attempt) {
                    all.order.handle_received(scene, *channel, *sequence, *lineage);
                    all.cut.handle_received(*channel, *lineage);
                    all.vector_clock.handle_received(*channel, *sequence);
                    all.state.handle_received(*channel, *lineage);
                    all.output.handle_received(scene, *channel, *lineage);
                    all.stopped_world.handle_received(scene, *channel);
                }
            }
            Event::Read { subtask, attempt, split, offset, lineage } => {
                let (scene, all) = (scene!(self, stamp), &mut self.oracles);
                if scene.counts_in(*subtask, *attempt) {
                    let entry = SplitPosition { split: *split, offset: *offset };
                    all.splits.handle_read(scene, *subtask, *split);
                    all.state.handle_read(scene, *subtask, entry, *lineage);
                    all.termination.handle_read(scene, *subtask);
                    all.stopped_world.handle_read(scene, *subtask);
                }
            }
            rare => self.observe_rare(stamp, rare),
        }
    }

    /// Whether a violation was found.
    #[must_use]
    #[inline]
    pub fn is_violated(&self) -> bool {
        !self.found.violations.is_empty()
    }

    /// Whether the job cannot finish any more, and has been watched for long enough: nothing new is to be expected.
    #[must_use]
    #[inline]
    pub fn is_given_up(&self) -> bool {
        self.found.excuses.expired().is_some() && self.oracles.liveness.is_given_up()
    }

    /// What was found so far.
    #[must_use]
    pub fn violations(&self) -> &Violations {
        &self.found.violations
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
        let is_decided = self.oracles.liveness.finish(scene!(self, stamp), end);
        if self.is_violated() {
            return Verdict::Violated(self.found.violations.clone());
        }
        match end {
            End::Panicked { message } => Verdict::Panicked { message: message.clone() },
            End::Finished
            | End::Quiescent
            | End::TimeLimit { .. }
            | End::StepLimit { .. }
            | End::Stopped => {
                if let Some(why) = self.oracles.liveness.not_owed() {
                    Verdict::NotOwed { why: why.to_owned() }
                } else if is_decided {
                    Verdict::Held
                } else {
                    Verdict::Undecided
                }
            }
        }
    }

    /// Takes an event that is not per record: first of all, time has passed.
    fn observe_rare(&mut self, stamp: Stamp, event: &Event) {
        if let Event::RunStarted(run) = event {
            return self.start(stamp, run);
        }
        if stamp.number == 0 {
            let text = "the first event is not the start of a run".to_owned();
            self.report(stamp, Kind::MisplacedStart, text);
        }
        self.oracles.splits.handle_time(scene!(self, stamp));
        self.oracles.liveness.handle_time(scene!(self, stamp));
        match scene!(self, stamp).hearing(event) {
            Hearing::Counts => self.tell(stamp, event),
            Hearing::Past => {
                self.course.overhear(event);
                self.oracles.overhear(scene!(self, stamp), event);
            }
            Hearing::Nobody => {}
        }
    }

    /// Tells of an event that counts, and of what follows from it.
    fn tell(&mut self, stamp: Stamp, event: &Event) {
        let revealed = self.course.reveal(event);
        self.tell_facts(stamp, revealed);
        self.course.take(stamp, event);
        self.oracles.observe(scene!(self, stamp), event);
        let follows = self.course.follow(&mut self.found, stamp, event);
        self.tell_facts(stamp, follows);
    }

    fn tell_facts(&mut self, stamp: Stamp, facts: Facts) {
        for fact in facts.iter().flatten() {
            self.oracles.learn(scene!(self, stamp), *fact);
        }
    }

    fn start(&mut self, stamp: Stamp, run: &RunStarted) {
        if stamp.number != 0 {
            self.report(stamp, Kind::MisplacedStart, "a run starts within a run".to_owned());
        }
        if let Err(text) = self.course.start(run) {
            self.report(stamp, Kind::UnknownEntity, text);
        }
        self.found.excuses = Excuses::default();
        let scene = scene!(self, stamp);
        self.oracles.start(scene);
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

    #[cold]
    fn report(&mut self, stamp: Stamp, kind: Kind, text: String) {
        self.found.report(&self.course.shape, stamp, Violation::new(kind, text));
    }
}
