//! The cut oracle against brute force, on cuts with channel state.
//!
//! A cut with channel state is whole if and only if, on every channel, the list of the records that were sent
//! before the sender's cut is the list of those received before the receiver's cut, followed by those captured
//! at the receiver and those captured at the sender. Here these are lists that are compared; the oracle has
//! counts and digests, and events one by one. What a restore had put back, and nobody has processed at the
//! receiver's cut, is captured once more, ahead of all that.

use cutwater::oracle::OracleName;
use cutwater::protocol::{Attempt, ChannelId, CheckpointId, Digest, LineageId};
use cutwater::trace::{ChannelStateCaptured, ChannelStateRestored, Event, InFlight};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::{Execution, judged, possible, small, subtask};

const ATTEMPT: Attempt = Attempt(2);
const CHECKPOINT: CheckpointId = CheckpointId(1);

/// What is known of one channel of a cut.
#[derive(Clone, Debug, Default)]
struct Lane {
    /// What a restore put back into it.
    put_back: Vec<LineageId>,
    /// How many of those are processed before anything else happens.
    replayed: usize,
    /// What is captured of them.
    captured_again: Vec<LineageId>,
    sent: Vec<LineageId>,
    received: Vec<LineageId>,
    /// What is captured at the receiver, and at the sender.
    captured: [Vec<LineageId>; 2],
}

impl Lane {
    fn is_whole(&self, is_overtaken: bool) -> bool {
        let between = self.captured.iter().flatten();
        self.received.iter().chain(between).eq(&self.sent)
            && self.captured_again == self.put_back[self.replayed..]
            && (is_overtaken || self.captured.iter().all(Vec::is_empty))
    }
}

/// What is wrong with how captures are told, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    Right,
    /// A subtask whose barrier overtook tells nothing.
    Omitted,
    /// One channel is listed twice.
    ListedTwice,
    /// One subtask tells all of it twice.
    ToldTwice,
}

/// An execution with a cut and its channel state.
#[derive(Clone, Debug)]
struct Case {
    execution: Execution,
    cut: Vec<usize>,
    /// By process, whether its cut did not wait for barriers.
    overtaken: Vec<bool>,
    lanes: Vec<Lane>,
    telling: Telling,
}

struct Draw(ChaCha8Rng);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0.next_u32() as usize % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn execution(&mut self) -> Execution {
        let pairs = [(0, 1), (1, 2), (0, 2), (2, 0)];
        let channels = pairs.into_iter().filter(|_| !self.one_in(4)).collect();
        let mut execution = Execution { processes: 3, channels, steps: Vec::new() };
        loop {
            let steps = possible(&execution, 8);
            if steps.is_empty() || execution.steps.len() == 12 {
                return execution;
            }
            let step = steps[self.below(steps.len())];
            execution.steps.push(step);
        }
    }

    /// A cut at any place of each process, whose channel state is right where there can be one, but for what
    /// `disturb` does to one channel.
    fn case(&mut self) -> Case {
        let execution = self.execution();
        let lengths = (0..3).map(|process| execution.history(process).len());
        let cut: Vec<_> = lengths.map(|length| self.below(length + 1)).collect();
        let overtaken: Vec<_> = (0..3).map(|_| !self.one_in(3)).collect();
        let ends = execution.ends_at(&cut);
        let mut lanes: Vec<_> = ends.into_iter().map(|ends| self.lane(ends)).collect();
        if !lanes.is_empty() && self.one_in(2) {
            let lane = self.below(lanes.len());
            self.disturb(&mut lanes[lane]);
        }
        let telling = match self.below(12) {
            0 => Telling::Omitted,
            1 => Telling::ListedTwice,
            2 => Telling::ToldTwice,
            _ => Telling::Right,
        };
        Case { execution, cut, overtaken, lanes, telling }
    }

    fn lane(&mut self, (sent, received): (Vec<LineageId>, Vec<LineageId>)) -> Lane {
        let put_back: Vec<_> = (0..self.below(3) as u64).map(|id| LineageId(9000 + id)).collect();
        // What was put back leaves the channel before anything that arrives.
        let replayed =
            if received.is_empty() { self.below(put_back.len() + 1) } else { put_back.len() };
        let captured_again = put_back[replayed..].to_vec();
        let rest = sent.get(received.len()..).unwrap_or_default();
        let arrived = self.below(rest.len() + 1);
        let captured = [rest[..arrived].to_vec(), rest[arrived..].to_vec()];
        Lane { put_back, replayed, captured_again, sent, received, captured }
    }

    fn disturb(&mut self, lane: &mut Lane) {
        let end = self.below(2);
        let (what, captured) = (self.below(7), &mut lane.captured[end]);
        match what {
            0 => drop(captured.pop()),
            1 => captured.extend(captured.first().copied()),
            2 => captured.reverse(),
            3 => captured.splice(0..0, lane.received.last().copied()).for_each(drop),
            4 => captured.push(LineageId(7)),
            5 => lane.captured.swap(0, 1),
            _ => drop(lane.captured_again.pop()),
        }
    }
}

