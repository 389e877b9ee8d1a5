//! Jobs that go on at another parallelism within a run, up and down, under all oracles.

mod bench;
mod checkpoints;
mod protocols;
mod refusals;
mod resumption;
mod shapes;
mod versions;
