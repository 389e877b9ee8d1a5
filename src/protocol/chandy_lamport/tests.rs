//! The two rules, step by step, on a process that adds up what it gets.

use super::*;
use crate::{ChannelId, SnapshotId};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

/// Adds up, and passes nothing on by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sum(u64);

impl Application for Sum {
    type Command = (ChannelId, u64);
    type Refusal = ();
    type Message = u64;

    fn handle_command(
        &mut self,
        (channel, amount): Self::Command,
        sends: &mut Sends<u64>,
    ) -> Result<(), ()> {
        self.0 = self.0.checked_sub(amount).ok_or(())?;
        sends.push((channel, amount));
        Ok(())
    }

    fn handle_message(&mut self, _: ChannelId, message: u64, _: &mut Sends<u64>) {
        self.0 += message;
    }

    fn handle_step(&mut self, _: &mut Sends<u64>) {}

    fn is_active(&self) -> bool {
        false
    }
}

const A: ChannelId = ChannelId(0);
const B: ChannelId = ChannelId(1);
const OUT: ChannelId = ChannelId(2);
const ZERO: SnapshotId = SnapshotId(0);
const ONE: SnapshotId = SnapshotId(1);

fn process() -> Process<Sum> {
    Process::new(Sum(10), vec![A, B], vec![OUT], MarkerDefectSet::NONE)
}

fn outputs(process: &mut Process<Sum>) -> Vec<Output<Sum>> {
    core::iter::from_fn(|| process.poll_output()).collect()
}

fn state(snapshot: SnapshotId, sum: u64) -> Output<Sum> {
    Output::RecordState { snapshot, state: Sum(sum) }
}

fn channel(snapshot: SnapshotId, channel: ChannelId, messages: &[u64]) -> Output<Sum> {
    Output::RecordChannel { snapshot, channel, messages: messages.to_vec() }
}

fn marker(snapshot: SnapshotId) -> Output<Sum> {
    Output::SendMarker { channel: OUT, snapshot }
}

#[test]
fn the_marker_leaves_before_any_further_message() {
    let mut process = process();
    process.handle_start(ZERO);
    assert_eq!(process.handle_command((OUT, 3)), Ok(()));
    let send = Output::Send { channel: OUT, message: 3 };
    assert_eq!(outputs(&mut process), [state(ZERO, 10), marker(ZERO), send]);
}

#[test]
fn the_channel_that_brings_the_first_marker_is_empty() {
    let mut process = process();
    process.handle_message(A, 1);
    assert_eq!(process.handle_marker(A, ZERO), Ok(()));
    process.handle_message(A, 2);
    process.handle_message(B, 4);
    assert_eq!(process.handle_marker(B, ZERO), Ok(()));
    let expected = [
        state(ZERO, 11),
        marker(ZERO),
        channel(ZERO, A, &[]),
        channel(ZERO, B, &[4]),
        Output::Complete { snapshot: ZERO },
    ];
    assert_eq!(outputs(&mut process), expected);
    assert!(process.has_completed(ZERO));
}

#[test]
fn snapshots_with_different_ids_share_nothing() {
    let mut process = process();
    process.handle_start(ZERO);
    process.handle_message(A, 1);
    assert_eq!(process.handle_marker(B, ONE), Ok(()));
    process.handle_message(A, 2);
    let _ = outputs(&mut process);
    assert_eq!(process.handle_marker(A, ZERO), Ok(()));
    assert_eq!(outputs(&mut process), [channel(ZERO, A, &[1, 2])]);
    assert_eq!(process.handle_marker(A, ONE), Ok(()));
    assert_eq!(outputs(&mut process), [channel(ONE, A, &[2]), Output::Complete { snapshot: ONE }]);
    assert!(!process.has_completed(ZERO), "B has not brought its marker");
}

#[test]
fn to_start_what_a_marker_has_started_does_nothing() {
    let mut process = process();
    assert_eq!(process.handle_marker(A, ZERO), Ok(()));
    let _ = outputs(&mut process);
    process.handle_start(ZERO);
    assert_eq!(outputs(&mut process), []);
}

#[test]
fn without_incoming_channels_a_snapshot_is_complete_at_once() {
    let mut process = Process::new(Sum(1), vec![], vec![OUT], MarkerDefectSet::NONE);
    process.handle_start(ZERO);
    let complete = Output::Complete { snapshot: ZERO };
    assert_eq!(outputs(&mut process), [state(ZERO, 1), marker(ZERO), complete]);
}

#[test]
fn a_second_marker_on_a_channel_is_an_error() {
    let mut process = process();
    assert_eq!(process.handle_marker(A, ZERO), Ok(()));
    let twice = MarkerError::SecondMarker { snapshot: ZERO, channel: A };
    assert_eq!(process.handle_marker(A, ZERO), Err(twice.clone()));
    assert_eq!(twice.to_string(), "ch-0 brings a second marker of snap-0");
}

#[test]
fn a_refused_command_changes_nothing() {
    let mut process = process();
    assert_eq!(process.handle_command((OUT, 11)), Err(()));
    assert_eq!(outputs(&mut process), []);
    assert_eq!(process.application(), &Sum(10));
}
