//! What a subtask starts from.

use super::Frozen;
use crate::oracle::kind::Kind;
use crate::oracle::shape::Scene;
use crate::oracle::verdict::Violation;
use crate::protocol::{CheckpointId, Digest};
use crate::trace::{Restored, SplitPosition};

/// Nothing was restored: the state is the initial one.
pub(super) fn judge_initial(scene: &mut Scene, restored: &Restored) {
    let is_initial = restored.positions.iter().all(|position| position.offset == 0);
    if !is_initial || restored.state != Digest::default() {
        let name = scene.name(restored.subtask);
        let text = format!("{name} starts from no checkpoint, but not from the initial state");
        scene.report(Violation::new(Kind::NotInitial, text).by(restored.subtask));
    }
}

/// What was restored is what was frozen.
pub(super) fn judge_restored(
    scene: &mut Scene,
    restored: &Restored,
    checkpoint: CheckpointId,
    frozen: &Frozen,
) {
    let name = scene.name(restored.subtask);
    let (kind, text) = if restored.state != frozen.state {
        let (found, expected) = (restored.state, frozen.state);
        let text =
            format!("{name} restored state {found} from {checkpoint}, which froze {expected}");
        (Kind::RestoredOtherState, text)
    } else if sorted(&restored.positions) != sorted(&frozen.positions) {
        let text = format!("{name} restored other positions from {checkpoint} than it froze");
        (Kind::RestoredOtherPositions, text)
    } else {
        return;
    };
    scene.report(Violation::new(kind, text).of(checkpoint).by(restored.subtask));
}

fn sorted(positions: &[SplitPosition]) -> Vec<SplitPosition> {
    let mut positions = positions.to_vec();
    positions.sort_unstable();
    positions
}
