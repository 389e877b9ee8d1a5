//! The command line, as a shell sees it: what it prints, what it writes, how it ends.

mod bad_input;
mod bounds;
mod browser;
mod check;
mod gallery;
mod harness;
mod interrupt;
mod isolation;
mod limits_of_sweeps;
mod measuring;
mod names;
mod own;
mod reach;
mod registering;
mod replaying;
mod resuming;
mod running;
mod sharding;
mod snapshot;
mod starting;
mod sweeping;
mod viewing;
