//! Pictures of traces, for people.

pub mod text;
pub mod words;

pub use text::{Highlight, Options, diagram};
