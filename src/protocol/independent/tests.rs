//! Small graphs of messages, judged by hand and by brute force.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::*;

const NONE: IndependentDefectSet = IndependentDefectSet::NONE;

/// Two processes, a channel each way.
const PAIR: [Edge; 2] =
    [Edge { from: 0, to: 1, is_local: true }, Edge { from: 1, to: 0, is_local: false }];

/// What happens, one after the other: a message that is received at once, or a checkpoint.
#[derive(Clone, Copy, Debug)]
enum Act {
    Message(usize),
    Checkpoint(usize),
}

/// The checkpoints of each process, and where it stands.
fn play(
    edges: &[Edge],
    processes: usize,
    acts: &[Act],
) -> (Vec<Vec<ChannelCounts>>, Vec<ChannelCounts>) {
    let mut now = vec![ChannelCounts::none(edges.len()); processes];
    let mut checkpoints: Vec<_> = now.iter().map(|first| vec![first.clone()]).collect();
    for act in acts {
        match *act {
            Act::Message(channel) => {
                now[edges[channel].from].sent[channel] += 1;
                now[edges[channel].to].received[channel] += 1;
            }
            Act::Checkpoint(process) => checkpoints[process].push(now[process].clone()),
        }
    }
    (checkpoints, now)
}

fn is_consistent(edges: &[Edge], checkpoints: &[Vec<ChannelCounts>], line: &[usize]) -> bool {
    edges.iter().enumerate().all(|(channel, edge)| {
        let sent = checkpoints[edge.from][line[edge.from]].sent[channel];
        checkpoints[edge.to][line[edge.to]].received[channel] <= sent
    })
}

/// All choices of one checkpoint a process.
fn choices(checkpoints: &[Vec<ChannelCounts>]) -> Vec<Vec<usize>> {
    checkpoints.iter().fold(vec![Vec::new()], |all, own| {
        let longer = |choice: &Vec<usize>| {
            (0..own.len()).map(|place| [choice.as_slice(), &[place]].concat()).collect::<Vec<_>>()
        };
        all.iter().flat_map(longer).collect()
    })
}

/// Each checkpoint of one process has received what the other sent after its own.
#[test]
fn orphans_cause_one_another_back_to_the_beginning() {
    use Act::{Checkpoint, Message};
    let round = [Message(0), Checkpoint(1), Message(1), Checkpoint(0)];
    let (checkpoints, _) = play(&PAIR, 2, &round.repeat(4));
    assert_eq!(recovery_line(&PAIR, &checkpoints, NONE), [0, 0]);
    // A pause in which both take one, and the line is there.
    let pause = [Checkpoint(0), Checkpoint(1)];
    let acts = [&round.repeat(4)[..], &pause, &round.repeat(2)].concat();
    let (checkpoints, _) = play(&PAIR, 2, &acts);
    assert_eq!(recovery_line(&PAIR, &checkpoints, NONE), [5, 5]);
    // Without the way from 0 to 1 in the graph, the last checkpoints seem to do, and have an orphan.
    let skipped = IndependentDefectSet::only(IndependentDefect::LocalEdgesSkipped);
    let line = recovery_line(&PAIR, &checkpoints, skipped);
    assert!(!is_consistent(&PAIR, &checkpoints, &line), "{line:?}");
}

#[test]
fn a_checkpoint_between_a_message_and_its_answer_is_useless() {
    use Act::{Checkpoint, Message};
    let (checkpoints, now) = play(&PAIR, 2, &[Message(0), Checkpoint(1), Message(1)]);
    assert_eq!(useless(&PAIR, &checkpoints, &now), [vec![], vec![1]]);
    // Unless who asked takes one as well before the answer.
    let acts = [Message(0), Checkpoint(1), Checkpoint(0), Message(1)];
    let (checkpoints, now) = play(&PAIR, 2, &acts);
    assert_eq!(useless(&PAIR, &checkpoints, &now), [vec![], Vec::<usize>::new()]);
}

/// Three processes in a ring, and one channel across.
const RING: [Edge; 4] = [
    Edge { from: 0, to: 1, is_local: false },
    Edge { from: 1, to: 2, is_local: false },
    Edge { from: 2, to: 0, is_local: false },
    Edge { from: 0, to: 2, is_local: true },
];

/// An interleaving in which messages take their time: what is sent is received later, in order.
#[derive(Clone, Copy, Debug)]
enum Slow {
    Send(usize),
    Receive(usize),
    Checkpoint(usize),
}

fn slow() -> impl Strategy<Value = Slow> {
    prop_oneof![
        3 => (0..RING.len()).prop_map(Slow::Send),
        3 => (0..RING.len()).prop_map(Slow::Receive),
        1 => (0..3_usize).prop_map(Slow::Checkpoint),
    ]
}

