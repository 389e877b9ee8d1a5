//! What each process must have processed in the end: every record once, followed through the job without channels,
//! clocks and checkpoints.

use super::settings::Settings;
use crate::protocol::{Fingerprint, LineageId, SplitId};

/// How many records a source reads in all.
#[must_use]
pub fn input(settings: &Settings) -> u64 {
    settings.rate.saturating_mul(settings.input_ms) / 1_000
}

/// By process, what it must have processed.
#[must_use]
pub fn states(settings: &Settings) -> Vec<Fingerprint> {
    let shape = &settings.shape;
    let mut states = vec![Fingerprint::default(); shape.processes()];
    for source in 0..shape.sources() {
        let split = SplitId(u16::try_from(source).unwrap_or(u16::MAX));
        for position in 0..input(settings) {
            let mut at = Some((source, LineageId::of_entry(split, position)));
            while let Some((process, content)) = at {
                states[process].add(content.0);
                at = shape.next(process, content);
            }
        }
    }
    states
}
