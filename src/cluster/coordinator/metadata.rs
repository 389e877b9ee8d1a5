//! The metadata object of a checkpoint: its content, the enumerators' part of it where there are any, and
//! behind it the digest of that.
//!
//! A store may hand out the beginning of an object, or a wrong byte; a reader must know.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::protocol::{CompletedCheckpoint, Defect, DefectSet, Digest, EnumeratorState, SplitId};

/// How many bytes the digest takes.
const DIGEST_BYTES: usize = size_of::<u64>();

/// The bytes to store.
///
/// # Panics
///
/// Never: it is plain data.
pub fn encode(completed: &CompletedCheckpoint, enumerators: &[EnumeratorState]) -> Arc<[u8]> {
    let names = enumerators.iter().map(|_| ());
    encode_with(completed, names.zip(enumerators))
}

/// The bytes of `head`, behind it of each enumerator's name and what is unassigned, and then of what each has
/// discovered: each where there is any. The digest of all is last.
///
/// # Panics
///
/// Never: it is plain data.
pub fn encode_with<'a, N: Serialize>(
    head: &impl Serialize,
    enumerators: impl Iterator<Item = (N, &'a EnumeratorState)>,
) -> Arc<[u8]> {
    let mut bytes = postcard::to_allocvec(head).expect("plain data can be encoded");
    let parts = enumerators
        .map(|(name, EnumeratorState { unassigned, known })| ((name, unassigned), known));
    let (unassigned, known): (Vec<_>, Vec<_>) = parts.unzip();
    if !unassigned.is_empty() {
        bytes.extend(postcard::to_allocvec(&unassigned).expect("plain data can be encoded"));
    }
    if known.iter().any(|known| !known.is_empty()) {
        bytes.extend(postcard::to_allocvec(&known).expect("plain data can be encoded"));
    }
    seal(bytes)
}

/// Content with its digest behind it.
fn seal(mut bytes: Vec<u8>) -> Arc<[u8]> {
    bytes.extend(Digest::of(&bytes).0.to_le_bytes());
    bytes.into()
}

/// What was stored; none where these bytes are not it.
pub fn decode(
    bytes: &[u8],
    defects: DefectSet,
) -> Option<(CompletedCheckpoint, Vec<EnumeratorState>)> {
    let (completed, parts) = decode_with::<_, ()>(bytes, defects)?;
    Some((completed, parts.into_iter().map(|((), state)| state).collect()))
}

/// What [`encode_with`] was given; none where these bytes are not it.
pub fn decode_with<H: DeserializeOwned, N: DeserializeOwned>(
    bytes: &[u8],
    defects: DefectSet,
) -> Option<(H, Vec<(N, EnumeratorState)>)> {
    let (head, rest) = postcard::take_from_bytes(open(bytes, defects)?).ok()?;
    let (unassigned, rest) = list::<(N, Vec<SplitId>)>(rest)?;
    let (known, rest) = list::<Vec<SplitId>>(rest)?;
    let mut known = known.into_iter();
    let part = |(name, unassigned)| {
        let known = known.next().unwrap_or_default();
        (name, EnumeratorState { unassigned, known })
    };
    rest.is_empty().then(|| (head, unassigned.into_iter().map(part).collect()))
}

/// The list that comes next, if anything does, and what is behind it.
fn list<T: DeserializeOwned>(bytes: &[u8]) -> Option<(Vec<T>, &[u8])> {
    match bytes {
        [] => Some((Vec::new(), bytes)),
        [..] => postcard::take_from_bytes(bytes).ok(),
    }
}

/// The content that was sealed; none where these bytes are not it.
fn open(bytes: &[u8], defects: DefectSet) -> Option<&[u8]> {
    let (content, digest) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST_BYTES)?)?;
    let is_whole = Digest::of(content).0.to_le_bytes() == digest;
    if !is_whole && !defects.has(Defect::CorruptReadAccepted) {
        return None;
    }
    Some(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Attempt, CheckpointId, ObjectKey, SnapshotHandle, SubtaskId};

    fn completed() -> CompletedCheckpoint {
        let (checkpoint, attempt, subtask) = (CheckpointId(7), Attempt(2), SubtaskId(0));
        let key = ObjectKey::Snapshot { checkpoint, attempt, subtask };
        let handle = SnapshotHandle { subtask, key, digest: Digest(5), bytes: 3 };
        let snapshots = vec![handle];
        CompletedCheckpoint { checkpoint, attempt, snapshots, terminal: false, quiet: Vec::new() }
    }

    #[test]
    fn what_was_stored_is_read() {
        let bytes = encode(&completed(), &[]);
        assert_eq!(decode(&bytes, DefectSet::NONE), Some((completed(), Vec::new())));
        let unassigned = vec![SplitId(3)];
        for known in [vec![], vec![SplitId(2), SplitId(3)]] {
            let enumerators = vec![
                EnumeratorState { unassigned: unassigned.clone(), known },
                EnumeratorState::default(),
            ];
            let bytes = encode(&completed(), &enumerators);
            assert_eq!(decode(&bytes, DefectSet::NONE), Some((completed(), enumerators)));
        }
    }

    #[test]
    fn no_beginning_of_it_is_taken_for_the_whole() {
        let bytes = encode(&completed(), &[]);
        for length in 0..bytes.len() {
            assert_eq!(decode(&bytes[..length], DefectSet::NONE), None, "{length} bytes");
        }
    }

    #[test]
    fn no_wrong_bit_is_taken_for_right() {
        let bytes = encode(&completed(), &[]);
        for bit in 0..bytes.len() * 8 {
            let mut wrong = bytes.to_vec();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&wrong, DefectSet::NONE), None, "bit {bit}");
        }
    }
}