impl Execution {
    /// By channel, what was sent before the sender's cut and received before the receiver's.
    fn ends_at(&self, cut: &[usize]) -> Vec<(Vec<LineageId>, Vec<LineageId>)> {
        let mut ends = vec![(Vec::new(), Vec::new()); self.channels.len()];
        let mut inside = ends.clone();
        let mut done = vec![0; self.processes];
        for step in &self.steps {
            let process = self.process_of(*step);
            let taken = super::take(*step, &mut ends);
            if done[process] < cut[process] {
                match taken {
                    Event::Sent { channel, lineage, .. } => {
                        inside[channel.index()].0.push(lineage);
                    }
                    Event::Received { channel, lineage, .. } => {
                        inside[channel.index()].1.push(lineage);
                    }
                    other => unreachable!("{other:?} is no step"),
                }
            }
            done[process] += 1;
        }
        inside
    }
}

impl Case {
    /// Brute force: whether the cut is whole, and told once.
    fn is_whole(&self) -> bool {
        let owes = |process: &usize| self.overtaken[*process];
        let tells = (0..3).any(|process| owes(&process));
        let lanes = self.execution.channels.iter().zip(&self.lanes);
        lanes.into_iter().all(|((_, to), lane)| lane.is_whole(self.overtaken[*to]))
            && match self.telling {
                Telling::Right => true,
                Telling::Omitted => !tells,
                Telling::ListedTwice => self.first_listed().is_none(),
                Telling::ToldTwice => self.captures().is_empty(),
            }
    }

    /// The first process that lists a channel.
    fn first_listed(&self) -> Option<usize> {
        let captures = self.captures();
        let lists = captures.iter().find(|one| !(one.inputs.is_empty() && one.outputs.is_empty()));
        lists.map(|one| one.subtask.index())
    }

    /// What each process captured: those that must, and those that have something.
    fn captures(&self) -> Vec<ChannelStateCaptured> {
        let captures = (0..3).map(|process| self.capture(process));
        captures
            .filter(|one| {
                let is_empty = one.inputs.is_empty() && one.outputs.is_empty();
                self.overtaken[one.subtask.index()] || !is_empty
            })
            .collect()
    }

    fn capture(&self, process: usize) -> ChannelStateCaptured {
        let numbered = || self.execution.channels.iter().zip(&self.lanes).enumerate();
        let at_receiver = numbered().filter(|(_, ((_, to), _))| *to == process);
        let at_sender = numbered().filter(|(_, ((from, _), _))| *from == process);
        let is_full = |one: &InFlight| !one.records.is_empty();
        let inputs = at_receiver.map(|(channel, (_, lane))| {
            in_flight(
                channel,
                lane.captured_again.len(),
                &[&lane.captured_again, &lane.captured[0]],
            )
        });
        let outputs =
            at_sender.map(|(channel, (_, lane))| in_flight(channel, 0, &[&lane.captured[1]]));
        ChannelStateCaptured {
            subtask: subtask(process),
            attempt: ATTEMPT,
            checkpoint: CHECKPOINT,
            inputs: inputs.filter(is_full).collect(),
            outputs: outputs.filter(is_full).collect(),
            state: Digest(1),
        }
    }

