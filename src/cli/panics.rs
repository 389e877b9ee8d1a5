//! Panics of user code are outcomes of runs; only the first of many are shown as they happen.

use std::io::Write as _;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many are shown.
const SHOWN_MAX: u64 = 5;

/// Shows the first panics only.
pub fn show_few() {
    let show = panic::take_hook();
    let seen = AtomicU64::new(0);
    panic::set_hook(Box::new(move |panic| match seen.fetch_add(1, Ordering::Relaxed) {
        SHOWN_MAX => {
            let _ = writeln!(std::io::stderr(), "further panics are counted, and not shown");
        }
        seen if seen < SHOWN_MAX => show(panic),
        _ => {}
    }));
}
