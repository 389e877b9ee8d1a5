//! How far a profile is to be trusted: what was measured beside what it predicts.

use std::collections::BTreeMap;

use super::error::LabError;
use super::factor::{Factor, Library, Values};
use super::measured::{Measured, Use};
use super::outside::outside;
use super::profile::{BackendKind, EngineProfile};
use super::report::Report;
use super::run::run;
use super::settings::Settings;

/// A profile for each backend that was measured.
pub type Profiles = BTreeMap<BackendKind, EngineProfile>;

/// The job that was measured, and the machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Subtasks an operator.
    pub parallelism: u16,
    /// Shuffles.
    pub exchanges: u16,
    /// Bytes of a record on the wire.
    pub record_bytes: u32,
    /// Thousandths of a core that engine and coordinator get together; none: what the table says they used.
    pub cores_milli: Option<u64>,
    /// The store's profile.
    pub store: String,
    /// What is measured of each simulated run, in milliseconds.
    pub measure_ms: u64,
}

impl Default for Setting {
    /// That of the measurements that come with the crate.
    fn default() -> Self {
        Self {
            parallelism: 2,
            exchanges: 1,
            record_bytes: 21,
            cores_milli: None,
            store: "local-ssd".to_owned(),
            measure_ms: 4_000,
        }
    }
}

/// A measured row, and what was predicted for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// What was measured.
    pub row: Measured,
    /// Records a second, by those of the base.
    pub measured_ratio: f64,
    /// How far the base's own runs lie from their median: the least and the most, as ratios.
    pub base_spread: (f64, f64),
    /// Records a second that the profile predicts, by those that it predicts for the base.
    pub predicted_ratio: f64,
    /// What was simulated.
    pub report: Report,
    /// By which factors it lies [outside](outside()) of what the profile was fitted to.
    pub outside: Vec<Factor>,
}

impl Prediction {
    /// Predicted less measured, in points of the ratio.
    #[must_use]
    pub fn error_points(&self) -> f64 {
        (self.predicted_ratio - self.measured_ratio) * 100.0
    }
}

/// How good predictions are, over some rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accuracy {
    /// How many rows.
    pub rows: usize,
    /// The mean of the absolute errors, in points of the ratio.
    pub mean_absolute_points: f64,
    /// Spearman's: whether cheaper configurations are predicted to be cheaper.
    pub rank_correlation: f64,
}

/// Predicts every row that is not a base.
///
/// # Errors
///
/// When a row leads to no settings, or there is no profile for its backend.
pub fn predict(
    rows: &[Measured],
    profiles: &Profiles,
    setting: &Setting,
) -> Result<Vec<Prediction>, LabError> {
    let mut bases: BTreeMap<(BackendKind, u64, u64), f64> = BTreeMap::new();
    let mut predictions = Vec::new();
    for row in rows.iter().filter(|row| row.interval_ms.is_some()) {
        let Some(profile) = profiles.get(&row.backend) else {
            return Err(LabError::Factor(format!("no profile for the backend {}", row.backend)));
        };
        let Some(base) =
            rows.iter().find(|base| base.interval_ms.is_none() && base.shares_base(row))
        else {
            return Err(LabError::Factor(format!("line {}: no base row", row.line)));
        };
        let key = (row.backend, row.keys, row.payload_bytes);
        let simulated_base = match bases.get(&key) {
            Some(base) => *base,
            None => {
                *bases.entry(key).or_insert(simulate(base, profile, setting)?.records_per_second)
            }
        };
        let report = simulate(row, profile, setting)?;
        let (median, least, most) = base.records_per_second;
        predictions.push(Prediction {
            row: row.clone(),
            measured_ratio: row.records_per_second.0 / median,
            base_spread: (least / median, most / median),
            predicted_ratio: report.records_per_second / simulated_base.max(1e-9),
            report,
            outside: outside(&settings(row, profile, setting)?),
        });
    }
    Ok(predictions)
}

/// How good predictions are over the rows of this use.
#[must_use]
pub fn accuracy(predictions: &[Prediction], of: Use) -> Accuracy {
    let chosen: Vec<&Prediction> = predictions.iter().filter(|one| one.row.use_for == of).collect();
    let errors: f64 = chosen.iter().map(|one| one.error_points().abs()).sum();
    let measured: Vec<f64> = chosen.iter().map(|one| one.measured_ratio).collect();
    let predicted: Vec<f64> = chosen.iter().map(|one| one.predicted_ratio).collect();
    Accuracy {
        rows: chosen.len(),
        mean_absolute_points: errors / chosen.len().max(1) as f64,
        rank_correlation: rank_correlation(&measured, &predicted),
    }
}

/// Runs what was measured.
pub(super) fn simulate(
    row: &Measured,
    profile: &EngineProfile,
    setting: &Setting,
) -> Result<Report, LabError> {
    Ok(run(&settings(row, profile, setting)?))
}

/// What was measured, as settings.
fn settings(
    row: &Measured,
    profile: &EngineProfile,
    setting: &Setting,
) -> Result<Settings, LabError> {
    let name = "fitted";
    let mut library = Library::default();
    library.engines.insert(name.to_owned(), profile.clone());
    let values = Values::default()
        .with(Factor::Profile, name)
        .with(Factor::Store, setting.store.clone())
        .with(Factor::Keys, row.keys.to_string())
        .with(Factor::Payload, format!("{}B", row.payload_bytes))
        .with(Factor::RecordBytes, format!("{}B", setting.record_bytes))
        .with(Factor::Parallelism, setting.parallelism.to_string())
        .with(Factor::Exchanges, setting.exchanges.to_string())
        .with(Factor::Protocol, row.protocol.to_string())
        .with(Factor::Interval, row.interval_ms.map_or("none".to_owned(), |ms| format!("{ms}ms")))
        .with(Factor::WarmUp, "2s")
        .with(Factor::Measure, format!("{}ms", setting.measure_ms));
    let values = match setting.cores_milli {
        Some(cores) => values.with(Factor::Cores, (cores as f64 / 1e3).to_string()),
        None => values,
    };
    let at = |error: LabError| LabError::Factor(format!("line {}: {error}", row.line));
    values.settings(&library).map_err(at)
}

/// Spearman's rank correlation; ties share the mean of their ranks. 0 where there is nothing to rank.
#[must_use]
pub fn rank_correlation(one: &[f64], other: &[f64]) -> f64 {
    let (one, other) = (ranks(one), ranks(other));
    let mean = (one.len() as f64 + 1.0) / 2.0;
    let product = |left: &[f64], right: &[f64]| -> f64 {
        left.iter().zip(right).map(|(left, right)| (left - mean) * (right - mean)).sum()
    };
    let scale = (product(&one, &one) * product(&other, &other)).sqrt();
    if scale > 0.0 { product(&one, &other) / scale } else { 0.0 }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count() as f64;
        let same = values.iter().filter(|other| *other == value).count() as f64;
        below + (same + 1.0) / 2.0
    };
    values.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_correlated() {
        assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0]), 1.0);
        assert_eq!(rank_correlation(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]), -1.0);
        assert_eq!(rank_correlation(&[1.0, 1.0], &[3.0, 2.0]), 0.0);
        let tied = rank_correlation(&[1.0, 2.0, 2.0, 4.0], &[1.0, 2.0, 3.0, 4.0]);
        assert!((tied - 0.948_683).abs() < 1e-6, "{tied}");
    }
}
