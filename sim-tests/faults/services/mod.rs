//! Every trouble of a service strikes, does what it says, and the system under test copes with it.
//!
//! Each test lays faults made by hand over what a built-in scenario draws, and runs many seeds: what the
//! trouble does is read from the trace, whether the system copes is what the oracles say.

mod harness;
mod inputs;
mod sinks;
mod stores;
