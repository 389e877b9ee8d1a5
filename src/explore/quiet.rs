//! Panics of what is run are outcomes: they are told once, with the run, and not as they happen.

use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

thread_local! {
    /// Whether this thread is at a run.
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic of a run of this thread was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps panics within runs from being printed, in this process from here on. All others are, as before.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_RUNNING.get() {
                return usual(panic);
            }
            let place = panic.location().map(ToString::to_string);
            PLACE.with_borrow_mut(|last| *last = place);
        }));
    });
}

/// Does something that is a run, or part of one.
pub fn within<R>(run: impl FnOnce() -> R) -> R {
    /// Also where `run` panics through.
    struct Before(bool);
    impl Drop for Before {
        fn drop(&mut self) {
            IS_RUNNING.set(self.0);
        }
    }
    let _before = Before(IS_RUNNING.replace(true));
    run()
}

/// Where the last panic of a run of this thread was, `file:line:column`; none where nobody [installed](install) this,
/// or it was asked for before.
#[must_use]
pub fn place() -> Option<String> {
    PLACE.with_borrow_mut(Option::take)
}
