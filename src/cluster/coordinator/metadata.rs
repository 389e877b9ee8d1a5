//! The metadata object of a checkpoint: its content, and behind it the digest of that.
//!
//! A store may hand out the beginning of an object, or a wrong byte; a reader must know.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::{CompletedCheckpoint, Defect, DefectSet, Digest};

/// How many bytes the digest takes.
const DIGEST_BYTES: usize = size_of::<u64>();

/// The bytes to store.
///
/// # Panics
///
/// Never: it is plain data.
pub fn encode(completed: &CompletedCheckpoint) -> Arc<[u8]> {
    seal(completed)
}

/// The bytes of anything that is stored like this.
pub fn seal(content: &impl Serialize) -> Arc<[u8]> {
    let mut bytes = postcard::to_allocvec(content).expect("plain data can be encoded");
    bytes.extend(Digest::of(&bytes).0.to_le_bytes());
    bytes.into()
}

/// What was stored; none where these bytes are not it.
pub fn decode(bytes: &[u8], defects: DefectSet) -> Option<CompletedCheckpoint> {
    open(bytes, defects)
}

/// What was stored by [`seal`]; none where these bytes are not it.
pub fn open<T: DeserializeOwned>(bytes: &[u8], defects: DefectSet) -> Option<T> {
    let (content, digest) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST_BYTES)?)?;
    let is_whole = Digest::of(content).0.to_le_bytes() == digest;
    if !is_whole && !defects.has(Defect::CorruptReadAccepted) {
        return None;
    }
    postcard::from_bytes(content).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Attempt, CheckpointId, ObjectKey, SnapshotHandle, SubtaskId};

    fn completed() -> CompletedCheckpoint {
        let (checkpoint, attempt, subtask) = (CheckpointId(7), Attempt(2), SubtaskId(0));
        let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
        let handle = SnapshotHandle { subtask, key, digest: Digest(5), bytes: 3 };
        CompletedCheckpoint { checkpoint, attempt, snapshots: vec![handle], terminal: false }
    }

    #[test]
    fn what_was_stored_is_read() {
        let bytes = encode(&completed());
        assert_eq!(decode(&bytes, DefectSet::NONE), Some(completed()));
    }

    #[test]
    fn no_beginning_of_it_is_taken_for_the_whole() {
        let bytes = encode(&completed());
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length], DefectSet::NONE), None, "{length} bytes");
        }
    }

    #[test]
    fn no_wrong_bit_is_taken_for_right() {
        let bytes = encode(&completed());
        for bit in 0..bytes.len() * 8 {
            let mut wrong = bytes.to_vec();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&wrong, DefectSet::NONE), None, "bit {bit}");
        }
    }
}
