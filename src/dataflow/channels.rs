//! The watermarks of a subtask's inputs and the counters of its outputs, in snapshots.

use super::subtask_state::{RestoreError, SubtaskState};
use super::watermark::WatermarkMerger;

/// Writes watermarks into a snapshot.
pub(crate) fn freeze_watermarks(watermarks: &WatermarkMerger, state: &mut SubtaskState) {
    state.watermarks = watermarks.inputs().to_vec();
    state.watermark = watermarks.current();
}

/// Takes watermarks over from a snapshot.
pub(crate) fn restore_watermarks(
    watermarks: &mut WatermarkMerger,
    state: &SubtaskState,
) -> Result<(), RestoreError> {
    let (found, expected) = (state.watermarks.len(), watermarks.inputs().len());
    if found != expected {
        return Err(RestoreError::OtherInputs { found, expected });
    }
    watermarks.restore(&state.watermarks, state.watermark);
    Ok(())
}
