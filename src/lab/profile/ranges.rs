//! What a profile may hold: a stated range for each of its figures.

use super::{EngineProfile, PROFILE_VERSION, StoreProfile};
use crate::lab::error::Misplaced;

/// No cost is negative, endless, or above this in any unit in use: a thousand seconds of microseconds.
const FIGURE_MAX: f64 = 1e9;

/// A number of a profile that counts something, by its name in the file, and its range.
type Count = (&'static str, u64, (u64, u64));

/// Every figure of an engine is in its range, and they go together.
pub(super) fn of_engine(profile: &EngineProfile) -> Result<(), Misplaced> {
    version(profile.version)?;
    figures(profile).into_iter().try_for_each(|(name, value)| figure(name, value))?;
    counts(profile).into_iter().try_for_each(count)?;
    let (state, log) = (&profile.state, &profile.state.log_structured);
    for point in &state.access {
        figure("state.access.ns", point.ns)?;
        count(("state.access.state-bytes", point.state_bytes, (0, 1_000_000_000_000_000)))?;
    }
    if log.stall_files <= log.compact_files {
        let problem = format!("{}, expected more than compact-files", log.stall_files);
        return Err(Misplaced::new("state.log-structured.stall-files", problem));
    }
    if state.access.windows(2).any(|pair| pair[0].state_bytes >= pair[1].state_bytes) {
        let problem = "expected points in ascending order of state-bytes";
        return Err(Misplaced::new("state.access", problem));
    }
    Ok(())
}

/// Every figure of a store is in its range.
pub(super) fn of_store(profile: &StoreProfile) -> Result<(), Misplaced> {
    version(profile.version)?;
    figure("latency-ms", profile.latency_ms)?;
    figure("byte-ns", profile.byte_ns)?;
    figure("tail-ms", profile.tail_ms)?;
    figure("request-us", profile.request_us)?;
    count(("parallelism", u64::from(profile.parallelism), (1, 1_000)))?;
    count(("tail-per-million", u64::from(profile.tail_per_million), (0, 1_000_000)))
}

/// What an engine has of numbers that count.
fn counts(profile: &EngineProfile) -> Vec<Count> {
    const DAY_MS: u64 = 86_400_000;
    const TERABYTE: u64 = 1 << 40;
    let (log, changelog) = (&profile.state.log_structured, &profile.state.changelog);
    let recovery = &profile.recovery;
    vec![
        ("state.log-structured.memtable-bytes", log.memtable_bytes, (1, TERABYTE)),
        ("state.log-structured.flush-syncs", u64::from(log.flush_syncs), (0, 1_000)),
        ("state.log-structured.compact-files", u64::from(log.compact_files), (1, 10_000)),
        ("state.log-structured.stall-files", u64::from(log.stall_files), (2, 100_000)),
        ("state.log-structured.files", u64::from(log.files), (1, 10_000)),
        ("state.changelog.upload-bytes", changelog.upload_bytes, (1, TERABYTE)),
        ("state.changelog.materialise-ms", changelog.materialise_ms, (1, 365 * DAY_MS)),
        ("recovery.detect-ms", recovery.detect_ms, (0, DAY_MS)),
        ("recovery.deploy-ms", recovery.deploy_ms, (0, DAY_MS)),
    ]
    .into_iter()
    .chain(profile.calibrated.iter().flat_map(|calibrated| {
        [
            ("calibrated.cores-milli", calibrated.cores_milli, (1, 1_000_000)),
            ("calibrated.parallelism", u64::from(calibrated.parallelism), (1, 1_000)),
            ("calibrated.exchanges", u64::from(calibrated.exchanges), (1, 32)),
            ("calibrated.record-bytes", u64::from(calibrated.record_bytes), (1, 1 << 30)),
        ]
    }))
    .collect()
}

/// What an engine has of costs.
fn figures(profile: &EngineProfile) -> Vec<(&'static str, f64)> {
    let (task, coordinator, state) = (&profile.task, &profile.coordinator, &profile.state);
    vec![
        ("task.source-record-ns", task.source_record_ns),
        ("task.record-ns", task.record_ns),
        ("task.byte-ns", task.byte_ns),
        ("task.barrier-us", task.barrier_us),
        ("task.freeze-us", task.freeze_us),
        ("task.persist-us", task.persist_us),
        ("task.notify-us", task.notify_us),
        ("coordinator.trigger-us", coordinator.trigger_us),
        ("coordinator.message-us", coordinator.message_us),
        ("coordinator.acknowledge-us", coordinator.acknowledge_us),
        ("coordinator.complete-us", coordinator.complete_us),
        ("coordinator.cleanup-us", coordinator.cleanup_us),
        ("coordinator.latency-us", coordinator.latency_us),
        ("state.entry-overhead-bytes", state.entry_overhead_bytes),
        ("state.entry-factor", state.entry_factor),
        ("state.copy-byte-ns", state.copy_byte_ns),
        ("state.copy-on-write-ns", state.copy_on_write_ns),
        ("state.log-structured.memtable-level-ns", state.log_structured.memtable_level_ns),
        ("state.log-structured.miss-ns", state.log_structured.miss_ns),
        ("state.log-structured.flush-byte-ns", state.log_structured.flush_byte_ns),
        ("disk.byte-ns", profile.disk.byte_ns),
        ("disk.stream-byte-ns", profile.disk.stream_byte_ns),
        ("disk.sync-ms", profile.disk.sync_ms),
        ("state.log-structured.compact-byte-ns", state.log_structured.compact_byte_ns),
        ("state.changelog.log-byte-ns", state.changelog.log_byte_ns),
        ("recovery.restore-byte-ns", profile.recovery.restore_byte_ns),
        ("independent.log-record-ns", profile.independent.log_record_ns),
        ("independent.log-byte-ns", profile.independent.log_byte_ns),
        ("independent.replay-byte-ns", profile.independent.replay_byte_ns),
        ("independent.carried-record-ns", profile.independent.carried_record_ns),
        ("independent.carried-factor", profile.independent.carried_factor),
    ]
}

fn version(version: u32) -> Result<(), Misplaced> {
    match version {
        PROFILE_VERSION => Ok(()),
        other => Err(Misplaced::new("version", format!("{other}, expected {PROFILE_VERSION}"))),
    }
}

fn figure(name: &str, value: f64) -> Result<(), Misplaced> {
    if (0.0..=FIGURE_MAX).contains(&value) {
        Ok(())
    } else {
        Err(Misplaced::new(name, format!("{value}, expected 0 to 1e9")))
    }
}

fn count((name, value, (least, most)): Count) -> Result<(), Misplaced> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(Misplaced::new(name, format!("{value}, expected {least} to {most}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGINE: &str = include_str!("../../../fixtures/overhead/profiles/flink-rocksdb.toml");
    const STORE: &str = include_str!("../../../fixtures/overhead/stores/object-store.toml");

    /// What is said of a profile with one field as given, instead of what it is.
    fn said(field: &str, value: &str) -> String {
        let mut lines: Vec<String> = ENGINE.lines().map(str::to_owned).collect();
        let is_it = |line: &String| line.split(" = ").next() == Some(field);
        let index = lines.iter().position(is_it).expect(field);
        lines[index] = format!("{field} = {value}");
        let (number, wrong) = (index + 1, lines.join("\n"));
        let error = EngineProfile::parse("my.toml", &wrong).expect_err(field).to_string();
        assert!(error.starts_with(&format!("my.toml:{number}: ")), "{error}");
        error
    }

    #[test]
    fn a_figure_outside_its_range_is_named_with_its_line() {
        assert!(said("byte-ns", "-1.0").contains("task.byte-ns: -1, expected 0 to 1e9"));
        assert!(said("freeze-us", "nan").contains("task.freeze-us: NaN"));
        assert!(said("miss-ns", "inf").contains("state.log-structured.miss-ns: inf"));
        assert!(
            said("flush-syncs", "4000000000").contains("flush-syncs: 4000000000, expected 0 to")
        );
        assert!(said("files", "0").contains("state.log-structured.files: 0, expected 1 to 10000"));
        assert!(said("stall-files", "4").contains("stall-files: 4, expected more than"));
        assert!(
            said("detect-ms", "9999999999").contains("recovery.detect-ms: 9999999999, expected 0")
        );
        assert!(said("cores-milli", "0").contains("calibrated.cores-milli: 0, expected 1"));
        assert!(said("version", "2").contains("version: 2, expected 1"));
    }

    #[test]
    fn a_store_without_connections_is_refused() {
        let wrong = STORE.replace("parallelism = 4", "parallelism = 0");
        let error = StoreProfile::parse("s.toml", &wrong).expect_err("none").to_string();
        assert!(error.contains("parallelism: 0, expected 1 to 1000"), "{error}");
        assert!(error.starts_with("s.toml:8: "), "{error}");
    }
}
