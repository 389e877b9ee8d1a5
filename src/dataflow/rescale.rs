//! State on its way into another number of subtasks: what each of the new ones starts from.
//!
//! Keyed state goes by key group. Of the lists of an operator, elements are dealt out in turn (in the order
//! of the old subtasks), or everybody gets all, or a copy of what was the same everywhere. Splits go with their
//! positions, those that an enumerator had assigned in turn. Watermarks are minima: the watermark of a channel is
//! what all its predecessors had reached, so that none falls behind what was told, nor ahead of what is still to
//! come. Who was next to take a turn is forgotten: the receivers are others.

use super::data::Bytes;
use super::job::Job;
use super::placement::Placement;
use super::positions::Positions;
use super::state::StateKind;
use super::subtask_state::{RestoreError, SubtaskState};
use super::watermark::{WATERMARK_MAX, WATERMARK_MIN};
use crate::protocol::restore::restored_range;
use crate::protocol::{Defect, DefectSet, KeyGroup, SplitId, SubtaskId};
use crate::trace::{ListContent, ListMode, Ownership, SplitPosition};

/// The snapshot of a subtask of the old shape.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which subtask.
    pub subtask: SubtaskId,
    /// What it had frozen.
    pub state: SubtaskState,
}

impl Job {
    /// What `subtask` starts from when the snapshots that it reads were taken in the shape `before`; in
    /// the order of the old subtasks, and at least one.
    ///
    /// # Errors
    ///
    /// When they are not of one operator, or hold what cannot be divided.
    pub fn redistribute(
        &self,
        subtask: SubtaskId,
        before: &Job,
        parts: &[Part],
        defects: DefectSet,
    ) -> Result<SubtaskState, RestoreError> {
        let Some(first) = parts.first() else { return Ok(SubtaskState::default()) };
        let placement = self.placement(subtask);
        for part in parts {
            part.state.check_shapes(&first.state.shapes)?;
            before.check_groups(part)?;
        }
        let mut state = SubtaskState {
            shapes: first.state.shapes.clone(),
            key_groups: key_groups(placement, parts, defects),
            operator_lists: operator_lists(placement, parts, defects),
            counters: vec![0; placement.routes.len()],
            source: source_state(placement, before, parts)?,
            ..SubtaskState::default()
        };
        if !placement.assignment.is_static() {
            deal_splits(placement, parts, &mut state);
        } else if placement.splits.is_empty() {
            merge_watermarks(placement, before, parts, defects, &mut state);
        } else {
            assign_splits(placement, parts, &mut state)?;
        }
        go_on_within_entries(parts, &mut state);
        Ok(state)
    }

    /// A snapshot holds what its subtask owned, or the groups were numbered otherwise.
    fn check_groups(&self, part: &Part) -> Result<(), RestoreError> {
        let Placement { index, parallelism, .. } = *self.placement(part.subtask);
        let owned = KeyGroup::range(index, parallelism);
        let mut groups = part.state.key_groups.iter().map(|(group, _)| *group);
        groups.find(|group| !owned.contains(&group.0)).map_or(Ok(()), |group| {
            let (name, maximum) = (self.topology().name(part.subtask), KeyGroup::COUNT);
            Err(RestoreError::OtherMaximum { group, name, maximum })
        })
    }

    /// What state a subtask owns, piece by piece.
    #[must_use]
    pub fn ownership(&self, subtask: SubtaskId, state: &SubtaskState) -> Ownership {
        let placement = self.placement(subtask);
        let range = KeyGroup::range(placement.index, placement.parallelism);
        let digest = |(group, bytes): &(KeyGroup, Bytes)| (*group, bytes.digest());
        let lists = state.shapes.iter().filter(|shape| shape.kind.is_operator_list());
        let lists = lists.zip(&state.operator_lists).map(|(shape, elements)| ListContent {
            name: shape.name.clone(),
            mode: mode_of(shape.kind),
            elements: elements.iter().map(Bytes::digest).collect(),
        });
        Ownership {
            range: self.is_keyed(subtask).then_some((range.start, range.end)),
            key_groups: state.key_groups.iter().map(digest).collect(),
            lists: lists.collect(),
        }
    }
}

