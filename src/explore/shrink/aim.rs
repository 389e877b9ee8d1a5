//! Faults at a time become faults behind the protocol point that they struck behind: that is what made
//! them matter, and it stays where it is when the times around it change.

use super::pass::{Current, Pass};
use crate::plan::{Fault, Plan, PlannedFault, When};
use crate::protocol::{Attempt, ProcessId, SubtaskId};
use crate::trace::{Event, Family, Point, Stamp};

/// Aims faults.
pub struct Aim;

impl Pass for Aim {
    fn name(&self) -> &'static str {
        "aim"
    }

    fn propose(&self, _: usize, current: &Current) -> Vec<Plan> {
        if current.plan.faults.is_empty() {
            return Vec::new();
        }
        let trace = current.runner.trace(current.plan);
        let faults = 0..current.plan.faults.len();
        faults.flat_map(|place| aimed(current, &trace, place)).collect()
    }
}

/// The plans in which the fault at this place is aimed at something that came right before it.
fn aimed(current: &Current, trace: &[(Stamp, Event)], place: usize) -> Vec<Plan> {
    let planned = &current.plan.faults[place];
    let Some(before) = moment(current, trace, place, planned) else { return Vec::new() };
    let mut plans = Vec::new();
    for seen in targets(&trace[..before], victim(&planned.fault)) {
        for when in ways(&trace[..=seen]) {
            for fault in versions(&planned.fault, trace[seen].0.process) {
                let mut plan = current.plan.clone();
                plan.faults[place] = PlannedFault { when: when.clone(), fault };
                plans.push(plan);
            }
        }
    }
    plans
}

/// How many events came before the fault took effect: as the world tells, or else by its time.
fn moment(
    current: &Current,
    trace: &[(Stamp, Event)],
    place: usize,
    planned: &PlannedFault,
) -> Option<usize> {
    let strike = current.ran.strikes.iter().find(|strike| strike.fault == place);
    if let Some(strike) = strike {
        let before = usize::try_from(strike.moment.events).unwrap_or(usize::MAX);
        return Some(before.min(trace.len()));
    }
    match planned.when {
        When::At { us } => Some(trace.partition_point(|(stamp, _)| stamp.at.0 / 1_000 < us)),
        When::Point { .. } => None,
    }
}

/// The process that a fault names, if the fault could do without its name.
fn victim(fault: &Fault) -> Option<ProcessId> {
    *fault.clone().process_mut()?
}

/// How many events of each sort are tried.
const EACH_MAX: usize = 3;

/// Events to aim at, the best first: rare ones of the victim, rare ones of anybody, and then any.
fn targets(before: &[(Stamp, Event)], victim: Option<ProcessId>) -> Vec<usize> {
    let last = |is_it: &dyn Fn(&Stamp, Point) -> bool| {
        let found = before.iter().enumerate().rev().filter(|(_, (stamp, event))| {
            let point = Point::from(event);
            is_aimable(point) && is_it(stamp, point)
        });
        found.map(|(place, _)| place).take(EACH_MAX).collect::<Vec<_>>()
    };
    let mut targets = Vec::new();
    if let Some(victim) = victim {
        targets.extend(last(&|stamp, point| stamp.process == victim && is_rare(point)));
        targets.extend(last(&|stamp, _| stamp.process == victim));
    }
    targets.extend(last(&|_, point| is_rare(point)));
    targets.extend(last(&|_, _| true));
    let mut seen = Vec::new();
    targets.retain(|target| {
        let is_new = !seen.contains(target);
        seen.push(*target);
        is_new
    });
    targets
}

/// The ways to name the last of these events: since the last restart or since the beginning, of its
/// subtask or of any.
fn ways(trace: &[(Stamp, Event)]) -> Vec<When> {
    let Some((_, event)) = trace.last() else { return Vec::new() };
    let point = Point::from(event);
    let now = restarts(trace);
    let mut ways = Vec::new();
    for after_restarts in [0, now] {
        for subtask in [None, event.subtask()] {
            let occurrence = occurrence(trace, point, subtask, after_restarts);
            let when = When::Point { point, subtask, occurrence, after_restarts };
            if !ways.contains(&when) {
                ways.push(when);
            }
        }
    }
    ways
}

/// How often the job had been restarted, as the nemesis counts.
fn restarts(trace: &[(Stamp, Event)]) -> u32 {
    trace.iter().rev().find_map(|(_, event)| restarts_at(event)).unwrap_or(0)
}

fn restarts_at(event: &Event) -> Option<u32> {
    let Event::AttemptStarted { attempt: Attempt(attempt), .. } = event else { return None };
    Some(attempt.saturating_sub(1))
}

/// Which one the last event is of those that match.
fn occurrence(
    trace: &[(Stamp, Event)],
    point: Point,
    subtask: Option<SubtaskId>,
    after_restarts: u32,
) -> u32 {
    let mut restarts = 0;
    let mut count = 0;
    for (_, event) in trace {
        restarts = restarts_at(event).unwrap_or(restarts);
        let matches = Point::from(event) == point
            && restarts >= after_restarts
            && (subtask.is_none() || event.subtask() == subtask);
        count += u32::from(matches);
    }
    count
}

/// The fault as it is; before that, without the name of its victim, where that is where it was aimed.
fn versions(fault: &Fault, reached_in: ProcessId) -> Vec<Fault> {
    if victim(fault) != Some(reached_in) {
        return vec![fault.clone()];
    }
    let mut nameless = fault.clone();
    if let Some(process) = nameless.process_mut() {
        *process = None;
    }
    vec![nameless, fault.clone()]
}

/// Whether events of this kind come once in a while, and not with every record.
fn is_rare(point: Point) -> bool {
    !is_per_record(point)
}

/// Whether events of this kind come with every record.
pub fn is_per_record(point: Point) -> bool {
    point.moves_record() || point == Point::OutputWritten
}

/// Whether it is the system that reaches this point, and not the nemesis: nothing is aimed at faults.
fn is_aimable(point: Point) -> bool {
    !matches!(point.family(), Family::Run | Family::Fault)
}
