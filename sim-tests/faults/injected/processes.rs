//! Faults of processes: zombies, crashes of services, pauses, second crashes, clocks.

use cutwater::plan::{ClockChange, Fault, FaultClass, PlannedFault, When};
use cutwater::protocol::ProcessId;
use cutwater::trace::{Event, Point};

use super::bench::{Bench, SEEDS, after, at_ms};

const COORDINATOR: ProcessId = ProcessId::Coordinator;
const WORKER: ProcessId = ProcessId::Worker(0);

fn zombie(process: ProcessId) -> Fault {
    Fault::Zombie { process: Some(process), restart_after_us: 60_000, for_us: 400_000 }
}

#[test]
fn a_zombie_worker_goes_on_beside_its_next_life() {
    let mut deeds = 0;
    Bench::new().strike(
        "sequence",
        FaultClass::ZombieWorker,
        |seed, _| vec![at_ms(100 + seed * 7, zombie(WORKER))],
        |plan, seen| {
            let zombified = seen.places(Point::Zombified)[0];
            let restarted = seen.places(Point::Restarted)[0];
            let (begin, end) = (seen.0[zombified].0.at, seen.0[restarted].0.at);
            assert_eq!(end - begin, std::time::Duration::from_millis(60), "seed {}", plan.seed);
            deeds += seen.between(zombified, restarted, WORKER).count() - 1;
            assert!(seen.count(Point::ZombieEnded) <= 1);
        },
    );
    assert!(deeds > 1_000, "a zombie acts while its process is down: {deeds} events");
}

#[test]
fn a_zombie_coordinator_is_fenced_wherever_it_is_replaced() {
    let points = [
        Point::Triggered,
        Point::Assembled,
        Point::LeadershipTaken,
        Point::AttemptStarted,
        Point::Completed,
    ];
    for point in points {
        let mut taken = 0;
        Bench::new().strike(
            "sequence",
            FaultClass::ZombieCoordinator,
            |seed, _| {
                let restart_after_us = seed * 900;
                let fault = Fault::Zombie { process: None, restart_after_us, for_us: 500_000 };
                vec![after(point, 1, fault)]
            },
            |_, seen| taken += seen.count(Point::LeadershipTaken),
        );
        assert!(taken > 50, "after {point} successors took over {taken} times");
    }
}

/// What it did before it died is done: it keeps it, so that it must be told.
#[test]
fn a_service_that_dies_of_what_it_does_has_done_all_of_it() {
    let (bench, mut aborted) = (Bench::new(), 0);
    let crash = |process| Fault::Crash { process: Some(process), restart_after_us: Some(20_000) };
    let point = Point::ProducersFenced;
    let fenced = When::Point { point, subtask: None, occurrence: 1, after_restarts: 1 };
    for seed in 0..SEEDS {
        let mut plan = bench.plan("sequence", seed);
        let when = fenced.clone();
        let dies = PlannedFault { when, fault: crash(ProcessId::SinkTarget) };
        plan.faults = vec![at_ms(100 + seed * 7, crash(WORKER)), dies];
        let (_, seen) = bench.hold(&plan);
        let is_dead = |(_, event): &(_, Event)| {
            matches!(event, Event::Crashed { process: ProcessId::SinkTarget })
        };
        let Some(dead) = seen.0.iter().position(is_dead) else { continue };
        let restarted = seen.places(Point::Restarted).into_iter().find(|place| *place > dead);
        let told = seen.between(dead, restarted.unwrap_or(dead), ProcessId::SinkTarget);
        let is_aborted = |event: &&Event| matches!(event, Event::TransactionAborted { .. });
        aborted += told.filter(is_aborted).count();
    }
    assert!(aborted > 20, "{aborted} transactions are told to be aborted by who is dead");
}

/// What most zombies are in the field: stalled for so long that they were replaced.
#[test]
fn a_stalled_process_that_was_replaced_wakes_up_as_a_zombie() {
    for process in [COORDINATOR, WORKER] {
        let class = if process == WORKER {
            FaultClass::ZombieWorker
        } else {
            FaultClass::ZombieCoordinator
        };
        let mut resumed = 0;
        Bench::new().strike(
            "word-count",
            class,
            |seed, _| {
                let pause = Fault::Pause { process: Some(process), for_us: 200_000 };
                vec![at_ms(100 + seed * 9, pause), at_ms(150 + seed * 9, zombie(process))]
            },
            |_, seen| resumed += seen.count(Point::Resumed),
        );
        assert!(resumed >= 25, "{resumed} zombies of {process} woke up");
    }
}

