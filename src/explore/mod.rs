//! Running many plans: experiments, judged runs, sweeps, defects, determinism, overhead.

pub mod check;
pub mod defects;
pub mod determinism;
pub mod environment;
pub mod estimate;
pub mod experiments;
pub mod explain;
pub mod footage;
pub mod localise;
pub mod loss;
pub mod overhead;
pub mod reach;
pub mod record;
pub mod regression;
pub mod regression_test;
pub mod report;
pub mod run;
pub mod shrink;
pub mod signature;
pub mod statistics;
pub mod strategy;
pub mod sweep;
pub mod viewing;

pub use check::Check;
pub use experiments::{Experiments, Prepared};
pub use reach::Reach;
pub use record::Record;
pub use run::{Outcome, WorldKind, run_plan};
pub use signature::Signature;
pub use statistics::Statistics;
pub use strategy::{Strategy, StrategyName, strategy};
pub use sweep::{Sweep, SweepReport};
