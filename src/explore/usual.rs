//! The scenarios of a job that comes without any: everything may fail, and what else the job admits.
//!
//! Each is named after its workload. The pace of the sources follows from the input: faults strike while records
//! flow, however few there are, since a run that breaks before or after them tests nothing.

use strum::IntoEnumIterator as _;

use super::experiments::experiment_of;
use crate::dataflow::{Job, SplitAssignment};
use crate::plan::scenario::{
    CheckpointScenario, ClusterScenario, JobScenario, LIVENESS_DEFAULT_MS, LinkScenario,
    NemesisScenario, RequestScenario, RescaleScenario, SCENARIO_VERSION,
};
use crate::plan::{FaultClass, FaultFamily, Name, Scenario, Setting, Span, SwarmScenario};
use crate::protocol::{CheckpointSettings, OperatorRole, Protocol};
use crate::workload::{Experiment, Workload, WorkloadSettings};

/// What follows the workload's name in that of a usual scenario.
pub const SUFFIXES: [&str; 5] = ["", UNALIGNED, HYBRID, RESCALED, STOPPED];

/// How much longer the name of a usual scenario is than its workload's, at most.
pub const SUFFIX_CHARS_MAX: usize = 16;

const UNALIGNED: &str = "-unaligned";
const HYBRID: &str = "-hybrid";
const RESCALED: &str = "-rescaled";
const STOPPED: &str = "-stopped";

/// How many subtasks an operator has at most that may have several.
const SUBTASKS_MAX: u64 = 3;

/// The usual scenarios of a workload, each as its job admits it.
///
/// Where the job cannot be made there is the first of them, so that running it says why.
#[must_use]
pub fn scenarios(workload: &Workload) -> Vec<Scenario> {
    let usual = workload.usual_settings(2, 0);
    let splits = u16::try_from(SUBTASKS_MAX).unwrap_or(usual.splits).max(usual.splits);
    let is_given = workload.is_fixed() || workload.single_split;
    let settings = if is_given { usual } else { WorkloadSettings { splits, ..usual } };
    let made = experiment_of(workload, &settings);
    let Ok(experiment) = made else { return vec![blank(workload)] };
    let subject = Subject { workload, experiment: &experiment };
    let kinds = [everything, unaligned, hybrid, rescaled, stopped];
    kinds.into_iter().filter_map(|kind| kind(&subject)).collect()
}

/// The first protocol of these that a job admits: the one that it is run under where nothing is said.
#[must_use]
pub fn protocol(job: &Job) -> Option<Protocol> {
    let all = [Protocol::Aligned, Protocol::Cyclic, Protocol::AtLeastOnce];
    all.into_iter().find(|protocol| admits(job, *protocol))
}

fn admits(job: &Job, protocol: Protocol) -> bool {
    let settings = CheckpointSettings {
        protocol,
        aligned_timeout_ms: 10,
        interval_ms: 100,
        pause_min_ms: 0,
        timeout_ms: 1_000,
        concurrent_max: 1,
        failures_tolerated: 0,
        retained: 1,
    };
    job.admits(&settings).is_ok()
}

/// What the scenarios are made for.
struct Subject<'a> {
    workload: &'a Workload,
    experiment: &'a Experiment,
}

