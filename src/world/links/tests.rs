use std::convert::Infallible;

use super::*;
use crate::plan::{Span, draw, scenario};
use crate::protocol::DefectSet;

const COORDINATOR: ProcessId = ProcessId::Coordinator;
const WORKER: ProcessId = ProcessId::Worker(0);
const STORE: ProcessId = ProcessId::ObjectStore;

/// Control messages take 200 to 1,000 µs, but for these.
fn links(slow_control: &[ControlLink]) -> Links {
    let shape = |_: &_| Ok::<_, Infallible>(vec![crate::protocol::Topology::default()]);
    let scenario = &scenario::built_in()[0];
    let mut plan = draw(scenario, 7, DefectSet::NONE, shape).expect("it cannot fail");
    plan.links.control = Latency::Uniform(Span::new(200, 1_000));
    plan.links.slow_control = slow_control.to_vec();
    Links::new(&plan, 0, slot_of(ProcessId::Worker(2)))
}

fn slow(from: ProcessId, to: ProcessId, latency: Latency) -> ControlLink {
    ControlLink { from, to, latency }
}

/// The delays of messages between these, one after the other.
fn delays(links: &mut Links, ends: &[(ProcessId, ProcessId)]) -> Vec<u128> {
    let mut delay = |(from, to): (ProcessId, ProcessId)| {
        links.control_delay(slot_of(from), VirtualTime::ZERO, from, to).as_micros()
    };
    (0..300).flat_map(|_| ends.iter().copied()).map(&mut delay).collect()
}

#[test]
fn a_slow_control_link_slows_one_direction_and_rerolls_no_other() {
    let latency = Latency::Uniform(Span::new(20_000, 30_000));
    let mut uneven = links(&[slow(COORDINATOR, WORKER, latency)]);
    let mut even = links(&[]);
    let ends = [(COORDINATOR, WORKER), (COORDINATOR, STORE), (WORKER, COORDINATOR)];
    let (uneven, even) = (delays(&mut uneven, &ends), delays(&mut even, &ends));
    for (number, (uneven, even)) in uneven.iter().zip(&even).enumerate() {
        assert!((200..=1_000).contains(even), "message {number}");
        if number % 3 == 0 {
            assert!((20_000..=30_000).contains(uneven), "message {number}: {uneven}");
        } else {
            assert_eq!(uneven, even, "message {number}");
        }
    }
}

#[test]
fn delays_of_slow_control_links_depend_on_nothing_but_link_and_message() {
    let latency = Latency::HeavyTail(Span::new(1_000, 900_000));
    let (there, back) = (slow(WORKER, STORE, latency), slow(STORE, WORKER, latency));
    let alone = delays(&mut links(&[there]), &[(WORKER, STORE)]);
    let mut both = links(&[back, there, slow(WORKER, STORE, Latency::Uniform(Span::new(1, 1)))]);
    let ends = [(STORE, WORKER), (COORDINATOR, WORKER), (WORKER, STORE)];
    let among_others = delays(&mut both, &ends);
    assert!(among_others.iter().skip(2).step_by(3).eq(&alone), "of several, the first counts");
    assert!(!among_others.iter().step_by(3).eq(&alone), "a link in each direction");
    both.reseed(8);
    let reseeded = delays(&mut both, &[(WORKER, STORE)]);
    assert_ne!(reseeded, alone);
    let late = alone.iter().filter(|us| **us > 450_000).count();
    assert!((10..90).contains(&late), "a tail, not a half: {late} of 300");
}
