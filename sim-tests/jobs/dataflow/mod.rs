//! What users write against, driven the way a worker drives it.

mod asking;
mod builder;
mod conformance;
mod defects;
mod harness;
mod lineage;
mod migration;
mod model;
mod operators;
mod own_sources;
mod partition;
mod pipeline;
mod processing_time;
mod source;
mod state;
mod timers;
mod versions;
mod windows;
