//! Each pass by itself: what it proposes.

use super::aim::Aim;
use super::bounds::{Bounds, owed_ms};
use super::faults::Faults;
use super::luck::Luck;
use super::pass::{Current, Pass};
use super::settings::Settings;
use super::times::Times;
use super::workload::Workload;
use super::{InProcess, PASSES, Runner, Shape, Size, Until};
use crate::explore::{Experiments, Signature, WorldKind};
use crate::plan::{ControlLink, Fault, Latency, Plan, Span, When, scenario};
use crate::protocol::{Defect, DefectSet, ProcessId, VirtualTime};
use crate::world::faults::{Moment, Strike};

fn drawn(name: &str, seed: u64, experiments: &Experiments) -> Plan {
    let mut all = scenario::built_in().into_iter();
    let scenario = all.find(|scenario| scenario.name == name).expect("it is built in");
    let defects = DefectSet::only(Defect::ChannelNotBlocked);
    experiments.draw(&scenario, seed, defects).expect("it can be drawn")
}

/// What a pass proposes for a plan, with its run as it is, or as `change` makes it.
fn proposed(
    pass: &dyn Pass,
    plan: &Plan,
    experiments: &Experiments,
    change: impl FnOnce(&mut super::Ran),
) -> Vec<Plan> {
    let (runner, shape) = (runner(experiments), shape(plan, experiments));
    let mut ran = runner.run(plan);
    change(&mut ran);
    let target = &Signature::Hung;
    let (shape, ran, runner) = (&shape, &ran, &runner);
    let current = Current { plan, shape, ran, target, is_controlled: true, runner };
    (0..pass.proposals()).flat_map(|proposal| pass.propose(proposal, &current)).collect()
}

fn size(plan: &Plan, experiments: &Experiments) -> Size {
    Size::of(plan, &shape(plan, experiments))
}

fn shape(plan: &Plan, experiments: &Experiments) -> Shape {
    runner(experiments).shape(&plan.job).expect("there is such a job")
}

fn runner(experiments: &Experiments) -> InProcess<'_> {
    InProcess { experiments, world: WorldKind::Kernel, is_twice: false, until: Until::default() }
}

#[test]
fn bounds_cut_what_never_struck_and_keep_what_is_owed() {
    let experiments = Experiments::new();
    let mut plan = drawn("control-chaos", 3, &experiments);
    let owed = owed_ms(&plan, &shape(&plan, &experiments));
    plan.liveness_ms = 4 * owed;
    let plans = proposed(&Bounds, &plan, &experiments, |ran| {
        let class = plan.faults[1].class(ProcessId::Coordinator);
        ran.strikes = vec![Strike { fault: 1, class, moment: Moment::default() }];
        ran.end = VirtualTime(20_500_000);
    });
    assert_eq!(plans[0].faults, [plan.faults[1].clone()]);
    assert!(plans.iter().all(|plan| plan.liveness_ms >= owed));
    assert!(plans.iter().any(|plan| plan.liveness_ms == owed), "and no longer");
    assert!(plans.iter().any(|plan| plan.safety_ms == 21), "right after the violation");
    assert!(plans.iter().all(|other| other.safety_ms <= plan.safety_ms));
}

#[test]
fn faults_are_taken_out_and_never_changed() {
    let experiments = Experiments::new();
    let plan = drawn("control-chaos", 3, &experiments);
    let plans = proposed(&Faults, &plan, &experiments, |_| {});
    assert!(plans[0].faults.is_empty(), "none at all is tried first");
    for smaller in &plans {
        assert!(smaller.faults.len() < plan.faults.len());
        assert!(smaller.faults.iter().all(|fault| plan.faults.contains(fault)));
        assert_eq!(*smaller, Plan { faults: smaller.faults.clone(), ..plan.clone() });
    }
    for place in 0..plan.faults.len() {
        let mut without = plan.faults.clone();
        without.remove(place);
        assert!(plans.iter().any(|plan| plan.faults == without), "each is left out once");
    }
}

#[test]
fn aimed_faults_strike_where_they_struck() {
    let experiments = Experiments::new();
    let mut plan = drawn("word-count", 1, &experiments);
    plan.defects = DefectSet::NONE;
    let fault = Fault::Crash { process: Some(ProcessId::Worker(0)), restart_after_us: Some(5_000) };
    plan.faults.truncate(1);
    plan.faults[0].when = When::At { us: 150_000 };
    plan.faults[0].fault = fault;
    let runner = InProcess {
        experiments: &experiments,
        world: WorldKind::Kernel,
        is_twice: false,
        until: Until::default(),
    };
    let before = runner.run(&plan).strikes[0].moment.events;
    let plans = proposed(&Aim, &plan, &experiments, |_| {});
    assert!(!plans.is_empty());
    let mut nearest = u64::MAX;
    for aimed in &plans {
        assert!(matches!(aimed.faults[0].when, When::Point { .. }));
        assert!(size(aimed, &experiments) < size(&plan, &experiments));
        let after = runner.run(aimed).strikes[0].moment.events;
        nearest = nearest.min(before - after);
    }
    assert_eq!(nearest, 0, "one of them strikes behind the very event");
}

