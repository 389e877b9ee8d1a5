//! Watermarks: the minimum over channels, or over the splits of a source.

use std::sync::Arc;

use super::data::encode;
use super::placement::Placement;
use super::standing::Standing;
use crate::protocol::{Defect, DefectSet};

/// The watermark before any has been seen.
pub(crate) const WATERMARK_MIN: i64 = i64::MIN;

/// The watermark of an input that has ended: nothing follows.
pub(crate) const WATERMARK_MAX: i64 = i64::MAX;

/// Merges the watermarks of several inputs into their minimum, which never falls.
///
/// Inputs that lead back hold nothing back: what goes round for long may come late. Only the last watermark
/// waits for them, since it says that nothing follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WatermarkMerger {
    inputs: Vec<i64>,
    /// The inputs once more, counted; never where one leads back.
    standing: Standing,
    /// By input, whether it leads back; empty where none does.
    back: Arc<[bool]>,
    /// The minimum over `inputs`.
    current: i64,
    defects: DefectSet,
}

impl WatermarkMerger {
    /// A merger of `inputs` inputs that have said nothing yet.
    pub(crate) fn new(inputs: usize, defects: DefectSet) -> Self {
        let (inputs, back) = (vec![WATERMARK_MIN; inputs], Arc::default());
        let standing = Standing::of(&inputs);
        Self { inputs, standing, back, current: WATERMARK_MIN, defects }
    }

    /// A merger of the input channels of a subtask.
    pub(crate) fn of(placement: &Placement, defects: DefectSet) -> Self {
        let back = Arc::clone(&placement.back_inputs);
        let mut inputs = vec![WATERMARK_MIN; placement.ports.len()];
        if defects.has(Defect::FirstStreamsWatermark) {
            let others =
                inputs.iter_mut().zip(placement.ports.iter()).filter(|(_, port)| **port > 0);
            others.for_each(|(input, _)| *input = WATERMARK_MAX);
        }
        let standing = Standing::of(&inputs);
        Self { back, inputs, standing, ..Self::new(0, defects) }
    }

    /// The input has ended: nothing follows, so that it holds nothing back. Gives the minimum if that rises.
    pub(crate) fn end(&mut self, input: usize) -> Option<i64> {
        if self.defects.has(Defect::EndedInputHoldsWatermark) {
            return None;
        }
        self.advance(input, WATERMARK_MAX)
    }

    /// Takes the watermark of one input; gives the minimum if that rises.
    ///
    /// An input's watermark never falls: one at or below the last is ignored.
    pub(crate) fn advance(&mut self, input: usize, watermark: i64) -> Option<i64> {
        let known = self.inputs[input];
        if watermark <= known {
            return None;
        }
        self.inputs[input] = watermark;
        self.standing.advance(known, watermark);
        if known > self.current && self.back.is_empty() {
            return None;
        }
        self.raise()
    }

    /// An input more, at this place, which has said nothing yet. One that holds the minimum down is kept until
    /// there can be no more: else the minimum would fall.
    pub(crate) fn insert(&mut self, input: usize) {
        debug_assert_eq!(self.current, WATERMARK_MIN, "the watermark never falls");
        self.inputs.insert(input, WATERMARK_MIN);
        self.standing = Standing::of(&self.inputs);
    }

    /// The input at this place, which has ended, is one no more.
    pub(crate) fn remove(&mut self, input: usize) {
        self.inputs.remove(input);
        self.standing = Standing::of(&self.inputs);
    }

    /// The minimum over all inputs.
    pub(crate) fn current(&self) -> i64 {
        self.current
    }

    /// The watermark of each input.
    pub(crate) fn inputs(&self) -> &[i64] {
        &self.inputs
    }

    /// Takes over what a snapshot holds; its number of inputs must be the same.
    pub(crate) fn restore(&mut self, inputs: &[i64], current: i64) {
        if self.defects.has(Defect::WatermarkNotRestored) {
            return;
        }
        self.inputs.copy_from_slice(inputs);
        self.standing = Standing::of(inputs);
        self.current = current;
        if self.defects.has(Defect::WatermarkRestoredAsMaximum) {
            self.current = inputs.iter().copied().max().unwrap_or(current);
        }
        if self.defects.has(Defect::WatermarkComparedAsBytes) {
            self.current = inputs.iter().copied().min_by_key(encode).unwrap_or(current);
        }
    }

    fn raise(&mut self) -> Option<i64> {
        let leads_back = |input: usize| self.back.get(input).copied().unwrap_or(false);
        let heard = |watermark: &i64| {
            *watermark != WATERMARK_MIN || !self.defects.has(Defect::SilentInputIgnored)
        };
        let inputs = || self.inputs.iter().copied().enumerate();
        let regular = || inputs().filter(|(input, _)| !leads_back(*input)).map(|(_, mark)| mark);
        let counted = self.standing.watermarks().filter(|_| self.back.is_empty());
        let lowest = match counted {
            Some(mut watermarks) => watermarks.find(heard),
            None => regular().filter(heard).min(),
        };
        let mut lowest = lowest.unwrap_or(WATERMARK_MAX);
        if lowest == WATERMARK_MAX && !self.back.is_empty() {
            lowest = self.inputs.iter().copied().min().unwrap_or(WATERMARK_MAX);
        }
        if lowest <= self.current {
            return None;
        }
        self.current = lowest;
        Some(lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_back_holds_back_the_last_watermark_only() {
        let back = Arc::from([false, true, false]);
        let mut merger = WatermarkMerger { back, ..WatermarkMerger::new(3, DefectSet::NONE) };
        assert_eq!(merger.advance(0, 10), None);
        assert_eq!(merger.advance(2, 7), Some(7));
        assert_eq!(merger.advance(0, WATERMARK_MAX), None);
        assert_eq!(merger.advance(2, 20), Some(20));
        assert_eq!(merger.advance(2, WATERMARK_MAX), None, "the loop may hold records");
        assert_eq!(merger.advance(1, WATERMARK_MAX), Some(WATERMARK_MAX));
    }

    #[test]
    fn many_inputs_that_are_counted_give_what_few_that_are_looked_at_do() {
        let mut many = WatermarkMerger::new(100, DefectSet::NONE);
        let mut looked_at = many.clone();
        for step in 0..2_000_i64 {
            let (input, watermark) = ((step * 37 % 100) as usize, step * 7_919 % 1_009);
            looked_at.standing = Standing::of(&[]);
            assert_eq!(many.advance(input, watermark), looked_at.advance(input, watermark));
        }
        assert!(many.current() > 0, "it rose");
    }

    #[test]
    fn the_minimum_over_inputs_rises_only_when_the_slowest_does() {
        let mut merger = WatermarkMerger::new(2, DefectSet::NONE);
        assert_eq!(merger.advance(0, 10), None);
        assert_eq!(merger.advance(1, 5), Some(5));
        assert_eq!(merger.advance(1, 20), Some(10));
        assert_eq!(merger.advance(1, 15), None, "an input's watermark never falls");
        assert_eq!(merger.advance(0, WATERMARK_MAX), Some(20), "an ended input holds nothing back");
        assert_eq!(merger.advance(1, WATERMARK_MAX), Some(WATERMARK_MAX));
        assert_eq!(merger.current(), WATERMARK_MAX);
    }
}