/// The state of a subtask that starts in the same shape: its own, with the union lists of all, in the order
/// of the subtasks (Flink: `RoundRobinOperatorStateRepartitioner.repartitionUnionState`).
#[must_use]
pub fn united(mut own: SubtaskState, all: &[SubtaskState], defects: DefectSet) -> SubtaskState {
    let all = match all.split_last() {
        Some((_, others)) if defects.has(Defect::UnionListIncomplete) && !others.is_empty() => {
            others
        }
        Some(_) | None => all,
    };
    let lists = own.shapes.iter().filter(|shape| shape.kind.is_operator_list());
    for (slot, (shape, list)) in lists.zip(&mut own.operator_lists).enumerate() {
        if shape.kind == StateKind::Union {
            let held = |state: &SubtaskState| state.operator_lists.get(slot).cloned();
            *list = all.iter().filter_map(held).flatten().collect();
        }
    }
    own
}

fn mode_of(kind: StateKind) -> ListMode {
    match kind {
        StateKind::Union => ListMode::Union,
        StateKind::Broadcast => ListMode::Broadcast,
        StateKind::Operator | StateKind::Value | StateKind::List | StateKind::Map => {
            ListMode::Split
        }
    }
}

fn key_groups(placement: &Placement, parts: &[Part], defects: DefectSet) -> Vec<(KeyGroup, Bytes)> {
    let owned = KeyGroup::range(placement.index, placement.parallelism);
    let range = restored_range(placement.index, placement.parallelism, defects);
    let all = parts.iter().flat_map(|part| &part.state.key_groups);
    let is_ours =
        |(group, _): &&(KeyGroup, Bytes)| owned.contains(&group.0) && range.contains(&group.0);
    all.filter(is_ours).cloned().collect()
}

fn operator_lists(placement: &Placement, parts: &[Part], defects: DefectSet) -> Vec<Vec<Bytes>> {
    let Some(first) = parts.first() else { return Vec::new() };
    let kinds = first.state.shapes.iter().map(|shape| shape.kind);
    let lists = kinds.filter(|kind| kind.is_operator_list()).enumerate();
    lists.map(|(list, kind)| operator_list(placement, list, kind, parts, defects)).collect()
}

fn operator_list(
    placement: &Placement,
    list: usize,
    kind: StateKind,
    parts: &[Part],
    defects: DefectSet,
) -> Vec<Bytes> {
    let index = usize::from(placement.index);
    let held = |part: &Part| part.state.operator_lists.get(list).cloned().unwrap_or_default();
    let mut of_parts: Vec<Vec<Bytes>> = parts.iter().map(held).collect();
    match kind {
        StateKind::Operator if defects.has(Defect::SplitListNotDealtOut) => {
            of_parts.get(index).cloned().unwrap_or_default()
        }
        StateKind::Operator => {
            let elements = of_parts.into_iter().flatten();
            elements.skip(index).step_by(usize::from(placement.parallelism)).collect()
        }
        StateKind::Union => {
            if defects.has(Defect::UnionListIncomplete) && of_parts.len() > 1 {
                of_parts.pop();
            }
            of_parts.concat()
        }
        StateKind::Broadcast
            if defects.has(Defect::BroadcastNotCopied) && index >= of_parts.len() =>
        {
            Vec::new()
        }
        StateKind::Broadcast => of_parts.swap_remove(0),
        StateKind::Value | StateKind::List | StateKind::Map => Vec::new(),
    }
}

/// A source's own state stays where it is; in another number of subtasks, only where all have the same is it
/// clear who gets what.
fn source_state(
    placement: &Placement,
    before: &Job,
    parts: &[Part],
) -> Result<Bytes, RestoreError> {
    if parts.len() == usize::from(placement.parallelism) {
        let is_ours = |part: &&Part| before.placement(part.subtask).index == placement.index;
        return Ok(parts
            .iter()
            .find(is_ours)
            .map(|part| part.state.source.clone())
            .unwrap_or_default());
    }
    let mut states = parts.iter().map(|part| &part.state.source);
    let first = states.next().cloned().unwrap_or_default();
    if states.all(|state| *state == first) {
        Ok(first)
    } else {
        Err(RestoreError::SourceStateIndivisible)
    }
}

fn assign_splits(
    placement: &Placement,
    parts: &[Part],
    state: &mut SubtaskState,
) -> Result<(), RestoreError> {
    let mut positions = Vec::with_capacity(placement.splits.len());
    for split in &placement.splits {
        let (position, watermark, has_ended) =
            find_split(*split, parts).ok_or(RestoreError::OtherSplits { split: *split })?;
        positions.push(position);
        state.watermarks.push(watermark);
        if has_ended {
            state.ended.push(*split);
        }
    }
    state.positions = Positions::of(positions);
    state.watermark = state.watermarks.iter().copied().min().unwrap_or(WATERMARK_MIN);
    Ok(())
}

