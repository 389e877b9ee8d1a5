//! The oracles against brute force, on all cuts of small executions.
//!
//! A cut is a snapshot if and only if some order of the same local histories passes through it (theorem 1
//! of Chandy and Lamport, read both ways), with the channels holding what they hold there. The search goes
//! through all orders; it knows nothing of markers, counts or places, and shares no code with the oracles.

use std::collections::{BTreeMap, VecDeque};

use cutwater::classic::event::{Event, RunStarted, Stamped};
use cutwater::classic::oracle::{Property, judge};
use cutwater::classic::{LocalState, Message, ProcessGraph, ProcessIndex, Workload};
use cutwater::plan::random::{Concern, Stream};
use cutwater::protocol::{ChannelId, SnapshotId};

/// What a process does next, with the index of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Send(usize),
    Receive(usize),
}

#[derive(Debug)]
struct Execution {
    processes: usize,
    channels: Vec<(usize, usize)>,
    /// In an order in which it happened.
    steps: Vec<Step>,
}

/// How far each process is.
type CutOf = Vec<usize>;
/// What each channel holds: messages by their number in the channel.
type Contents = Vec<VecDeque<u64>>;

const MESSAGES_MAX: usize = 6;

impl Execution {
    fn drawn(seed: u64) -> Self {
        let mut stream = Stream::new(seed, Concern::Workload, 0);
        let processes = 2 + stream.below(2) as usize;
        let pairs = (0..processes).flat_map(|from| (0..processes).map(move |to| (from, to)));
        let mut channels: Vec<_> = pairs.filter(|(from, to)| from != to).collect();
        channels.retain(|_| stream.chance(70));
        if channels.is_empty() {
            channels.push((0, 1));
        }
        let (mut steps, mut sent) = (Vec::new(), 0);
        let mut under_way = vec![0; channels.len()];
        while steps.len() < 2 * MESSAGES_MAX && stream.chance(92) {
            let channel = stream.below(channels.len() as u64) as usize;
            if under_way[channel] > 0 && stream.chance(50) {
                under_way[channel] -= 1;
                steps.push(Step::Receive(channel));
            } else if sent < MESSAGES_MAX {
                sent += 1;
                under_way[channel] += 1;
                steps.push(Step::Send(channel));
            }
        }
        Self { processes, channels, steps }
    }

    fn process_of(&self, step: Step) -> usize {
        match step {
            Step::Send(channel) => self.channels[channel].0,
            Step::Receive(channel) => self.channels[channel].1,
        }
    }

    fn history(&self, process: usize) -> Vec<Step> {
        self.steps.iter().copied().filter(|step| self.process_of(*step) == process).collect()
    }

    fn cuts(&self) -> Vec<CutOf> {
        (0..self.processes).fold(vec![vec![]], |cuts, process| {
            let length = self.history(process).len();
            let extended = |cut: &CutOf, prefix| [cut.as_slice(), &[prefix]].concat();
            cuts.iter().flat_map(|cut| (0..=length).map(move |at| extended(cut, at))).collect()
        })
    }

    /// Every cut that some order passes through, with what the channels hold there.
    fn reachable(&self) -> BTreeMap<CutOf, Contents> {
        let start = vec![0; self.processes];
        let empty = vec![VecDeque::new(); self.channels.len()];
        let mut reached = BTreeMap::from([(start.clone(), empty)]);
        let mut open = vec![start];
        while let Some(cut) = open.pop() {
            for process in 0..self.processes {
                let mut contents = reached[&cut].clone();
                let Some(step) = self.history(process).get(cut[process]).copied() else { continue };
                if !self.take(step, &mut contents, &cut) {
                    continue;
                }
                let mut next = cut.clone();
                next[process] += 1;
                if reached.insert(next.clone(), contents).is_none() {
                    open.push(next);
                }
            }
        }
        reached
    }

    /// Carries a step out, if it is possible.
    fn take(&self, step: Step, contents: &mut Contents, cut: &CutOf) -> bool {
        match step {
            Step::Receive(channel) => contents[channel].pop_front().is_some(),
            Step::Send(channel) => {
                let sender = self.channels[channel].0;
                let before = &self.history(sender)[..cut[sender]];
                let number = before.iter().filter(|it| **it == step).count();
                contents[channel].push_back(number as u64);
                true
            }
        }
    }

