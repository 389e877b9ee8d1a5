//! Jobs worth running, each with its input and with what it must give.

mod draw;
mod error;
mod flights;
mod nexmark;
mod word_count;

pub use error::{InputError, UnknownWorkload, WorkloadError};
