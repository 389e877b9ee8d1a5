//! A function that makes an experiment is a user's, and may panic: that is an error like any other.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Experiment, WorkloadError};

/// What `make` gives, as an error of `workload` where it panics. Nothing of it is used afterwards but what it returns.
pub(super) fn caught(
    workload: &str,
    make: impl FnOnce() -> Result<Experiment, WorkloadError>,
) -> Result<Experiment, WorkloadError> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|panic| {
        let (workload, message) = (workload.to_owned(), panic_message(panic.as_ref()));
        Err(WorkloadError::Panicked { workload, message, place: None })
    })
}

/// The words of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without words".to_owned())
}