#[test]
fn every_proposed_plan_can_be_run() {
    let experiments = Experiments::new();
    for (name, seed) in [("zombies", 4), ("uneven-ends", 2), ("back-pressure", 1)] {
        let mut plan = drawn(name, seed, &experiments);
        plan.links.slow_control = slow_control(plan.cluster.workers);
        for pass in PASSES {
            for smaller in proposed(*pass, &plan, &experiments, |_| {}) {
                check(&smaller, &experiments, pass.name());
            }
        }
    }
}

/// Acknowledgements of the last worker are slow, and what is said to it.
fn slow_control(workers: u16) -> Vec<ControlLink> {
    let latency = Latency::HeavyTail(Span::new(1_000, 60_000));
    let (worker, coordinator) = (ProcessId::Worker(workers - 1), ProcessId::Coordinator);
    [(worker, coordinator), (coordinator, worker)]
        .map(|(from, to)| ControlLink { from, to, latency })
        .into()
}

/// Everything that it names exists, and there is a place for every subtask.
fn check(plan: &Plan, experiments: &Experiments, pass: &str) {
    let Ok(prepared) = experiments.prepare(&plan.job) else { return };
    let topology = prepared.experiment.job.topology();
    let workers = usize::from(plan.cluster.workers);
    let healthy = workers - plan.lost.len();
    let slots = usize::from(plan.cluster.slots);
    assert!(healthy * slots >= topology.subtasks.len(), "{pass}: too few slots");
    let mut processes = plan.lost.clone();
    processes.extend(plan.links.slow_control.iter().flat_map(|link| [link.from, link.to]));
    for planned in &plan.faults {
        processes.extend(planned.fault.clone().process_mut().and_then(|process| *process));
        if let Fault::Disconnect { from, to, .. } = planned.fault {
            processes.extend([from, to]);
        }
        if let When::Point { subtask: Some(subtask), .. } = planned.when {
            assert!(subtask.index() < topology.subtasks.len(), "{pass}: {subtask}");
        }
    }
    for process in processes {
        let exists =
            !matches!(process, ProcessId::Worker(worker) if usize::from(worker) >= workers);
        assert!(exists, "{pass}: {process} of {workers}");
    }
    let channels = topology.channels.len();
    assert!(plan.links.slow.iter().all(|slow| slow.channel.index() < channels), "{pass}");
    assert!(plan.links.slow.len() <= channels.max(2) && plan.mailbox_us.min <= plan.mailbox_us.max);
}

#[test]
fn the_workload_gets_smaller_in_the_same_time() {
    let experiments = Experiments::new();
    let plan = drawn("word-count", 1, &experiments);
    let records = plan.job.records.expect("it says how many");
    let length = |plan: &Plan, records: u64| plan.cluster.source_interval_us * records;
    let plans = proposed(&Workload, &plan, &experiments, |_| {});
    let ten: Vec<_> = plans.iter().filter(|plan| plan.job.records == Some(10)).collect();
    assert!(ten.iter().any(|ten| length(ten, 10).abs_diff(length(&plan, records)) <= 10));
    assert!(
        ten.iter().any(|ten| ten.cluster.source_interval_us == plan.cluster.source_interval_us)
    );
    let (slowest, times) = (|plan: &Plan| plan.links.channels.max_us(), records.div_ceil(10));
    assert!(ten.iter().any(|ten| slowest(ten) == times * slowest(&plan)), "slower channels");
    assert!(proposed(&Luck, &plan, &experiments, |_| {}).len() > 100);
    let readable = Plan { job: ten[0].job.clone(), ..plan.clone() };
    assert_eq!(proposed(&Luck, &readable, &experiments, |_| {}), []);
}

#[test]
fn settings_and_times_get_plainer_and_shorter() {
    let experiments = Experiments::new();
    let mut plan = drawn("storage-trouble", 2, &experiments);
    plan.links.slow_control = slow_control(plan.cluster.workers);
    let before = size(&plan, &experiments);
    let plans = proposed(&Settings, &plan, &experiments, |_| {});
    assert!(plans.iter().any(|plan| size(plan, &experiments).settings == 0), "all of them");
    assert!(plans.iter().any(|plan| plan.links.slow_control.len() == 1), "one slow link");
    let one_less = |plan: &Plan| size(plan, &experiments).settings + 1 == before.settings;
    assert!(plans.iter().any(one_less), "one of them");
    for shorter in proposed(&Times, &plan, &experiments, |_| {}) {
        let size = size(&shorter, &experiments);
        assert!((size.faults, size.records) == (before.faults, before.records));
        assert!(size.magnitude < before.magnitude || size.timed < before.timed || shorter == plan);
    }
}
