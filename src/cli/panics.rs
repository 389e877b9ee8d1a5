//! Panics of user code are outcomes of runs; only the first of many are shown as they happen.

use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};

use super::console::Console;

/// How many are shown.
const SHOWN_MAX: u64 = 5;

/// Shows the first panics only.
pub fn show_few() {
    let show = panic::take_hook();
    let seen = AtomicU64::new(0);
    panic::set_hook(Box::new(move |panic| match seen.fetch_add(1, Ordering::Relaxed) {
        SHOWN_MAX => {
            Console::pass_on("further panics are counted, and not shown");
        }
        seen if seen < SHOWN_MAX => show(panic),
        _ => {}
    }));
}
