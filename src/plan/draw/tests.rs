use std::convert::Infallible;

use strum::IntoEnumIterator as _;

use super::aim::{self, Aim, Home};
use super::repertoire::Repertoire;
use super::rescale::subtasks_max;
use super::{FaultDraw, Targets};
use crate::cluster::message::Request;
use crate::plan::scenario::all;
use crate::plan::{
    Breadth, Concern, Fault, FaultClass, MessageAction, NemesisScenario, Plan, PlannedFault,
    PlannedRequest, Scenario, Span, Stream, When,
};
use crate::protocol::ordered::{VecMap, VecSet};
use crate::protocol::{
    ChannelShape, DefectSet, OperatorId, OperatorRole, OperatorShape, ProcessId, SubtaskId,
    SubtaskShape, Topology,
};
use crate::trace::{MessageKind, Point};

const TARGETS: Targets =
    Targets { workers: 3, channels: 8, subtasks: 6, splits: 4, repertoire: Repertoire::ALL };

fn drawn(class: FaultClass, number: u64, aim: Option<Aim>, aimed_percent: u8) -> Vec<PlannedFault> {
    let ranges = NemesisScenario { aimed_percent, ..NemesisScenario::default() };
    drawn_from(&ranges, class, number, aim)
}

fn drawn_from(
    ranges: &NemesisScenario,
    class: FaultClass,
    number: u64,
    aim: Option<Aim>,
) -> Vec<PlannedFault> {
    let stream = Stream::new(number, Concern::Faults, (class as u64) << 32);
    FaultDraw::new(ranges, TARGETS, stream).fault(class, aim)
}

/// What is drawn of a class where anything is asked for.
fn anything(class: FaultClass) -> impl Iterator<Item = PlannedFault> {
    let ranges = NemesisScenario { breadth: Breadth::Any, ..NemesisScenario::default() };
    (0..3_000).map(move |number| drawn_from(&ranges, class, number, None).remove(0))
}

/// The process in which a fault's point is reached.
fn struck(when: &When) -> ProcessId {
    match when {
        When::At { .. } => ProcessId::Worker(0),
        When::Point { point, .. } => match Home::of(*point) {
            Some(Home::Worker) => ProcessId::Worker(1),
            Some(Home::Coordinator) => ProcessId::Coordinator,
            Some(Home::Service) | None => ProcessId::ObjectStore,
        },
    }
}

#[test]
fn what_is_drawn_is_of_the_class_that_was_asked_for() {
    for class in FaultClass::iter() {
        for (number, aimed_percent) in (0..400).flat_map(|n| [(n, 0), (n, 50), (n, 100)]) {
            let faults = drawn(class, number, None, aimed_percent);
            let found = faults[0].class(struck(&faults[0].when));
            assert_eq!(found, class, "number {number}: {:?}", faults[0]);
        }
    }
}

#[test]
fn anything_that_is_drawn_is_of_the_class_that_was_asked_for() {
    for class in FaultClass::iter() {
        for fault in anything(class) {
            assert_eq!(fault.class(struck(&fault.when)), class, "{fault:?}");
        }
    }
}

#[test]
fn where_anything_is_asked_for_any_process_is_struck() {
    let services =
        [ProcessId::ObjectStore, ProcessId::MetaStore, ProcessId::SourceLog, ProcessId::SinkTarget];
    let workers = || (0..TARGETS.workers).map(ProcessId::Worker);
    let all = || workers().chain([ProcessId::Coordinator]).chain(services).collect::<VecSet<_>>();
    let victims = |class| {
        let victim = |fault: PlannedFault| match fault.fault {
            Fault::Crash { process, .. } | Fault::Pause { process, .. } => process,
            Fault::Isolate { process, .. } | Fault::Clock { process, .. } => process,
            other => panic!("{other:?}"),
        };
        anything(class).filter_map(victim).collect::<VecSet<_>>()
    };
    assert_eq!(victims(FaultClass::CrashStore), services.into_iter().collect());
    assert_eq!(victims(FaultClass::PauseWorker), workers().chain(services).collect());
    assert_eq!(victims(FaultClass::Isolate), all());
    assert_eq!(victims(FaultClass::ClockDrift), all());
    let pair = |fault: PlannedFault| match fault.fault {
        Fault::Hold { from, to, .. } => (from, to),
        other => panic!("{other:?}"),
    };
    let pairs: VecSet<_> = anything(FaultClass::Hold).map(pair).collect();
    assert_eq!(pairs.len(), all().len() * (all().len() - 1));
    assert!(pairs.iter().all(|(from, to)| from != to), "{pairs:?}");
}

