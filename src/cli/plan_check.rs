//! Whether a plan can be run at all: a plan may have been written by hand.

use super::error::CliError;
use super::locate;
use crate::cluster::message::Request;
use crate::dataflow::Job;
use crate::plan::{Fault, Plan, When};
use crate::protocol::ordered::VecSet;
use crate::protocol::{ProcessId, Revision, SubtaskId, Topology};
use crate::trace::StoreTrouble;
use strum::IntoEnumIterator as _;

/// Refuses a plan that names what does not exist, or a cluster in which its job has no place.
pub fn check(path: &str, plan: &Plan, job: &Job) -> Result<(), CliError> {
    let topology = job.topology();
    check_lost(path, plan)?;
    if let Err(reason) = job.admits(&plan.cluster.checkpoints) {
        return Err(locate::field(path, "protocol", 0, reason.to_string()));
    }
    check_cluster(path, plan, job)?;
    check_links(path, plan, topology)?;
    for (index, planned) in plan.faults.iter().enumerate() {
        let problem = when_problem(&planned.when, subtasks_max(plan, job))
            .or_else(|| fault_problem(&planned.fault, plan, topology));
        if let Some(problem) = problem {
            return Err(locate::field(path, "when", index, format!("faults[{index}]: {problem}")));
        }
    }
    check_requests(path, plan, job)
}

/// What no run of this job could ever do is not asked for.
fn check_requests(path: &str, plan: &Plan, job: &Job) -> Result<(), CliError> {
    for (index, planned) in plan.requests.iter().enumerate() {
        let refused = |field: &str, problem: String| {
            Err(locate::field(path, field, 0, format!("requests[{index}]: {problem}")))
        };
        if let Some(problem) = when_problem(&planned.when, subtasks_max(plan, job)) {
            return refused("when", problem);
        }
        match planned.request {
            Request::Savepoint { mode } => {
                let protocol = plan.cluster.checkpoints.protocol;
                if let Some(reason) = protocol.refuses_savepoint(mode) {
                    let problem = format!("{mode} of a job under {protocol} barriers: {reason}");
                    return refused("protocol", problem);
                }
            }
            Request::Resume => {}
            Request::ResumeAt { parallelism } => {
                if let Err(reason) = resumption_problem(plan, job, Revision::at(parallelism)) {
                    return refused("resume-at", reason);
                }
            }
            Request::ResumeAs { version, parallelism } => {
                let revision = Revision { version, parallelism };
                if let Err(reason) = resumption_problem(plan, job, revision) {
                    return refused("resume-as", reason);
                }
            }
        }
    }
    Ok(())
}

/// Whether the workers could hold the job as this, if it can be that.
fn resumption_problem(plan: &Plan, job: &Job, revision: Revision) -> Result<(), String> {
    let resumed = job.in_revision(revision).map_err(|error| error.to_string())?;
    let (needed, cluster) = (resumed.topology().subtasks.len(), &plan.cluster);
    let held = usize::from(cluster.workers) * usize::from(cluster.slots);
    if needed > held {
        return Err(format!("{needed} subtasks need as many slots, the workers have {held}"));
    }
    Ok(())
}

/// Those that are not healed are workers; called before anything that counts on it.
fn check_lost(path: &str, plan: &Plan) -> Result<(), CliError> {
    for (index, process) in plan.lost.iter().enumerate() {
        let problem = match process {
            ProcessId::Worker(_) => exists(Some(*process), plan),
            other => Some(format!("{other} cannot be lost, expected a worker")),
        };
        if let Some(problem) = problem {
            return Err(locate::field(path, "lost", 0, format!("lost[{index}]: {problem}")));
        }
    }
    Ok(())
}

fn check_links(path: &str, plan: &Plan, topology: &Topology) -> Result<(), CliError> {
    let channels = topology.channels.len();
    for (index, slow) in plan.links.slow.iter().enumerate() {
        if slow.channel.index() >= channels {
            let channel = slow.channel;
            let problem =
                format!("links.slow[{index}]: {channel} of a job with {channels} channels");
            return Err(locate::field(path, "slow", 0, problem));
        }
    }
    for (index, link) in plan.links.slow_control.iter().enumerate() {
        let ends = [link.from, link.to];
        if let Some(problem) = ends.into_iter().find_map(|end| exists(Some(end), plan)) {
            let problem = format!("links.slow_control[{index}]: {problem}");
            return Err(locate::field(path, "slow_control", 0, problem));
        }
    }
    for (index, priority) in plan.links.priorities.iter().enumerate() {
        if let Some(problem) = exists(Some(priority.process), plan) {
            let problem = format!("links.priorities[{index}]: {problem}");
            return Err(locate::field(path, "priorities", 0, problem));
        }
    }
    Ok(())
}

