//! Order in channels, and state.

use super::super::testing::{LAST, SOURCES, SUM};
use super::*;
use crate::protocol::{Attempt, ChannelId, Digest, LineageId, SplitId};

fn is_sent(event: &Event) -> bool {
    matches!(event, Event::Sent { .. })
}

fn is_received(event: &Event) -> bool {
    matches!(event, Event::Received { .. })
}

fn last(events: &[Event], is_it: impl Fn(&Event) -> bool) -> usize {
    events.iter().rposition(is_it).expect("the run has such an event")
}

#[test]
fn a_record_keeps_its_number() {
    breaks(OracleName::Order, "as number 0, next was 1", |events| {
        let sent = at(events, is_sent);
        events.insert(sent, events[sent].clone());
    });
    breaks(OracleName::Order, "left a/0->sum/0 as number 7, next was 0", |events| {
        let received = at(events, is_received);
        if let Event::Received { sequence, .. } = &mut events[received] {
            *sequence = 7;
        }
    });
}

#[test]
fn a_record_keeps_its_place() {
    breaks(OracleName::Order, "left a/0->sum/0, next was", |events| {
        let received = at(events, is_received);
        if let Event::Received { lineage, .. } = &mut events[received] {
            *lineage = LineageId(5);
        }
    });
    breaks(OracleName::Order, "left a/0->sum/0 without having entered it", |events| {
        let sent = at(events, is_sent);
        events.remove(sent);
    });
}

#[test]
fn a_record_does_not_overtake_a_barrier() {
    let mut script = started();
    script.barrier_sent(0, ONE);
    script.read(0);
    script.receive(0);
    let words = "left a/0->sum/0 ahead of the barrier of ckpt-1";
    expect(OracleName::Order, words, &script.events, &End::Stopped);
}

#[test]
fn a_barrier_keeps_its_place() {
    breaks(OracleName::Order, "the barrier of ckpt-1 left a/0->sum/0 as if after 9", |events| {
        let received = at(events, |event| matches!(event, Event::BarrierReceived { .. }));
        if let Event::BarrierReceived { sequence, .. } = &mut events[received] {
            *sequence = 9;
        }
    });
    breaks(OracleName::Order, "the barrier of ckpt-1 entered a/0->sum/0 as if after 9", |events| {
        let sent = at(events, |event| matches!(event, Event::BarrierSent { .. }));
        if let Event::BarrierSent { sequence, .. } = &mut events[sent] {
            *sequence = 9;
        }
    });
    breaks(OracleName::Order, "without having entered it", |events| {
        let sent = at(events, |event| matches!(event, Event::BarrierSent { .. }));
        events.remove(sent);
    });
}

#[test]
fn barriers_come_in_order() {
    let mut script = started();
    script.barrier_sent(0, TWO);
    script.barrier_sent(0, ONE);
    let words = "the barrier of ckpt-1 entered a/0->sum/0 after the one of ckpt-2";
    expect(OracleName::Order, words, &script.events, &End::Stopped);
}

#[test]
fn nothing_follows_the_end() {
    let mut script = started();
    script.end();
    script.read(0);
    includes(OracleName::Order, "entered a/0->sum/0 after the end of input", &script.events);
    let mut script = started();
    script.end();
    script.barrier_sent(0, ONE);
    let words = "the barrier of ckpt-1 entered a/0->sum/0 after the end of input";
    includes(OracleName::Order, words, &script.events);
}

#[test]
fn what_is_given_up_is_cancelled_before_the_next_barrier() {
    let (attempt, subtask) = (Attempt(1), SUM);
    let mut script = started();
    script.events.push(Event::AlignmentAborted { subtask, attempt, checkpoint: ONE });
    let mut cancelled = script.events.clone();
    script.barrier_sent(2, TWO);
    let words = "though its sender had given ckpt-1 up and not cancelled it";
    expect(OracleName::Order, words, &script.events, &End::Stopped);
    cancelled.push(Event::CancelSent { channel: LAST, attempt, checkpoint: ONE, sequence: 0 });
    cancelled.extend(script.events.last().cloned());
    assert!(judged(&cancelled, &End::Stopped).violations().is_empty());
}

#[test]
fn an_alignment_does_not_start_again() {
    let mut script = started();
    let (attempt, subtask) = (Attempt(1), SUM);
    for checkpoint in [TWO, ONE] {
        script.events.push(Event::AlignmentStarted { subtask, attempt, checkpoint });
    }
    let words = "sum/0 aligns for ckpt-1 again, after ckpt-2";
    expect(OracleName::Order, words, &script.events, &End::Stopped);
}

#[test]
fn nothing_is_left_in_a_channel() {
    let mut script = started();
    script.read(0);
    script.events.push(Event::JobFinished { attempt: Attempt(1) });
    let words = "the job finished with 1 records in a/0->sum/0, first r-";
    expect(OracleName::Order, words, &script.events, &End::Finished);
}

