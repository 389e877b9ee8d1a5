//! The numbers of a scenario, held against the table.

use super::place::{Place, Refusal, ends, hold, one};
use super::{sense, table as t};
use crate::cluster::CostModel;
use crate::dataflow::Deal;
use crate::plan::random::Span;
use crate::plan::scenario::{
    BufferScenario, CheckpointScenario, ClusterScenario, DiscoveryScenario, JobScenario,
    LinkScenario, NemesisScenario, RequestScenario, RescaleScenario, Scenario,
};

/// Refuses a scenario with a number that is not in its range, or with settings under which no job could
/// hold.
///
/// # Errors
///
/// The first such number, with its place and its range.
pub fn check(scenario: &Scenario) -> Result<(), Refusal> {
    let Scenario {
        version: _,
        name: _,
        about: _,
        in_sweep: _,
        sometimes: _,
        job,
        cluster,
        checkpoints,
        links,
        rescale,
        faults,
        requests,
        nemesis,
        swarm: _,
        liveness_ms,
    } = scenario;
    check_job(job)?;
    check_cluster(cluster)?;
    check_checkpoints(checkpoints)?;
    check_links(links)?;
    rescale.iter().try_for_each(check_rescale)?;
    for (class, count) in faults {
        Place::root("faults").field(class.into()).hold_one(&t::FAULTS_OF_A_CLASS, *count)?;
    }
    check_requests(requests)?;
    check_nemesis(nemesis)?;
    hold(&[("liveness_ms", &t::LIVENESS_MS, one(*liveness_ms))])?;
    sense::of_scenario(scenario)
}

fn check_job(job: &JobScenario) -> Result<(), Refusal> {
    let JobScenario { workload: _, records, parallelism, splits, deal, assignment: _ } = job;
    let at = Place::root("job");
    at.hold(&[
        ("records", &t::JOB_RECORDS, records.unwrap_or(Span::new(1, 1))),
        ("parallelism", &t::JOB_PARALLELISM, *parallelism),
        ("splits", &t::JOB_SPLITS, *splits),
    ])?;
    deal.iter().try_for_each(|deal| check_deal(*deal, &at))
}

pub(super) fn check_deal(deal: Deal, at: &Place<'_>) -> Result<(), Refusal> {
    match deal {
        Deal::Even | Deal::Uneven => Ok(()),
        Deal::Empty { splits } => at.hold(&[("deal", &t::EMPTY_SPLITS, one(splits))]),
    }
}

fn check_cluster(cluster: &ClusterScenario) -> Result<(), Refusal> {
    let ClusterScenario {
        workers,
        losable,
        heartbeat_ms,
        heartbeat_timeout_ms,
        restart_delay_ms,
        request_retry_ms,
        credits,
        buffers,
        discovery,
        source_interval_us,
        sink_batch,
        mailbox_us,
        object_store_us,
        object_store_byte_ns,
        meta_store_us,
        cost,
        final_at_once: _,
        observe_time: _,
    } = cluster;
    let at = Place::root("cluster");
    at.hold(&[
        ("workers", &t::WORKERS, *workers),
        ("losable", &t::LOSABLE, *losable),
        ("heartbeat_ms", &t::HEARTBEAT_MS, *heartbeat_ms),
        ("heartbeat_timeout_ms", &t::HEARTBEAT_TIMEOUT_MS, *heartbeat_timeout_ms),
        ("restart_delay_ms", &t::RESTART_DELAY_MS, *restart_delay_ms),
        ("request_retry_ms", &t::REQUEST_RETRY_MS, *request_retry_ms),
        ("credits", &t::CREDITS, *credits),
        ("source_interval_us", &t::SOURCE_INTERVAL_US, *source_interval_us),
        ("sink_batch", &t::SINK_BATCH, *sink_batch),
        ("mailbox_us", &t::MAILBOX_US, *mailbox_us),
        ("object_store_us", &t::OBJECT_STORE_US, *object_store_us),
        ("object_store_byte_ns", &t::OBJECT_STORE_BYTE_NS, one(*object_store_byte_ns)),
        ("meta_store_us", &t::META_STORE_US, *meta_store_us),
    ])?;
    if let Some(BufferScenario { bytes, timeout_ms }) = buffers {
        at.field("buffers").hold(&[
            ("bytes", &t::BUFFER_BYTES, *bytes),
            ("timeout_ms", &t::BUFFER_TIMEOUT_MS, *timeout_ms),
        ])?;
    }
    if let Some(DiscoveryScenario { interval_ms, appears_ms, retained_ms }) = discovery {
        at.field("discovery").hold(&[
            ("interval_ms", &t::DISCOVERY_INTERVAL_MS, *interval_ms),
            ("appears_ms", &t::DISCOVERY_APPEARS_MS, *appears_ms),
            ("retained_ms", &t::DISCOVERY_RETAINED_MS, *retained_ms),
        ])?;
    }
    check_cost(cost.as_ref(), &at)
}

pub(super) fn check_cost(cost: Option<&CostModel>, at: &Place<'_>) -> Result<(), Refusal> {
    let Some(CostModel { record_ns, byte_ns, freeze_byte_ns }) = cost else { return Ok(()) };
    at.field("cost").hold(&[
        ("record_ns", &t::COST_RECORD_NS, one(*record_ns)),
        ("byte_ns", &t::COST_BYTE_NS, one(*byte_ns)),
        ("freeze_byte_ns", &t::COST_FREEZE_BYTE_NS, one(*freeze_byte_ns)),
    ])
}

