//! The requests of a plan.

use super::below_u32;
use crate::cluster::message::Request;
use crate::plan::fault::When;
use crate::plan::limits::{RESUME_AS_VERSION, RESUME_AT_PARALLELISM, SAVEPOINTS};
use crate::plan::random::{Concern, Stream};
use crate::plan::request::PlannedRequest;
use crate::plan::scenario::Scenario;
use crate::protocol::SavepointMode;
use crate::trace::Point;

/// Streams of resumptions begin here, behind those of three kinds of savepoints.
const RESUME_ENTITY: u64 = 3 << 32;

/// Streams of the versions that a job is resumed as begin here.
const VERSION_ENTITY: u64 = 4 << 32;

/// Points at which a request meets the rest of the protocol.
const POINTS: &[Point] = &[
    Point::AttemptRunning,
    Point::Triggered,
    Point::BarrierReceived,
    Point::SnapshotTaken,
    Point::AcknowledgementCounted,
    Point::Assembled,
    Point::Completed,
    Point::SavepointTriggered,
];

/// Each from a stream of its own. A job that may be drained is not resumed: there is nothing to go on with.
pub fn requests(scenario: &Scenario, seed: u64) -> Vec<PlannedRequest> {
    let ranges = &scenario.requests;
    let kinds = [
        (SavepointMode::GoOn, ranges.savepoints),
        (SavepointMode::Stop, ranges.stops),
        (SavepointMode::Drain, ranges.drains),
    ];
    let mut requests = Vec::new();
    let mut stops = 0;
    for (kind, (mode, range)) in kinds.into_iter().enumerate() {
        let entity = |number| ((kind as u64) << 32) | number;
        let count = Stream::new(seed, Concern::Requests, entity(0)).within(range);
        let count: u64 = SAVEPOINTS.clamp(count);
        for number in 1..=count {
            let when = when(scenario, Stream::new(seed, Concern::Requests, entity(number)));
            requests.push(PlannedRequest { when, request: Request::Savepoint { mode } });
        }
        match mode {
            SavepointMode::GoOn => {}
            SavepointMode::Stop => stops = count,
            SavepointMode::Drain if count > 0 => stops = 0,
            SavepointMode::Drain => {}
        }
    }
    requests.extend((1..=stops).map(|stop| resume(scenario, seed, stop)));
    requests
}

fn when(scenario: &Scenario, mut stream: Stream) -> When {
    let nemesis = &scenario.nemesis;
    if !stream.chance(nemesis.aimed_percent) {
        return When::At { us: stream.within(nemesis.window_ms).saturating_mul(1_000) };
    }
    let point = *stream.pick(POINTS).unwrap_or(&Point::Triggered);
    let occurrence = 1 + below_u32(&mut stream, 6);
    When::Point { point, subtask: None, occurrence, after_restarts: 0 }
}

/// As soon as it has been stopped for the n-th time.
fn resume(scenario: &Scenario, seed: u64, stop: u64) -> PlannedRequest {
    let occurrence = u32::try_from(stop).unwrap_or(u32::MAX);
    let point = Point::JobStopped;
    let when = When::Point { point, subtask: None, occurrence, after_restarts: 0 };
    let ranges = &scenario.requests;
    let drawn =
        |entity: u64, range| Stream::new(seed, Concern::Requests, entity | stop).within(range);
    let parallelism = ranges
        .resume_parallelism
        .map(|range| RESUME_AT_PARALLELISM.clamp(drawn(RESUME_ENTITY, range)));
    let version =
        ranges.resume_version.map(|range| RESUME_AS_VERSION.clamp(drawn(VERSION_ENTITY, range)));
    let request = match (version, parallelism) {
        (None, None) => Request::Resume,
        (None, Some(parallelism)) => Request::ResumeAt { parallelism },
        (Some(version), parallelism) => Request::ResumeAs { version, parallelism },
    };
    PlannedRequest { when, request }
}