#[test]
fn where_anything_is_asked_for_any_message_waits_for_any_event() {
    let (mut kinds, mut points) = (VecSet::new(), VecSet::new());
    for fault in anything(FaultClass::ReorderMessage) {
        let Fault::Message { message, action: MessageAction::Until { point }, .. } = fault.fault
        else {
            panic!("{fault:?}")
        };
        kinds.insert(message);
        points.insert(point);
    }
    assert_eq!((kinds.len(), points.len()), (MessageKind::iter().count(), Point::iter().count()));
}

#[test]
fn where_anything_is_asked_for_faults_come_at_once_at_any_point_and_after_any_restart() {
    let (mut points, mut restarts, mut at_once) = (VecSet::new(), VecSet::new(), 0);
    for fault in anything(FaultClass::StalledStore) {
        match fault.when {
            When::At { us } => at_once += u32::from(us == 0),
            When::Point { point, after_restarts, .. } => {
                points.insert(point);
                restarts.insert(after_restarts);
            }
        }
    }
    assert!((90..300).contains(&at_once), "{at_once} of 3,000 at once");
    assert_eq!(points.len(), Point::iter().count());
    assert_eq!(restarts, (0..=2).collect());
    let stays_down =
        |fault: &PlannedFault| matches!(fault.fault, Fault::Crash { restart_after_us: None, .. });
    assert!(anything(FaultClass::CrashWorker).any(|fault| stays_down(&fault)));
}

