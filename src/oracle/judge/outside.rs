//! What happens outside the job: in the stores, in the source log, at the sink target.

use super::Judge;
use super::concern::forgotten;
use crate::oracle::kind::Kind;
use crate::oracle::shape::Scene;
use crate::protocol::{OperatorId, ProcessId};
use crate::trace::{Event, OutputRecord, SplitPosition, Stamp, StoreTrouble};

impl Judge {
    pub(super) fn observe_outside(&mut self, stamp: Stamp, event: &Event) {
        match event {
            Event::ProducersFenced { sink, .. } | Event::OutputWritten { sink, .. } => {
                if self.knows(stamp, *sink) {
                    self.observe_sink(stamp, event);
                }
            }
            Event::TransactionOpened { transaction }
            | Event::TransactionPrepared { transaction, .. }
            | Event::CommitRequested { transaction, .. }
            | Event::TransactionCommitted { transaction, .. }
            | Event::TransactionAborted { transaction } => {
                if self.knows(stamp, transaction.sink) {
                    self.observe_sink(stamp, event);
                }
            }
            Event::OutputShown { operator, records } => {
                if self.knows_operator(stamp, *operator) {
                    self.show(stamp, *operator, records);
                }
            }
            Event::OutputHidden { operator, records } => {
                if self.knows_operator(stamp, *operator) {
                    self.output.handle_hidden(scene!(self, stamp), *operator, records);
                }
            }
            Event::OutputExpired { operator, records } => {
                if self.knows_operator(stamp, *operator) && !self.causes.is_calm() {
                    self.output.handle_let_go(*operator, records);
                    self.judge_expired();
                }
            }
            Event::OutputHeld(held) => {
                if self.knows_operator(stamp, held.operator) {
                    self.output.handle_held(scene!(self, stamp), held);
                }
            }
            Event::ClockChanged { process: ProcessId::SinkTarget, .. } => {
                self.output.handle_clock_changed();
            }
            _ => self.observe_stores(stamp, event),
        }
    }

    /// Readers of the external system see these from here on.
    fn show(&mut self, stamp: Stamp, operator: OperatorId, records: &[OutputRecord]) {
        let was_lost = self.output.is_anything_lost();
        self.output.handle_shown(scene!(self, stamp), operator, records);
        if was_lost {
            self.judge_expired();
        }
    }

    /// Whether the job has this operator; a rescale changes none.
    fn knows_operator(&mut self, stamp: Stamp, operator: OperatorId) -> bool {
        let is_known = operator.index() < self.shape.topology().operators.len();
        if !is_known {
            let text = format!("{operator} is not in the topology");
            self.report(stamp, Kind::UnknownEntity, text);
        }
        is_known
    }

    fn observe_stores(&mut self, stamp: Stamp, event: &Event) {
        let scene = scene!(self, stamp);
        match event {
            Event::ObjectStored { key, digest, .. } => {
                self.durability.handle_stored(scene, *key, *digest);
                self.liveness.handle_lost(self.durability.unrecoverable());
            }
            Event::ObjectDestroyed { key } => {
                self.durability.handle_destroyed(*key);
                self.causes.handle_lost();
                self.liveness.handle_lost(self.durability.unrecoverable());
            }
            Event::StoreTroubled { process: ProcessId::ObjectStore, trouble } => {
                let misleads = matches!(trouble, StoreTrouble::Lagging | StoreTrouble::Unsynced);
                self.durability.handle_listings(misleads);
            }
            Event::StoreRecovered { process: ProcessId::ObjectStore } => {
                self.durability.handle_listings(false);
            }
            Event::StoreTroubled { .. } | Event::StoreRecovered { .. } => {}
            Event::SinkTroubled { trouble } => {
                self.output.handle_trouble(stamp, Some(*trouble));
            }
            Event::SinkRecovered => self.output.handle_trouble(stamp, None),
            Event::ObjectDeleted { key } => self.durability.handle_deleted(scene, *key),
            Event::RecordWritten { version, term, retained } => {
                self.recovery.handle_record_written(scene, *version, *term);
                self.durability.handle_recorded(retained);
            }
            Event::OffsetCommitted { split, offset } => {
                let position = SplitPosition { split: *split, offset: *offset };
                self.state.handle_offset_committed(scene, position);
            }
            _ => forgotten(event),
        }
    }

    /// The sink target, on behalf of a sink that the job has or has had.
    fn observe_sink(&mut self, stamp: Stamp, event: &Event) {
        let scene = scene!(self, stamp);
        match event {
            Event::ProducersFenced { sink, attempt } => {
                self.recovery.handle_fenced(*sink, *attempt);
                self.output.handle_fenced(*sink, *attempt);
            }
            Event::TransactionOpened { transaction } => {
                self.recovery.handle_produced(scene, *transaction, "opened");
                self.output.handle_opened(scene!(self, stamp), *transaction);
            }
            Event::TransactionPrepared { transaction, records } => {
                self.recovery.handle_produced(scene, *transaction, "prepared");
                self.durability.handle_prepared(*transaction);
                self.output.handle_prepared(*transaction, *records);
                self.termination.handle_prepared(*transaction, *records);
            }
            Event::CommitRequested { transaction, checkpoint } => {
                self.lifecycle.handle_commit_requested(scene, transaction.sink, *checkpoint);
            }
            Event::TransactionCommitted { transaction, records } => {
                self.output.handle_committed(scene, *transaction, records);
                self.termination.handle_settled(*transaction);
            }
            Event::TransactionAborted { transaction } => {
                self.output.handle_aborted_transaction(scene, *transaction);
                self.judge_expired();
                self.termination.handle_settled(*transaction);
            }
            Event::OutputWritten { sink, records } => {
                self.output.handle_written(scene, *sink, records);
            }
            _ => forgotten(event),
        }
    }
}
