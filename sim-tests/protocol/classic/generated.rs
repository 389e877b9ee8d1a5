//! Random graphs, strongly and weakly connected, with random scripts, hold all oracles.

use cutwater::protocol::ordered::VecSet;

use cutwater::classic::run::run;
use cutwater::classic::script::{Act, Script};
use cutwater::classic::workload::Command;
use cutwater::classic::{ProcessGraph, ProcessIndex, Settings, System, Workload};
use cutwater::plan::Span;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

const PROCESSES_MAX: u16 = 6;

/// Numbers, of which a system and a script are made.
#[derive(Clone, Debug)]
struct Draft {
    processes: u16,
    /// Each process after the first is joined to an earlier one, this way or the other: no part is alone.
    tree: Vec<(u16, bool)>,
    channels: Vec<(u16, u16)>,
    /// A ring through all makes it strongly connected.
    has_ring: bool,
    workload: Workload,
    acts: Vec<DraftAct>,
    delay_max: u64,
    seed: u64,
}

#[derive(Clone, Debug)]
enum DraftAct {
    Send {
        channel: usize,
        amount: u64,
    },
    /// Of these, and of whoever they do not reach if it is to be complete.
    Snapshot {
        initiators: Vec<u16>,
        is_complete: bool,
    },
    Tick(u64),
}

fn act() -> impl Strategy<Value = DraftAct> {
    let send = (any::<usize>(), 0..20_u64)
        .prop_map(|(channel, amount)| DraftAct::Send { channel, amount });
    let initiators = prop::collection::vec(0..PROCESSES_MAX, 1..3);
    let snapshot = (initiators, prop::bool::weighted(0.6))
        .prop_map(|(initiators, is_complete)| DraftAct::Snapshot { initiators, is_complete });
    prop_oneof![5 => send, 1 => snapshot, 3 => (1..4_u64).prop_map(DraftAct::Tick)]
}

fn draft() -> impl Strategy<Value = Draft> {
    let end = 0..PROCESSES_MAX;
    let workload = prop_oneof![
        Just(Workload::Tokens),
        Just(Workload::Bank),
        Just(Workload::Work),
        Just(Workload::Locks)
    ];
    let graph = (
        1..=PROCESSES_MAX,
        prop::collection::vec((end.clone(), any::<bool>()), usize::from(PROCESSES_MAX)),
        prop::collection::vec((end.clone(), end), 0..10),
        any::<bool>(),
    );
    let rest = (workload, prop::collection::vec(act(), 1..40), 1..9_u64, any::<u64>());
    (graph, rest).prop_map(|(graph, rest)| {
        let (processes, tree, channels, has_ring) = graph;
        let (workload, acts, delay_max, seed) = rest;
        Draft { processes, tree, channels, has_ring, workload, acts, delay_max, seed }
    })
}

impl Draft {
    fn graph(&self) -> ProcessGraph {
        let (mut graph, count) = (ProcessGraph::default(), self.processes);
        for process in 0..count {
            graph.add_process(&format!("N{process}")).expect("a name of its own");
        }
        let parent = |(process, (other, down)): (u16, &(u16, bool))| {
            let other = other % process;
            if *down { (other, process) } else { (process, other) }
        };
        let tree = (1..count).zip(&self.tree).map(parent);
        let extra = self.channels.iter().map(|(from, to)| (from % count, to % count));
        let ring = (0..count).filter(|_| self.has_ring).map(|from| (from, (from + 1) % count));
        for (from, to) in tree.chain(extra).chain(ring) {
            // A channel that is there already is not added twice.
            let _ = graph.add_channel(&format!("N{from}"), &format!("N{to}"));
            if self.workload == Workload::Locks {
                let _ = graph.add_channel(&format!("N{to}"), &format!("N{from}"));
            }
        }
        graph
    }

    fn script(&self, graph: &ProcessGraph) -> Script {
        self.acts.iter().filter_map(|act| self.act(graph, act)).collect()
    }

    fn act(&self, graph: &ProcessGraph, act: &DraftAct) -> Option<Act> {
        match act {
            DraftAct::Tick(ticks) => Some(Act::Tick { ticks: *ticks }),
            DraftAct::Send { channel, amount } => {
                let channel = graph.channels().nth(channel % graph.channels().count().max(1))?;
                let (process, amount) = (graph.ends(channel).0, *amount);
                Some(Act::Send { process, command: Command { channel, amount } })
            }
            DraftAct::Snapshot { initiators, is_complete } => {
                let initiators = initiators.iter().map(|it| ProcessIndex(it % self.processes));
                let mut initiators: VecSet<ProcessIndex> = initiators.collect();
                while let Some(missed) = missed(graph, &initiators).filter(|_| *is_complete) {
                    initiators.insert(missed);
                }
                Some(Act::Snapshot { initiators })
            }
        }
    }
}

fn missed(graph: &ProcessGraph, initiators: &VecSet<ProcessIndex>) -> Option<ProcessIndex> {
    let reached = graph.reached_from(initiators);
    graph.processes().find(|process| !reached.contains(process))
}

/// How much of what the cases are about was in them.
#[derive(Clone, Copy, Debug, Default)]
struct Reach {
    complete: usize,
    partial: usize,
    in_transit: usize,
    terminated: usize,
    deadlocked: usize,
}

fn check(draft: &Draft, reach: &mut Reach) -> Result<(), TestCaseError> {
    let graph = draft.graph();
    let script = draft.script(&graph);
    // Forty acts of at most twenty each: nobody runs short.
    let each = if draft.workload == Workload::Work { 2 } else { 1_000 };
    let tokens = vec![each; usize::from(draft.processes)];
    let system = System::new(graph, draft.workload, tokens).expect("locks have answers");
    let delay = Span { min: 1, max: draft.delay_max };
    let settings = Settings { delay, ..Settings::of_seed(draft.seed) };
    let run = run(&system, &script, settings).expect("nobody runs short");
    prop_assert!(run.violations.is_empty(), "{:?}\n{script:?}\n{:#?}", run.violations, run.trace);
    let snapshots = script.acts.iter().filter_map(|(_, act)| match act {
        Act::Snapshot { initiators } => Some(missed(&system.graph, initiators).is_none()),
        Act::Send { .. } | Act::Tick { .. } => None,
    });
    let owed = snapshots.clone().filter(|is_owed| *is_owed).count();
    prop_assert_eq!(run.snapshots.len(), owed);
    reach.complete += owed;
    reach.partial += snapshots.count() - owed;
    let states = || run.snapshots.values();
    reach.in_transit += states().filter(|it| it.channels.iter().any(|it| !it.is_empty())).count();
    reach.terminated += states().filter(|it| it.has_terminated()).count();
    reach.deadlocked += states().filter(|it| !it.deadlocked(&system.graph).is_empty()).count();
    Ok(())
}

#[test]
fn random_systems_hold_all_oracles() {
    const CASES: u32 = 1_000;
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let reach = std::cell::RefCell::new(Reach::default());
    let outcome = TestRunner::new_with_rng(config, rng)
        .run(&draft(), |draft| check(&draft, &mut reach.borrow_mut()));
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, draft)) => panic!("{reason}\n{draft:#?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
    let reach = reach.into_inner();
    println!("{reach:?}");
    let Reach { complete, partial, in_transit, terminated, deadlocked } = reach;
    assert!(complete > 1_000 && partial > 80 && in_transit > 500, "{reach:?}");
    assert!(terminated > 10 && deadlocked > 50, "{reach:?}");
}
