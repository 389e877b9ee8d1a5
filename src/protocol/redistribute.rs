//! Which new subtask takes what was in flight in an old channel, when the ends of an edge change in number.
//!
//! A barrier that overtakes leaves channel state behind, and so does the log of a loop; after a rescale
//! its channels are gone. Where a record's receiver follows from its key, it goes to the new owner of the
//! key (Flink: `SubtaskStateMapper.RANGE`, with a filter). Where no order was promised between the
//! receivers, whole channels take turns (`ROUND_ROBIN`). Where it is neither, nobody may have it
//! (`UNSUPPORTED`; FLINK-22815: of a broadcast each receiver would get several copies; FLINK-21936: behind
//! a forward edge the records of a key would go two ways at once).

use super::defect::{Defect, DefectSet};
use super::error::ProtocolError;
use super::key_group::KeyGroup;
use alloc::vec::Vec;

/// How an edge spreads its records over the receiver's subtasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeKind {
    /// By key group.
    Hash,
    /// Each receiver in turn.
    Turns,
    /// To all.
    Broadcast,
    /// To the receiver with the sender's index.
    Forward,
}

/// How many subtasks an edge leads from, and to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeWidth {
    /// Those that send.
    pub senders: u16,
    /// Those that receive.
    pub receivers: u16,
}

/// An edge, and how wide it was and is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResizedEdge {
    /// How it spreads records.
    pub kind: EdgeKind,
    /// When the channel state was captured.
    pub before: EdgeWidth,
    /// Now.
    pub now: EdgeWidth,
}

impl EdgeKind {
    /// The word for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            EdgeKind::Hash => "hash",
            EdgeKind::Turns => "round-robin",
            EdgeKind::Broadcast => "broadcast",
            EdgeKind::Forward => "forward",
        }
    }
}

impl ResizedEdge {
    /// Whether there is a rule for what was in flight on it.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn judge(&self) -> Result<(), ProtocolError> {
        match self.kind {
            EdgeKind::Hash | EdgeKind::Turns => Ok(()),
            EdgeKind::Broadcast | EdgeKind::Forward if self.before == self.now => Ok(()),
            EdgeKind::Broadcast | EdgeKind::Forward => {
                Err(ProtocolError::ChannelStateIndivisible { edge: self.kind.name() })
            }
        }
    }

    /// Whether the new receiver `index` takes an item of the old channel between these two. `group_of` is
    /// asked where the edge goes by key.
    #[must_use]
    pub fn takes(
        &self,
        index: u16,
        (sender, receiver): (u16, u16),
        group_of: impl FnOnce() -> KeyGroup,
        defects: DefectSet,
    ) -> bool {
        let (before, now) = (self.before.receivers, self.now.receivers);
        let heir = match self.kind {
            EdgeKind::Hash if defects.has(Defect::ChannelStateToOldIndex) => receiver % now,
            EdgeKind::Hash if defects.has(Defect::ChannelStateNotFiltered) => index,
            EdgeKind::Hash => group_of().owner(now),
            EdgeKind::Turns | EdgeKind::Broadcast | EdgeKind::Forward if before == now => receiver,
            EdgeKind::Turns | EdgeKind::Broadcast | EdgeKind::Forward => {
                let turn = u32::from(sender) * u32::from(before) + u32::from(receiver);
                u16::try_from(turn % u32::from(now)).expect("below a number of subtasks")
            }
        };
        let is_forgotten =
            defects.has(Defect::ChannelsOfVanishedForgotten) && now < before && receiver >= now;
        heir == index && !is_forgotten
    }
}

/// What was in flight in one old channel, in order: what had arrived, then what had not been sent. The one
/// place where the two parts meet.
#[must_use]
pub fn joined<T>(arrived: Vec<T>, unsent: Vec<T>, defects: DefectSet) -> Vec<T> {
    let (mut first, mut second) = (arrived, unsent);
    if defects.has(Defect::UnsentBeforeArrived) {
        core::mem::swap(&mut first, &mut second);
    }
    first.append(&mut second);
    first
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::{format, vec};

    use super::*;

    /// A sender and a receiver.
    type Ends = (u16, u16);

    /// Items are key groups with a number: two senders, two receivers.
    const IN_FLIGHT: [(Ends, &[(u16, u8)]); 4] = [
        ((0, 0), &[(0, 1), (63, 2), (0, 3)]),
        ((0, 1), &[(64, 4)]),
        ((1, 0), &[(10, 5)]),
        ((1, 1), &[(127, 6), (90, 7)]),
    ];

    fn edge(kind: EdgeKind, senders: u16, receivers: u16) -> ResizedEdge {
        let before = EdgeWidth { senders: 2, receivers: 2 };
        ResizedEdge { kind, before, now: EdgeWidth { senders, receivers } }
    }

    fn dealt(edge: ResizedEdge) -> Vec<Vec<u8>> {
        let of = |index: u16| -> Vec<u8> {
            let taken = |ends: Ends, items: &[(u16, u8)]| -> Vec<u8> {
                let takes = |(group, _): &&(u16, u8)| {
                    edge.takes(index, ends, || KeyGroup(*group), DefectSet::NONE)
                };
                items.iter().filter(takes).map(|(_, number)| *number).collect()
            };
            IN_FLIGHT.iter().flat_map(|(ends, items)| taken(*ends, items)).collect()
        };
        (0..edge.now.receivers).map(of).collect()
    }

    #[test]
    fn by_key_every_record_goes_to_the_new_owner_of_its_group() {
        let dealt = dealt(edge(EdgeKind::Hash, 2, 4));
        assert_eq!(dealt, [vec![1, 3, 5], vec![2], vec![4, 7], vec![6]], "of one channel in order");
    }

    #[test]
    fn nothing_is_lost_or_doubled_at_any_number_of_receivers() {
        for kind in [EdgeKind::Hash, EdgeKind::Turns] {
            for receivers in 1..9 {
                let mut numbers = dealt(edge(kind, 2, receivers)).concat();
                numbers.sort_unstable();
                assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7], "{kind:?} to {receivers}");
            }
        }
    }

    #[test]
    fn in_turns_a_channel_stays_together() {
        let dealt = dealt(edge(EdgeKind::Turns, 2, 3));
        assert_eq!(dealt, [vec![1, 2, 3, 6, 7], vec![4], vec![5]]);
    }

    #[test]
    fn where_nothing_changed_everything_stays_where_it_was() {
        for kind in [EdgeKind::Hash, EdgeKind::Turns, EdgeKind::Broadcast, EdgeKind::Forward] {
            let edge = edge(kind, 2, 2);
            assert_eq!(edge.judge(), Ok(()));
            assert_eq!(dealt(edge), [vec![1, 2, 3, 5], vec![4, 6, 7]], "{kind:?}");
        }
    }

    #[test]
    fn without_a_rule_it_is_refused() {
        for kind in [EdgeKind::Broadcast, EdgeKind::Forward] {
            let refusal = edge(kind, 3, 3).judge().expect_err("no rule").to_string();
            let name = kind.name();
            let expected = format!(
                "what was in flight on a {name} edge cannot be dealt out to other subtasks"
            );
            assert_eq!(refusal, expected);
        }
        assert_eq!(edge(EdgeKind::Hash, 3, 3).judge(), Ok(()));
        assert_eq!(edge(EdgeKind::Turns, 1, 5).judge(), Ok(()));
    }

    #[test]
    fn what_had_arrived_comes_before_what_had_not_been_sent() {
        assert_eq!(joined(vec![1, 2], vec![3], DefectSet::NONE), [1, 2, 3]);
    }
}
