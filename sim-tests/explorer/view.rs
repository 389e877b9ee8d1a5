//! Views of real runs: what they draw over a cut is what the run captured, and what they tell other viewers is in
//! those viewers' formats.

use std::collections::BTreeMap;
use std::path::Path;

use cutwater::explore::regression::{Expected, Regression};
use cutwater::explore::viewing::run_for_view;
use cutwater::explore::{Experiments, StrategyName, Sweep, WorldKind};
use cutwater::plan::scenario::named;
use cutwater::protocol::DefectSet;
use cutwater::view::checkpoints::{Checkpoint, End};
use cutwater::view::cut::{Flow, SHOWN_MAX};
use cutwater::view::trace_events::trace_events;
use cutwater::view::{EVENTS_MAX, View, shiviz};
use serde_json::Value;

const SEEDS: u64 = 6;

/// The views of a built-in scenario's first seeds.
fn views(scenario: &str) -> Vec<View> {
    let scenario = named(scenario).expect("it is built in").clone();
    let (strategy, world) = (StrategyName::default(), WorldKind::Kernel);
    let sweep = Sweep {
        scenarios: vec![scenario],
        seeds: 0..SEEDS,
        strategy,
        defects: DefectSet::NONE,
        world,
        jobs: 1,
    };
    let experiments = Experiments::new();
    let view = |seed| {
        let prepared = sweep.prepare(&experiments, seed).expect("it can be prepared");
        let (plan, prepared) = prepared.expect("it has a plan");
        let (outcome, view) = run_for_view(&plan, &prepared, world, EVENTS_MAX, "");
        assert!(outcome.is_held(&plan), "{}, seed {seed}", plan.scenario);
        view
    };
    (0..SEEDS).map(view).collect()
}

fn completed(view: &View) -> impl Iterator<Item = &Checkpoint> {
    view.checkpoints.iter().filter(|own| matches!(own.end, End::Completed(_)))
}

#[test]
fn what_crosses_a_cut_is_what_was_captured() {
    let mut in_flight = 0;
    for scenario in [
        "unaligned",
        "unaligned-join",
        "unaligned-recovery",
        "hybrid",
        "buffers",
        "rescale-unaligned",
    ] {
        for view in views(scenario) {
            for own in completed(&view) {
                assert!(!own.is_broken(), "{scenario}: {} {:?}", own.id, own.channels);
                for channel in &own.channels {
                    // Which records the events tell to have been sent before the cut and received after it, and
                    // which ones the subtasks say to have saved.
                    let drawn = channel.arrows.iter().map(|(sent, _)| {
                        view.rows.records[view.rows.all[*sent].record.expect("a record was sent")]
                    });
                    let put_back = usize::try_from(channel.put_back).expect("it is small");
                    let saved = channel.state.iter().copied().skip(put_back);
                    assert!(
                        drawn.take(SHOWN_MAX - put_back).eq(saved),
                        "{scenario}: {} on {}",
                        own.id,
                        channel.name
                    );
                    in_flight += channel.flow.records();
                }
            }
        }
    }
    assert!(in_flight > 100, "only {in_flight} records were in flight over all cuts");
}

#[test]
fn nothing_crosses_an_aligned_cut() {
    for scenario in ["relay", "word-count", "back-pressure", "stop-the-world"] {
        for view in views(scenario) {
            let flows = completed(&view).flat_map(|own| &own.channels).map(|channel| channel.flow);
            assert!(flows.into_iter().all(|flow| flow == Flow::Empty), "{scenario}");
        }
    }
}

#[test]
fn who_completes_a_checkpoint_has_counted_everybody() {
    for scenario in
        ["control-chaos", "coordinator-crashes", "savepoints", "abort-storm", "rescale-words"]
    {
        for view in views(scenario) {
            for own in completed(&view) {
                let End::Completed(end) = own.end else { continue };
                let whole = own.members.iter().all(|member| {
                    member.snapshot < member.acknowledged
                        && member.acknowledged < member.counted
                        && member.counted < Some(end)
                });
                assert!(
                    whole && !own.members.is_empty(),
                    "{scenario}: {} {:?}",
                    own.id,
                    own.members
                );
            }
        }
    }
}

#[test]
fn a_message_arrives_after_it_was_sent_and_most_that_arrive_were() {
    for scenario in ["control-chaos", "unaligned", "enumerated", "split-brain"] {
        for view in views(scenario) {
            let rows = &view.rows.all;
            assert!(
                rows.iter().enumerate().all(|(at, row)| row.cause.is_none_or(|cause| cause < at)),
                "{scenario}"
            );
            let point = |row: &cutwater::view::rows::Row| view.rows.words.all[row.word].point;
            use cutwater::trace::Point;
            let arrived = rows.iter().filter(|row| {
                matches!(
                    point(row),
                    Some(
                        Point::Received
                            | Point::BarrierReceived
                            | Point::BarrierOvertook
                            | Point::AcknowledgementCounted
                    )
                )
            });
            let without: Vec<_> =
                arrived.filter(|row| row.cause.is_none()).map(|row| row.number).collect();
            assert_eq!(without, [0; 0], "{scenario}");
        }
    }
}

/// The view of a plan that is kept.
fn kept(name: &str) -> (Regression, View) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/regressions").join(name);
    let kept = Regression::read(&path).expect("it is kept");
    let prepared = Experiments::new().prepare(&kept.plan.job).expect("its job can be made");
    let (_, view) = run_for_view(&kept.plan, &prepared, WorldKind::Kernel, EVENTS_MAX, "");
    (kept, view)
}

