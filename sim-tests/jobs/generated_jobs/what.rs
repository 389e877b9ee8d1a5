//! What the faults of generated plans do.

use cutwater::cluster::{SinkFault, StoreFault};
use cutwater::plan::{ClockChange, MessageAction};
use cutwater::trace::{MessageKind, Point};
use proptest::prelude::*;
use proptest::sample::select;
use strum::IntoEnumIterator as _;

/// What a fault does, before it is known how many workers, channels and splits there are.
#[derive(Clone, Debug)]
pub enum DraftWhat {
    CrashWorker { worker: u16, restart_after_us: Option<u64> },
    CrashCoordinator { restart_after_us: Option<u64> },
    CrashWhoReachedIt { restart_after_us: Option<u64> },
    PauseWorker { worker: u16, for_us: u64 },
    PauseCoordinator { for_us: u64 },
    Disconnect { from: u16, to: u16, both: bool, for_us: u64 },
    Message { message: MessageKind, count: u32, action: MessageAction },
    Store { object: bool, fault: StoreFault, for_us: u64 },
    CrashService { service: u16, restart_after_us: u64 },
    Zombie { worker: Option<u16>, restart_after_us: u64, for_us: u64 },
    Isolate { process: u16, for_us: u64 },
    Hold { from: u16, to: u16, for_us: u64 },
    HalfOpen { from: u16, to: u16, for_us: u64 },
    Lose { channel: u16, count: u32 },
    Clock { process: u16, change: ClockChange },
    LateRequest { object: bool, count: u32 },
    Sink { fault: SinkFault, for_us: u64 },
    Idle { split: u16, for_us: u64 },
}

/// Draws what a fault does: anything, but that a store loses everything.
pub fn what() -> impl Strategy<Value = DraftWhat> {
    let down = || prop::option::weighted(0.9, 0_u64..400_000);
    let crash_worker = (any::<u16>(), down())
        .prop_map(|(worker, restart_after_us)| DraftWhat::CrashWorker { worker, restart_after_us });
    let crash_coordinator =
        down().prop_map(|restart_after_us| DraftWhat::CrashCoordinator { restart_after_us });
    let crash_whoever =
        down().prop_map(|restart_after_us| DraftWhat::CrashWhoReachedIt { restart_after_us });
    let pause_worker = (any::<u16>(), 0_u64..600_000)
        .prop_map(|(worker, for_us)| DraftWhat::PauseWorker { worker, for_us });
    let pause_coordinator =
        (0_u64..600_000).prop_map(|for_us| DraftWhat::PauseCoordinator { for_us });
    let disconnect = (any::<u16>(), any::<u16>(), any::<bool>(), 0_u64..600_000)
        .prop_map(|(from, to, both, for_us)| DraftWhat::Disconnect { from, to, both, for_us });
    prop_oneof![
        2 => crash_worker,
        2 => crash_coordinator,
        3 => crash_whoever,
        1 => pause_worker,
        1 => pause_coordinator,
        2 => disconnect,
        5 => message(),
        4 => store(),
        6 => of_processes(),
        4 => of_connections(),
        3 => outside(),
    ]
}

fn of_processes() -> impl Strategy<Value = DraftWhat> {
    let crash = (any::<u16>(), 0_u64..400_000).prop_map(|(service, restart_after_us)| {
        DraftWhat::CrashService { service, restart_after_us }
    });
    let zombie = (prop::option::of(any::<u16>()), 0_u64..300_000, 0_u64..800_000).prop_map(
        |(worker, restart_after_us, for_us)| DraftWhat::Zombie { worker, restart_after_us, for_us },
    );
    let change = prop_oneof![
        (-500_000_i64..500_000).prop_map(|us| ClockChange::Step { us }),
        (-90_000_000_000_i64..90_000_000_000).prop_map(|us| ClockChange::Step { us }),
        (-700_000_i32..700_000).prop_map(|ppm| ClockChange::Drift { ppm }),
    ];
    let clock =
        (any::<u16>(), change).prop_map(|(process, change)| DraftWhat::Clock { process, change });
    prop_oneof![1 => crash, 3 => zombie, 2 => clock]
}

fn of_connections() -> impl Strategy<Value = DraftWhat> {
    let isolate = (any::<u16>(), 0_u64..600_000)
        .prop_map(|(process, for_us)| DraftWhat::Isolate { process, for_us });
    let ways = || (any::<u16>(), any::<u16>(), 0_u64..600_000);
    let hold = ways().prop_map(|(from, to, for_us)| DraftWhat::Hold { from, to, for_us });
    let half_open = ways().prop_map(|(from, to, for_us)| DraftWhat::HalfOpen { from, to, for_us });
    let lose =
        (any::<u16>(), 1_u32..4).prop_map(|(channel, count)| DraftWhat::Lose { channel, count });
    prop_oneof![isolate, hold, half_open, lose]
}

fn message() -> impl Strategy<Value = DraftWhat> {
    let kinds: Vec<MessageKind> = MessageKind::iter().collect();
    let action = prop_oneof![
        Just(MessageAction::Drop),
        (0_u64..400_000).prop_map(|us| MessageAction::Delay { us }),
        (0_u64..400_000).prop_map(|us| MessageAction::Duplicate { us }),
        select(Point::iter().collect::<Vec<_>>()).prop_map(|point| MessageAction::Until { point }),
    ];
    (select(kinds), 1_u32..=6, action).prop_map(|(message, count, action)| DraftWhat::Message {
        message,
        count,
        action,
    })
}

/// Everything that stores do, except that they lose everything: after that, recovery is not owed.
fn store() -> impl Strategy<Value = DraftWhat> {
    let fault = prop_oneof![
        Just(StoreFault::Failing),
        (10_u64..400).prop_map(|extra_ms| StoreFault::Slow { extra_ms }),
        Just(StoreFault::Stalled),
        Just(StoreFault::Full),
        Just(StoreFault::Torn),
        Just(StoreFault::Corrupt),
        Just(StoreFault::Mute),
        Just(StoreFault::Lagging),
        Just(StoreFault::Unsynced),
    ];
    (any::<bool>(), fault, 0_u64..600_000).prop_map(|(object, fault, for_us)| DraftWhat::Store {
        object,
        fault,
        for_us,
    })
}

/// The sink target, the source log, and requests that come late to a store.
fn outside() -> impl Strategy<Value = DraftWhat> {
    let fault = prop_oneof![
        Just(SinkFault::TransactionTimeout),
        Just(SinkFault::FencedProducer),
        (10_u64..400).prop_map(|extra_ms| SinkFault::DelayedCommit { extra_ms }),
        Just(SinkFault::HangingTransaction),
        Just(SinkFault::RefusedCommit),
    ];
    let sink =
        (fault, 0_u64..600_000).prop_map(|(fault, for_us)| DraftWhat::Sink { fault, for_us });
    let idle = (any::<u16>(), 0_u64..600_000)
        .prop_map(|(split, for_us)| DraftWhat::Idle { split, for_us });
    let late = (any::<bool>(), 1_u32..=3)
        .prop_map(|(object, count)| DraftWhat::LateRequest { object, count });
    prop_oneof![4 => sink, 1 => idle, 1 => late]
}
