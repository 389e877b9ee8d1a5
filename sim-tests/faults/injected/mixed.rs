//! Many faults of all kinds at once, at times and at protocol points.
//!
//! `CUTWATER_FAULT_SEEDS=20000 cargo test --release --test faults mixed` tries more.

use cutwater::plan::{
    ClockChange, Concern, Fault, MessageAction, Plan, PlannedFault, Span, Stream, When,
};
use cutwater::protocol::{ChannelId, ProcessId, SubtaskId};
use cutwater::trace::{MessageKind, Point};
use strum::IntoEnumIterator as _;

use super::bench::Bench;

const SCENARIOS: [&str; 6] =
    ["sequence", "word-count", "zombies", "uneven-ends", "back-pressure", "flights"];

/// Draws faults.
struct Draw<'a> {
    stream: Stream,
    plan: &'a Plan,
}

impl Draw<'_> {
    fn us(&mut self, max: u64) -> u64 {
        self.stream.below(max)
    }

    fn process(&mut self) -> ProcessId {
        let services = [
            ProcessId::Coordinator,
            ProcessId::ObjectStore,
            ProcessId::MetaStore,
            ProcessId::SourceLog,
            ProcessId::SinkTarget,
        ];
        let workers = (0..self.plan.cluster.workers).map(ProcessId::Worker);
        let all: Vec<_> = services.into_iter().chain(workers).collect();
        self.stream.pick(&all).copied().unwrap_or(ProcessId::Coordinator)
    }

    fn mortal(&mut self) -> ProcessId {
        let worker = self.stream.below(u64::from(self.plan.cluster.workers) + 2);
        let worker = u16::try_from(worker).unwrap_or(0);
        if worker < self.plan.cluster.workers {
            ProcessId::Worker(worker)
        } else {
            ProcessId::Coordinator
        }
    }

    fn pair(&mut self) -> (ProcessId, ProcessId) {
        loop {
            let (from, to) = (self.process(), self.process());
            if from != to {
                return (from, to);
            }
        }
    }

    fn point(&mut self) -> Point {
        let all: Vec<_> = Point::iter().collect();
        self.stream.pick(&all).copied().unwrap_or(Point::Completed)
    }

    fn when(&mut self) -> When {
        if self.stream.chance(60) {
            return When::At { us: self.us(self.plan.safety_ms * 600) };
        }
        let subtask = self.stream.chance(20).then(|| SubtaskId(self.stream.below(6) as u16));
        let occurrence = 1 + self.stream.below(12) as u32;
        let after_restarts = self.stream.below(3) as u32;
        When::Point { point: self.point(), subtask, occurrence, after_restarts }
    }

    fn message(&mut self) -> Fault {
        let kinds: Vec<_> = MessageKind::iter().collect();
        let message = self.stream.pick(&kinds).copied().unwrap_or(MessageKind::Trigger);
        let action = match self.stream.below(5) {
            0 => MessageAction::Drop,
            1 => MessageAction::Delay { us: self.us(300_000) },
            2 => MessageAction::Duplicate { us: self.us(300_000) },
            _ => MessageAction::Until { point: self.point() },
        };
        Fault::Message { message, to: None, count: 1 + self.stream.below(5) as u32, action }
    }

    fn change(&mut self) -> ClockChange {
        let sign = if self.stream.chance(50) { -1 } else { 1 };
        if self.stream.chance(40) {
            let ppm = self.stream.within(Span::new(1, 800_000)) as i32;
            return ClockChange::Drift { ppm: sign * ppm };
        }
        let max = if self.stream.chance(50) { 200_000 } else { 100_000_000_000 };
        ClockChange::Step { us: i64::from(sign) * self.us(max) as i64 }
    }

    fn fault(&mut self) -> Fault {
        let for_us = self.us(500_000);
        match self.stream.below(12) {
            0 => Fault::Crash { process: Some(self.process()), restart_after_us: Some(for_us) },
            1..4 => {
                let (process, restart_after_us) = (Some(self.mortal()), self.us(300_000));
                Fault::Zombie { process, restart_after_us, for_us }
            }
            4 => Fault::Pause { process: Some(self.process()), for_us },
            5 => Fault::Isolate { process: Some(self.process()), for_us },
            6 => {
                let (from, to) = self.pair();
                Fault::Hold { from, to, for_us }
            }
            7 => {
                let (from, to) = self.pair();
                Fault::HalfOpen { from, to, for_us }
            }
            8 => {
                let channel = ChannelId(self.stream.below(8) as u16);
                Fault::Lose { channel, count: 1 + self.stream.below(3) as u32 }
            }
            9 => Fault::Clock { process: Some(self.process()), change: self.change() },
            10 => {
                let (from, to) = self.pair();
                Fault::Disconnect { from, to, both: self.stream.chance(30), for_us }
            }
            _ => self.message(),
        }
    }
}

fn seeds() -> u64 {
    let text = std::env::var("CUTWATER_FAULT_SEEDS").ok();
    text.map_or(600, |text| text.parse().expect("CUTWATER_FAULT_SEEDS is a number"))
}

#[test]
fn mixed_faults_hold_all_oracles() {
    let bench = Bench::new();
    let (mut struck, mut restores) = (0, 0);
    for seed in 0..seeds() {
        let mut plan = bench.plan(SCENARIOS[seed as usize % SCENARIOS.len()], seed);
        plan.liveness_ms = plan.liveness_ms.max(60_000);
        let mut draw = Draw { stream: Stream::new(seed, Concern::Faults, u64::MAX), plan: &plan };
        let count = 1 + draw.stream.below(8);
        let faults: Vec<_> =
            (0..count).map(|_| PlannedFault { when: draw.when(), fault: draw.fault() }).collect();
        plan.faults = faults;
        let (outcome, _) = bench.hold(&plan);
        struck +=
            cutwater::plan::FaultClass::iter().map(|c| outcome.statistics.struck(c)).sum::<u64>();
        restores += outcome.statistics.restores;
    }
    assert!(struck > seeds(), "{struck} faults struck");
    assert!(restores > seeds() / 3, "{restores} restores");
}
