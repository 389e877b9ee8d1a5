//! The settings of a walk-through's cluster: a worker for each subtask, stores that take no time, and nothing that
//! happens by itself before a command lets the time pass.

use cutwater::cluster::{ClusterSettings, StoreSettings};
use cutwater::protocol::{CheckpointSettings, Protocol};

/// The settings, with what a walk-through says of them, such as `concurrent=2`.
pub fn settings(workers: usize, words: &[(&str, &str)]) -> Result<ClusterSettings, String> {
    let mut settings = ClusterSettings {
        workers: workers as u16,
        slots: 1,
        heartbeat_ms: 1_000,
        heartbeat_timeout_ms: 5_000,
        session_timeout_ms: 60_000,
        restart_delay_ms: 500,
        request_retry_ms: 2_000,
        credits: 8,
        buffers: None,
        source_interval_us: 0,
        discovery: None,
        fetch_max: 1,
        sink_batch: 1,
        object_store: StoreSettings::default(),
        meta_store: StoreSettings::default(),
        cost: None,
        checkpoints: CheckpointSettings {
            protocol: Protocol::Aligned,
            aligned_timeout_ms: 0,
            interval_ms: 100,
            pause_min_ms: 0,
            timeout_ms: 10_000,
            concurrent_max: 1,
            failures_tolerated: 2,
            retained: 1,
        },
        final_at_once: false,
        observe_time: false,
    };
    for (key, value) in words {
        set(&mut settings, key, value)?;
    }
    Ok(settings)
}

fn set(settings: &mut ClusterSettings, key: &str, value: &str) -> Result<(), String> {
    if key == "protocol" {
        let unknown = |_| format!("unknown protocol {value:?}");
        settings.checkpoints.protocol = value.parse().map_err(unknown)?;
        return Ok(());
    }
    let number: u32 = value.parse().map_err(|_| format!("{key}={value} is not a number"))?;
    match key {
        "credits" => settings.credits = number,
        "final" => settings.final_at_once = number > 0,
        "timeout" => settings.checkpoints.aligned_timeout_ms = number.into(),
        "concurrent" => settings.checkpoints.concurrent_max = number,
        "retained" => settings.checkpoints.retained = number,
        "tolerated" => settings.checkpoints.failures_tolerated = number,
        _ => return Err(format!("unknown setting {key:?}")),
    }
    Ok(())
}
