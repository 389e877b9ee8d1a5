//! Fits profiles to the rows that are marked for it, by running them.
//!
//! One parameter after another, each to the one figure that it moves most; what no row says is taken over from
//! the profile that the fit begins with. Nothing is fitted to the rows that judge.
//!
//! What is fitted later moves what was fitted before a little, and so all of it is fitted in rounds, until one changes
//! nothing. A value stays unless another one is nearer to what was measured: a fit that begins with a fitted profile
//! gives the same one.

use super::calibration::{Profiles, Setting, simulate};
use super::error::LabError;
use super::measured::{Measured, Use};
use super::profile::{AccessPoint, BackendKind, Calibrated, EngineProfile};
use super::report::Report;

/// How often the whole is fitted at most.
const ROUNDS: usize = 12;

/// A fit is good enough when it is this near.
const NEAR: f64 = 0.003;

/// How often an interval is halved at most.
const HALVINGS: usize = 16;

/// What a fit works with.
struct Fit<'a> {
    rows: Vec<&'a Measured>,
    setting: &'a Setting,
}

/// Fits a profile for each backend of which there are rows, beginning with `start`.
///
/// # Errors
///
/// When a row leads to no settings, or there is no profile to begin with.
pub fn fit(
    rows: &[Measured],
    start: &Profiles,
    setting: &Setting,
    source: &str,
) -> Result<Profiles, LabError> {
    let rows: Vec<&Measured> = rows.iter().filter(|row| row.use_for == Use::Fit).collect();
    let fit = Fit { rows, setting };
    let mut profiles = Profiles::new();
    for backend in fit.backends() {
        let profile = start.get(&backend).ok_or_else(|| {
            LabError::Factor(format!("no profile to begin the fit of {backend} with"))
        })?;
        profiles.insert(backend, fit.prepared(backend, profile, source));
    }
    profiles = rounded(profiles);
    for _ in 0..ROUNDS {
        let before = profiles.clone();
        fit.round(&mut profiles)?;
        profiles = rounded(profiles);
        if profiles == before {
            break;
        }
    }
    Ok(profiles)
}

fn rounded(profiles: Profiles) -> Profiles {
    profiles.into_iter().map(|(backend, profile)| (backend, profile.rounded())).collect()
}

