//! What is written down is read back: plans as JSON, traces as JSON Lines, messages as postcard.

mod messages;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use cutwater::cluster::Message;
use cutwater::explore::{Experiments, WorldKind, run_plan};
use cutwater::plan::{ClockChange, Fault, MessageAction, Plan, PlannedFault, When, scenario};
use cutwater::protocol::{ChannelId, Defect, DefectSet, ProcessId, VirtualTime};
use cutwater::trace::codec::{TraceReader, TraceWriter};
use cutwater::trace::{Event, MessageKind, Point, Stamp};
use cutwater::world::Observer;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use strum::IntoEnumIterator as _;

use messages::{MESSAGES, Numbers, message};

fn configuration(cases: u32) -> ProptestConfig {
    let rng_seed = proptest::test_runner::RngSeed::Fixed(7);
    ProptestConfig { cases, failure_persistence: None, rng_seed, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(configuration(300))]

    /// Plans of any scenario, seed and defects.
    #[test]
    fn plans_come_back(index: usize, seed: u64, defects in vec(0..Defect::all().count(), 0..3)) {
        let scenarios = scenario::built_in();
        let scenario = &scenarios[index % scenarios.len()];
        let defects: DefectSet = defects.iter().filter_map(|n| Defect::all().nth(*n)).collect();
        let plan = Experiments::new().draw(scenario, seed, defects).expect("it can be drawn");
        let text = plan.to_json();
        let back = Plan::from_json("plan.json", &text).expect("it can be read");
        prop_assert_eq!(&back, &plan);
        prop_assert_eq!(back.to_json(), text);
    }

    /// A plan file that ends too early is an error with a line, never a plan.
    #[test]
    fn truncated_plans_are_refused(seed: u64, share in 0_usize..1_000) {
        let scenario = &scenario::built_in()[0];
        let plan = Experiments::new().draw(scenario, seed, DefectSet::NONE).expect("it can be drawn");
        let text = plan.to_json();
        let cut = (text.trim_end().len() - 1) * share / 1_000;
        let error = Plan::from_json("plan.json", &text[..cut]).expect_err("it is cut short");
        prop_assert!(error.to_string().starts_with("plan.json:"), "{}", error);
    }

    /// Events of every kind that runs have, with their numbers replaced by any others.
    #[test]
    fn events_come_back(index: usize, numbers in vec(number(), 1..12), at: u64, worker: u16) {
        let samples = samples();
        let mut value = serde_json::to_value(&samples[index % samples.len()]).expect("plain data");
        replace_numbers(&mut value, &mut numbers.iter().copied().cycle());
        let event: Event = match serde_json::from_value(value) {
            Ok(event) => event,
            // A number that does not fit its field.
            Err(_) => samples[index % samples.len()].clone(),
        };
        let stamp = Stamp { number: 0, at: VirtualTime(at), process: ProcessId::Worker(worker) };
        let mut writer = TraceWriter::new(Vec::new()).expect("memory can be written to");
        writer.write(stamp, &event).expect("memory can be written to");
        let bytes = writer.finish().expect("memory can be written to");
        let mut reader = TraceReader::new(bytes.as_slice()).expect("a header");
        let back = reader.next().expect("an event").expect("a readable one");
        prop_assert_eq!(back, (stamp, event));
        prop_assert!(reader.next().is_none());
    }

    /// Messages of every kind; what is cut short is refused.
    #[test]
    fn messages_come_back(kind in 0..MESSAGES, numbers in vec(number(), 8), bytes: Vec<u8>) {
        let message = message(kind, &mut Numbers::new(numbers), &bytes);
        let encoded = postcard::to_stdvec(&message).expect("plain data");
        let back: Message = postcard::from_bytes(&encoded).expect("it can be read");
        prop_assert_eq!(&back, &message);
        for length in 0..encoded.len() {
            prop_assert!(postcard::from_bytes::<Message>(&encoded[..length]).is_err());
        }
    }
}

/// Small ones, the limits of every width, and any.
fn number() -> impl Strategy<Value = u64> {
    let limits = [u64::from(u8::MAX), u64::from(u16::MAX), u64::from(u32::MAX), u64::MAX];
    prop_oneof![0_u64..200, prop::sample::select(limits.to_vec()), any::<u64>()]
}

fn replace_numbers(value: &mut Value, numbers: &mut impl Iterator<Item = u64>) {
    match value {
        Value::Number(number) => {
            if let Some(other) = numbers.next() {
                *number = other.into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|each| replace_numbers(each, numbers)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|each| replace_numbers(each, numbers));
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The first few events of each kind.
#[derive(Default)]
struct Sampler {
    samples: BTreeMap<Point, Vec<Event>>,
}

impl Observer for Sampler {
    fn observe(&mut self, _: Stamp, event: &Event) -> ControlFlow<()> {
        let kept = self.samples.entry(Point::from(event)).or_default();
        if kept.len() < 3 && !kept.contains(event) {
            kept.push(event.clone());
        }
        ControlFlow::Continue(())
    }
}

/// Faults that no scenario draws.
fn rare_faults(seed: u64) -> impl Iterator<Item = PlannedFault> {
    let (from, to, for_us) = (ProcessId::Worker(0), ProcessId::Coordinator, 80_000);
    let process = Some(if seed.is_multiple_of(2) { from } else { to });
    let until = MessageAction::Until { point: Point::Completed };
    let (message, count, channel) = (MessageKind::Heartbeat, 1, ChannelId(0));
    let faults = [
        Fault::Zombie { process, restart_after_us: 10_000, for_us: 300_000 },
        Fault::Hold { from, to, for_us },
        Fault::HalfOpen { from, to, for_us },
        Fault::Lose { channel, count },
        Fault::Clock { process, change: ClockChange::Step { us: 7 } },
        Fault::Message { message, to: None, count, action: until },
    ];
    let when = |number: usize| When::At { us: 100_000 + 20_000 * number as u64 };
    let planned = move |(number, fault)| PlannedFault { when: when(number), fault };
    faults.into_iter().enumerate().map(planned)
}

fn samples() -> &'static [Event] {
    static SAMPLES: OnceLock<Vec<Event>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let experiments = Experiments::new();
        let mut sampler = Sampler::default();
        for scenario in scenario::built_in() {
            for seed in 0..4 {
                let mut plan = experiments.draw(&scenario, seed, DefectSet::NONE).expect("drawn");
                plan.faults.extend(rare_faults(seed));
                let prepared = experiments.prepare(&plan.job).expect("it was drawn for it");
                let (_, seen) = run_plan(&plan, &prepared, WorldKind::Kernel, Sampler::default());
                for event in seen.expect("no run panics").samples.into_values().flatten() {
                    let at = VirtualTime::ZERO;
                    let stamp = Stamp { number: 0, at, process: ProcessId::Coordinator };
                    let _ = sampler.observe(stamp, &event);
                }
            }
        }
        sampler.samples.into_values().flatten().collect()
    })
}

/// What is tried out on events is tried out on nearly all kinds of them.
#[test]
fn samples_hold_most_kinds_of_events() {
    let seen: Vec<Point> = samples().iter().map(Point::from).collect();
    let missing: Vec<Point> = Point::iter().filter(|point| !seen.contains(point)).collect();
    assert!(missing.len() <= 6, "no sample of {missing:?}");
}