/// Whoever gets a split whose next entry was read in part goes on in it.
fn go_on_within_entries(parts: &[Part], state: &mut SubtaskState) {
    let paused = parts.iter().flat_map(|part| part.state.paused());
    state.positions = std::mem::take(&mut state.positions).within_entries(paused);
}

/// What an enumerator had assigned is dealt out in turn, in the order of the splits. Ahead of the watermarks of
/// splits is that of the enumerator: readers know of it what the one did that was told least.
fn deal_splits(placement: &Placement, parts: &[Part], state: &mut SubtaskState) {
    let told = parts.iter().filter_map(|part| part.state.watermarks.first()).min();
    state.watermarks.push(told.copied().unwrap_or(WATERMARK_MIN));
    let held = |Part { state, .. }: &Part| -> Vec<(SplitPosition, i64, bool)> {
        let splits = state.reading().iter().zip(state.watermarks.iter().skip(1));
        splits.map(|(at, watermark)| (*at, *watermark, state.ended.contains(&at.split))).collect()
    };
    let mut held: Vec<_> = parts.iter().flat_map(held).collect();
    held.sort_unstable_by_key(|(at, ..)| at.split);
    let (index, step) = (usize::from(placement.index), usize::from(placement.parallelism));
    let mut positions = Vec::new();
    for (position, watermark, has_ended) in held.into_iter().skip(index).step_by(step.max(1)) {
        positions.push(position);
        state.watermarks.push(watermark);
        if has_ended {
            state.ended.push(position.split);
        }
    }
    state.positions = Positions::of(positions);
    state.watermark = state.watermarks.iter().copied().min().unwrap_or(WATERMARK_MIN);
}

fn find_split(split: SplitId, parts: &[Part]) -> Option<(SplitPosition, i64, bool)> {
    parts.iter().find_map(|Part { state, .. }| {
        let held = state.reading().iter().zip(&state.watermarks);
        let (position, watermark) = held.into_iter().find(|(held, _)| held.split == split)?;
        Some((*position, *watermark, state.ended.contains(&split)))
    })
}

fn merge_watermarks(
    placement: &Placement,
    before: &Job,
    parts: &[Part],
    defects: DefectSet,
    state: &mut SubtaskState,
) {
    let mut seen = Vec::new();
    for port in placement.ports.iter() {
        let lowest = lowest_watermark(*port, before, parts);
        let is_first = !seen.contains(port);
        seen.push(*port);
        let ignored = defects.has(Defect::FirstWatermarkForAll) && !is_first;
        state.watermarks.push(if ignored { WATERMARK_MAX } else { lowest });
    }
    let told = parts.iter().map(|part| part.state.watermark).min();
    state.watermark = told.unwrap_or(WATERMARK_MIN);
}

/// What all channels of an input had reached.
fn lowest_watermark(port: u8, before: &Job, parts: &[Part]) -> i64 {
    let of_part = |part: &Part| {
        let ports = before.placement(part.subtask).ports.iter();
        let known = ports.zip(&part.state.watermarks).filter(|(known, _)| **known == port);
        known.map(|(_, watermark)| *watermark).min()
    };
    parts.iter().filter_map(of_part).min().unwrap_or(WATERMARK_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::state::StateShape;

    /// A subtask with a list of its own before a union.
    fn holding(own: &[u8], union: &[u8]) -> SubtaskState {
        let shape = |name: &str, kind| StateShape { name: name.to_owned(), kind };
        let list =
            |elements: &[u8]| elements.iter().map(|element| Bytes(vec![*element].into())).collect();
        SubtaskState {
            // What is by key has no list.
            shapes: vec![
                shape("by-key", StateKind::Value),
                shape("own", StateKind::Operator),
                shape("notes", StateKind::Union),
            ],
            operator_lists: vec![list(own), list(union)],
            ..SubtaskState::default()
        }
    }

    #[test]
    fn a_union_is_that_of_all_in_their_order_and_other_lists_stay_as_they_are() {
        let all = [holding(&[1], &[10, 11]), holding(&[2], &[]), holding(&[3], &[5])];
        for one in &all {
            let whole = united(one.clone(), &all, DefectSet::NONE);
            assert_eq!(whole.operator_lists[0], one.operator_lists[0]);
            assert_eq!(whole.operator_lists[1], holding(&[], &[10, 11, 5]).operator_lists[1]);
        }
        let lacking = united(all[0].clone(), &all, DefectSet::only(Defect::UnionListIncomplete));
        assert_eq!(lacking.operator_lists[1], holding(&[], &[10, 11]).operator_lists[1]);
    }
}
