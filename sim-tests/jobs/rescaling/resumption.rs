//! Jobs that are stopped at a savepoint and resumed from it at another parallelism.

use cutwater::cluster::message::Request;
use cutwater::explore::Experiments;
use cutwater::plan::{Plan, PlannedRequest, When};
use cutwater::protocol::SavepointMode;
use cutwater::trace::{Event, Point};

use super::bench::{Seen, hold, plan};

fn at(point: Point, request: Request) -> PlannedRequest {
    let when = When::Point { point, subtask: None, occurrence: 1, after_restarts: 0 };
    PlannedRequest { when, request }
}

/// A plan whose job is stopped in its midst, and then asked for these.
fn stopped(experiments: &Experiments, name: &str, seed: u64, asked: &[PlannedRequest]) -> Plan {
    let mut plan = plan(experiments, name, seed, 2, false);
    plan.job.splits = 4;
    (plan.rescales, plan.requests) = (Vec::new(), Vec::new());
    let stop = Request::Savepoint { mode: SavepointMode::Stop };
    plan.requests.push(at(Point::Triggered, stop));
    plan.requests.extend_from_slice(asked);
    plan
}

fn refusals(seen: &Seen) -> Vec<&str> {
    let mut reasons = Vec::new();
    for (_, event) in &seen.0 {
        if let Event::RequestRefused { reason } = event {
            reasons.push(reason.as_str());
        }
    }
    reasons
}

#[test]
fn a_stopped_job_goes_on_at_another_parallelism_up_and_down() {
    let experiments = Experiments::new();
    for name in ["word-count", "unaligned", "event-time"] {
        for (seed, parallelism) in [(1, 1), (2, 3), (3, 4), (4, 2)] {
            let resume = at(Point::JobStopped, Request::ResumeAt { parallelism });
            let plan = stopped(&experiments, name, seed, &[resume]);
            let (_, seen) = hold(&experiments, &plan);
            assert!(refusals(&seen).is_empty(), "{name}: {:?}", refusals(&seen));
            let is_resumed = |(_, event): &(_, Event)| matches!(event, Event::JobResumed { .. });
            assert!(seen.0.iter().any(is_resumed), "{name}, seed {seed} was not resumed");
            if parallelism != 2 {
                assert!(!seen.shapes().is_empty(), "{name} at {parallelism}");
            }
        }
    }
}

#[test]
fn a_parallelism_above_what_can_be_is_refused_and_the_savepoint_is_still_good() {
    let experiments = Experiments::new();
    let asked = [
        at(Point::JobStopped, Request::ResumeAt { parallelism: 1000 }),
        at(Point::RequestRefused, Request::Resume),
    ];
    let plan = stopped(&experiments, "word-count", 5, &asked);
    let (_, seen) = hold(&experiments, &plan);
    let expected = "`lines` has 1000 subtasks, more than 256";
    assert_eq!(refusals(&seen), [expected]);
    assert!(seen.shapes().is_empty(), "the job goes on as it was");
}