impl Subject<'_> {
    fn job(&self) -> &Job {
        &self.experiment.job
    }

    /// The scenario of this suffix, without faults.
    fn scenario(&self, suffix: &str, about: &str) -> Option<Scenario> {
        let mut scenario = blank(self.workload);
        scenario.name = named(self.workload, suffix);
        scenario.about = format!("{}: {about}", self.workload.name);
        scenario.checkpoints.protocol = protocol(self.job())?;
        scenario.cluster.source_interval_us = self.pace();
        Some(scenario)
    }

    /// So that reading takes about a second, in which a dozen checkpoints are taken.
    fn pace(&self) -> Span {
        const SHORTEST_US: u64 = 900_000;
        const LONGEST_US: u64 = 1_500_000;
        const INTERVAL_MAX_US: u64 = 400_000;
        let all: u64 = self.experiment.input.lengths().iter().sum();
        let sources = self.job().topology().subtasks.iter().filter(|shape| {
            let operator = &self.job().topology().operators[shape.operator.index()];
            operator.role == OperatorRole::Source
        });
        let entries = all.div_ceil(sources.count().max(1) as u64).max(1);
        let at = |whole: u64| (whole / entries).min(INTERVAL_MAX_US);
        Span::new(at(SHORTEST_US), at(LONGEST_US))
    }

    fn has(&self, is_it: fn(OperatorRole) -> bool) -> bool {
        self.job().topology().operators.iter().any(|operator| is_it(operator.role))
    }

    /// Whether it can go on at every parallelism that the scenarios ask for, with what is in flight.
    fn can_be_rescaled(&self) -> bool {
        let can_be = |parallelism: u64| {
            u16::try_from(parallelism).is_ok_and(|parallelism| self.job().at(parallelism).is_ok())
        };
        (1..=SUBTASKS_MAX).all(can_be)
    }
}

fn everything(subject: &Subject<'_>) -> Option<Scenario> {
    let mut scenario = subject.scenario("", "everything may fail")?;
    scenario.faults = faults(subject).collect();
    Some(scenario)
}

fn unaligned(subject: &Subject<'_>) -> Option<Scenario> {
    overtaking(subject, Protocol::Unaligned, UNALIGNED, "barriers that overtake records")
}

fn hybrid(subject: &Subject<'_>) -> Option<Scenario> {
    overtaking(
        subject,
        Protocol::Hybrid,
        HYBRID,
        "barriers that overtake records when they are late",
    )
}

fn overtaking(
    subject: &Subject<'_>,
    protocol: Protocol,
    suffix: &str,
    about: &str,
) -> Option<Scenario> {
    let usual = self::protocol(subject.job())?;
    if usual != Protocol::Aligned || !admits(subject.job(), protocol) {
        return None;
    }
    let mut scenario = subject.scenario(suffix, about)?;
    scenario.checkpoints.protocol = protocol;
    scenario.cluster.credits = Span::new(1, 8);
    scenario.links.slow = Span::new(1, 2);
    scenario.faults = faults(subject).collect();
    Some(scenario)
}

fn rescaled(subject: &Subject<'_>) -> Option<Scenario> {
    if !subject.can_be_rescaled() {
        return None;
    }
    let mut scenario = subject.scenario(RESCALED, "goes on with more subtasks, and with fewer")?;
    scenario.rescale = Some(RescaleScenario {
        count: Span::new(1, 3),
        parallelism: Span::new(1, SUBTASKS_MAX),
        within_ms: Span::new(50, 900),
        checkpoint_first_percent: 50,
    });
    scenario.faults = few().collect();
    Some(scenario)
}

/// A job that has a newer version is resumed as that.
fn stopped(subject: &Subject<'_>) -> Option<Scenario> {
    let about = match subject.job().newest_version() {
        0 => "is stopped with a savepoint, and resumed from it",
        _ => "is stopped with a savepoint, and resumed from it as its newest version",
    };
    let mut scenario = subject.scenario(STOPPED, about)?;
    let newest = u64::from(subject.job().newest_version());
    scenario.requests = RequestScenario {
        savepoints: Span::new(0, 2),
        stops: Span::new(1, 2),
        resume_version: (newest > 0).then(|| Span::new(newest, newest)),
        ..Default::default()
    };
    scenario.nemesis.window_ms = Span::new(120, 900);
    scenario.faults = few().collect();
    Some(scenario)
}