#[test]
fn any_class_is_aimed_at_any_point_that_it_can_be_aimed_at() {
    for class in FaultClass::iter() {
        for point in aim::points(Repertoire::ALL).filter(|point| aim::can_aim(class, *point)) {
            for number in 0..20 {
                let aim = Aim { point, subtask: None, occurrence: 3 };
                let fault = &drawn(class, number, Some(aim), 0)[0];
                let When::Point { point: at, occurrence, .. } = fault.when else {
                    panic!("{class} was to be aimed at {point}: {fault:?}");
                };
                assert_eq!((at, occurrence), (point, 3), "{class}: {fault:?}");
                assert_eq!(fault.class(struck(&fault.when)), class, "{fault:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_aimed_is_told_from_what_can() {
    for point in aim::points(Repertoire::ALL) {
        assert!(!aim::can_aim(FaultClass::ClockOffset, point));
        let in_recovery = aim::can_aim(FaultClass::CrashInRecovery, point);
        assert_ne!(in_recovery, aim::can_aim(FaultClass::CrashWorker, point), "{point}");
        assert!(aim::can_aim(FaultClass::StalledStore, point), "{point}");
    }
    for point in [Point::RunStarted, Point::JobFinished, Point::Crashed, Point::SplitResumed] {
        assert!(FaultClass::iter().all(|class| !aim::can_aim(class, point)), "{point}");
    }
}

#[test]
fn every_point_is_aimed_at_and_early_occurrences_more_often_than_late_ones() {
    let mut occurrences: VecMap<Point, Vec<u32>> = VecMap::new();
    for number in 0..20_000 {
        let fault = &drawn(FaultClass::StalledStore, number, None, 100)[0];
        if let When::Point { point, occurrence, .. } = fault.when {
            occurrences.entry(point).or_default().push(occurrence);
        }
    }
    assert_eq!(
        occurrences.keys().copied().collect::<Vec<_>>(),
        aim::points(Repertoire::ALL).collect::<Vec<_>>()
    );
    for (point, drawn) in occurrences {
        let late = 1 << (aim::doublings(point) - 1);
        let early = drawn.iter().filter(|occurrence| **occurrence <= late).count();
        assert!(early * 10 >= drawn.len() * 7, "{point}: {early} of {}", drawn.len());
        let has_late = drawn.iter().any(|occurrence| *occurrence > late);
        assert!(has_late, "{point}: none after occurrence {late}");
    }
}

#[test]
fn a_late_request_comes_with_the_restart_that_it_is_late_for() {
    for number in 0..200 {
        let faults = drawn(FaultClass::LateRequest, number, None, 50);
        let [request, crash] = faults.as_slice() else { panic!("two faults, not {faults:?}") };
        let Fault::Message { to: Some(store), .. } = request.fault else { panic!("{request:?}") };
        let Fault::Crash { process: Some(client), restart_after_us: Some(_) } = crash.fault else {
            panic!("{crash:?}")
        };
        let writes_there = store == ProcessId::ObjectStore || client == ProcessId::Coordinator;
        assert!(writes_there, "{client} sends nothing to the {store}");
        if let (When::At { us: before }, When::At { us: after }) = (&request.when, &crash.when) {
            assert!(before < after, "{faults:?}");
        }
    }
}

#[test]
fn a_crash_again_waits_for_a_restart_and_mostly_comes_before_a_completion() {
    let (mut points, mut before) = (VecSet::new(), 0);
    for number in 0..2_000 {
        let fault = &drawn(FaultClass::CrashAgain, number, None, 0)[0];
        let When::Point { point, after_restarts, .. } = fault.when else { panic!("{fault:?}") };
        assert_eq!(after_restarts, 1, "{fault:?}");
        before += u32::from(aim::BEFORE_COMPLETION.contains(&point));
        points.insert(point);
    }
    assert!((1_200..1_800).contains(&before), "{before} of 2,000");
    let possible =
        aim::points(Repertoire::ALL).filter(|point| aim::can_aim(FaultClass::CrashAgain, *point));
    assert_eq!(points.len(), possible.count());
}

/// A plan of a job that has one source and nothing else.
fn plan_of(scenario: &Scenario, seed: u64) -> Plan {
    let operator = OperatorShape::new("a", OperatorRole::Source, 1);
    let subtask = SubtaskShape { operator: OperatorId(0), index: 0 };
    let channel = ChannelShape { from: SubtaskId(0), to: SubtaskId(0), input: 0, edge: 0 };
    let topology =
        Topology { operators: vec![operator], subtasks: vec![subtask], channels: vec![channel] };
    let shape = |_: &_| Ok::<_, Infallible>(vec![topology.clone()]);
    super::draw(scenario, seed, DefectSet::NONE, shape).expect("it cannot fail")
}

#[test]
fn an_operator_that_keeps_its_parallelism_has_slots_for_all_its_subtasks() {
    let topology = |parallelisms: &[u16]| {
        let operator = |at: &u16| OperatorShape::new("a", OperatorRole::Operator, *at);
        let operators = parallelisms.iter().map(operator).collect();
        Topology { operators, subtasks: Vec::new(), channels: Vec::new() }
    };
    let versions = [topology(&[3, 2, 1, 1]), topology(&[2; 5])];
    let when = When::At { us: 1 };
    let most = |requests: &[Request]| {
        let mut plan = plan_of(&all()[0], 7);
        plan.rescales.clear();
        let planned = |request: &Request| PlannedRequest { when: when.clone(), request: *request };
        plan.requests = requests.iter().map(planned).collect();
        subtasks_max(&plan, &versions)
    };
    let at = |parallelism| Request::ResumeAt { parallelism };
    let second = |parallelism| Request::ResumeAs { version: 1, parallelism };
    assert_eq!(most(&[]), 7, "as it is declared");
    assert_eq!(most(&[at(2)]), 9, "the first may keep its three");
    assert_eq!(most(&[at(1), at(4)]), 16);
    assert_eq!(most(&[second(None)]), 10);
    assert_eq!(most(&[second(None), at(3)]), 15);
}

#[test]
fn taking_a_class_out_rerolls_no_other() {
    let draw = |scenario: &Scenario| plan_of(scenario, 7).faults;
    let mut scenario = all().into_iter().find(|one| one.name == "storage-rot").expect("built in");
    scenario.faults.insert(FaultClass::StalledStore, Span::new(2, 2));
    let faults = draw(&scenario);
    scenario.faults.remove(&FaultClass::StalledStore);
    let is_left =
        |fault: &PlannedFault| fault.class(struck(&fault.when)) != FaultClass::StalledStore;
    let left: Vec<PlannedFault> = faults.iter().filter(|fault| is_left(fault)).cloned().collect();
    assert_eq!(left.len() + 2, faults.len());
    assert_eq!(draw(&scenario), left);
}

#[test]
fn slow_control_links_are_between_processes_that_talk_and_reroll_nothing_else() {
    let mut scenario = all().remove(0);
    let mut ends = VecSet::new();
    for seed in 0..300 {
        scenario.links.slow_control = Span::new(0, 0);
        let even = plan_of(&scenario, seed);
        scenario.links.slow_control = Span::new(1, 3);
        let mut uneven = plan_of(&scenario, seed);
        let links = std::mem::take(&mut uneven.links.slow_control);
        assert_eq!(uneven, even, "seed {seed}");
        assert!((1..=3).contains(&links.len()), "seed {seed}: {links:?}");
        for link in links {
            let latencies = &scenario.links.slow_control_latency;
            assert!(latencies.contains(&link.latency), "seed {seed}: {link:?}");
            let is_there = |end| !matches!(end, ProcessId::Worker(n) if n >= even.cluster.workers);
            assert!(is_there(link.from) && is_there(link.to), "seed {seed}: {link:?}");
            ends.insert((link.from, link.to));
        }
    }
    let coordinator = ProcessId::Coordinator;
    for (one, other) in [(coordinator, ProcessId::Worker(0)), (coordinator, ProcessId::MetaStore)] {
        assert!(ends.contains(&(one, other)) && ends.contains(&(other, one)), "{one}, {other}");
    }
    assert!(ends.iter().all(|(from, to)| from != to), "{ends:?}");
}
