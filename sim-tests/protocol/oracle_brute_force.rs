//! The cut oracles against brute force, on all cuts of small executions.
//!
//! A cut is consistent if and only if some legal execution passes through it as a global state
//! (Chandy and Lamport 1985, theorem 1, read both ways), and nothing is in transit if its channels
//! are empty there. The search over executions knows nothing of counts, digests or clocks; it shares
//! no code with the oracles.

mod channel_state;
mod mutations;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use cutwater::oracle::{End, Judge, OracleName, Reference};
use cutwater::protocol::{
    Attempt, ChannelId, ChannelShape, CheckpointId, Digest, LineageId, OperatorId, OperatorRole,
    OperatorShape, ProcessId, SubtaskId, SubtaskShape, Term, Topology, VirtualTime,
};
use cutwater::trace::{ChannelCut, Event, RunStarted, SnapshotTaken, Stamp};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a process does next, with the index of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Send(usize),
    Receive(usize),
}

/// Processes joined by channels, and what they did, in one order in which it happened.
#[derive(Clone, Debug)]
struct Execution {
    processes: usize,
    /// Who sends and who receives.
    channels: Vec<(usize, usize)>,
    steps: Vec<Step>,
}

/// What brute force says about a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Truth {
    consistent: bool,
    transitless: bool,
}

impl Execution {
    fn process_of(&self, step: Step) -> usize {
        match step {
            Step::Send(channel) => self.channels[channel].0,
            Step::Receive(channel) => self.channels[channel].1,
        }
    }

    fn history(&self, process: usize) -> Vec<Step> {
        self.steps.iter().copied().filter(|step| self.process_of(*step) == process).collect()
    }

    /// All vectors of prefix lengths, one per process.
    fn cuts(&self) -> Vec<Vec<usize>> {
        (0..self.processes).fold(vec![vec![]], |cuts, process| {
            let length = self.history(process).len();
            let extended = |cut: &Vec<usize>, prefix| [cut.as_slice(), &[prefix]].concat();
            cuts.iter().flat_map(|cut| (0..=length).map(move |at| extended(cut, at))).collect()
        })
    }

    /// Every global state that some execution of the same local histories passes through, and whether
    /// its channels are empty. Messages are moved one by one.
    fn reachable(&self) -> Vec<(Vec<usize>, bool)> {
        let histories: Vec<_> = (0..self.processes).map(|process| self.history(process)).collect();
        let empty = vec![VecDeque::<usize>::new(); self.channels.len()];
        let mut seen = BTreeSet::from([vec![0; self.processes]]);
        let mut open = VecDeque::from([(vec![0; self.processes], empty)]);
        let mut found = Vec::new();
        while let Some((state, queues)) = open.pop_front() {
            found.push((state.clone(), queues.iter().all(VecDeque::is_empty)));
            for process in 0..self.processes {
                let Some(step) = histories[process].get(state[process]) else { continue };
                let mut queues = queues.clone();
                match *step {
                    Step::Send(channel) => queues[channel].push_back(state[process]),
                    Step::Receive(channel) if queues[channel].pop_front().is_none() => continue,
                    Step::Receive(_) => {}
                }
                let mut next = state.clone();
                next[process] += 1;
                if seen.insert(next.clone()) {
                    open.push_back((next, queues));
                }
            }
        }
        found
    }

    fn topology(&self) -> Topology {
        let shape = |(from, to): &(usize, usize)| ChannelShape {
            from: subtask(*from),
            to: subtask(*to),
            input: 0,
            edge: 0,
        };
        Topology {
            operators: (0..self.processes)
                .map(|process| {
                    OperatorShape::new(&format!("p{process}"), OperatorRole::Operator, 1)
                })
                .collect(),
            subtasks: (0..self.processes)
                .map(|process| SubtaskShape { operator: OperatorId(small(process)), index: 0 })
                .collect(),
            channels: self.channels.iter().map(shape).collect(),
        }
    }

