//! The overhead laboratory: what checkpoints cost a job, in a model of what real engines pay.
//!
//! The protocol is the shipped one: each subtask is a [`SubtaskProtocol`](crate::protocol::SubtaskProtocol), and a
//! [`CheckpointCoordinator`](crate::protocol::CheckpointCoordinator) triggers and completes. Where a run of
//! [`world`](crate::world) carries records and judges them, the laboratory carries [batches](Batch), each of which
//! stands for many records, and *charges* for them: the cores of a machine are shared by all that runs on it,
//! state backends flush, copy and compact, stores take their time. Nothing is judged, and no record is kept.
//!
//! An [`Experiment`] says what is varied; each [`Settings`] that it leads to is one [`run`](run()); its
//! [`Report`] holds what was measured. All times are virtual: the same bytes on every machine.

mod autonomy;
pub mod backend;
pub mod calibration;
mod channel;
mod coordinator;
pub mod csv;
pub mod error;
pub mod experiment;
pub mod factor;
pub mod fitting;
mod limits;
pub mod measured;
mod meter;
pub mod outside;
mod processor;
pub mod profile;
mod reading;
pub mod report;
pub mod results;
mod run;
pub mod session;
pub mod settings;
mod store;
mod subtask;
pub mod units;
mod world;

pub use error::LabError;
pub use experiment::Experiment;
pub use factor::Factor;
pub use profile::{EngineProfile, StoreProfile};
pub use report::Report;
pub use run::{Batch, run, run_until, saturation};
pub use session::{Row, Session, Spread};
pub use settings::Settings;
