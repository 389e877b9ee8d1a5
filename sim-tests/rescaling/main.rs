//! Jobs that go on at another parallelism within a run, up and down, under all oracles.

mod bench;
mod refusals;
mod resumption;
mod shapes;
