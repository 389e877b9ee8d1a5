//! Whether a run lies in what its profile was fitted to.

use super::factor::Factor;
use super::profile::Calibrated;
use super::settings::{Settings, Shape};

/// The factors by which a run is outside of what its profile was fitted to, in the order of factors: none where it lies
/// within, and the profile itself where that was fitted to nothing.
///
/// A fit is of a closed loop or whatever was measured, on one machine, of a chain without a hot subtask or a slow sink;
/// states and intervals between the least and the most of its rows are within, and a twentieth beyond.
#[must_use]
pub fn outside(settings: &Settings) -> Vec<Factor> {
    let Some(fitted) = &settings.engine.calibrated else { return vec![Factor::Profile] };
    let job = &settings.job;
    let facts = [
        (Factor::Interval, is_within_intervals(settings, fitted)),
        (Factor::State, {
            let (least, most) = (fitted.state_bytes_min, fitted.state_bytes_max);
            is_within(settings.state_bytes(), least, most)
        }),
        (Factor::RecordBytes, job.record_bytes == fitted.record_bytes),
        (Factor::Skew, job.skew_permille == 0),
        (Factor::Sink, job.sink_ns == 0),
        (Factor::Shape, job.shape == Shape::Chain),
        (Factor::Parallelism, job.parallelism == fitted.parallelism),
        (Factor::Exchanges, job.exchanges == fitted.exchanges),
        (Factor::Workers, settings.cluster.workers == 1),
        (Factor::Cores, settings.cluster.cores_milli == fitted.cores_milli),
    ];
    facts.into_iter().filter(|(_, is_within)| !is_within).map(|(factor, _)| factor).collect()
}

/// Without checkpoints there is no interval that could lie outside.
fn is_within_intervals(settings: &Settings, fitted: &Calibrated) -> bool {
    let interval_ms = settings.interval_ms();
    interval_ms == 0
        || is_within(interval_ms as f64, fitted.interval_ms_min, fitted.interval_ms_max)
}

fn is_within(value: f64, least: u64, most: u64) -> bool {
    (0.95 * least as f64..=1.05 * most as f64).contains(&value)
}

#[cfg(test)]
mod tests {
    use super::super::factor::{Library, Values};
    use super::*;

    fn of(values: &[(Factor, &str)]) -> Vec<Factor> {
        let with = |all: Values, (factor, value): &(Factor, &str)| all.with(*factor, *value);
        let values = values.iter().fold(Values::default(), with);
        outside(&values.settings(&Library::default()).expect("settings"))
    }

    #[test]
    fn a_run_beyond_what_was_fitted_says_by_what() {
        let fitted = (Factor::RecordBytes, "21B");
        assert_eq!(of(&[fitted]), []);
        assert_eq!(of(&[fitted, (Factor::Interval, "none")]), []);
        assert_eq!(of(&[fitted, (Factor::Interval, "10s")]), [Factor::Interval]);
        assert_eq!(of(&[fitted, (Factor::State, "1GB")]), [Factor::State]);
        let wide = [(Factor::Parallelism, "8"), (Factor::Workers, "4"), (Factor::Cores, "1")];
        let said = [Factor::RecordBytes, Factor::Parallelism, Factor::Workers, Factor::Cores];
        assert_eq!(of(&wide), said);
    }

    #[test]
    fn what_was_fitted_to_nothing_is_outside_by_its_profile() {
        assert_eq!(of(&[(Factor::Profile, "in-memory")]), [Factor::Profile]);
    }
}