/// The workers that are left must hold the job, in every shape that all workers together hold: another is refused when
/// it is asked for.
fn check_cluster(path: &str, plan: &Plan, job: &Job) -> Result<(), CliError> {
    let cluster = &plan.cluster;
    let lost: VecSet<_> = plan.lost.iter().collect();
    let (workers, slots) = (usize::from(cluster.workers), usize::from(cluster.slots));
    let left = workers - lost.len();
    let room = left * slots;
    let is_accepted = |subtasks: &usize| *subtasks <= workers * slots;
    let declared = job.topology().subtasks.len();
    let subtasks = shapes(plan, job).filter(is_accepted).fold(declared, usize::max);
    if subtasks > room {
        let up_to = if subtasks > declared { "up to " } else { "" };
        let problem = format!(
            "{left} workers with {slots} slots have room for {room} subtasks, the job has {up_to}{subtasks}"
        );
        return Err(locate::field(path, "slots", 0, problem));
    }
    Ok(())
}

/// How many subtasks the job has in the largest of the shapes that the plan gives it.
fn subtasks_max(plan: &Plan, job: &Job) -> usize {
    shapes(plan, job).max().unwrap_or(0)
}

/// How many subtasks the job has in each of the shapes that the plan gives it.
fn shapes(plan: &Plan, job: &Job) -> impl Iterator<Item = usize> {
    let shapes = plan.revisions().filter_map(|revision| job.in_revision(revision).ok());
    shapes.map(|job| job.topology().subtasks.len())
}

fn when_problem(when: &When, subtasks: usize) -> Option<String> {
    match when {
        When::At { .. } => None,
        When::Point { subtask: Some(SubtaskId(subtask)), .. }
            if usize::from(*subtask) >= subtasks =>
        {
            Some(format!("subtask {subtask} of a job with {subtasks} subtasks"))
        }
        When::Point { .. } => None,
    }
}

fn fault_problem(fault: &Fault, plan: &Plan, topology: &Topology) -> Option<String> {
    match fault {
        Fault::Crash { process, .. } | Fault::Pause { process, .. } => exists(*process, plan),
        Fault::Isolate { process, .. } | Fault::Clock { process, .. } => exists(*process, plan),
        Fault::Zombie { process, .. } => exists(*process, plan).or_else(|| {
            let process = (*process)?;
            let can = matches!(process, ProcessId::Worker(_) | ProcessId::Coordinator);
            let problem =
                || format!("{process} cannot be a zombie, expected a worker or coordinator");
            (!can).then(problem)
        }),
        Fault::Disconnect { from, to, .. }
        | Fault::Hold { from, to, .. }
        | Fault::HalfOpen { from, to, .. } => {
            exists(Some(*from), plan).or_else(|| exists(Some(*to), plan))
        }
        Fault::Lose { channel, .. } => {
            let channels = topology.channels.len();
            let problem = || format!("{channel} of a job with {channels} channels");
            (channel.index() >= channels).then(problem)
        }
        Fault::Message { to, .. } => exists(*to, plan),
        Fault::Store {
            process: process @ (ProcessId::ObjectStore | ProcessId::MetaStore),
            fault,
            ..
        } => {
            let trouble = StoreTrouble::from(fault);
            let problem = || {
                let can = StoreTrouble::iter().filter(|can| can.fault().applies_to(*process));
                let can = can.map(<&str>::from).collect::<Vec<_>>().join(", ");
                format!("the {process} cannot be {trouble}, expected one of {can}")
            };
            (!fault.applies_to(*process)).then(problem)
        }
        Fault::Store { process, .. } => {
            Some(format!("{process} is no store, expected object-store or meta-store"))
        }
        Fault::Sink { .. } => None,
        Fault::Idle { split, .. } => {
            let splits = plan.job.splits;
            let problem = || format!("{split} of a job with {splits} splits");
            (split.index() >= usize::from(splits)).then(problem)
        }
    }
}

fn exists(process: Option<ProcessId>, plan: &Plan) -> Option<String> {
    let workers = plan.cluster.workers;
    match process {
        Some(ProcessId::Worker(worker)) if worker >= workers => Some(format!(
            "worker-{worker} does not exist, expected one of {workers} workers, from worker-0"
        )),
        _ => None,
    }
}