    /// A trace in which the processes recorded their states at `cut`, and channels this.
    fn trace(&self, cut: &CutOf, contents: &Contents) -> Vec<Stamped> {
        let mut events = vec![self.started()];
        let (mut done, mut sent, mut taken) =
            (vec![0; self.processes], vec![0; self.channels.len()], vec![0; self.channels.len()]);
        let snapshot = SnapshotId(0);
        let recorded = |process: usize, done: usize| Event::StateRecorded {
            process: index(process),
            snapshot,
            state: LocalState::Tokens(done as u64),
        };
        events.extend((0..self.processes).filter(|it| cut[*it] == 0).map(|it| recorded(it, 0)));
        for step in &self.steps {
            let process = self.process_of(*step);
            done[process] += 1;
            let state = LocalState::Tokens(done[process] as u64);
            match step {
                Step::Send(channel) => {
                    events.push(Event::Commanded { process: index(process), state });
                    let message = Message::Tokens(sent[*channel]);
                    events.push(Event::Sent { channel: ChannelId(*channel as u16), message });
                    sent[*channel] += 1;
                }
                Step::Receive(channel) => {
                    let message = Message::Tokens(taken[*channel]);
                    let channel_id = ChannelId(*channel as u16);
                    events.push(Event::Received { channel: channel_id, message, state });
                    taken[*channel] += 1;
                }
            }
            events.extend((done[process] == cut[process]).then(|| recorded(process, cut[process])));
        }
        for (channel, messages) in contents.iter().enumerate() {
            let messages = messages.iter().map(|number| Message::Tokens(*number)).collect();
            let channel = ChannelId(channel as u16);
            events.push(Event::ChannelRecorded { channel, snapshot, messages });
        }
        let stamped = |(number, event)| Stamped { number, tick: 0, event };
        (0..).zip(events).map(stamped).collect()
    }

    fn started(&self) -> Event {
        let mut graph = ProcessGraph::default();
        for process in 0..self.processes {
            graph.add_process(&format!("N{process}")).expect("a name of its own");
        }
        for (from, to) in &self.channels {
            graph.add_channel(&format!("N{from}"), &format!("N{to}")).expect("one of its own");
        }
        let states = vec![LocalState::Tokens(0); self.processes];
        Event::RunStarted(RunStarted { graph, workload: Workload::Tokens, states })
    }
}

fn index(process: usize) -> ProcessIndex {
    ProcessIndex(process as u16)
}

/// Who says that the snapshot is none. What is conserved is no matter here.
fn found(execution: &Execution, cut: &CutOf, contents: &Contents) -> Vec<Property> {
    let violations = judge(&execution.trace(cut, contents)).into_iter();
    let properties = violations.map(|violation| violation.property);
    let asked = [Property::Cut, Property::ChannelState, Property::Permutation, Property::Trace];
    properties.filter(|property| asked.contains(property)).collect()
}

#[test]
fn a_cut_is_accepted_if_and_only_if_some_order_passes_through_it() {
    let (mut accepted, mut refused) = (0, 0);
    for seed in 0..120 {
        let execution = Execution::drawn(seed);
        let reachable = execution.reachable();
        for cut in execution.cuts() {
            let nothing = vec![VecDeque::new(); execution.channels.len()];
            let contents = reachable.get(&cut);
            let said = found(&execution, &cut, contents.unwrap_or(&nothing));
            let context = format!("{execution:?}, cut {cut:?}: {said:?}");
            if contents.is_some() {
                accepted += 1;
                assert_eq!(said, [], "{context}");
            } else {
                refused += 1;
                let both = [Property::Cut, Property::Permutation];
                assert!(both.iter().all(|it| said.contains(it)), "{context}");
            }
        }
    }
    assert!(accepted > 1_000 && refused > 1_000, "{accepted} accepted, {refused} refused");
}

/// The channels of a cut have one content. Any other is refused, by two oracles that share nothing.
#[test]
fn a_channel_with_any_other_content_is_refused() {
    let mut tried = 0;
    for seed in 0..60 {
        let execution = Execution::drawn(seed);
        for (cut, contents) in execution.reachable() {
            for wrong in other_contents(&contents) {
                tried += 1;
                let said = found(&execution, &cut, &wrong);
                let context = format!("{execution:?}, cut {cut:?}, {wrong:?}: {said:?}");
                assert_eq!(said, [Property::ChannelState, Property::Permutation], "{context}");
            }
        }
    }
    assert!(tried > 1_000, "{tried} tried");
}

/// One message too few, one too many, two in the wrong order.
fn other_contents(contents: &Contents) -> Vec<Contents> {
    let mut others = Vec::new();
    for channel in 0..contents.len() {
        let mut changed = |change: &dyn Fn(&mut VecDeque<u64>)| {
            let mut other = contents.clone();
            change(&mut other[channel]);
            others.extend((other != *contents).then_some(other));
        };
        changed(&|it| {
            it.pop_front();
        });
        changed(&|it| it.push_back(99));
        changed(&|it| it.make_contiguous().reverse());
    }
    // Two oracles speak once for each wrong channel, and only one is wrong here.
    others.dedup();
    others
}