/// Faults of every class from which a job recovers.
fn faults(subject: &Subject<'_>) -> impl Iterator<Item = (FaultClass, Span)> + use<> {
    use FaultClass::{
        CrashAgain, CrashCoordinator, CrashInRecovery, CrashStore, CrashWorker, DelayMessage,
        Disconnect, DropMessage, DuplicateMessage, FailingStore, HalfOpen, Hold, IdleSplit,
        LateRequest, LostAnswer, PauseWorker, ReorderMessage, SlowStore, ZombieWorker,
    };
    let often = [CrashWorker, DropMessage, DelayMessage, DuplicateMessage];
    let seldom = [
        CrashAgain,
        CrashCoordinator,
        CrashInRecovery,
        CrashStore,
        Disconnect,
        FailingStore,
        HalfOpen,
        Hold,
        IdleSplit,
        LateRequest,
        LostAnswer,
        PauseWorker,
        ReorderMessage,
        SlowStore,
        ZombieWorker,
    ];
    let often = often.map(|class| (class, Span::new(0, 2)));
    let seldom = seldom.into_iter().chain(of_target(subject)).map(|class| (class, Span::new(0, 1)));
    // Without a restart nothing of the job is tested.
    often.into_iter().chain(seldom).map(|(class, range)| match class {
        CrashWorker => (class, Span::new(1, 2)),
        _ => (class, range),
    })
}

/// What may befall that which the sinks write to: those with a protocol of their own are told of everything, since
/// nobody but their system knows what concerns it.
fn of_target(subject: &Subject<'_>) -> impl Iterator<Item = FaultClass> + use<> {
    let has_outside = subject.has(OperatorRole::is_outside);
    let has_any = has_outside || subject.has(|role| role == OperatorRole::TransactionalSink);
    FaultClass::iter().filter(move |class| {
        let is_known = has_outside || !class.is_by_name_only();
        has_any && class.family() == FaultFamily::Sink && !class.loses_for_good() && is_known
    })
}

/// Faults that leave something else to see.
fn few() -> impl Iterator<Item = (FaultClass, Span)> {
    use FaultClass::{CrashCoordinator, CrashWorker, DelayMessage, DropMessage};
    let all = [(CrashWorker, 2), (CrashCoordinator, 1), (DelayMessage, 2), (DropMessage, 2)];
    all.into_iter().map(|(class, most)| (class, Span::new(0, most)))
}

fn named(workload: &Workload, suffix: &str) -> Name {
    Name::resembling(&format!("{}{suffix}", workload.name))
}

/// A scenario of a workload in which nothing fails.
fn blank(workload: &Workload) -> Scenario {
    let mut swarm = SwarmScenario::default();
    swarm.mandatory.insert(FaultClass::CrashWorker);
    // Together they are the time in which records flow.
    swarm.pinned.extend([Setting::Records, Setting::SourceInterval]);
    if workload.is_fixed() {
        swarm.pinned.insert(Setting::Job);
    }
    Scenario {
        version: SCENARIO_VERSION,
        name: named(workload, ""),
        about: format!("{}: everything may fail", workload.name),
        in_sweep: true,
        sometimes: Vec::new(),
        job: job(workload),
        cluster: ClusterScenario::default(),
        checkpoints: CheckpointScenario {
            interval_ms: Span::new(30, 80),
            ..CheckpointScenario::default()
        },
        links: LinkScenario::default(),
        rescale: None,
        faults: Default::default(),
        requests: RequestScenario::default(),
        nemesis: NemesisScenario {
            window_ms: Span::new(120, 1_200),
            down_ms: Span::new(1, 200),
            ..NemesisScenario::default()
        },
        swarm,
        liveness_ms: LIVENESS_DEFAULT_MS,
    }
}

fn job(workload: &Workload) -> JobScenario {
    let just = |number: u64| Span::new(number, number);
    let usual = workload.usual_settings(1, 0);
    let (is_fixed, is_single) = (workload.is_fixed(), workload.single_split);
    let parallelism = if is_fixed { just(1) } else { Span::new(1, SUBTASKS_MAX) };
    let splits = match (is_fixed, is_single) {
        (true, _) => just(usual.splits.into()),
        (false, true) => just(1),
        (false, false) => Span::new(SUBTASKS_MAX, SUBTASKS_MAX + 1),
    };
    JobScenario {
        workload: named(workload, ""),
        records: (!is_fixed).then(|| just(workload.records_usual)),
        parallelism,
        splits,
        deal: vec![Default::default()],
        assignment: SplitAssignment::Static,
    }
}
