//! Numbers, lowered and rounded.

/// Values below `value` and not below `least` that are worth a try: the least one, then ever closer
/// ones, round ones first.
pub fn lower(value: u64, least: u64) -> Vec<u64> {
    if value <= least {
        return Vec::new();
    }
    let between = |quarters: u64| {
        let part = u128::from(value - least) * u128::from(quarters) / 4;
        least + u64::try_from(part).unwrap_or(u64::MAX)
    };
    let mut values = vec![least];
    for near in [rounded(between(1)), rounded(between(2)), rounded(between(3)), rounded(value)] {
        values.push(near.max(least));
    }
    values.push(rounded_to(value, 2).max(least));
    values.push(value - 1);
    values.retain(|near| *near < value);
    let mut seen = Vec::new();
    values.retain(|near| {
        let is_new = !seen.contains(near);
        seen.push(*near);
        is_new
    });
    values
}

/// The same for numbers of which each one more or less matters little: the last step is a round one.
pub fn lower_roughly(value: u64, least: u64) -> Vec<u64> {
    let mut values = lower(value, least);
    if value > ROUGH_MIN.saturating_add(least) {
        values.retain(|near| *near != value - 1);
    }
    values
}

/// From here on one more or less matters little.
const ROUGH_MIN: u64 = 10;

/// Rounded down to one digit that counts.
fn rounded(value: u64) -> u64 {
    rounded_to(value, 1)
}

/// Rounded down to so many digits that count.
fn rounded_to(value: u64, digits: u32) -> u64 {
    let length = value.checked_ilog10().map_or(1, |log| log + 1);
    let unit = 10_u64.pow(length.saturating_sub(digits));
    value / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_values_are_lower_round_and_not_below_the_least() {
        assert_eq!(lower(1_234, 0), [0, 300, 600, 900, 1_000, 1_200, 1_233]);
        assert_eq!(lower(7, 1), [1, 2, 4, 5, 6]);
        assert_eq!(lower(3, 3), [0_u64; 0]);
        assert_eq!(lower(2, 1), [1]);
        assert_eq!(lower_roughly(40, 0), [0, 10, 20, 30]);
        assert_eq!(lower(u64::MAX, u64::MAX - 1), [u64::MAX - 1]);
    }
}
