//! Systems of processes joined by channels in any way, and their snapshots after Chandy and Lamport (1985).
//!
//! A [`System`] and a [`Script`](script::Script), from files or drawn, are carried through by a small
//! [`kernel`]; what happens is a trace of [`event`]s, and [`oracle`]s judge that. [`run`](run::run) does all of
//! it for one seed. None of this knows streams, operators or checkpoints: it is the older half of the
//! story, on a stage of its own.

pub mod codec;
pub mod event;
pub mod file;
pub mod global_state;
pub mod graph;
pub mod kernel;
pub mod message;
pub mod oracle;
pub mod run;
pub mod script;
pub mod system;
pub mod workload;

pub use global_state::GlobalState;
pub use graph::{ProcessGraph, ProcessIndex};
pub use kernel::{Kernel, Settings};
pub use message::Message;
pub use system::System;
pub use workload::{LocalState, Workload};
