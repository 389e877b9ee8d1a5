//! What belongs in one row: the events of one process that follow from one message.

use super::crossings::{Arrow, Crossings};
use super::focus::Focus;
use super::lifelines::Change;
use super::rank::Rank;
use crate::protocol::{ProcessId, Topology, VirtualTime};
use crate::render::words::{Clause, clause};
use crate::trace::{Event, Point, Shapes, Stamp, Standing};

/// The sign at a lifeline, the most telling one last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Something happens.
    Event,
    /// Something is wrong with a link, a store or the sink target.
    Trouble,
    /// A process stops making progress.
    Pause,
    /// A process runs again.
    Return,
    /// A snapshot of the checkpoint is taken.
    Snapshot,
    /// A process loses its memory.
    Crash,
}

/// Events of one process at one time, told in one row.
#[derive(Clone, Debug)]
pub struct Moment {
    /// The number of its first event.
    pub first: u64,
    /// The number of its last event.
    pub last: u64,
    /// The virtual time of its first event.
    pub at: VirtualTime,
    /// The process in which they happened.
    pub process: ProcessId,
    /// The most important of its events decides.
    pub rank: Rank,
    /// The most telling sign of its events.
    pub sign: Sign,
    /// The message that led to it, or that it is about.
    pub arrow: Option<Arrow>,
    /// What it does to lifelines.
    pub changes: Vec<Change>,
    /// Checkpoints that begin or end here, in words, for when the row itself is left out.
    pub ends: Vec<String>,
    /// Whether the violation showed here.
    pub is_violation: bool,
    clauses: Vec<(Rank, Clause)>,
    /// Faults have rows of their own.
    is_alone: bool,
}

/// The moments of a trace, in order. Records are not among them, unless they stand out.
pub fn gather(trace: &[(Stamp, Event)], shapes: &Shapes, focus: &Focus) -> Vec<Moment> {
    let mut crossings = Crossings::new(shapes);
    let mut moments: Vec<Moment> = Vec::new();
    for (stamp, event) in trace {
        let arrow = crossings.arrow(*stamp, event);
        let Some(rank) = Rank::of(stamp.number, event, focus) else { continue };
        let topology = shapes.around(*stamp, event);
        let moment = Moment::new(*stamp, event, rank, arrow, topology, focus);
        match moments.last_mut() {
            Some(last) if last.takes(&moment) => last.join(moment),
            _ => moments.push(moment),
        }
    }
    moments
}

impl Moment {
    fn new(
        stamp: Stamp,
        event: &Event,
        rank: Rank,
        arrow: Option<Arrow>,
        topology: &Topology,
        focus: &Focus,
    ) -> Self {
        let sign = sign(event, focus);
        Self {
            first: stamp.number,
            last: stamp.number,
            at: stamp.at,
            process: stamp.process,
            rank,
            sign,
            arrow,
            changes: Change::of(event, stamp.process, focus).into_iter().collect(),
            ends: ending(event).into_iter().collect(),
            is_violation: focus.event() == Some(stamp.number),
            clauses: vec![(rank, clause(topology, event))],
            is_alone: !matches!(sign, Sign::Event | Sign::Snapshot),
        }
    }

    /// Whether what follows belongs into the same row.
    fn takes(&self, next: &Self) -> bool {
        let fits = self.arrow.is_none() || next.arrow.is_none() || self.arrow == next.arrow;
        let is_same = self.process == next.process && self.at == next.at;
        let is_alone = self.is_alone || next.is_alone || next.is_violation;
        is_same && fits && !is_alone
    }

    fn join(&mut self, next: Self) {
        self.last = next.last;
        self.rank = self.rank.min(next.rank);
        self.sign = self.sign.max(next.sign);
        self.arrow = self.arrow.or(next.arrow);
        self.changes.extend(next.changes);
        self.ends.extend(next.ends);
        self.clauses.extend(next.clauses);
    }

    /// What happens, in words. Housekeeping is only told where there is nothing else to tell.
    pub fn words(&self) -> String {
        let told = |rank: Rank| rank < Rank::Detail || self.rank >= Rank::Detail;
        let clauses = self.clauses.iter().filter(|(rank, _)| told(*rank));
        let mut sentences: Vec<Sentence> = Vec::new();
        for (_, clause) in clauses {
            let is_joined = sentences.last_mut().is_some_and(|last| last.takes(clause));
            if !is_joined {
                sentences.push(Sentence::of(clause));
            }
        }
        let mut subject = None;
        let mut said = Vec::new();
        for sentence in &sentences {
            said.push(sentence.say(subject == Some(&sentence.subjects)));
            subject = Some(&sentence.subjects);
        }
        said.join("; ")
    }
}

/// Clauses that differ only in who does it, or only in what it is done to.
struct Sentence {
    subjects: Vec<String>,
    verb: String,
    objects: Vec<String>,
}

impl Sentence {
    fn of(clause: &Clause) -> Self {
        let Clause { subject, verb, object } = clause.clone();
        Self { subjects: vec![subject], verb, objects: vec![object] }
    }

    fn takes(&mut self, clause: &Clause) -> bool {
        if self.verb != clause.verb {
            return false;
        }
        if self.subjects == [clause.subject.as_str()] && !clause.object.is_empty() {
            self.objects.push(clause.object.clone());
            return true;
        }
        if self.objects == [clause.object.as_str()] && !clause.subject.is_empty() {
            self.subjects.push(clause.subject.clone());
            return true;
        }
        false
    }

    fn say(&self, is_same_subject: bool) -> String {
        let subject = if is_same_subject { String::new() } else { self.subjects.join(", ") };
        let parts = [subject, self.verb.clone(), self.objects.join(", ")];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }
}

fn sign(event: &Event, focus: &Focus) -> Sign {
    match event.standing() {
        Some((_, Standing::Down)) => Sign::Crash,
        Some((_, Standing::Paused)) => Sign::Pause,
        Some((_, Standing::Up)) => Sign::Return,
        None if focus.is_cut_at(event) => Sign::Snapshot,
        None if Point::from(event).strikes() => Sign::Trouble,
        None => Sign::Event,
    }
}

fn ending(event: &Event) -> Option<String> {
    match event {
        Event::Completed { checkpoint, .. } => Some(format!("{checkpoint} completed")),
        Event::Aborted { checkpoint, .. } => Some(format!("{checkpoint} aborted")),
        Event::Crashed { process } => Some(format!("{process} crashed")),
        Event::AttemptFailed { attempt, .. } => Some(format!("{attempt} failed")),
        _ => None,
    }
}
