//! Each fault does what its doc comment says, and the job ends with all oracles held.

mod bench;
mod mixed;
mod network;
mod processes;
