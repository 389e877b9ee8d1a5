//! Aligned barriers (exactly once): the cut is where every channel has delivered the barrier or ended.

use super::alignment::Alignment;
use super::lanes::Lanes;
use crate::barrier::Barrier;
use crate::ids::CheckpointId;

/// Blocks each channel from its barrier to the cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Blocking {
    alignment: Alignment,
}

impl Blocking {
    pub fn is_aligning(&self) -> bool {
        !self.alignment.is_none()
    }

    pub fn on_barrier<T: Clone>(&mut self, lanes: &mut Lanes<T>, channel: usize, barrier: Barrier) {
        let open = lanes.open;
        self.alignment.on_barrier(lanes, channel, barrier, open);
        self.hold_if_whole(lanes);
    }

    pub fn on_cancel<T: Clone>(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) {
        self.alignment.on_cancel(lanes, checkpoint);
    }

    pub fn on_end<T: Clone>(&mut self, lanes: &mut Lanes<T>, channel: usize) {
        self.alignment.on_end(lanes, channel);
        self.hold_if_whole(lanes);
    }

    pub fn on_aborted<T: Clone>(&mut self, lanes: &mut Lanes<T>, checkpoint: CheckpointId) -> bool {
        self.alignment.on_aborted(lanes, checkpoint)
    }

    fn hold_if_whole<T: Clone>(&mut self, lanes: &mut Lanes<T>) {
        if let Some(barrier) = self.alignment.take_whole() {
            lanes.hold(barrier);
        }
    }
}
