//! The watermarks of a subtask's inputs and the counters of its outputs, in snapshots.

use super::data::Data;
use super::router::Router;
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

/// Takes the counters of edges over from a snapshot.
pub(crate) fn restore_counters<T: Data>(
    router: &mut Router<T>,
    state: &SubtaskState,
) -> Result<(), RestoreError> {
    let (found, expected) = (state.counters.len(), router.counters().len());
    if found != expected {
        return Err(RestoreError::OtherEdges { found, expected });
    }
    router.restore(&state.counters);
    Ok(())
}
