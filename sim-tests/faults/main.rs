//! Each fault, each service in trouble, each scenario, and each protocol under each class of faults.

mod every_cell;
mod injected;
#[path = "../matrix/mod.rs"]
mod matrix;
mod scenarios;
mod services;
