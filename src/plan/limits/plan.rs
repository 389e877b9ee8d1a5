//! The numbers of a plan, held against the table.

use super::place::{Place, Refusal, ends, hold, number_of, one};
use super::scenario::{check_cost, check_deal};
use super::{sense, table as t};
use crate::cluster::message::Request;
use crate::cluster::{BufferSettings, ClusterSettings, DiscoverySettings, StoreSettings};
use crate::plan::fault::{ClockChange, Fault, MessageAction, When};
use crate::plan::links::{ControlLink, LinkSettings, Priority, SlowLink};
use crate::plan::random::Span;
use crate::plan::{JobPlan, Plan, PlannedFault, PlannedRequest, PlannedRescale};
use crate::protocol::CheckpointSettings;

/// Refuses a plan with a number that is not in its range, or with settings under which no job could hold.
///
/// # Errors
///
/// The first such number, with its place and its range.
pub fn check(plan: &Plan) -> Result<(), Refusal> {
    let Plan {
        scenario: _,
        salt,
        seed,
        job,
        cluster,
        links,
        mailbox_us,
        faults,
        requests,
        rescales,
        safety_ms,
        liveness_ms,
        lost,
        defects: _,
    } = plan;
    hold(&[
        ("seed", &t::SEED, one(*seed)),
        ("salt", &t::SALT, one(*salt)),
        ("mailbox_us", &t::PLAN_MAILBOX_US, *mailbox_us),
        ("faults", &t::FAULTS, number_of(faults)),
        ("requests", &t::REQUESTS, number_of(requests)),
        ("rescales", &t::RESCALES, number_of(rescales)),
        ("safety_ms", &t::SAFETY_MS, one(*safety_ms)),
        ("liveness_ms", &t::LIVENESS_MS, one(*liveness_ms)),
        ("lost", &t::LOST, number_of(lost)),
    ])?;
    check_job(job)?;
    check_cluster(cluster)?;
    check_links(links)?;
    each(faults, "faults", check_fault)?;
    each(requests, "requests", check_request)?;
    each(rescales, "rescales", check_rescale)?;
    sense::of_plan(plan)
}