    /// The trace of the execution in which every process snapshots at its place in the cut.
    fn trace(&self, cut: &[usize]) -> Vec<Event> {
        let (attempt, term) = (Attempt(1), Term(1));
        let run = RunStarted {
            topology: self.topology(),
            split_lengths: Vec::new(),
            retained: 1,
            liveness_bound_ms: 1000,
            concurrent_max: 1,
            protocol: cutwater::protocol::Protocol::Aligned,
        };
        let mut events = vec![
            Event::RunStarted(Box::new(run)),
            Event::LeadershipTaken { term },
            Event::AttemptStarted { attempt, term, restored: None },
        ];
        let mut done = vec![0; self.processes];
        let mut ends = vec![(Vec::new(), Vec::new()); self.channels.len()];
        for process in 0..self.processes {
            self.snapshot_at(&mut events, &ends, process, cut, &done);
        }
        for step in &self.steps {
            events.push(take(*step, &mut ends));
            let process = self.process_of(*step);
            done[process] += 1;
            self.snapshot_at(&mut events, &ends, process, cut, &done);
        }
        events
    }

    fn snapshot_at(
        &self,
        events: &mut Vec<Event>,
        ends: &[(Vec<LineageId>, Vec<LineageId>)],
        process: usize,
        cut: &[usize],
        done: &[usize],
    ) {
        if done[process] != cut[process] {
            return;
        }
        let listed = |is_mine: fn(&(usize, usize)) -> usize, received: bool| {
            let mine = (0..self.channels.len()).filter(|c| is_mine(&self.channels[*c]) == process);
            mine.map(|c| claim(c, if received { &ends[c].1 } else { &ends[c].0 })).collect()
        };
        events.push(Event::SnapshotTaken(Box::new(SnapshotTaken {
            subtask: subtask(process),
            attempt: Attempt(1),
            checkpoint: CheckpointId(1),
            received: listed(|channel| channel.1, true),
            sent: listed(|channel| channel.0, false),
            positions: Vec::new(),
            state: Digest(1),
            tokens: None,
            transactions: Vec::new(),
            ended: false,
            ownership: cutwater::trace::Ownership::default(),
        })));
    }
}

fn small(number: usize) -> u16 {
    u16::try_from(number).expect("executions are small")
}

fn subtask(process: usize) -> SubtaskId {
    SubtaskId(small(process))
}

fn claim(channel: usize, records: &[LineageId]) -> ChannelCut {
    let mut digest = Digest::default();
    records.iter().for_each(|record| digest.push(record.0));
    ChannelCut { channel: ChannelId(small(channel)), records: records.len() as u64, digest }
}

/// Carries a step out; the event that tells of it.
fn take(step: Step, ends: &mut [(Vec<LineageId>, Vec<LineageId>)]) -> Event {
    let attempt = Attempt(1);
    match step {
        Step::Send(index) => {
            let sequence = ends[index].0.len() as u64;
            let lineage = LineageId(1000 * (index as u64 + 1) + sequence);
            ends[index].0.push(lineage);
            Event::Sent {
                channel: ChannelId(small(index)),
                attempt,
                sequence,
                lineage,
                bytes: None,
            }
        }
        Step::Receive(index) => {
            let place = ends[index].1.len();
            let lineage = ends[index].0[place];
            ends[index].1.push(lineage);
            let sequence = place as u64;
            Event::Received { channel: ChannelId(small(index)), attempt, sequence, lineage }
        }
    }
}

/// The oracles that fire on the trace, and whether one of them tells of an orphan.
fn judged(events: &[Event]) -> (Vec<OracleName>, bool) {
    let mut judge = Judge::new(Arc::new(Reference::unknown()));
    for (number, event) in (0..).zip(events) {
        let stamp = Stamp { number, at: VirtualTime(number), process: ProcessId::Worker(0) };
        judge.observe(stamp, event);
    }
    let verdict = judge.finish(&End::Stopped);
    let has_orphan = verdict.violations().iter().any(|found| found.text.starts_with("orphan on"));
    (verdict.fired().to_vec(), has_orphan)
}

