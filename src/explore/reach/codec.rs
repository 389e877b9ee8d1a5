//! The compact form of a reach: numbers, and a hash of what they stand for.

#![deny(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::IntoEnumIterator as _;
use xxhash_rust::xxh3::xxh3_64;

use super::cell::Cell;
use super::counts::Reach;
use super::lives::Step;
use super::phase::Phase;
use crate::plan::draw::repertoire::Need;
use crate::plan::{FaultClass, Situation};
use crate::protocol::ordered::VecMap;
use crate::trace::Point;

/// Everything as numbers; enums by their place, counts up to the last that is not 0.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Compact {
    layout: u64,
    runs: u64,
    needs_met: Vec<u64>,
    points: Vec<u64>,
    cells: Vec<(u8, u8, u8, u64)>,
    situations: Vec<u64>,
    pairs: Vec<u64>,
}

impl Serialize for Reach {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cell = |(cell, count): (&Cell, &u64)| {
            (cell.point as u8, cell.class as u8, cell.phase as u8, *count)
        };
        let compact = Compact {
            layout: layout(),
            runs: self.runs,
            needs_met: trimmed(&self.needs_met),
            points: trimmed(&self.points),
            cells: self.cells.iter().map(cell).collect(),
            situations: trimmed(&self.situations),
            pairs: trimmed(&self.pairs),
        };
        compact.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Reach {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let compact = Compact::deserialize(deserializer)?;
        if compact.layout != layout() {
            return Err(D::Error::custom(format_args!(
                "a reach of another build, with other points or fault classes: layout {}, here {}",
                compact.layout,
                layout()
            )));
        }
        Ok(Self {
            runs: compact.runs,
            needs_met: filled(&compact.needs_met)
                .ok_or_else(|| D::Error::custom("more needs than there are"))?,
            points: filled(&compact.points)
                .ok_or_else(|| D::Error::custom("more points than there are"))?,
            cells: cells(&compact.cells)
                .ok_or_else(|| D::Error::custom("a cell that does not exist"))?,
            situations: filled(&compact.situations)
                .ok_or_else(|| D::Error::custom("more situations than there are"))?,
            pairs: filled(&compact.pairs)
                .ok_or_else(|| D::Error::custom("more pairs than there are"))?,
        })
    }
}

/// The hash of all names in their order.
fn layout() -> u64 {
    let points = Point::iter().map(<&str>::from);
    let classes = FaultClass::iter().map(<&str>::from);
    let phases = Phase::iter().map(<&str>::from);
    let situations = Situation::iter().map(<&str>::from);
    let needs = Need::iter().map(<&str>::from);
    let steps = Step::iter().map(<&str>::from);
    let names: Vec<&str> =
        points.chain(classes).chain(phases).chain(situations).chain(needs).chain(steps).collect();
    xxh3_64(names.join(" ").as_bytes()) & u64::from(u32::MAX)
}

fn trimmed(counts: &[u64]) -> Vec<u64> {
    let end = counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1);
    counts[..end].to_vec()
}

fn filled<const N: usize>(counts: &[u64]) -> Option<[u64; N]> {
    let mut all = [0; N];
    all.get_mut(..counts.len())?.copy_from_slice(counts);
    Some(all)
}

fn cells(compact: &[(u8, u8, u8, u64)]) -> Option<VecMap<Cell, u64>> {
    let mut cells = VecMap::new();
    for (point, class, phase, count) in compact {
        let point = Point::iter().nth(usize::from(*point))?;
        let class = FaultClass::iter().nth(usize::from(*class))?;
        let phase = Phase::iter().nth(usize::from(*phase))?;
        cells.insert(Cell { point, class, phase }, *count);
    }
    Some(cells)
}
