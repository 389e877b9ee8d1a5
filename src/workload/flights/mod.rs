//! f
use serde::{Deserialize, Serialize};
mod arrival;
mod reference;
mod table;

/// How late the flights of one airport and hour left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct HourlyDelay {
    /// Where they left.
    pub(super) airport: String,
    /// When the hour begins, in milliseconds since 1970.
    pub(super) hour: i64,
    /// How many there were.
    pub(super) flights: u64,
    /// Their delays together.
    pub(super) delay_minutes: i64,
    /// Their mean delay in thousandths of a minute, rounded down: no float, so no order of summing.
    pub(super) mean_thousandths: i64,
}