/// How many cuts of each kind were seen.
#[derive(Debug, Default)]
struct Seen {
    inconsistent: u64,
    in_transit: u64,
    clean: u64,
}

/// Judges every cut of `execution`, and holds the judgement against brute force.
fn compare(execution: &Execution, seen: &mut Seen) {
    let reachable = execution.reachable();
    for cut in execution.cuts() {
        let state = reachable.iter().find(|(state, _)| *state == cut);
        let truth = Truth {
            consistent: state.is_some(),
            transitless: state.is_some_and(|(_, is_empty)| *is_empty),
        };
        let (fired, has_orphan) = judged(&execution.trace(&cut));
        let told = |oracle| fired.contains(&oracle);
        let context = format!("{execution:?}\ncut {cut:?}: {truth:?}, fired {fired:?}");
        assert_eq!(told(OracleName::VectorClock), !truth.consistent, "vector clocks: {context}");
        assert_eq!(has_orphan, !truth.consistent, "orphans: {context}");
        assert_eq!(told(OracleName::Cut), !truth.transitless, "cut: {context}");
        let others = [OracleName::Cut, OracleName::VectorClock];
        assert!(fired.iter().all(|oracle| others.contains(oracle)), "others: {context}");
        match truth {
            Truth { consistent: false, .. } => seen.inconsistent += 1,
            Truth { transitless: false, .. } => seen.in_transit += 1,
            Truth { .. } => seen.clean += 1,
        }
    }
}

/// What may happen next: any send while messages are left, any receive from a channel that holds one.
fn possible(execution: &Execution, messages_max: usize) -> Vec<Step> {
    let count = |wanted: Step| execution.steps.iter().filter(|step| **step == wanted).count();
    let sent: usize = (0..execution.channels.len()).map(|c| count(Step::Send(c))).sum();
    let mut steps = Vec::new();
    for channel in 0..execution.channels.len() {
        if sent < messages_max {
            steps.push(Step::Send(channel));
        }
        if count(Step::Send(channel)) > count(Step::Receive(channel)) {
            steps.push(Step::Receive(channel));
        }
    }
    steps
}

/// Every execution of at most `steps_max` steps.
fn explore(execution: &mut Execution, steps_max: usize, seen: &mut Seen, executions: &mut u64) {
    compare(execution, seen);
    *executions += 1;
    if execution.steps.len() == steps_max {
        return;
    }
    for step in possible(execution, steps_max) {
        execution.steps.push(step);
        explore(execution, steps_max, seen, executions);
        execution.steps.pop();
    }
}

#[test]
fn all_cuts_of_all_short_executions_of_two_processes() {
    let (mut seen, mut executions) = (Seen::default(), 0);
    let channels = vec![(0, 1), (1, 0)];
    let mut execution = Execution { processes: 2, channels, steps: Vec::new() };
    explore(&mut execution, 7, &mut seen, &mut executions);
    assert!(executions > 1000, "{executions} executions");
    assert!(seen.inconsistent > 1000 && seen.in_transit > 1000 && seen.clean > 1000, "{seen:?}");
}

#[test]
fn all_cuts_of_random_executions_of_three_processes_with_six_messages() {
    let mut seen = Seen::default();
    let pairs = [(0, 1), (1, 2), (0, 2), (2, 0), (1, 0), (2, 1)];
    for seed in 0..300 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let channels = pairs.into_iter().filter(|_| !random.next_u32().is_multiple_of(3)).collect();
        let mut execution = Execution { processes: 3, channels, steps: Vec::new() };
        loop {
            let steps = possible(&execution, 6);
            if steps.is_empty() {
                break;
            }
            execution.steps.push(steps[random.next_u32() as usize % steps.len()]);
        }
        compare(&execution, &mut seen);
    }
    assert!(seen.inconsistent > 1000 && seen.in_transit > 1000 && seen.clean > 500, "{seen:?}");
}
