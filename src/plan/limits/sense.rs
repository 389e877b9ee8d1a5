//! Settings that are each in their range, and under which no job could hold together: to be told of before a
//! run is, and not as a violation after it.

use super::place::{Place, Refusal};
use crate::cluster::message::Request;
use crate::plan::scenario::Scenario;
use crate::plan::{Latency, Plan};
use crate::protocol::SavepointMode;

/// Refuses a scenario of which some seed would draw settings that make no sense.
pub fn of_scenario(scenario: &Scenario) -> Result<(), Refusal> {
    let Scenario { cluster, checkpoints, requests, .. } = scenario;
    let (timeout, heartbeat) = (cluster.heartbeat_timeout_ms.min, cluster.heartbeat_ms.max);
    let is_cut = cluster.final_at_once || requests.drains.min > 0;
    check_silence("heartbeat_timeout_ms", timeout, heartbeat)?;
    let at = Place::root("checkpoints");
    let least_us = acknowledged_us(&scenario.links.control, cluster.object_store_us.min);
    check_timeout(&at, checkpoints.timeout_ms.max, least_us)?;
    check_cuts(&at, checkpoints.interval_ms.min, is_cut)
}

/// Refuses a plan whose settings make no sense.
pub fn of_plan(plan: &Plan) -> Result<(), Refusal> {
    let cluster = &plan.cluster;
    check_silence("heartbeat_timeout_ms", cluster.heartbeat_timeout_ms, cluster.heartbeat_ms)?;
    check_silence("session_timeout_ms", cluster.session_timeout_ms, cluster.heartbeat_ms)?;
    let drain = Request::Savepoint { mode: SavepointMode::Drain };
    let is_cut = cluster.final_at_once || plan.requests.iter().any(|it| it.request == drain);
    let at = Place::root("cluster");
    let at = at.field("checkpoints");
    let least_us = acknowledged_us(&plan.links.control, cluster.object_store.latency_us);
    check_timeout(&at, cluster.checkpoints.timeout_ms, least_us)?;
    check_cuts(&at, cluster.checkpoints.interval_ms, is_cut)
}

/// What the fastest subtask needs at the least, in microseconds: its trigger, its snapshot to the store and back,
/// its acknowledgement.
fn acknowledged_us(control: &Latency, store_us: u64) -> u64 {
    control.min_us().saturating_mul(4).saturating_add(store_us)
}

/// A checkpoint that nobody can acknowledge in time never completes, and with it the job.
fn check_timeout(at: &Place<'_>, timeout_ms: u64, least_us: u64) -> Result<(), Refusal> {
    if timeout_ms.saturating_mul(1_000) >= least_us {
        return Ok(());
    }
    let least_ms = least_us.div_ceil(1_000);
    let problem = format!(
        "is {timeout_ms}, expected at least {least_ms}: with these links and stores nobody could acknowledge \
         a checkpoint in time"
    );
    Err(at.field("timeout_ms").refuse(problem))
}

/// Who is dead before it can say that it lives, is always dead.
fn check_silence(field: &'static str, timeout: u64, heartbeat: u64) -> Result<(), Refusal> {
    if timeout > heartbeat {
        return Ok(());
    }
    let problem = format!(
        "is {timeout}, expected more than heartbeat_ms, which is up to {heartbeat}: nobody would be heard of in time"
    );
    Err(Place::root("cluster").field(field).refuse(problem))
}

/// Output is committed with a checkpoint: a job that takes none does not finish.
fn check_cuts(at: &Place<'_>, interval: u64, is_cut: bool) -> Result<(), Refusal> {
    if interval > 0 || is_cut {
        return Ok(());
    }
    let problem = "is 0, expected at least 1: without `final_at_once` or a drain no checkpoint would be \
                   taken, and the job not finish";
    Err(at.field("interval_ms").refuse(problem))
}
