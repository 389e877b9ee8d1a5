//! Jobs that are stopped at a savepoint, and go on from it as another version.

use cutwater::cluster::message::Request;
use cutwater::explore::Experiments;
use cutwater::plan::{Fault, Plan, PlannedFault, PlannedRequest, When};
use cutwater::protocol::{ProcessId, SavepointMode};
use cutwater::trace::{Event, Point};

use super::bench::{Seen, hold, plan};

const STOP: Request = Request::Savepoint { mode: SavepointMode::Stop };

fn at(point: Point, occurrence: u32, request: Request) -> PlannedRequest {
    let when = When::Point { point, subtask: None, occurrence, after_restarts: 0 };
    PlannedRequest { when, request }
}

fn resume_as(version: u16, parallelism: Option<u16>) -> Request {
    Request::ResumeAs { version, parallelism }
}

/// A plan of the job that has two versions, which is asked for these; at parallelism 2.
fn asked(experiments: &Experiments, seed: u64, faulty: bool, asked: &[PlannedRequest]) -> Plan {
    let mut plan = plan(experiments, "savepoints-upgraded", seed, 2, faulty);
    plan.requests = asked.to_vec();
    plan
}

/// A worker that dies while the first checkpoint is taken after a job was stopped at its second.
fn crash_after_resumption() -> PlannedFault {
    let (point, occurrence) = (Point::Triggered, 3);
    let when = When::Point { point, subtask: None, occurrence, after_restarts: 0 };
    let (process, restart_after_us) = (Some(ProcessId::Worker(0)), Some(50_000));
    PlannedFault { when, fault: Fault::Crash { process, restart_after_us } }
}

/// The names of the operators of each attempt that was of another version or size than the first.
fn operators(seen: &Seen) -> Vec<Vec<&str>> {
    let mut shapes = Vec::new();
    for (_, event) in &seen.0 {
        if let Event::Reshaped { topology, .. } = event {
            shapes.push(topology.operators.iter().map(|it| it.name.as_str()).collect());
        }
    }
    shapes
}

const FIRST: [&str; 7] =
    ["passages", "entries-only", "entries", "exits-only", "exits", "counts", "out"];
const SECOND: [&str; 8] =
    ["passages", "checked", "outward-only", "outward", "inward-only", "inward", "counts", "out"];

#[test]
fn a_stopped_job_goes_on_as_its_next_version_whatever_fails() {
    let experiments = Experiments::new();
    let upgrade = [at(Point::Triggered, 2, STOP), at(Point::JobStopped, 1, resume_as(1, None))];
    let mut failed = 0;
    for seed in 0..40 {
        let mut plan = asked(&experiments, seed, true, &upgrade);
        plan.faults.push(crash_after_resumption());
        let (_, seen) = hold(&experiments, &plan);
        let shapes = operators(&seen);
        assert!(shapes.iter().all(|shape| *shape == SECOND), "seed {seed}: {shapes:?}");
        failed += usize::from(shapes.len() > 1);
    }
    assert!(failed > 10, "the second version recovers in {failed} of 40 runs");
}

#[test]
fn it_goes_back_to_the_version_before_and_at_another_parallelism() {
    let experiments = Experiments::new();
    let there_and_back = [
        at(Point::Triggered, 2, STOP),
        at(Point::JobStopped, 1, resume_as(1, Some(3))),
        at(Point::Triggered, 4, STOP),
        at(Point::JobStopped, 2, resume_as(0, None)),
    ];
    let (_, seen) = hold(&experiments, &asked(&experiments, 3, false, &there_and_back));
    assert_eq!(operators(&seen), [SECOND.to_vec(), FIRST.to_vec()]);
    assert_eq!(seen.shapes(), [3 * SECOND.len(), 2 * FIRST.len()]);
}

#[test]
fn a_version_that_there_is_not_is_refused_and_the_savepoint_is_still_good() {
    let experiments = Experiments::new();
    let requests = [
        at(Point::Triggered, 2, STOP),
        at(Point::JobStopped, 1, resume_as(2, None)),
        at(Point::RequestRefused, 1, resume_as(1, None)),
    ];
    let (_, seen) = hold(&experiments, &asked(&experiments, 5, false, &requests));
    let mut refusals = Vec::new();
    for (_, event) in &seen.0 {
        if let Event::RequestRefused { reason } = event {
            refusals.push(reason.as_str());
        }
    }
    assert_eq!(refusals, ["`turnstiles` has no version 2: the newest is 1"]);
    assert_eq!(operators(&seen), [SECOND.to_vec()]);
}