fn check_checkpoints(checkpoints: &CheckpointScenario) -> Result<(), Refusal> {
    let CheckpointScenario {
        protocol: _,
        aligned_timeout_ms,
        interval_ms,
        pause_min_ms,
        timeout_ms,
        concurrent_max,
        failures_tolerated,
        retained,
    } = checkpoints;
    Place::root("checkpoints").hold(&[
        ("aligned_timeout_ms", &t::ALIGNED_TIMEOUT_MS, *aligned_timeout_ms),
        ("interval_ms", &t::INTERVAL_MS, *interval_ms),
        ("pause_min_ms", &t::PAUSE_MIN_MS, *pause_min_ms),
        ("timeout_ms", &t::TIMEOUT_MS, *timeout_ms),
        ("concurrent_max", &t::CONCURRENT_MAX, *concurrent_max),
        ("failures_tolerated", &t::FAILURES_TOLERATED, *failures_tolerated),
        ("retained", &t::RETAINED, *retained),
    ])
}

fn check_links(links: &LinkScenario) -> Result<(), Refusal> {
    let LinkScenario {
        channels,
        control,
        byte_ns,
        slow,
        slow_us,
        slow_control,
        slow_control_latency,
    } = links;
    let at = Place::root("links");
    at.hold(&[
        ("channels", &t::CHANNELS, ends(*channels)),
        ("control", &t::CONTROL, ends(*control)),
        ("byte_ns", &t::LINK_BYTE_NS, *byte_ns),
        ("slow", &t::SLOW, *slow),
        ("slow_us", &t::SLOW_US, *slow_us),
        ("slow_control", &t::SLOW_CONTROL, *slow_control),
    ])?;
    let at = at.field("slow_control_latency");
    let hold =
        |(number, latency)| at.item(number).hold_one(&t::SLOW_CONTROL_LATENCY, ends(latency));
    slow_control_latency.iter().copied().enumerate().try_for_each(hold)
}

fn check_rescale(rescale: &RescaleScenario) -> Result<(), Refusal> {
    let RescaleScenario { count, parallelism, within_ms, checkpoint_first_percent } = rescale;
    let percent = one(*checkpoint_first_percent);
    Place::root("rescale").hold(&[
        ("count", &t::RESCALE_COUNT, *count),
        ("parallelism", &t::RESCALE_PARALLELISM, *parallelism),
        ("within_ms", &t::RESCALE_WITHIN_MS, *within_ms),
        ("checkpoint_first_percent", &t::CHECKPOINT_FIRST_PERCENT, percent),
    ])
}

fn check_requests(requests: &RequestScenario) -> Result<(), Refusal> {
    let RequestScenario { savepoints, stops, resume_parallelism, resume_version, drains } =
        requests;
    let resumed = |span: &Option<Span>| span.unwrap_or(Span::new(1, 1));
    Place::root("requests").hold(&[
        ("savepoints", &t::SAVEPOINTS, *savepoints),
        ("stops", &t::STOPS, *stops),
        ("resume_parallelism", &t::RESUME_PARALLELISM, resumed(resume_parallelism)),
        ("resume_version", &t::RESUME_VERSION, resumed(resume_version)),
        ("drains", &t::DRAINS, *drains),
    ])
}

fn check_nemesis(nemesis: &NemesisScenario) -> Result<(), Refusal> {
    let NemesisScenario {
        breadth: _,
        window_ms,
        aimed_percent,
        down_ms,
        pause_ms,
        zombie_ms,
        disconnect_ms,
        elements,
        delay_ms,
        messages,
        store_ms,
        store_extra_ms,
        sink_ms,
        sink_extra_ms,
        clock_step_ms,
        clock_drift_ppm,
        idle_ms,
    } = nemesis;
    Place::root("nemesis").hold(&[
        ("window_ms", &t::WINDOW_MS, *window_ms),
        ("aimed_percent", &t::AIMED_PERCENT, one(*aimed_percent)),
        ("down_ms", &t::DOWN_MS, *down_ms),
        ("pause_ms", &t::PAUSE_MS, *pause_ms),
        ("zombie_ms", &t::ZOMBIE_MS, *zombie_ms),
        ("disconnect_ms", &t::DISCONNECT_MS, *disconnect_ms),
        ("elements", &t::ELEMENTS, *elements),
        ("delay_ms", &t::DELAY_MS, *delay_ms),
        ("messages", &t::MESSAGES, *messages),
        ("store_ms", &t::STORE_MS, *store_ms),
        ("store_extra_ms", &t::STORE_EXTRA_MS, *store_extra_ms),
        ("sink_ms", &t::SINK_MS, *sink_ms),
        ("sink_extra_ms", &t::SINK_EXTRA_MS, *sink_extra_ms),
        ("clock_step_ms", &t::CLOCK_STEP_MS, *clock_step_ms),
        ("clock_drift_ppm", &t::CLOCK_DRIFT_PPM, *clock_drift_ppm),
        ("idle_ms", &t::IDLE_MS, *idle_ms),
    ])
}
