//! A failure in five lines: what was done, what was expected, what happened, to what, and where.

use super::signature::Signature;
use crate::oracle::Violation;
use crate::plan::Plan;
use crate::protocol::Topology;

/// Explains how a plan fails, in five lines without line ends.
///
/// Meant for shrunk plans: one with many faults makes a long first line.
#[must_use]
pub fn explain(
    plan: &Plan,
    topology: &Topology,
    signature: &Signature,
    violation: Option<&Violation>,
) -> [String; 5] {
    [
        format!("done:      {}", done(plan, topology)),
        format!("expected:  {}", signature.property()),
        format!("happened:  {}", happened(signature, violation)),
        format!("about:     {}", about(violation)),
        format!("where:     {}", place(violation)),
    ]
}

/// The job, its cluster, its defects and its faults.
fn done(plan: &Plan, topology: &Topology) -> String {
    let job = &plan.job;
    let records = match job.records {
        Some(1) => "1 record".to_owned(),
        Some(records) => format!("{records} records"),
        None => "all records".to_owned(),
    };
    let subtasks = plural(topology.subtasks.len(), "subtask");
    let workers = plural(plan.cluster.workers.into(), "worker");
    let mut done = format!("{} ran {records} in {subtasks} on {workers}", job.workload);
    let defects: Vec<&str> = plan.defects.iter().map(|defect| defect.name()).collect();
    if !defects.is_empty() {
        done.push_str(&format!(" with {}", defects.join(", ")));
    }
    let faults: Vec<String> = plan.faults.iter().map(ToString::to_string).collect();
    match faults.as_slice() {
        [] => done.push_str("; no fault is needed"),
        faults => done.push_str(&format!("; {}", faults.join("; "))),
    }
    done
}

fn plural(number: usize, what: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{number} {what}{s}")
}

fn happened(signature: &Signature, violation: Option<&Violation>) -> String {
    match violation {
        Some(violation) => format!("{} ({signature})", violation.text),
        None => signature.to_string(),
    }
}

/// The record and the checkpoint.
fn about(violation: Option<&Violation>) -> String {
    let record = violation.and_then(|violation| violation.record);
    let checkpoint = violation.and_then(|violation| violation.checkpoint);
    let record = record.map_or("no single record".to_owned(), |record| format!("record {record}"));
    let checkpoint =
        checkpoint.map_or("no single checkpoint".to_owned(), |checkpoint| checkpoint.to_string());
    format!("{record}, {checkpoint}")
}

/// The channel or the subtask, and the event.
fn place(violation: Option<&Violation>) -> String {
    let Some(violation) = violation else { return "not in the trace".to_owned() };
    let event = format!("event {} at {}", violation.event, violation.at);
    violation.names.places().chain([event]).collect::<Vec<_>>().join(", ")
}
