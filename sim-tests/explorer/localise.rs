//! The event that sealed a violation is found where it is known which one it was.

use std::sync::atomic::AtomicBool;

use cutwater::explore::localise::{Localisation, LocaliseError, Settings, localise};
use cutwater::explore::recording::Recording;
use cutwater::explore::{Experiments, Prepared, WorldKind, run_plan};
use cutwater::oracle::OracleName;
use cutwater::plan::{
    Fault, Latency, MessageAction, Plan, PlannedFault, SlowLink, Span, When, scenario,
};
use cutwater::protocol::{ChannelId, Defect, DefectSet};
use cutwater::trace::{Event, MessageKind};

/// Into the sink.
const SLOW: ChannelId = ChannelId(1);

/// A run in which nothing is left to chance but how long the last channel takes, 0 to 60 ms, and in which
/// the first acknowledgement comes again after 30 ms. It is counted again if the checkpoint is still
/// pending then: if the barrier takes long through that channel, and for no other reason.
fn plan(seed: u64, defects: DefectSet) -> (Plan, Prepared) {
    let experiments = Experiments::new();
    let scenarios = scenario::built_in();
    let relay = scenarios.iter().find(|scenario| scenario.name == "relay");
    let mut plan =
        experiments.draw(relay.expect("it is built in"), seed, defects).expect("it exists");
    (plan.job.parallelism, plan.job.records) = (1, Some(10));
    plan.cluster.source_interval_us = 200_000;
    plan.cluster.checkpoints.interval_ms = 70;
    let always = |us| Latency::Uniform(Span::new(us, us));
    (plan.links.channels, plan.links.control) = (always(1_000), always(1_000));
    let latency = Latency::Uniform(Span::new(0, 60_000));
    plan.links.slow = vec![SlowLink { channel: SLOW, latency }];
    plan.mailbox_us = Span::new(0, 0);
    let action = MessageAction::Duplicate { us: 30_000 };
    let message = MessageKind::Acknowledge;
    let fault = Fault::Message { message, to: None, count: 1, action };
    plan.faults = vec![PlannedFault { when: When::At { us: 0 }, fault }];
    let prepared = experiments.prepare(&plan.job).expect("it exists");
    (plan, prepared)
}

fn look(plan: &Plan, prepared: &Prepared, jobs: usize) -> Result<Localisation, LocaliseError> {
    let settings = Settings { grid: 16, forks: 64, jobs };
    localise(plan, prepared, &settings, &AtomicBool::new(false), |_| {})
}

/// The events by which barriers enter the slow channel.
fn barriers(plan: &Plan, prepared: &Prepared) -> Vec<u64> {
    let recording = Recording::default();
    let _ = run_plan(plan, prepared, WorldKind::Kernel, recording.clone());
    let is_barrier = |event: &Event| matches!(event, Event::BarrierSent { channel: SLOW, .. });
    let trace = recording.take();
    trace.iter().filter(|(_, event)| is_barrier(event)).map(|(stamp, _)| stamp.number).collect()
}

#[test]
fn the_step_that_drew_the_long_delay_is_named() {
    let mut violated = 0;
    for seed in 0..8 {
        let (plan, prepared) = plan(seed, DefectSet::only(Defect::DuplicateAcknowledgementCounted));
        let (outcome, _) = run_plan(&plan, &prepared, WorldKind::Kernel, ());
        if outcome.verdict.is_held() {
            assert_eq!(look(&plan, &prepared, 2), Err(LocaliseError::Held));
            continue;
        }
        violated += 1;
        assert_eq!(outcome.verdict.fired().first(), Some(&OracleName::Lifecycle));
        let found = look(&plan, &prepared, 2).expect("it is violated");
        let barrier = *barriers(&plan, &prepared).first().expect("there is a barrier");
        let leap = &found.leap;
        let step = leap.before.events..leap.after.events;
        assert!(step.contains(&barrier), "seed {seed}: {barrier} is not of the step: {leap:?}");
        assert!(leap.stands_out && leap.step.is_some(), "{leap:?}");
        assert!(leap.before.high < 0.7 && leap.before.low > 0.3, "half of the delays: {leap:?}");
        assert_eq!(leap.after.violated, leap.after.forks, "sealed is sealed");
        assert!(leap.context.iter().any(|line| line.is_sealing && line.number == barrier));
        let last = found.estimates.last().expect("there is one");
        assert_eq!((last.probability, last.events), (1.0, found.events));
    }
    assert!((2..=7).contains(&violated), "{violated} of 8 seeds");
}

#[test]
fn the_number_of_threads_makes_no_difference() {
    let defects = DefectSet::only(Defect::DuplicateAcknowledgementCounted);
    let mut plans = (0..8).map(|seed| plan(seed, defects));
    let found = plans.find_map(|(plan, prepared)| {
        let alone = look(&plan, &prepared, 1).ok()?;
        Some((alone, look(&plan, &prepared, 3).expect("it is violated")))
    });
    let (alone, together) = found.expect("one of them is violated");
    assert_eq!(alone, together);
}

#[test]
fn a_plan_that_holds_has_nothing_to_localise() {
    let (plan, prepared) = plan(0, DefectSet::NONE);
    assert_eq!(look(&plan, &prepared, 2), Err(LocaliseError::Held));
}

#[test]
fn it_can_be_stopped() {
    let defects = DefectSet::only(Defect::DuplicateAcknowledgementCounted);
    let settings = Settings { grid: 4, forks: 4, jobs: 2 };
    let stopped = (0..8).find_map(|seed| {
        let (plan, prepared) = plan(seed, defects);
        localise(&plan, &prepared, &settings, &AtomicBool::new(true), |_| {})
            .err()
            .filter(|error| *error != LocaliseError::Held)
    });
    assert_eq!(stopped, Some(LocaliseError::Stopped));
}