#[test]
fn a_cut_that_the_oracles_call_broken_is_drawn_so() {
    for name in ["channel-not-blocked.json", "newer-barrier-waits.json"] {
        let (kept, view) = kept(name);
        let Expected::Fails(signature) = &kept.expected else { panic!("{name} fails") };
        assert_eq!(signature.to_string(), "cut/orphan-record");
        let (row, checkpoint) = view.opening();
        let own = &view.checkpoints[checkpoint.expect("the violation names a checkpoint")];
        let finding = view.subject().finding.as_ref().expect("it has a violation");
        let channel = own.channels.iter().find(|channel| Some(channel.channel) == finding.channel);
        let channel = channel.expect("the violation names a channel");
        assert!(matches!(channel.flow, Flow::Orphan { .. }), "{name}: {channel:?}");
        assert!(
            row.is_some() && !channel.arrows.is_empty(),
            "{name}: the record that crosses is drawn"
        );
    }
}

/// The numbers of a slice: its track, its begin and its end, in nanoseconds.
fn slice(event: &Value) -> ((u64, u64), u64, u64) {
    let number = |name: &str| event[name].as_u64().unwrap_or_else(|| panic!("{name}: {event}"));
    let ns = |name: &str| {
        let us = event[name].as_f64().unwrap_or_else(|| panic!("{name}: {event}"));
        assert!(us >= 0.0, "{event}");
        format!("{:.0}", us * 1000.0).parse::<u64>().expect("a number")
    };
    let from = ns("ts");
    ((number("pid"), number("tid")), from, from + ns("dur"))
}

/// What the format asks for: names for tracks, slices that nest, flows that are numbered and end where they can.
fn judge_trace_events(text: &str) {
    let whole: Value = serde_json::from_str(text).expect("it is JSON");
    let events = whole["traceEvents"].as_array().expect("it has events");
    let of = |phase: &'static str| events.iter().filter(move |event| event["ph"] == *phase);
    let named: Vec<_> = of("M")
        .filter(|event| event["name"] == "thread_name")
        .map(|event| (event["pid"].as_u64(), event["tid"].as_u64()))
        .collect();
    let mut tracks: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
    for event in of("X") {
        let (track, from, to) = slice(event);
        assert!(
            named.contains(&(Some(track.0), Some(track.1))),
            "{event} is on a track without a name"
        );
        tracks.entry(track).or_default().push((from, to));
    }
    for (track, slices) in &mut tracks {
        slices.sort_by_key(|(from, to)| (*from, std::cmp::Reverse(*to)));
        let mut open: Vec<u64> = Vec::new();
        for (from, to) in slices {
            open.retain(|end| end > from);
            assert!(
                open.last().is_none_or(|end| *to <= *end),
                "{track:?}: {from} to {to} neither nests nor is apart"
            );
            open.push(*to);
        }
    }
    let end = |event: &Value| {
        let id = event["id"].as_u64().unwrap_or_else(|| panic!("the id is no number: {event}"));
        let mut with = event.clone();
        with["dur"] = Value::from(0);
        let (track, at, _) = slice(&with);
        assert!(
            tracks[&track].iter().any(|(from, to)| *from <= at && at < *to),
            "{event} is in no slice"
        );
        (id, at)
    };
    let begun: BTreeMap<u64, u64> = of("s").map(end).collect();
    let ended: BTreeMap<u64, u64> = of("f").map(end).collect();
    assert_eq!(begun.len(), of("s").count(), "every flow has a number of its own");
    assert_eq!(begun.keys().collect::<Vec<_>>(), ended.keys().collect::<Vec<_>>());
    assert!(begun.iter().all(|(id, from)| ended[id] > *from), "a flow ends after it began");
    assert!(!begun.is_empty() && of("X").count() > 100);
}

#[test]
fn trace_events_keep_to_the_format() {
    for scenario in ["unaligned", "abort-storm", "zombies"] {
        for view in views(scenario).iter().take(2) {
            judge_trace_events(&trace_events(view));
        }
    }
}

/// A log of ShiViz: each event with its host and its clock.
fn read_shiviz(log: &str) -> Vec<(String, BTreeMap<String, u64>)> {
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len() % 2, 0, "an event has two lines");
    let entry = |pair: &[&str]| {
        let (host, clock) = pair[1].split_once(' ').expect("a host, a blank and a clock");
        assert!(!host.is_empty() && !pair[0].is_empty());
        let clock =
            serde_json::from_str(clock).unwrap_or_else(|error| panic!("{}: {error}", pair[1]));
        (host.to_owned(), clock)
    };
    lines.chunks(2).map(entry).collect()
}

#[test]
fn logs_for_shiviz_have_clocks_that_grow_by_one() {
    let mut logs = 0;
    for view in views("control-chaos").iter().chain(&views("unaligned")) {
        for index in 0..view.checkpoints.len() {
            let log = shiviz::log(view, index).expect("it has a window");
            let mut known: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
            for (host, clock) in read_shiviz(&log) {
                let before = known.entry(host.clone()).or_default();
                assert_eq!(clock[&host], before.get(&host).copied().unwrap_or(0) + 1, "{host}");
                assert!(
                    before.iter().all(|(other, count)| clock[other] >= *count),
                    "{host} forgets"
                );
                *before = clock.clone();
                let told = |other: &String| known.get(other).map_or(0, |own| own[other]);
                assert!(
                    clock.iter().all(|(other, count)| *count <= told(other)),
                    "{host} knows of what has not happened"
                );
            }
            logs += usize::from(known.len() > 2);
        }
    }
    assert!(logs > 10);
}
