//! Which new channel takes what was in flight in an old one, when the ends of an edge change in number.
//!
//! A barrier that overtakes leaves channel state behind; after a rescale its channels are gone. Where a
//! record's receiver follows from its key, it goes to the new owner of the key. Where no order was
//! promised between the receivers, each takes its turn. Where it is neither, nobody may have it
//! (FLINK-22815: of a broadcast each receiver would get several copies; FLINK-21936: a forward edge has no
//! rule for a receiver that is gone).

use super::error::ProtocolError;
use super::key_group::KeyGroup;

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

/// Deals the channel state of an edge out to its new channels.
///
/// `old` holds, by old sender and then by old receiver, what was in flight, in order. What is given back is
/// by new receiver, the channels of the senders one after another: what two records of one old channel say to
/// one new receiver stays in order. Replay comes from no sender in particular, so that a receiver takes it
/// before anything new on any of its channels. `group_of` gives the key group of an item.
///
/// # Errors
///
/// When the edge has no rule for it, unless nothing was in flight on it (FLINK-38483).
///
/// # Panics
///
/// When there is no new receiver.
pub fn redistribute_channel_state<T: Clone>(
    edge: EdgeKind,
    old: &[Vec<Vec<T>>],
    receivers: u16,
    group_of: impl Fn(&T) -> KeyGroup,
) -> Result<Vec<Vec<T>>, ProtocolError> {
    assert!(receivers > 0, "an edge has a receiver");
    let mut dealt = vec![Vec::new(); usize::from(receivers)];
    let items = || old.iter().flatten().flatten();
    match edge {
        EdgeKind::Hash => {
            for item in items() {
                dealt[usize::from(group_of(item).owner(receivers))].push(item.clone());
            }
        }
        EdgeKind::Turns => deal_channels(old, &mut dealt),
        EdgeKind::Broadcast | EdgeKind::Forward if items().next().is_none() => {}
        EdgeKind::Broadcast => {
            return Err(ProtocolError::ChannelStateIndivisible { edge: "broadcast" });
        }
        EdgeKind::Forward => {
            return Err(ProtocolError::ChannelStateIndivisible { edge: "forward" });
        }
    }
    Ok(dealt)
}

/// Whole channels take turns, not their items: so each keeps its order.
fn deal_channels<T: Clone>(old: &[Vec<Vec<T>>], dealt: &mut [Vec<T>]) {
    for (turn, channel) in old.iter().flatten().enumerate() {
        let receiver = turn % dealt.len();
        dealt[receiver].extend(channel.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items are key groups with a number: two senders, two receivers.
    fn in_flight() -> Vec<Vec<Vec<(u16, u8)>>> {
        vec![
            vec![vec![(0, 1), (63, 2), (0, 3)], vec![(64, 4)]],
            vec![vec![(10, 5)], vec![(127, 6), (90, 7)]],
        ]
    }

    fn deal(edge: EdgeKind, receivers: u16) -> Result<Vec<Vec<(u16, u8)>>, ProtocolError> {
        redistribute_channel_state(edge, &in_flight(), receivers, |(group, _)| KeyGroup(*group))
    }

    #[test]
    fn by_key_every_record_goes_to_the_new_owner_of_its_group() {
        let dealt = deal(EdgeKind::Hash, 4).expect("keys have owners");
        let numbers = |index: usize| dealt[index].iter().map(|(_, n)| *n).collect::<Vec<_>>();
        assert_eq!(numbers(0), [1, 3, 5], "of one channel in order");
        assert_eq!(numbers(1), [2]);
        assert_eq!(numbers(2), [4, 7]);
        assert_eq!(numbers(3), [6]);
    }

    #[test]
    fn nothing_is_lost_or_doubled_at_any_number_of_receivers() {
        for edge in [EdgeKind::Hash, EdgeKind::Turns] {
            for receivers in 1..9 {
                let dealt = deal(edge, receivers).expect("there is a rule");
                let mut numbers: Vec<_> = dealt.iter().flatten().map(|(_, n)| *n).collect();
                numbers.sort_unstable();
                assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7], "{edge:?} to {receivers}");
            }
        }
    }

    #[test]
    fn in_turns_a_channel_stays_together() {
        let dealt = deal(EdgeKind::Turns, 3).expect("there is a rule");
        let numbers = |index: usize| dealt[index].iter().map(|(_, n)| *n).collect::<Vec<_>>();
        assert_eq!(numbers(0), [1, 2, 3, 6, 7]);
        assert_eq!(numbers(1), [4]);
        assert_eq!(numbers(2), [5]);
    }

    #[test]
    fn without_a_rule_it_is_refused_unless_there_is_nothing() {
        for (edge, name) in [(EdgeKind::Broadcast, "broadcast"), (EdgeKind::Forward, "forward")] {
            let refusal = deal(edge, 2).expect_err("no rule").to_string();
            let expected = format!(
                "what was in flight on a {name} edge cannot be dealt out to other subtasks"
            );
            assert_eq!(refusal, expected);
            let nothing = vec![vec![Vec::<u8>::new(); 2]; 2];
            let dealt = redistribute_channel_state(edge, &nothing, 2, |_| KeyGroup(0));
            assert_eq!(dealt, Ok(vec![Vec::new(), Vec::new()]));
        }
    }
}