/// The same, carried out with forced checkpoints of a scheme.
struct Induced {
    inducers: Vec<CheckpointInducer>,
    under_way: Vec<Vec<Piggyback>>,
    now: Vec<ChannelCounts>,
    checkpoints: Vec<Vec<ChannelCounts>>,
}

impl Induced {
    fn play(scheme: Scheme, acts: &[Slow], defects: IndependentDefectSet) -> Self {
        let now = vec![ChannelCounts::none(RING.len()); 3];
        let checkpoints = now.iter().map(|first| vec![first.clone()]).collect();
        let inducers = (0..3).map(|process| CheckpointInducer::new(scheme, process, 3, defects));
        let under_way = vec![Vec::new(); RING.len()];
        let mut all = Self { inducers: inducers.collect(), under_way, now, checkpoints };
        acts.iter().for_each(|act| all.act(*act));
        all
    }

    fn act(&mut self, act: Slow) {
        match act {
            Slow::Send(channel) => {
                let Edge { from, to, .. } = RING[channel];
                self.now[from].sent[channel] += 1;
                self.under_way[channel].push(self.inducers[from].handle_send(to));
            }
            Slow::Receive(channel) if !self.under_way[channel].is_empty() => {
                let (to, carried) = (RING[channel].to, self.under_way[channel].remove(0));
                let receipt = self.inducers[to].receipt(&carried);
                if receipt == Receipt::CheckpointFirst {
                    self.checkpoint(to);
                }
                self.now[to].received[channel] += 1;
                self.inducers[to].handle_delivery(&carried);
                if receipt == Receipt::CheckpointAfter {
                    self.checkpoint(to);
                }
            }
            Slow::Receive(_) => {}
            Slow::Checkpoint(process) => self.checkpoint(process),
        }
    }

    fn checkpoint(&mut self, process: usize) {
        self.checkpoints[process].push(self.now[process].clone());
        self.inducers[process].handle_checkpoint();
    }

    fn useless(&self) -> usize {
        useless(&RING, &self.checkpoints, &self.now).iter().map(Vec::len).sum()
    }
}

proptest! {
    #[test]
    fn a_line_is_the_greatest_consistent_choice(acts in proptest::collection::vec(slow(), 0..40)) {
        let all = Induced::play(Scheme::Uncoordinated, &acts, NONE);
        let line = recovery_line(&RING, &all.checkpoints, NONE);
        let consistent = choices(&all.checkpoints).into_iter().filter(|choice| is_consistent(&RING, &all.checkpoints, choice));
        let greatest = consistent.fold(vec![0; 3], |greatest, choice| {
            greatest.iter().zip(&choice).map(|(a, b)| *a.max(b)).collect::<Vec<usize>>()
        });
        prop_assert_eq!(line, greatest);
    }

    #[test]
    fn a_useless_checkpoint_is_in_no_consistent_choice(acts in proptest::collection::vec(slow(), 0..40)) {
        let all = Induced::play(Scheme::Uncoordinated, &acts, NONE);
        let found = useless(&RING, &all.checkpoints, &all.now);
        // Where everybody stands is a checkpoint that could be taken.
        let mut possible = all.checkpoints.clone();
        possible.iter_mut().zip(&all.now).for_each(|(own, now)| own.push(now.clone()));
        let mut consistent = choices(&possible);
        consistent.retain(|choice| is_consistent(&RING, &possible, choice));
        for process in 0..3 {
            for place in 0..all.checkpoints[process].len() {
                let is_used = consistent.iter().any(|choice| choice[process] == place);
                prop_assert_eq!(!is_used, found[process].contains(&place), "{} of {}", place, process);
            }
        }
    }

    #[test]
    fn induced_checkpoints_are_never_useless(acts in proptest::collection::vec(slow(), 0..200)) {
        for scheme in [Scheme::Bcs, Scheme::Hmnr] {
            prop_assert_eq!(Induced::play(scheme, &acts, NONE).useless(), 0, "{}", scheme);
        }
    }
}

/// How many of so many drawn interleavings have a useless checkpoint.
fn broken(scheme: Scheme, defects: IndependentDefectSet, runs: u32) -> usize {
    let config = proptest::test_runner::Config::default();
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let acts = proptest::collection::vec(slow(), 200);
    let drawn = (0..runs).map(|_| acts.new_tree(&mut runner).expect("it can be drawn").current());
    drawn.filter(|acts| Induced::play(scheme, acts, defects).useless() > 0).count()
}

#[test]
fn without_either_condition_checkpoints_are_useless() {
    use IndependentDefect as D;
    for defect in
        [D::OvertakenMessageForcesNothing, D::OwnIntervalForcesNothing, D::ForcedAfterDelivery]
    {
        let found = broken(Scheme::Hmnr, IndependentDefectSet::only(defect), 50);
        assert!(found > 0, "{defect} in {found} of 50");
    }
    assert_eq!(broken(Scheme::Hmnr, NONE, 50), 0);
    assert!(broken(Scheme::Uncoordinated, NONE, 50) > 0);
}
