//! Jobs: what users write, what the workloads give, and random jobs under random plans.

mod dataflow;
mod generated_jobs;
mod laboratory;
mod one_source;
mod one_task;
mod planted;
mod quoted;
mod rescaling;
mod sinks;
mod usual;
mod worker;
mod workload;
