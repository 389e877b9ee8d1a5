//! Asynchronous barrier snapshots as plain values: no clock, no randomness, no I/O, no threads.
//!
//! Each concept has one file. Every state machine follows one grammar: `handle_<event>` in,
//! `poll_output` until it is empty, getters bare.
//!
//! The crate needs an allocator and nothing else: that it has no clock and no thread is held by the compiler.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod abort;
pub mod acknowledgement;
pub mod barrier;
#[doc(hidden)]
pub mod by_name;
pub mod chandy_lamport;
pub mod completed;
pub mod completed_store;
pub mod coordinator;
pub mod coordinator_output;
pub mod defect;
pub mod defect_set;
pub mod early_aborts;
pub mod enumerator;
pub mod error;
pub mod gate;
pub mod ids;
pub mod independent;
pub mod key_group;
pub mod lineage;
pub mod loops;
pub mod ordered;
pub mod pending;
pub mod protocols;
pub mod redistribute;
pub mod rescale;
pub mod restore;
pub mod savepoint;
pub mod schedule;
pub mod settings;
mod small_defect_set;
pub mod step;
pub mod subtask;
pub mod time;
pub mod topology;
pub mod two_phase_commit;

pub use abort::{AbortReason, DeclineReason};
pub use acknowledgement::Acknowledgement;
pub use barrier::{Barrier, Passage};
pub use completed::{CompletedCheckpoint, SnapshotHandle};
pub use coordinator::CheckpointCoordinator;
pub use coordinator_output::{Addition, CoordinatorOutput, CoordinatorTimer};
pub use defect::{Defect, DefectSet};
pub use enumerator::{EnumeratorOutput, EnumeratorState, Listing, SplitEnumerator, SplitEvent};
pub use error::ProtocolError;
pub use gate::{Element, GateOutput, InputGate};
pub use ids::{
    Attempt, ChannelId, CheckpointId, Incarnation, MessageId, ObjectKey, OperatorId, ProcessId,
    SnapshotId, SplitId, SubtaskId, Term, TransactionId,
};
pub use key_group::KeyGroup;
pub use lineage::{Digest, Fingerprint, LineageId};
pub use loops::Loops;
pub use protocols::{AtCut, BarrierTravel, Guarantee, Protocol, Traits};
pub use redistribute::{EdgeKind, EdgeWidth, ResizedEdge};
pub use rescale::{RescaleRequest, Resumption, Revision, ShapeHistory};
pub use restore::{RestorePlan, SnapshotRange, Succession};
pub use savepoint::{CheckpointKind, RequestNumber, SavepointMode, SavepointRequest};
pub use settings::CheckpointSettings;
pub use step::ProtocolStep;
pub use subtask::{Captured, LoopPlace, SubtaskOutput, SubtaskProtocol};
pub use time::VirtualTime;
pub use topology::{ChannelShape, OperatorRole, OperatorShape, SubtaskShape, Topology};
pub use two_phase_commit::{CommitOutput, TwoPhaseCommit};
