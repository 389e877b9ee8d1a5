//! What users write against: sources, operators, sinks, state, timers, and the typed job builder.

pub mod record;

pub use record::{Item, Outputs, Payload, Record};
