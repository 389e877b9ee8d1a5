//! Every oracle fails when it should, and only then: a sound trace, and one change.

use super::*;
use crate::classic::event::Event;
use crate::classic::file::{events, topology};
use crate::classic::{Kernel, LocalState, Message, Settings, Workload};
use crate::protocol::ChannelId;

/// What happens to two processes with ten units of something each.
fn trace(workload: Workload) -> Vec<Event> {
    let system = topology("2\nA 10\nB 10\nA B\nB A\n", workload).expect("a system");
    let script = "send B A 2\nsnapshot A\nsend A B 1\ntick 9\nsend B A 3\nsend B A 4\ntick";
    let script = events(script, &system.graph).expect("a script");
    let mut kernel = Kernel::new(system, Settings::of_seed(1));
    kernel.play(&script).expect("they have ten each");
    kernel.into_trace().into_iter().map(|stamped| stamped.event).collect()
}

fn broken(workload: Workload, change: impl Fn(&mut Vec<Event>)) -> Vec<Property> {
    let mut events = trace(workload);
    change(&mut events);
    let stamped = (0..).zip(events).map(|(number, event)| Stamped { number, tick: 0, event });
    let violations = judge(&stamped.collect::<Vec<_>>());
    violations.into_iter().map(|violation| violation.property).collect()
}

fn tokens(change: impl Fn(&mut Vec<Event>)) -> Vec<Property> {
    broken(Workload::Tokens, change)
}

fn place(events: &[Event], is: impl Fn(&Event) -> bool) -> usize {
    events.iter().position(is).expect("the trace has one")
}

fn received(count: u64) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::Received { message, .. } if *message == Message::Tokens(count))
}

#[test]
fn a_sound_trace_holds() {
    for workload in [Workload::Tokens, Workload::Bank, Workload::Work, Workload::Locks] {
        assert_eq!(broken(workload, |_| {}), []);
    }
}

#[test]
fn a_trace_names_what_is_there() {
    assert_eq!(tokens(|events| drop(events.remove(0))), [Property::Trace]);
    let started = |events: &mut Vec<Event>| events.push(events[0].clone());
    assert_eq!(tokens(started), [Property::Trace]);
    let (channel, message) = (ChannelId(2), Message::Tokens(1));
    let nowhere = move |events: &mut Vec<Event>| events.push(Event::Sent { channel, message });
    assert_eq!(tokens(nowhere), [Property::Trace]);
    assert_eq!(judge(&[])[0].property, Property::Trace);
}

#[test]
fn a_channel_keeps_its_order() {
    let found = tokens(|events| {
        let (three, four) = (place(events, received(3)), place(events, received(4)));
        for (at, count) in [(three, 4), (four, 3)] {
            let Event::Received { message, .. } = &mut events[at] else { continue };
            *message = Message::Tokens(count);
        }
    });
    assert!(
        found.contains(&Property::Order) && found.contains(&Property::Permutation),
        "{found:?}"
    );
}

#[test]
fn a_marker_stands_where_the_cut_is() {
    let found = tokens(|events| {
        let is_sent =
            |event: &Event| matches!(event, Event::Sent { message: Message::Tokens(1), .. });
        let at = place(events, is_sent);
        let sent = events.remove(at);
        let marker = place(events, |event| matches!(event, Event::MarkerSent { .. }));
        events.insert(marker, sent);
    });
    assert!(found.contains(&Property::Cut) && found.contains(&Property::Order), "{found:?}");
}

#[test]
fn a_state_is_recorded_once() {
    let found = tokens(|events| {
        let at = place(events, |event| matches!(event, Event::StateRecorded { .. }));
        events.insert(at, events[at].clone());
    });
    assert_eq!(found, [Property::Cut]);
}

#[test]
fn a_channel_holds_what_is_under_way_in_the_cut() {
    let found = tokens(|events| {
        for event in events {
            if let Event::ChannelRecorded { messages, .. } = event {
                messages.clear();
            }
        }
    });
    let expected = [
        Property::ChannelState,
        Property::Permutation,
        Property::Conservation,
        Property::Stability,
    ];
    assert_eq!(found, expected);
}

#[test]
fn no_work_comes_from_nowhere() {
    let found = broken(Workload::Work, |events| {
        for event in events {
            if let Event::StateRecorded { state: LocalState::Work { left, .. }, .. } = event {
                *left += 50;
            }
        }
    });
    assert_eq!(found, [Property::Permutation, Property::Stability]);
}

#[test]
fn a_snapshot_is_owed_where_a_way_leads() {
    let is_complete = |event: &Event| matches!(event, Event::Completed { .. });
    let found = tokens(|events| drop(events.remove(place(events, is_complete))));
    assert_eq!(found, [Property::Termination]);
    // A run that is not over owes nothing yet.
    let found = tokens(|events| {
        events.remove(place(events, is_complete));
        events.pop();
    });
    assert_eq!(found, []);
    let is_received = |event: &Event| matches!(event, Event::MarkerReceived { .. });
    let found = tokens(|events| {
        let at = place(events, is_received);
        let (channel, snapshot) = (ChannelId(0), SnapshotId(0));
        events.insert(at, Event::MarkerRefused { channel, snapshot });
    });
    assert_eq!(found, [Property::Termination]);
}
