//! O8: what the computation conserves is all in the snapshot, in processes and in channels, and nothing twice.

use super::history::History;
use super::{Property, Violation};
use crate::classic::global_state::GlobalState;
use crate::protocol::SnapshotId;

pub(super) fn judge(
    history: &History<'_>,
    id: SnapshotId,
    snapshot: &GlobalState,
) -> Option<Violation> {
    let (found, expected) = (snapshot.conserved()?, history.first_state().conserved()?);
    (found != expected).then(|| {
        let text = format!("the snapshot adds up to {found}, the system to {expected}");
        Violation::of(Property::Conservation, id, text)
    })
}
