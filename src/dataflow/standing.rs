//! How many inputs stand at each watermark, so that the lowest is known without a look at all of them.

use std::collections::BTreeMap;

/// Inputs by watermark. Kept only where there are many: a few are looked at faster than counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    numbers: Option<BTreeMap<i64, usize>>,
}

/// So many inputs are looked at.
const FEW: usize = 32;

impl Standing {
    /// Of inputs that stand at these watermarks, and lead nowhere back.
    pub(super) fn of(inputs: &[i64]) -> Self {
        if inputs.len() <= FEW {
            return Self { numbers: None };
        }
        let mut numbers = BTreeMap::new();
        for watermark in inputs {
            *numbers.entry(*watermark).or_default() += 1;
        }
        Self { numbers: Some(numbers) }
    }

    /// An input went on from one watermark to another.
    pub(super) fn advance(&mut self, from: i64, to: i64) {
        let Some(numbers) = &mut self.numbers else { return };
        if let Some(number) = numbers.get_mut(&from) {
            *number -= 1;
            if *number == 0 {
                numbers.remove(&from);
            }
        }
        *numbers.entry(to).or_default() += 1;
    }

    /// The watermarks at which inputs stand, ascending; none where they are not counted.
    pub(super) fn watermarks(&self) -> Option<impl Iterator<Item = i64>> {
        self.numbers.as_ref().map(|numbers| numbers.keys().copied())
    }
}
