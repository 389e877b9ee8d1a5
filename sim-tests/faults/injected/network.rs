//! Faults of the network: isolation, holds, half-open connections, lossy reconnects, reordering.

use cutwater::plan::{Fault, FaultClass, MessageAction, Plan};
use cutwater::protocol::{ChannelId, Defect, DefectSet, ProcessId};
use cutwater::trace::{Event, MessageKind, Point};

use super::bench::{Bench, SEEDS, after, at_ms};

const COORDINATOR: ProcessId = ProcessId::Coordinator;
const WORKER: ProcessId = ProcessId::Worker(0);

#[test]
fn an_isolated_process_is_cut_off_from_all_others() {
    Bench::new().strike(
        "word-count",
        FaultClass::Isolate,
        |seed, _| {
            let process = Some(if seed % 2 == 0 { WORKER } else { COORDINATOR });
            vec![at_ms(100 + seed * 5, Fault::Isolate { process, for_us: seed * 10_000 })]
        },
        |plan, seen| {
            let others = 4 + usize::from(plan.cluster.workers);
            assert_eq!(seen.count(Point::Disconnected), 2 * others);
            assert_eq!(seen.count(Point::Healed), 2 * others);
        },
    );
}

#[test]
fn what_is_held_arrives_later_and_in_order() {
    let pairs = [
        (WORKER, ProcessId::Worker(1)),
        (WORKER, COORDINATOR),
        (COORDINATOR, WORKER),
        (WORKER, ProcessId::SinkTarget),
        (ProcessId::ObjectStore, WORKER),
        (ProcessId::MetaStore, COORDINATOR),
    ];
    for (from, to) in pairs {
        Bench::new().strike(
            "sequence",
            FaultClass::Hold,
            |seed, _| {
                vec![at_ms(90 + seed * 6, Fault::Hold { from, to, for_us: 20_000 + seed * 5_000 })]
            },
            |_, seen| assert_eq!(seen.count(Point::Held), seen.count(Point::Released)),
        );
    }
}

/// Half a heartbeat's time is no reason to fail: with nothing lost, nobody notices.
#[test]
fn a_short_hold_fails_nothing() {
    let bench = Bench::new();
    for seed in 0..SEEDS {
        let mut plan = bench.plan("word-count", seed);
        let (from, to) = (WORKER, ProcessId::Worker(1));
        plan.faults = vec![at_ms(100 + seed * 4, Fault::Hold { from, to, for_us: 15_000 })];
        let (outcome, _) = bench.hold(&plan);
        assert_eq!(outcome.statistics.restores, 0);
    }
}

#[test]
fn a_half_open_connection_fails_those_who_depend_on_it() {
    let mut lost = 0;
    for to in [ProcessId::Worker(1), ProcessId::SinkTarget] {
        Bench::new().strike(
            "sequence",
            FaultClass::HalfOpen,
            |seed, _| {
                let for_us = 10_000 + seed * 3_000;
                vec![at_ms(90 + seed * 6, Fault::HalfOpen { from: WORKER, to, for_us })]
            },
            |_, seen| {
                assert_eq!(seen.count(Point::HalfOpened), seen.count(Point::ConnectionReset));
                lost += seen.reasons().iter().filter(|reason| reason.contains("was lost")).count();
            },
        );
    }
    assert!(lost >= 30, "connections were missed {lost} times");
}

/// The faults of a plan that loses elements of one of its channels at a time, and what follows some of
/// its kinds of events.
fn lossy(seed: u64, plan: &Plan) -> Vec<cutwater::plan::PlannedFault> {
    let channels = 4 * u64::from(plan.job.parallelism);
    let lose =
        |number: u64, count| Fault::Lose { channel: ChannelId((number % channels) as u16), count };
    vec![
        at_ms(60 + seed * 5, lose(seed, 1)),
        at_ms(90 + seed * 5, lose(seed + 1, 2)),
        after(Point::BarrierSent, 3 + seed as u32, lose(seed + 2, 1)),
        after(Point::EndSent, 1 + seed as u32 % 3, lose(seed + 1, 1)),
        after(Point::EndSent, 1, lose(seed, 1)),
    ]
}

#[test]
fn a_lossy_reconnect_is_noticed() {
    let (mut lost, mut noticed) = (0, 0);
    Bench::new().strike("sequence", FaultClass::LossyReconnect, lossy, |_, seen| {
        lost += usize::from(seen.count(Point::ElementLost) > 0);
        noticed += usize::from(seen.reasons().iter().any(|reason| reason.contains("arrived")));
    });
    assert!(noticed * 4 >= lost * 3, "{noticed} of {lost} losses were noticed");
}

/// The end of input is the last element of a channel: no later one shows that it is missing (Jet #2532).
#[test]
fn a_lost_end_of_input_is_noticed() {
    let mut lost_ends = 0;
    Bench::new().strike(
        "word-count",
        FaultClass::LossyReconnect,
        |seed, plan| {
            let channels = 0..4 * plan.job.parallelism;
            let lose = |channel| Fault::Lose { channel: ChannelId(channel), count: 1 };
            let each =
                channels.map(|channel| after(Point::EndSent, 1 + seed as u32 % 4, lose(channel)));
            each.collect()
        },
        |_, seen| lost_ends += seen.count(Point::ElementLost),
    );
    assert!(lost_ends > 20, "{lost_ends} elements were lost around the end");
}

#[test]
fn an_unnoticed_loss_is_a_violation() {
    let bench = Bench::new();
    let mut found = 0;
    for seed in 0..20 {
        let mut plan = bench.plan("sequence", seed);
        plan.faults = lossy(seed, &plan);
        plan.defects = DefectSet::only(Defect::ReconnectLossUnnoticed);
        found += u32::from(!bench.run(&plan).0.verdict.is_held());
    }
    assert!(found >= 10, "an unnoticed loss was found in {found} of 20 seeds");
}

#[test]
fn a_message_held_back_until_an_event_is_overtaken() {
    let cases = [
        (MessageKind::Trigger, Point::BarrierSent),
        (MessageKind::Acknowledge, Point::Triggered),
        (MessageKind::NotifyComplete, Point::Triggered),
        (MessageKind::Deploy, Point::Restarted),
        (MessageKind::Heartbeat, Point::Completed),
        (MessageKind::StoreAnswer, Point::Aborted),
    ];
    for (message, point) in cases {
        Bench::new().strike(
            "sequence",
            FaultClass::ReorderMessage,
            |seed, _| {
                let action = MessageAction::Until { point };
                let (to, count) = (None, 1 + seed as u32 % 4);
                vec![at_ms(seed / 10, Fault::Message { message, to, count, action })]
            },
            |_, seen| {
                for place in seen.places(Point::MessageReordered) {
                    let Event::MessageReordered { message: held, .. } = seen.0[place].1 else {
                        unreachable!("it is of this kind")
                    };
                    assert_eq!(held, message);
                }
            },
        );
    }
}

#[test]
fn a_request_is_applied_after_its_client_was_restarted() {
    Bench::new().strike(
        "sequence",
        FaultClass::LateRequest,
        |seed, _| {
            let (message, to, count) = (MessageKind::StoreRequest, None, 3);
            let action = MessageAction::Until { point: Point::Restarted };
            let hold = Fault::Message { message, to, count, action };
            let process = Some(if seed % 2 == 0 { WORKER } else { COORDINATOR });
            let crash = Fault::Crash { process, restart_after_us: Some(20_000) };
            vec![at_ms(100 + seed * 4, hold), at_ms(130 + seed * 4, crash)]
        },
        |_, seen| assert!(seen.count(Point::Restarted) >= 1),
    );
}