#[test]
fn a_zombie_disturbs_nothing() {
    let mut events = healthy();
    let second = at(&events, |e| matches!(e, Event::AttemptStarted { attempt: Attempt(2), .. }));
    let attempt = Attempt(1);
    let (subtask, split, lineage) = (SOURCES[0], SplitId(0), LineageId(9));
    let channel = ChannelId(0);
    let zombie = [
        Event::Read { subtask, attempt, split, offset: 99, lineage },
        Event::Sent { channel, attempt, sequence: 99, lineage, bytes: None },
        Event::Received { channel: LAST, attempt, sequence: 42, lineage },
        Event::BarrierSent { channel, attempt, checkpoint: TWO, sequence: 99 },
    ];
    for event in zombie {
        events.insert(second + 6, event);
    }
    assert_eq!(judged(&events, &End::Finished), Verdict::Held);
}

#[test]
fn offsets_are_read_in_order_and_once() {
    let of = |change: fn(&mut u64)| {
        move |events: &mut Vec<Event>| {
            let read = last(events, |event| matches!(event, Event::Read { .. }));
            if let Event::Read { offset, .. } = &mut events[read] {
                change(offset);
            }
        }
    };
    breaks(OracleName::State, "but the next is 3: it was read before", of(|offset| *offset = 2));
    breaks(OracleName::State, "but the split holds 4 entries", of(|offset| *offset = 4));
    let mut script = started();
    script.read(0);
    let Some(Event::Read { offset, .. }) = script.events.iter_mut().rev().nth(1) else {
        panic!("a record is read before it is sent");
    };
    *offset = 1;
    let words = "a/0 read r-";
    expect(OracleName::State, words, &script.events, &End::Stopped);
    let words = "at offset 1 of split-0, but the next is 0: what lies between is lost";
    expect(OracleName::State, words, &script.events, &End::Stopped);
}

#[test]
fn a_snapshot_holds_where_reading_stands() {
    breaks(OracleName::State, "holds offset 2 of split-0, which stands at 1", |events| {
        snapshot(events, |taken| taken.subtask == SOURCES[0]).positions[0].offset += 1;
    });
    breaks(
        OracleName::State,
        "the snapshot of a/0 for ckpt-1 holds nothing of split-0",
        |events| {
            snapshot(events, |taken| taken.subtask == SOURCES[0]).positions.clear();
        },
    );
}

#[test]
fn a_split_has_one_owner() {
    breaks(OracleName::State, "ckpt-1 holds 2 owners of split-0, not one", |events| {
        let position = snapshot(events, |taken| taken.subtask == SOURCES[0]).positions[0];
        snapshot(events, |taken| taken.subtask == SUM).positions.push(position);
    });
}

#[test]
fn what_was_frozen_is_restored() {
    let of = |change: fn(&mut crate::trace::Restored)| {
        move |events: &mut Vec<Event>| {
            let is_it = |event: &Event| matches!(event, Event::Restored(of) if of.attempt == Attempt(2) && of.subtask.0 == 0);
            let restored = at(events, is_it);
            if let Event::Restored(restored) = &mut events[restored] {
                change(restored);
            }
        }
    };
    breaks(OracleName::State, "a/0 restored state 00", of(|of| of.state = Digest(3)));
    breaks(OracleName::State, "restored other positions", of(|of| of.positions[0].offset = 0));
    breaks(OracleName::State, "a/0 starts from no checkpoint, but not from", |events| {
        let restored = at(events, |event| matches!(event, Event::Restored(_)));
        if let Event::Restored(restored) = &mut events[restored] {
            restored.state = Digest(3);
        }
    });
}

#[test]
fn reading_goes_on_where_the_snapshot_was() {
    let mut script = started();
    script.pass();
    script.checkpoint(1);
    script.pass();
    script.fail();
    script.start();
    script.pass();
    script.read(0);
    let reads = script.events.iter_mut().rev().filter_map(|event| match event {
        Event::Read { offset, .. } => Some(offset),
        _ => None,
    });
    for offset in reads.take(3) {
        *offset += 1;
    }
    expect(OracleName::State, "what lies between is lost", &script.events, &End::Stopped);
}

#[test]
fn offsets_are_committed_once_a_completed_checkpoint_holds_them() {
    let of = |wanted: u64| {
        move |events: &mut Vec<Event>| {
            let is_it = |event: &Event| matches!(event, Event::OffsetCommitted { .. });
            let committed = at(events, is_it);
            if let Event::OffsetCommitted { offset, .. } = &mut events[committed] {
                *offset = wanted;
            }
        }
    };
    breaks(OracleName::State, "while the completed checkpoints only reach 1", of(2));
}

#[test]
fn every_entry_is_read_in_the_end() {
    breaks(OracleName::State, "read up to 4 of 5 entries", |events| {
        if let Event::RunStarted(run) = &mut events[0] {
            run.split_lengths[1] = 5;
        }
    });
}

#[test]
fn every_record_that_survives_is_processed() {
    includes(OracleName::State, "on the history that survives, a/0->sum/0 was sent", &{
        let mut events = healthy();
        let received =
            last(&events, |event| matches!(event, Event::Received { channel: ChannelId(0), .. }));
        events.remove(received);
        events
    });
}
