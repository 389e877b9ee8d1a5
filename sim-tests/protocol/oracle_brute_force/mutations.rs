//! The cut oracle against wrong captures: what real runs captured is changed in one place, and it must say so.
//!
//! The trace ends where the checkpoint completes: nothing was restored from it, and nothing else is wrong.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use cutwater::explore::{Experiments, WorldKind, run_plan};
use cutwater::oracle::OracleName;
use cutwater::plan::scenario;
use cutwater::protocol::{Attempt, CheckpointId, DefectSet};
use cutwater::trace::{ChannelStateCaptured, Event, InFlight, Stamp};
use cutwater::world::Observer;
use strum::{EnumIter, IntoEnumIterator as _};

use super::judged;

/// How many captures of one run are changed.
const CAPTURES: usize = 6;

/// What is done to one capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumIter)]
enum Mutation {
    RecordDropped,
    RecordRepeated,
    NeighboursSwapped,
    RecordMovedToOtherChannel,
    ChannelListedTwice,
    ChannelDropped,
    OfOtherCheckpoint,
    Omitted,
    ToldTwice,
}

/// All events of a run.
#[derive(Clone, Debug, Default)]
struct Recording(Vec<Event>);

impl Observer for Recording {
    fn observe(&mut self, _: Stamp, event: &Event) -> ControlFlow<()> {
        self.0.push(event.clone());
        ControlFlow::Continue(())
    }
}

impl Mutation {
    /// What is told in the place of the capture; nothing where this cannot be done to it.
    fn apply(self, captured: &ChannelStateCaptured) -> Option<Vec<ChannelStateCaptured>> {
        let mut changed = captured.clone();
        let inputs = &mut changed.inputs;
        match self {
            Self::RecordDropped => drop(holding(inputs, 1)?.records.pop()),
            Self::RecordRepeated => {
                let lane = holding(inputs, 1)?;
                lane.records.extend(lane.records.last().copied());
            }
            Self::NeighboursSwapped => {
                let lane = holding(inputs, 2)?;
                let last = lane.records.len() - 1;
                lane.records.swap(last - 1, last);
            }
            Self::RecordMovedToOtherChannel => {
                let from = holding(inputs, 1)?.channel;
                let other = inputs.iter().position(|lane| lane.channel != from)?;
                let moved = holding(inputs, 1)?.records.pop();
                inputs[other].records.extend(moved);
            }
            Self::ChannelListedTwice => inputs.push(inputs.first()?.clone()),
            Self::ChannelDropped => {
                let dropped = holding(inputs, 1)?.channel;
                inputs.retain(|lane| lane.channel != dropped);
            }
            Self::OfOtherCheckpoint => changed.checkpoint.0 += 1,
            Self::Omitted => return Some(Vec::new()),
            Self::ToldTwice => return Some(vec![changed.clone(), changed]),
        }
        Some(vec![changed])
    }
}

/// A lane with at least so many records that no restore had put back.
fn holding(lanes: &mut [InFlight], records: u64) -> Option<&mut InFlight> {
    lanes.iter_mut().find(|lane| lane.records.len() as u64 >= lane.restored + records)
}

/// A run of a scenario without defects, and without a violation.
fn record(name: &str, seed: u64) -> Vec<Event> {
    let experiments = Experiments::new();
    let scenario = scenario::named(name).expect("it is built in");
    let plan = experiments.draw(scenario, seed, DefectSet::NONE).expect("it can be drawn");
    let prepared = experiments.prepare(&plan.job).expect("it was drawn for it");
    let (_, seen) = run_plan(&plan, &prepared, WorldKind::Kernel, Recording::default());
    seen.expect("the run does not panic").0
}

/// Where the checkpoint completes in the attempt, behind the capture.
fn completion(events: &[Event], of: Attempt, id: CheckpointId) -> Option<usize> {
    let completes = |event: &Event| matches!(event, Event::Completed { attempt, checkpoint } if (*attempt, *checkpoint) == (of, id));
    events.iter().position(completes)
}

/// Changes some captures of a run, each in every way; counts by mutation.
fn mutate(events: &[Event], counts: &mut BTreeMap<Mutation, u64>) {
    let captures = events.iter().enumerate().filter_map(|(at, event)| match event {
        Event::ChannelStateCaptured(captured) if !captured.inputs.is_empty() => {
            let end = completion(events, captured.attempt, captured.checkpoint)?;
            Some((at, end, captured))
        }
        _ => None,
    });
    for (at, end, captured) in captures.take(CAPTURES) {
        assert_eq!(judged(&events[..=end]).0, [], "the run holds as it is");
        for mutation in Mutation::iter() {
            let Some(told) = mutation.apply(captured) else { continue };
            let told = told.into_iter().map(|one| Event::ChannelStateCaptured(Box::new(one)));
            let mut changed = events[..=end].to_vec();
            changed.splice(at..=at, told);
            let (fired, _) = judged(&changed);
            assert!(fired.contains(&OracleName::Cut), "{mutation:?} of {captured:?}: {fired:?}");
            *counts.entry(mutation).or_default() += 1;
        }
    }
}

#[test]
fn every_change_of_a_capture_is_seen_when_the_checkpoint_completes() {
    let mut counts = BTreeMap::new();
    for name in ["unaligned", "unaligned-join", "hybrid", "hybrid-aborts", "buffers", "collatz"] {
        for seed in 0..6 {
            mutate(&record(name, seed), &mut counts);
        }
    }
    let rare: Vec<_> =
        Mutation::iter().filter(|one| counts.get(one).is_none_or(|times| *times < 20)).collect();
    assert!(rare.is_empty(), "too few of {rare:?}: {counts:?}");
}