    /// What the oracles read of it.
    fn trace(&self) -> Vec<Event> {
        let mut events = self.execution.trace(&self.cut);
        for event in &mut events {
            of_second_attempt(event);
        }
        let (started, rest) = events.split_at(3);
        let mut events = [started, &self.put_back(), &self.overtook(), rest].concat();
        let mut captures = self.captures();
        match self.telling {
            Telling::Right => {}
            Telling::Omitted => captures.retain(|one| !self.overtaken[one.subtask.index()]),
            Telling::ToldTwice => captures.extend(captures.first().cloned()),
            Telling::ListedTwice => {
                let first = self.first_listed();
                let listed = captures.iter_mut().find(|one| Some(one.subtask.index()) == first);
                if let Some(one) = listed {
                    let list =
                        if one.inputs.is_empty() { &mut one.outputs } else { &mut one.inputs };
                    list.extend(list.first().cloned());
                }
            }
        }
        events.extend(captures.into_iter().map(|one| Event::ChannelStateCaptured(Box::new(one))));
        events.push(Event::Completed { attempt: ATTEMPT, checkpoint: CHECKPOINT });
        events
    }

    /// Restores put records back, and some of them are processed.
    fn put_back(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (channel, ((_, to), lane)) in
            self.execution.channels.iter().zip(&self.lanes).enumerate()
        {
            let restored = ChannelStateRestored {
                subtask: subtask(*to),
                attempt: ATTEMPT,
                checkpoint: CheckpointId(0),
                inputs: vec![in_flight(channel, 0, &[&lane.put_back])],
                outputs: Vec::new(),
            };
            events.push(Event::ChannelStateRestored(Box::new(restored)));
            let channel = ChannelId(small(channel));
            let replayed = lane.put_back[..lane.replayed].iter().copied();
            let replayed =
                replayed.map(|lineage| Event::Replayed { channel, attempt: ATTEMPT, lineage });
            events.extend(replayed);
        }
        events
    }

    fn overtook(&self) -> Vec<Event> {
        let overtaken = (0..3).filter(|process| self.overtaken[*process]);
        let told = overtaken.map(|process| Event::AlignmentOvertaken {
            subtask: subtask(process),
            attempt: ATTEMPT,
            checkpoint: CHECKPOINT,
        });
        told.collect()
    }
}

/// A restore needs an attempt before: the execution is moved into the second one.
fn of_second_attempt(event: &mut Event) {
    match event {
        Event::AttemptStarted { attempt, .. }
        | Event::Sent { attempt, .. }
        | Event::Received { attempt, .. } => *attempt = ATTEMPT,
        Event::SnapshotTaken(taken) => taken.attempt = ATTEMPT,
        Event::RunStarted(_) | Event::LeadershipTaken { .. } => {}
        other => unreachable!("{other:?} is in no execution"),
    }
}

fn in_flight(channel: usize, restored: usize, records: &[&[LineageId]]) -> InFlight {
    let channel = ChannelId(small(channel));
    InFlight { channel, restored: restored as u64, records: records.concat() }
}

#[test]
fn cuts_with_channel_state_are_whole_exactly_where_the_lists_agree() {
    let (mut whole, mut broken) = (0, 0);
    for seed in 0..20_000 {
        let case = Draw(ChaCha8Rng::seed_from_u64(seed)).case();
        let (fired, _) = judged(&case.trace());
        let is_whole = case.is_whole();
        assert_eq!(
            fired.contains(&OracleName::Cut),
            !is_whole,
            "seed {seed}: {fired:?}\n{case:#?}"
        );
        if is_whole { whole += 1 } else { broken += 1 }
    }
    assert!(whole > 2_000 && broken > 5_000, "{whole} whole cuts, {broken} broken ones");
}
