//! What profiles were fitted to, and that a prediction lies outside of it.

use crate::lab::profile::Calibrated;
use crate::lab::{EngineProfile, Factor, Session};

use super::telling::{bytes, ms};

/// A line for each profile of an experiment: what it was fitted to, or that it was fitted to nothing.
pub fn lines(session: &Session) -> Vec<String> {
    session.engines().iter().map(line).collect()
}

fn line(profile: &EngineProfile) -> String {
    match &profile.calibrated {
        Some(fitted) => format!(
            "{} was fitted to {}; a row beyond that says by what",
            profile.name,
            range(fitted)
        ),
        None => format!("{} is not calibrated (its figures: {})", profile.name, profile.source),
    }
}

fn range(fitted: &Calibrated) -> String {
    let between = |least: String, most: String| {
        if least == most { least } else { format!("{least} to {most}") }
    };
    let state = between(bytes(fitted.state_bytes_min as f64), bytes(fitted.state_bytes_max as f64));
    let interval = between(ms(fitted.interval_ms_min as f64), ms(fitted.interval_ms_max as f64));
    format!(
        "state {state}, interval {interval}, parallelism {}, exchanges {}, records of {} B, {:.2} cores of one worker",
        fitted.parallelism,
        fitted.exchanges,
        fitted.record_bytes,
        fitted.cores_milli as f64 / 1e3
    )
}

/// By what a prediction lies outside, if it does.
pub fn note(outside: &[Factor]) -> Option<String> {
    if outside.is_empty() {
        return None;
    }
    if outside == [Factor::Profile] {
        return Some("not calibrated".to_owned());
    }
    let names: Vec<&str> = outside.iter().map(|factor| (*factor).into()).collect();
    Some(format!("outside of what was fitted by {}", names.join(", ")))
}