impl Fit<'_> {
    fn backends(&self) -> Vec<BackendKind> {
        let mut backends: Vec<BackendKind> = self.rows.iter().map(|row| row.backend).collect();
        backends.sort_unstable();
        backends.dedup();
        backends
    }

    fn bases(&self, backend: BackendKind) -> impl Iterator<Item = &&Measured> {
        self.rows.iter().filter(move |row| row.backend == backend && row.interval_ms.is_none())
    }

    fn checkpointed(&self) -> impl Iterator<Item = &&Measured> {
        self.rows.iter().filter(|row| row.interval_ms.is_some())
    }

    /// Bytes, machine and range, which no run is needed for.
    fn prepared(&self, backend: BackendKind, start: &EngineProfile, source: &str) -> EngineProfile {
        let mut profile = start.clone();
        source.clone_into(&mut profile.source);
        self.fit_entry(backend, &mut profile);
        let bytes = |row: &Measured| row.keys as f64 * profile.entry_bytes(row.payload_bytes);
        let mut access: Vec<AccessPoint> =
            self.bases(backend).map(|row| known(&start.state.access, bytes(row) as u64)).collect();
        access.sort_by_key(|point| point.state_bytes);
        access.dedup_by_key(|point| point.state_bytes);
        let (least, most) = (access.first(), access.last());
        let of_backend = self.checkpointed().filter(|row| row.backend == backend);
        let all: Vec<u64> = of_backend.filter_map(|row| row.interval_ms).collect();
        profile.calibrated = Some(Calibrated {
            cores_milli: self.cores_milli(),
            parallelism: self.setting.parallelism,
            exchanges: self.setting.exchanges,
            record_bytes: self.setting.record_bytes,
            state_bytes_min: least.map_or(0, |point| point.state_bytes),
            state_bytes_max: most.map_or(0, |point| point.state_bytes),
            interval_ms_min: all.iter().copied().min().unwrap_or(0),
            interval_ms_max: all.iter().copied().max().unwrap_or(0),
        });
        profile.state.access = access;
        profile
    }

    /// What engine and coordinator got together where nothing else was to be done.
    fn cores_milli(&self) -> u64 {
        if let Some(cores_milli) = self.setting.cores_milli {
            return cores_milli;
        }
        let bases = self.rows.iter().filter(|row| row.interval_ms.is_none());
        let used: Vec<f64> =
            bases.filter_map(|row| row.cores).map(|(one, other)| one + other).collect();
        match used.len() {
            0 => 2_000,
            rows => (used.iter().sum::<f64>() / rows as f64 * 1e3).round() as u64,
        }
    }

    /// Bytes of an entry, from what checkpoints held: a line through the rows with the least and the most payload.
    fn fit_entry(&self, backend: BackendKind, profile: &mut EngineProfile) {
        let mut points: Vec<(f64, f64)> = self
            .checkpointed()
            .filter(|row| row.backend == backend)
            .filter_map(|row| {
                Some((row.payload_bytes as f64, row.checkpoint_bytes? / entries(row)))
            })
            .collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
        let is_line = last.0 > first.0;
        let factor = if is_line { (last.1 - first.1) / (last.0 - first.0) } else { 1.0 };
        profile.state.entry_factor = factor.max(0.0);
        profile.state.entry_overhead_bytes =
            (first.1 - profile.state.entry_factor * first.0).max(0.0);
    }

    fn round(&self, profiles: &mut Profiles) -> Result<(), LabError> {
        for (backend, profile) in profiles.iter_mut() {
            for base in self.bases(*backend) {
                self.fit_access(base, profile)?;
            }
        }
        if let Some(row) = self.smallest() {
            self.fit_fixed(row, profiles)?;
        }
        self.fit_disk(profiles)?;
        let backends: Vec<BackendKind> = profiles.keys().copied().collect();
        for backend in backends {
            if let (Some(row), Some(profile)) = (self.largest(backend), profiles.get_mut(&backend))
            {
                self.fit_bytes(row, profile)?;
            }
        }
        Ok(())
    }

    /// The row that says most about what a checkpoint costs whatever the state.
    fn smallest(&self) -> Option<&Measured> {
        let rows = self.checkpointed();
        rows.min_by_key(|row| (row.keys * row.payload_bytes, row.interval_ms)).copied()
    }

    /// The row that says most about what its bytes cost.
    fn largest(&self, backend: BackendKind) -> Option<&Measured> {
        let rows = self.checkpointed().filter(|row| row.backend == backend);
        rows.max_by_key(|row| (row.keys * row.payload_bytes, row.interval_ms)).copied()
    }

    fn fit_access(&self, base: &Measured, profile: &mut EngineProfile) -> Result<(), LabError> {
        let bytes = (base.keys as f64 * profile.entry_bytes(base.payload_bytes)) as u64;
        let aim = base.records_per_second.0;
        let cores =
            profile.calibrated.as_ref().map_or(2_000, |fitted| fitted.cores_milli) as f64 / 1e3;
        let most = cores * 1e9 / aim;
        let is_it = |point: &&AccessPoint| point.state_bytes == bytes;
        let now = profile.state.access.iter().find(is_it).map_or(most / 2.0, |point| point.ns);
        self.solve(
            base,
            profile,
            (now, 0.0, most),
            aim,
            |profile, ns| {
                for point in
                    profile.state.access.iter_mut().filter(|point| point.state_bytes == bytes)
                {
                    point.ns = ns;
                }
            },
            |report| report.records_per_second,
        )
    }

    /// What a checkpoint costs whatever the state: the coordinator's part from its cores, the workers' from the
    /// throughput, what is left of its duration is latency. The same for all backends: it is the same engine.
    fn fit_fixed(&self, row: &Measured, profiles: &mut Profiles) -> Result<(), LabError> {
        let Some(mut profile) = profiles.get(&row.backend).cloned() else { return Ok(()) };
        self.fit_coordinator(row, &mut profile);
        let task = profile.task;
        self.solve(
            row,
            &mut profile,
            (1.0, 0.0, 50.0),
            row.records_per_second.0,
            |profile, scale| {
                profile.task.freeze_us = task.freeze_us.max(1.0) * scale;
                profile.task.persist_us = task.persist_us.max(1.0) * scale;
                profile.task.notify_us = task.notify_us * scale;
            },
            |report| report.records_per_second,
        )?;
        if let Some(duration) = row.duration_ms {
            let now = profile.coordinator.latency_us;
            self.solve(
                row,
                &mut profile,
                (now, 50_000.0, 0.0),
                duration,
                |profile, us| {
                    profile.coordinator.latency_us = us;
                },
                duration_of,
            )?;
        }
        for other in profiles.values_mut() {
            other.task = profile.task;
            other.coordinator = profile.coordinator;
        }
        Ok(())
    }

    /// How fast a stream is written: from the duration of the largest full checkpoint, which is one a subtask. The same for all backends.
    fn fit_disk(&self, profiles: &mut Profiles) -> Result<(), LabError> {
        let Some(row) = self.largest(BackendKind::Heap) else { return Ok(()) };
        let (Some(duration), Some(profile)) = (row.duration_ms, profiles.get_mut(&row.backend))
        else {
            return Ok(());
        };
        let now = profile.disk.stream_byte_ns;
        self.solve(
            row,
            profile,
            (now, 200.0, 0.0),
            duration,
            |profile, ns| profile.disk.stream_byte_ns = ns,
            duration_of,
        )?;
        let byte_ns = profile.disk.stream_byte_ns;
        profiles.values_mut().for_each(|profile| profile.disk.stream_byte_ns = byte_ns);
        Ok(())
    }

    fn fit_coordinator(&self, row: &Measured, profile: &mut EngineProfile) {
        let base =
            self.rows.iter().find(|base| base.interval_ms.is_none() && base.shares_base(row));
        let used = row.cores.zip(base.and_then(|base| base.cores)).zip(row.period_ms);
        let Some((((_, with), (_, without)), period_ms)) = used else { return };
        let aim_us = (with - without).max(0.0) * period_ms * 1e3;
        let subtasks =
            f64::from(self.setting.parallelism) * (f64::from(self.setting.exchanges) + 1.0);
        let sources = f64::from(self.setting.parallelism);
        let cost = &mut profile.coordinator;
        let has_us = cost.trigger_us
            + cost.complete_us
            + cost.cleanup_us
            + cost.message_us * (sources + subtasks)
            + cost.acknowledge_us * subtasks;
        let scale = aim_us / has_us.max(1.0);
        if (scale - 1.0).abs() < NEAR {
            return;
        }
        cost.trigger_us *= scale;
        cost.complete_us *= scale;
        cost.cleanup_us *= scale;
        cost.message_us *= scale;
        cost.acknowledge_us *= scale;
    }

    /// What bytes cost: all of it in proportion, so that one row is enough.
    fn fit_bytes(&self, row: &Measured, profile: &mut EngineProfile) -> Result<(), LabError> {
        let state = profile.state.clone();
        self.solve(
            row,
            profile,
            (1.0, 0.0, 20.0),
            row.records_per_second.0,
            |profile, scale| {
                profile.state.copy_byte_ns = state.copy_byte_ns * scale;
                let (log, before) = (&mut profile.state.log_structured, &state.log_structured);
                log.miss_ns = before.miss_ns * scale;
                log.flush_byte_ns = before.flush_byte_ns * scale;
                log.compact_byte_ns = before.compact_byte_ns * scale;
            },
            |report| report.records_per_second,
        )
    }

    /// Sets a parameter such that a figure of a simulated row is what was measured. With the parameter at `high` the
    /// figure is highest, at `low` lowest; it stays as it is, `now`, unless another value is nearer.
    ///
    /// A figure may jump, as where one more compaction falls into the time of the row: of all values that were tried
    /// the nearest is taken.
    fn solve(
        &self,
        row: &Measured,
        profile: &mut EngineProfile,
        (now, mut high, mut low): (f64, f64, f64),
        aim: f64,
        set: impl Fn(&mut EngineProfile, f64),
        figure: impl Fn(&Report) -> f64,
    ) -> Result<(), LabError> {
        let at = |profile: &mut EngineProfile, value: f64| -> Result<f64, LabError> {
            set(profile, value);
            Ok(figure(&simulate(row, profile, self.setting)?))
        };
        let off = |simulated: f64| (simulated / aim - 1.0).abs();
        let mut nearest = (now, off(at(profile, now)?));
        for _ in 0..HALVINGS {
            if nearest.1 < NEAR {
                break;
            }
            let value = f64::midpoint(high, low);
            let simulated = at(profile, value)?;
            if off(simulated) < nearest.1 {
                nearest = (value, off(simulated));
            }
            if simulated > aim { high = value } else { low = value }
        }
        set(profile, nearest.0);
        Ok(())
    }
}

/// What an access costs with so much state, if the profile that the fit begins with has it; otherwise a microsecond.
fn known(access: &[AccessPoint], state_bytes: u64) -> AccessPoint {
    let held = access.iter().find(|point| point.state_bytes == state_bytes);
    held.copied().unwrap_or(AccessPoint { state_bytes, ns: 1_000.0 })
}

/// How long a checkpoint takes; where none completes, longer than any.
fn duration_of(report: &Report) -> f64 {
    if report.completed > 0 { report.duration.p50 } else { f64::MAX }
}

/// How many entries a checkpoint of this row held: all, or those that were changed since the one before.
fn entries(row: &Measured) -> f64 {
    let keys = row.keys as f64;
    match row.backend {
        BackendKind::Heap => keys,
        BackendKind::Incremental => {
            let period_ms = row.period_ms.or(row.interval_ms.map(|ms| ms as f64)).unwrap_or(0.0);
            let draws = row.records_per_second.0 * period_ms / 1e3;
            super::backend::distinct(keys, draws)
        }
        BackendKind::Changelog => row.records_per_second.0 * row.period_ms.unwrap_or(0.0) / 1e3,
    }
    .max(1.0)
}