#[test]
fn a_service_that_crashes_keeps_what_was_durable() {
    let services = [
        (ProcessId::ObjectStore, Point::ObjectStored),
        (ProcessId::MetaStore, Point::RecordWritten),
        (ProcessId::SourceLog, Point::OffsetCommitted),
        (ProcessId::SinkTarget, Point::TransactionOpened),
        (ProcessId::SinkTarget, Point::TransactionPrepared),
    ];
    for (process, point) in services {
        Bench::new().strike(
            "sequence",
            FaultClass::CrashStore,
            |seed, _| {
                let restart_after_us = Some(5_000 + seed * 4_000);
                let crash = Fault::Crash { process: Some(process), restart_after_us };
                vec![after(point, 1 + seed as u32 % 7, crash)]
            },
            |_, seen| assert!(seen.count(Point::Crashed) <= 1),
        );
    }
}

#[test]
fn what_was_open_at_a_sink_target_that_crashed_fails_its_attempt() {
    let mut missed = 0;
    Bench::new().strike(
        "sequence",
        FaultClass::CrashStore,
        |_, _| {
            let process = Some(ProcessId::SinkTarget);
            let crash = Fault::Crash { process, restart_after_us: Some(1_000) };
            vec![after(Point::TransactionOpened, 3, crash)]
        },
        |_, seen| {
            missed +=
                seen.reasons().iter().filter(|reason| reason.contains("lacks records")).count();
        },
    );
    assert!(missed >= 25, "records were missed {missed} times");
}

#[test]
fn any_process_may_stall() {
    let services = [
        ProcessId::ObjectStore,
        ProcessId::MetaStore,
        ProcessId::SourceLog,
        ProcessId::SinkTarget,
        COORDINATOR,
    ];
    let bench = Bench::new();
    let mut stalled = 0;
    for (seed, process) in (0..50).zip(services.into_iter().cycle()) {
        let mut plan = bench.plan("word-count", seed);
        let pause = Fault::Pause { process: Some(process), for_us: 50_000 + seed * 5_000 };
        plan.faults = vec![at_ms(80 + seed * 11, pause)];
        let (_, seen) = bench.hold(&plan);
        assert!(seen.count(Point::Resumed) <= seen.count(Point::Paused));
        stalled += seen.count(Point::Paused);
    }
    assert!(stalled >= 40, "{stalled} of 50 stalled");
}

#[test]
fn a_second_crash_waits_for_the_first_restart() {
    Bench::new().strike(
        "word-count",
        FaultClass::CrashAgain,
        |seed, _| {
            let crash = |process| Fault::Crash { process, restart_after_us: Some(30_000) };
            let (point, subtask, occurrence) = (Point::Received, None, 3);
            let when = When::Point { point, subtask, occurrence, after_restarts: 1 };
            let again = PlannedFault { when, fault: crash(None) };
            vec![at_ms(100 + seed * 5, crash(Some(WORKER))), again]
        },
        |_, seen| {
            let crashes = seen.places(Point::Crashed);
            let attempts = seen.places(Point::AttemptStarted);
            if let [_, second, ..] = crashes[..] {
                assert!(attempts[1] < second, "counting began with the second attempt");
                let received = seen.0[attempts[1]..second].iter();
                let count =
                    received.filter(|(_, event)| matches!(event, Event::Received { .. })).count();
                assert_eq!(count, 3);
            }
        },
    );
}

fn clock(process: ProcessId, change: ClockChange) -> Fault {
    Fault::Clock { process: Some(process), change }
}

const HOUR_US: i64 = 3_600_000_000;

#[test]
fn clocks_may_step_and_drift() {
    let changes = [
        (FaultClass::ClockStep, ClockChange::Step { us: HOUR_US }),
        (FaultClass::ClockBackwards, ClockChange::Step { us: -HOUR_US }),
        (FaultClass::ClockBackwards, ClockChange::Step { us: -70_000 }),
        (FaultClass::ClockDrift, ClockChange::Drift { ppm: 400_000 }),
        (FaultClass::ClockDrift, ClockChange::Drift { ppm: -400_000 }),
    ];
    for (class, change) in changes {
        for process in [COORDINATOR, WORKER] {
            Bench::new().strike(
                "word-count",
                class,
                |seed, _| vec![at_ms(60 + seed * 3, clock(process, change))],
                |_, seen| assert!(seen.count(Point::ClockChanged) >= 1),
            );
        }
    }
}

/// A clock that was an hour ahead when everything began, and is set right: whatever it had noted lies in
/// the future. Then a worker dies for good, so that its silence must be noticed.
#[test]
fn a_clock_set_back_hides_no_silence_and_stops_no_trigger() {
    let bench = Bench::new();
    for seed in 0..50 {
        let mut plan = bench.plan("zombies", seed);
        let ahead = at_ms(0, clock(COORDINATOR, ClockChange::Step { us: HOUR_US }));
        let back = at_ms(150 + seed, clock(COORDINATOR, ClockChange::Step { us: -HOUR_US }));
        let last = ProcessId::Worker(plan.cluster.workers - 1);
        let crash = Fault::Crash { process: Some(last), restart_after_us: None };
        plan.faults = vec![ahead, back, at_ms(151 + seed, crash)];
        plan.cluster.slots = 64;
        plan.lost = vec![last];
        bench.hold(&plan);
    }
}