/// Holds each item of the list that a field of the plan is.
fn each<T>(
    list: &[T],
    field: &'static str,
    check: impl Fn(&T, &Place<'_>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let at = Place::root(field);
    list.iter().enumerate().try_for_each(|(number, item)| check(item, &at.item(number)))
}

fn check_job(job: &JobPlan) -> Result<(), Refusal> {
    let JobPlan { workload: _, records, parallelism, splits, deal, assignment: _ } = job;
    let at = Place::root("job");
    at.hold(&[
        ("records", &t::JOB_RECORDS, records.map_or(one(1_u64), one)),
        ("parallelism", &t::JOB_PARALLELISM, one(*parallelism)),
        ("splits", &t::JOB_SPLITS, one(*splits)),
    ])?;
    check_deal(*deal, &at)
}

fn check_cluster(cluster: &ClusterSettings) -> Result<(), Refusal> {
    let ClusterSettings {
        workers,
        slots,
        heartbeat_ms,
        heartbeat_timeout_ms,
        session_timeout_ms,
        restart_delay_ms,
        request_retry_ms,
        credits,
        buffers,
        source_interval_us,
        discovery,
        fetch_max,
        sink_batch,
        object_store,
        meta_store,
        cost,
        checkpoints,
        final_at_once: _,
        observe_time: _,
    } = cluster;
    let at = Place::root("cluster");
    at.hold(&[
        ("workers", &t::WORKERS, one(*workers)),
        ("slots", &t::SLOTS, one(*slots)),
        ("heartbeat_ms", &t::HEARTBEAT_MS, one(*heartbeat_ms)),
        ("heartbeat_timeout_ms", &t::HEARTBEAT_TIMEOUT_MS, one(*heartbeat_timeout_ms)),
        ("session_timeout_ms", &t::SESSION_TIMEOUT_MS, one(*session_timeout_ms)),
        ("restart_delay_ms", &t::RESTART_DELAY_MS, one(*restart_delay_ms)),
        ("request_retry_ms", &t::REQUEST_RETRY_MS, one(*request_retry_ms)),
        ("credits", &t::CREDITS, one(*credits)),
        ("source_interval_us", &t::SOURCE_INTERVAL_US, one(*source_interval_us)),
        ("fetch_max", &t::FETCH_MAX, one(*fetch_max)),
        ("sink_batch", &t::SINK_BATCH, one(*sink_batch)),
    ])?;
    if let Some(BufferSettings { bytes, timeout_ms }) = buffers {
        at.field("buffers").hold(&[
            ("bytes", &t::BUFFER_BYTES, one(*bytes)),
            ("timeout_ms", &t::BUFFER_TIMEOUT_MS, one(*timeout_ms)),
        ])?;
    }
    check_discovery(discovery.as_ref(), &at)?;
    check_store(*object_store, &at.field("object_store"))?;
    check_store(*meta_store, &at.field("meta_store"))?;
    check_cost(cost.as_ref(), &at)?;
    check_checkpoints(checkpoints, &at.field("checkpoints"))
}

fn check_discovery(
    discovery: Option<&DiscoverySettings>,
    cluster: &Place<'_>,
) -> Result<(), Refusal> {
    let Some(DiscoverySettings { interval_ms, appears_ms, retained_ms }) = discovery else {
        return Ok(());
    };
    let latest = appears_ms.iter().copied().max().unwrap_or(0);
    cluster.field("discovery").hold(&[
        ("interval_ms", &t::DISCOVERY_INTERVAL_MS, one(*interval_ms)),
        ("appears_ms", &t::DISCOVERY_APPEARS_MS, one(latest)),
        ("retained_ms", &t::DISCOVERY_RETAINED_MS, one(*retained_ms)),
    ])
}

fn check_store(store: StoreSettings, at: &Place<'_>) -> Result<(), Refusal> {
    let StoreSettings { latency_us, byte_ns } = store;
    at.hold(&[
        ("latency_us", &t::STORE_LATENCY_US, one(latency_us)),
        ("byte_ns", &t::STORE_BYTE_NS, one(byte_ns)),
    ])
}

fn check_checkpoints(checkpoints: &CheckpointSettings, at: &Place<'_>) -> Result<(), Refusal> {
    let CheckpointSettings {
        protocol: _,
        aligned_timeout_ms,
        interval_ms,
        pause_min_ms,
        timeout_ms,
        concurrent_max,
        failures_tolerated,
        retained,
    } = checkpoints;
    at.hold(&[
        ("aligned_timeout_ms", &t::ALIGNED_TIMEOUT_MS, one(*aligned_timeout_ms)),
        ("interval_ms", &t::INTERVAL_MS, one(*interval_ms)),
        ("pause_min_ms", &t::PAUSE_MIN_MS, one(*pause_min_ms)),
        ("timeout_ms", &t::TIMEOUT_MS, one(*timeout_ms)),
        ("concurrent_max", &t::CONCURRENT_MAX, one(*concurrent_max)),
        ("failures_tolerated", &t::FAILURES_TOLERATED, one(*failures_tolerated)),
        ("retained", &t::RETAINED, one(*retained)),
    ])
}

fn check_links(links: &LinkSettings) -> Result<(), Refusal> {
    let LinkSettings { channels, control, local_us, byte_ns, slow, slow_control, priorities } =
        links;
    let at = Place::root("links");
    at.hold(&[
        ("channels", &t::CHANNELS, ends(*channels)),
        ("control", &t::CONTROL, ends(*control)),
        ("local_us", &t::LOCAL_US, one(*local_us)),
        ("byte_ns", &t::LINK_BYTE_NS, one(*byte_ns)),
        ("slow", &t::SLOW, number_of(slow)),
        ("slow_control", &t::SLOW_CONTROL, number_of(slow_control)),
        ("priorities", &t::PRIORITIES, number_of(priorities)),
    ])?;
    for (number, SlowLink { channel: _, latency }) in slow.iter().enumerate() {
        let at = at.field("slow");
        at.item(number).hold(&[("latency", &t::SLOW_LATENCY, ends(*latency))])?;
    }
    for (number, ControlLink { from: _, to: _, latency }) in slow_control.iter().enumerate() {
        let at = at.field("slow_control");
        at.item(number).hold(&[("latency", &t::CONTROL_LATENCY, ends(*latency))])?;
    }
    for (number, Priority { process: _, from_us, extra_us }) in priorities.iter().enumerate() {
        at.field("priorities").item(number).hold(&[
            ("from_us", &t::PRIORITY_FROM_US, one(*from_us)),
            ("extra_us", &t::PRIORITY_EXTRA_US, one(*extra_us)),
        ])?;
    }
    Ok(())
}

fn check_fault(fault: &PlannedFault, at: &Place<'_>) -> Result<(), Refusal> {
    let PlannedFault { when, fault } = fault;
    check_when(when, at)?;
    let at = at.field("fault");
    let at = at.variant();
    match fault {
        Fault::Crash { process: _, restart_after_us } => {
            let restart = restart_after_us.map_or(one(0_u64), one);
            at.hold(&[("restart_after_us", &t::FAULT_RESTART_US, restart)])
        }
        Fault::Zombie { process: _, restart_after_us, for_us } => at.hold(&[
            ("restart_after_us", &t::FAULT_RESTART_US, one(*restart_after_us)),
            ("for_us", &t::FAULT_FOR_US, one(*for_us)),
        ]),
        Fault::Pause { process: _, for_us }
        | Fault::Disconnect { from: _, to: _, both: _, for_us }
        | Fault::Isolate { process: _, for_us }
        | Fault::Hold { from: _, to: _, for_us }
        | Fault::HalfOpen { from: _, to: _, for_us }
        | Fault::Idle { split: _, for_us } => lasting(*for_us, &at),
        Fault::Lose { channel: _, count } => {
            at.hold(&[("count", &t::FAULT_LOSE_COUNT, one(*count))])
        }
        Fault::Message { message: _, to: _, count, action } => {
            at.hold(&[("count", &t::FAULT_MESSAGE_COUNT, one(*count))])?;
            check_action(*action, &at)
        }
        Fault::Clock { process: _, change } => check_change(*change, &at),
        Fault::Store { process: _, fault, for_us } => {
            lasting(*for_us, &at)?;
            extra(fault.extra_ms(), &at)
        }
        Fault::Sink { fault, for_us } => {
            lasting(*for_us, &at)?;
            extra(fault.extra_ms(), &at)
        }
    }
}

fn lasting(for_us: u64, at: &Place<'_>) -> Result<(), Refusal> {
    at.hold(&[("for_us", &t::FAULT_FOR_US, one(for_us))])
}

fn extra(extra_ms: u64, at: &Place<'_>) -> Result<(), Refusal> {
    let at = at.field("fault");
    at.variant().hold(&[("extra_ms", &t::FAULT_EXTRA_MS, one(extra_ms))])
}

fn check_action(action: MessageAction, at: &Place<'_>) -> Result<(), Refusal> {
    let at = at.field("action");
    match action {
        MessageAction::Drop | MessageAction::Until { point: _ } => Ok(()),
        MessageAction::Delay { us } | MessageAction::Duplicate { us } => {
            at.variant().hold(&[("us", &t::FAULT_DELAY_US, one(us))])
        }
    }
}

fn check_change(change: ClockChange, at: &Place<'_>) -> Result<(), Refusal> {
    let at = at.field("change");
    let at = at.variant();
    match change {
        ClockChange::Step { us } => at.hold(&[("us", &t::FAULT_STEP_US, one(us.unsigned_abs()))]),
        ClockChange::Drift { ppm } => {
            at.hold(&[("ppm", &t::FAULT_DRIFT_PPM, one(ppm.unsigned_abs()))])
        }
    }
}

fn check_when(when: &When, at: &Place<'_>) -> Result<(), Refusal> {
    let at = at.field("when");
    let at = at.variant();
    match when {
        When::At { us } => at.hold(&[("us", &t::WHEN_AT_US, one(*us))]),
        When::Point { point: _, subtask: _, occurrence, after_restarts } => at.hold(&[
            ("occurrence", &t::WHEN_OCCURRENCE, one(*occurrence)),
            ("after_restarts", &t::WHEN_RESTARTS, one(*after_restarts)),
        ]),
    }
}

fn check_request(request: &PlannedRequest, at: &Place<'_>) -> Result<(), Refusal> {
    let PlannedRequest { when, request } = request;
    check_when(when, at)?;
    match request {
        Request::Savepoint { mode: _ } | Request::Resume => Ok(()),
        Request::ResumeAt { parallelism } => {
            let at = at.field("request");
            let resumed: Span = one(*parallelism);
            at.variant().hold(&[("parallelism", &t::RESUME_AT_PARALLELISM, resumed)])
        }
        Request::ResumeAs { version, parallelism } => {
            let at = at.field("request");
            let (version, at): (Span, _) = (one(*version), at.variant());
            at.hold(&[("version", &t::RESUME_AS_VERSION, version)])?;
            parallelism.map_or(Ok(()), |parallelism| {
                at.hold(&[("parallelism", &t::RESUME_AS_PARALLELISM, one(parallelism))])
            })
        }
    }
}

fn check_rescale(rescale: &PlannedRescale, at: &Place<'_>) -> Result<(), Refusal> {
    let PlannedRescale { when, parallelism, checkpoint_first: _ } = rescale;
    check_when(when, at)?;
    at.hold(&[("parallelism", &t::RESCALES_PARALLELISM, one(*parallelism))])
}
