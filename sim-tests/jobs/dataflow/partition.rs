//! Partitioners: who gets a record.

use std::collections::BTreeSet;

use cutwater::dataflow::{EncodedSink, Item, Job, JobBuilder, Stream};
use cutwater::protocol::{KeyGroup, SubtaskId};

use super::harness::{Harness, source};

/// A job in which `map` with two subtasks sends to `sink` with three.
fn job(partition: impl Fn(&Stream<u64>) -> Stream<u64>) -> Job {
    let builder = JobBuilder::new("partition");
    let mapped = source::<u64>(&builder, 1).rebalance().map("map", 2, |n| n);
    partition(&mapped).transactional_sink("sink", 3, EncodedSink::new());
    builder.build().unwrap()
}

/// The indices of the sink's subtasks that record number `n` went to.
fn receivers(harness: &mut Harness, job: &Job, n: u64) -> Vec<u16> {
    let _: Vec<u64> = harness.record(0, 0, &n);
    harness.out.items.iter().map(|(output, _)| receiver(job, harness, *output)).collect()
}

fn receiver(job: &Job, harness: &Harness, output: u16) -> u16 {
    let topology = job.topology();
    let channel = topology.outputs(harness.subtask.id()).nth(usize::from(output)).unwrap();
    let to: SubtaskId = topology.channels[channel.index()].to;
    topology.subtasks[to.index()].index
}

#[test]
fn rebalance_takes_turns_and_goes_on_after_a_restore() {
    let job = job(Stream::rebalance);
    let mut harness = Harness::new(&job, "map/1");
    let mut got: Vec<u16> = (0..4).flat_map(|n| receivers(&mut harness, &job, n)).collect();
    harness.recover();
    got.extend((4..7).flat_map(|n| receivers(&mut harness, &job, n)));
    assert_eq!(got, [0, 1, 2, 0, 1, 2, 0]);
}

#[test]
fn shift_takes_turns_from_the_senders_own_index() {
    let job = job(Stream::shift);
    for (name, expected) in [("map/0", [0, 1, 2, 0]), ("map/1", [1, 2, 0, 1])] {
        let mut harness = Harness::new(&job, name);
        let mut got: Vec<u16> = (0..2).flat_map(|n| receivers(&mut harness, &job, n)).collect();
        harness.recover();
        got.extend((2..4).flat_map(|n| receivers(&mut harness, &job, n)));
        assert_eq!(got, expected, "{name}");
    }
}

#[test]
fn broadcast_copies_to_all_with_a_lineage_each() {
    let job = job(Stream::broadcast);
    let mut harness = Harness::new(&job, "map/0");
    assert_eq!(receivers(&mut harness, &job, 5), [0, 1, 2]);
    assert_eq!(harness.records::<u64>(), [5, 5, 5]);
    let lineages: BTreeSet<_> = harness.raw_records().map(|record| record.lineage).collect();
    assert_eq!(lineages.len(), 3);
}

#[test]
fn forward_has_one_channel_per_sender() {
    let builder = JobBuilder::new("forward");
    let mapped = source::<u64>(&builder, 3).map("map", 3, |n| n);
    mapped.transactional_sink("sink", 3, EncodedSink::new());
    let job = builder.build().unwrap();
    assert_eq!(job.topology().channels.len(), 6);
    let mut harness = Harness::new(&job, "map/2");
    assert_eq!(receivers(&mut harness, &job, 1), [2]);
}

#[test]
fn keys_go_to_the_owner_of_their_group() {
    let builder = JobBuilder::new("keys");
    source::<u64>(&builder, 2)
        .key_by(|n| n % 100)
        .process("keep", 5, super::lineage::Keep::new)
        .transactional_sink("sink", 5, EncodedSink::new());
    let job = builder.build().unwrap();
    let mut harness = Harness::new(&job, "source/1");
    let split = harness.subtask.splits()[0].split;
    for n in 0..500_u64 {
        let entry = postcard::to_stdvec(&n).unwrap();
        harness.items(|subtask, out| subtask.read(split, n, &entry, out));
        let output = harness.out.items.iter().find(|(_, item)| matches!(item, Item::Record(_)));
        let owner = KeyGroup::of(&postcard::to_stdvec(&(n % 100)).unwrap()).owner(5);
        assert_eq!(receiver(&job, &harness, output.unwrap().0), owner, "record {n}");
    }
}

#[test]
fn watermarks_go_to_every_channel_of_every_edge() {
    let builder = JobBuilder::new("fan-out");
    let mapped = source::<u64>(&builder, 1).rebalance().map("map", 1, |n| n);
    mapped.rebalance().transactional_sink("left", 2, EncodedSink::new());
    mapped.broadcast().at_least_once_sink("right", 2, EncodedSink::new());
    let job = builder.build().unwrap();
    let mut harness = Harness::new(&job, "map/0");
    let _: Vec<u64> = harness.watermark(0, 7);
    assert_eq!(harness.watermarks(), [(0, 7), (1, 7), (2, 7), (3, 7)]);
    let _: Vec<u64> = harness.watermark(0, 7);
    assert_eq!(harness.watermarks(), [], "only when it rises");
    let _: Vec<u64> = harness.record(0, 0, &1_u64);
    let targets: Vec<u16> = harness.out.items.iter().map(|(output, _)| *output).collect();
    assert_eq!(targets, [0, 2, 3], "each consumer gets every record");
}
