//! The madsim world: the same processes as in the [kernel](super::kernel), driven by async tasks over
//! simulated TCP.
//!
//! It is the second, independent world. It finds what the kernel cannot: mistakes of a real driver, in
//! framing, reconnecting, sending again, dropping duplicates and being cancelled in the middle.
//! One and the same plan has the same verdict and the same committed output in both; what differs is
//! when things happen.
//!
//! Three layers:
//! - `driver` runs one process over connections to the others; it is written on tokio alone;
//! - `run` is what the processes of a run share: the trace, the faults, the ending; it is a plain value;
//! - `machine_host` and `machine_control` are all that is madsim's: machines, their crashes and pauses, the network, the
//!   clock.

mod clocks;
mod driver;
mod machine_control;
mod machine_host;
mod run;

pub use machine_host::run;
