//! The madsim world: the driver's source under a simulated runtime and simulated TCP.
//!
//! It exists only under `--cfg madsim`, a flag for the whole graph of crates. Nothing else needs the flag, so
//! a plain build does without it and without madsim's crates; [`with_the_flag`] builds and runs this program
//! once more with it, and so `cargo test` runs both worlds.

#[cfg(all(madsim, feature = "cli"))]
mod command_line;
#[cfg(madsim)]
mod every_cell;
#[cfg(madsim)]
#[path = "../matrix/mod.rs"]
mod matrix;
#[cfg(madsim)]
mod same_plans;
#[cfg(not(madsim))]
mod with_the_flag;
