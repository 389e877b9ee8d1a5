//! A failure in the values that the user wrote: which record, from which entry, and who made what of it.

use super::apart::{given, made};
use super::determinism::record;
use super::experiments::Prepared;
use super::multiset;
use super::quiet;
use super::run::{WorldKind, run_plan};
use crate::dataflow::witness::{Observation, Taken, Witness};
use crate::oracle::{Kind, Verdict, Violation};
use crate::plan::Plan;
use crate::protocol::ordered::VecSet;
use crate::protocol::{Digest, LineageId};
use crate::render::text::journey::ancestors;
use crate::trace::{Carried, Event, Stamp};

/// How many steps of a record's way are told.
const STEPS_MAX: usize = 8;

/// How many values are told of those that are missing.
const MISSING_MAX: usize = 3;

/// What a failure is about, a line each: empty where it is about no record and no user code.
///
/// Runs the plan twice more.
#[must_use]
pub fn in_values(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    verdict: &Verdict,
) -> Vec<String> {
    match verdict {
        Verdict::Panicked { .. } => panicked(plan, prepared, world),
        Verdict::Violated(_) => verdict
            .violations()
            .first()
            .map_or_else(Vec::new, |violation| violated(plan, prepared, world, violation)),
        Verdict::Held | Verdict::NotOwed { .. } | Verdict::Undecided => Vec::new(),
    }
}

/// What a run does, seen by a witness of these records.
fn witnessed(plan: &Plan, prepared: &Prepared, world: WorldKind, witness: &Witness) {
    let mut prepared = prepared.clone();
    prepared.experiment.job = prepared.experiment.job.witnessed(witness.clone()).into();
    let _ = run_plan(plan, &prepared, world, ());
}

/// What a run shows, seen by a witness of everything up to its bound.
#[must_use]
pub fn observations(plan: &Plan, prepared: &Prepared, world: WorldKind) -> Vec<Observation> {
    let witness = Witness::new();
    witnessed(plan, prepared, world, &witness);
    witness.take()
}

fn panicked(plan: &Plan, prepared: &Prepared, world: WorldKind) -> Vec<String> {
    let witness = Witness::of(VecSet::new());
    let _ = quiet::place();
    witnessed(plan, prepared, world, &witness);
    let place = quiet::place().map(|place| format!("panicked at  {place}"));
    let at = witness.last().filter(|at| !at.is_done);
    let operator = at.as_ref().map(|at| format!("operator     {}", at.subtask));
    let input = at.as_ref().map(|at| {
        format!("record       {}{}", given(at), from_entry(at.lineage, plan, prepared, world))
    });
    [operator, input, place].into_iter().flatten().collect()
}

/// The entry that a record comes from, as a clause; empty where it is none of one.
fn from_entry(
    lineage: Option<LineageId>,
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
) -> String {
    let Some(lineage) = lineage else { return String::new() };
    let family = ancestors(&record(plan, prepared, world), lineage);
    let entry = entries(prepared).into_iter().find(|(known, _)| family.contains(known));
    entry.map(|(_, place)| format!(", which comes from {place}")).unwrap_or_default()
}

/// The lineage of every entry of the input, with what it is called.
fn entries(prepared: &Prepared) -> Vec<(LineageId, String)> {
    let input = &prepared.experiment.input;
    if input.is_queue() {
        // Which message came where is decided while it runs.
        return Vec::new();
    }
    let splits = (0..input.split_count()).map(crate::protocol::SplitId);
    let entries = splits.flat_map(|split| {
        (0..input.len(split)).map(move |offset| {
            (LineageId::of_entry(split, offset), format!("entry {offset} of {split}"))
        })
    });
    entries.collect()
}

fn violated(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    violation: &Violation,
) -> Vec<String> {
    let trace = record(plan, prepared, world);
    let mut lines = match violation.kind {
        Kind::MissingOutput => missing(prepared, &trace),
        _ => Vec::new(),
    };
    let Some(lineage) = violation.record else { return lines };
    let family = ancestors(&trace, lineage);
    let witness = Witness::of(family.clone());
    witnessed(plan, prepared, world, &witness);
    let seen = witness.take();
    lines.extend(subject(&seen, lineage));
    let entry = entries(prepared).into_iter().find(|(known, _)| family.contains(known));
    lines.extend(entry.map(|(_, place)| format!("comes from   {place}")));
    lines.extend(way(&seen, &family));
    lines
}

/// The record itself: as somebody made it, or took it.
fn subject(seen: &[Observation], lineage: LineageId) -> Option<String> {
    let made = |step: &Observation| {
        let mut made = step.made.iter().filter(|(known, _)| *known == lineage);
        made.next().map(|(_, value)| value.clone())
    };
    let taken = |step: &Observation| step.value.clone().filter(|_| step.lineage == Some(lineage));
    let value = seen.iter().rev().find_map(|step| made(step).or_else(|| taken(step)))?;
    Some(format!("record       {value}"))
}

/// Who made what of it, and of what it was made of; what was done again is told once, with how often.
fn way(seen: &[Observation], family: &VecSet<LineageId>) -> Vec<String> {
    let is_its = |step: &&Observation| step.lineage.is_some_and(|own| family.contains(&own));
    let mut told: Vec<(String, u32)> = Vec::new();
    for step in seen.iter().filter(is_its) {
        let what = match step.taken {
            Taken::Entry { .. } => format!("{} read {}", step.subtask, made(step)),
            Taken::Record
            | Taken::Watermark(_)
            | Taken::End
            | Taken::Answer
            | Taken::Clock(_)
            | Taken::Outside => {
                format!("{} took {} and made {}", step.subtask, given(step), made(step))
            }
        };
        match told.iter_mut().find(|(known, _)| *known == what) {
            Some((_, times)) => *times += 1,
            None => told.push((what, 1)),
        }
    }
    let left_out = told.len().saturating_sub(STEPS_MAX);
    let mut lines: Vec<String> = told
        .into_iter()
        .skip(left_out)
        .map(|(what, times)| match times {
            1 => format!("then         {what}"),
            _ => format!("then         {what}, {times} times"),
        })
        .collect();
    if let Some(first) = lines.first_mut() {
        *first = first.replacen("then ", "first", 1);
    }
    lines
}

/// The values that are expected and not visible at the end.
fn missing(prepared: &Prepared, trace: &[(Stamp, Event)]) -> Vec<String> {
    let outputs = trace.iter().filter_map(|(_, event)| match event.about().carried {
        Carried::Output(records) => Some(records),
        Carried::Record(_) | Carried::Nothing => None,
    });
    let mut visible = multiset::counts(outputs.flatten().map(|record| record.digest));
    let experiment = &prepared.experiment;
    let lacks = |payload: &&Vec<u8>| match visible.get_mut(&Digest::of(payload)) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        Some(_) | None => true,
    };
    let missing: Vec<&Vec<u8>> = experiment.expected.iter().filter(lacks).collect();
    let values: Vec<String> =
        missing.iter().take(MISSING_MAX).map(|payload| experiment.shown(payload)).collect();
    let more = missing.len() - values.len();
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    if values.is_empty() {
        Vec::new()
    } else {
        vec![format!("missing      {}{more}", values.join(", "))]
    }
}
