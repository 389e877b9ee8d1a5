//! A digest of a whole trace: equal traces, equal digests, on every platform and in every build.
//!
//! Events per record are folded as packed words, all others through their derived [`Hash`], into a
//! [`Hasher`] that fixes the width and the byte order of every number. Two lanes of 64 bits are mixed
//! by wide multiplication, as in wyhash; the digest tells traces apart, it does not withstand attack.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::contents::RunStarted;
use super::event::{Event, Point, Stamp};
use cutwater_protocol::ProcessId;

const KEYS: [u64; 4] =
    [0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB, 0x8EBC_6AF0_9C88_C6E3, 0x5899_65CC_7537_4CC3];

/// Folds events, in order, into a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceDigest {
    folder: Folder,
    events: u64,
}

/// The digest of a trace, shown as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestValue(pub u128);

impl TraceDigest {
    /// The digest of no events.
    #[must_use]
    pub fn new() -> Self {
        Self { folder: Folder::new(KEYS[0], KEYS[1]), events: 0 }
    }

    /// Folds the next event.
    #[inline]
    pub fn record(&mut self, stamp: Stamp, event: &Event) {
        self.events = self.events.wrapping_add(1);
        self.folder.fold(stamp.number ^ process_code(stamp.process), stamp.at.0);
        match event {
            // Its size follows from what it is, and no digest that was kept has it.
            Event::Sent { channel, attempt, sequence, lineage, bytes: _ } => {
                let head = head(1, channel.0, attempt.0);
                self.folder.fold_three(head, *sequence, lineage.0);
            }
            Event::Received { channel, attempt, sequence, lineage } => {
                let head = head(2, channel.0, attempt.0);
                self.folder.fold_three(head, *sequence, lineage.0);
            }
            Event::Read { subtask, attempt, split, offset, lineage } => {
                let head = head(3, subtask.0, attempt.0);
                self.folder.fold_three(head, *offset ^ (u64::from(split.0) << 48), lineage.0);
            }
            Event::RunStarted(run) => self.record_start(run),
            rare => self.record_rare(rare),
        }
    }

    /// The kind goes in by its name and not by its number: events that are added to the list void no
    /// digest that was kept before.
    fn record_rare(&mut self, event: &Event) {
        let name: &'static str = Point::from(event).into();
        self.folder.write(name.as_bytes());
        self.folder.skips_discriminant = true;
        event.hash(&mut self.folder);
    }

    /// How many events were folded.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The digest of all events so far.
    #[must_use]
    pub fn finish(&self) -> u128 {
        let mut last = self.folder;
        last.fold(self.events, KEYS[2]);
        last.fold(KEYS[3], self.events);
        (u128::from(last.first) << 64) | u128::from(last.second)
    }

    /// The digest of all events so far, to be shown.
    #[must_use]
    pub fn value(&self) -> DigestValue {
        DigestValue(self.finish())
    }

    /// Numbers in a vector hash as their bytes in memory; here they are folded one by one.
    fn record_start(&mut self, run: &RunStarted) {
        let RunStarted {
            topology,
            split_lengths,
            retained,
            liveness_bound_ms,
            concurrent_max,
            protocol,
        } = run;
        topology.hash(&mut self.folder);
        self.folder.write_usize(split_lengths.len());
        for length in split_lengths {
            self.folder.write_u64(*length);
        }
        self.folder.fold(u64::from(*retained), u64::from(*concurrent_max));
        self.folder.write_u64(*liveness_bound_ms);
        // By name, and only where it is not the usual one: digests that were kept stay what they are.
        if !protocol.is_aligned() {
            let name: &'static str = protocol.into();
            self.folder.write(name.as_bytes());
        }
    }
}

impl Default for TraceDigest {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for DigestValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for DigestValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DigestValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let shown = String::deserialize(deserializer)?;
        u128::from_str_radix(&shown, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A hasher of two lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Folder {
    first: u64,
    second: u64,
    /// The next discriminant is not folded.
    skips_discriminant: bool,
}

impl Folder {
    fn new(first: u64, second: u64) -> Self {
        Self { first, second, skips_discriminant: false }
    }

    #[inline]
    fn fold(&mut self, one: u64, two: u64) {
        let (low, high) = multiply(self.first ^ one, self.second ^ two ^ KEYS[2]);
        self.first = low.wrapping_add(two).rotate_left(29);
        self.second = high ^ one.wrapping_mul(KEYS[3]) ^ self.first.rotate_left(17);
    }

    /// Folds three words; two are mixed beforehand, so that only one multiplication waits for the lanes.
    #[inline]
    fn fold_three(&mut self, one: u64, two: u64, three: u64) {
        let (low, high) = multiply(one ^ KEYS[1], two ^ KEYS[0]);
        self.fold(low ^ three, high ^ three.rotate_left(32));
    }
}

impl Hasher for Folder {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte));
            self.fold(word, chunk.len() as u64);
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.fold(u64::from(number), 1);
    }

    fn write_u16(&mut self, number: u16) {
        self.fold(u64::from(number), 2);
    }

    fn write_u32(&mut self, number: u32) {
        self.fold(u64::from(number), 4);
    }

    fn write_u64(&mut self, number: u64) {
        self.fold(number, 8);
    }

    fn write_u128(&mut self, number: u128) {
        self.fold(number as u64, 16);
        self.fold((number >> 64) as u64, 16);
    }

    fn write_usize(&mut self, number: usize) {
        self.fold(number as u64, 9);
    }

    fn write_i8(&mut self, number: i8) {
        self.fold(i64::from(number).cast_unsigned(), 17);
    }

    fn write_i16(&mut self, number: i16) {
        self.fold(i64::from(number).cast_unsigned(), 18);
    }

    fn write_i32(&mut self, number: i32) {
        self.fold(i64::from(number).cast_unsigned(), 20);
    }

    fn write_i64(&mut self, number: i64) {
        self.fold(number.cast_unsigned(), 24);
    }

    fn write_i128(&mut self, number: i128) {
        self.write_u128(number.cast_unsigned());
    }

    fn write_isize(&mut self, number: isize) {
        if !std::mem::take(&mut self.skips_discriminant) {
            self.fold((number as i64).cast_unsigned(), 25);
        }
    }

    fn finish(&self) -> u64 {
        self.first ^ self.second
    }
}

#[inline]
fn multiply(one: u64, two: u64) -> (u64, u64) {
    let product = u128::from(one) * u128::from(two);
    (product as u64, (product >> 64) as u64)
}

#[inline]
fn head(kind: u8, place: u16, attempt: u32) -> u64 {
    (u64::from(kind) << 56) | (u64::from(place) << 32) | u64::from(attempt)
}

/// Distinct for every process, and clear of the low bits, where event numbers are.
#[inline]
fn process_code(process: ProcessId) -> u64 {
    let code = match process {
        ProcessId::Coordinator => 1,
        ProcessId::ObjectStore => 2,
        ProcessId::MetaStore => 3,
        ProcessId::SourceLog => 4,
        ProcessId::SinkTarget => 5,
        ProcessId::Worker(number) => 6 + u64::from(number),
    };
    code << 44
}

#[cfg(test)]
mod tests {
    use super::*;
    use cutwater_protocol::Protocol;
    use cutwater_protocol::{
        Attempt, ChannelId, LineageId, SplitId, SubtaskId, Topology, VirtualTime,
    };

    fn stamp(number: u64) -> Stamp {
        Stamp { number, at: VirtualTime::from_us(number), process: ProcessId::Worker(0) }
    }

    fn sent(channel: u16, sequence: u64, lineage: u64) -> Event {
        let (channel, attempt) = (ChannelId(channel), Attempt(1));
        Event::Sent { channel, attempt, sequence, lineage: LineageId(lineage), bytes: None }
    }

    fn digest(events: &[Event]) -> u128 {
        let mut digest = TraceDigest::new();
        for (event, number) in events.iter().zip(0..) {
            digest.record(stamp(number), event);
        }
        digest.finish()
    }

    fn run() -> Event {
        Event::RunStarted(Box::new(RunStarted {
            topology: Topology::default(),
            split_lengths: vec![1, 2],
            retained: 1,
            liveness_bound_ms: 7,
            concurrent_max: 1,
            protocol: Protocol::Aligned,
        }))
    }

    /// Pinned: a change of this value voids every digest that was ever kept.
    #[test]
    fn the_digest_is_the_same_everywhere() {
        let (subtask, attempt) = (SubtaskId(1), Attempt(2));
        let events = [
            run(),
            sent(1, 2, 3),
            Event::SubtaskFailed { subtask, attempt, reason: "out of \u{e4}ther".to_owned() },
            Event::FaultsEnded,
        ];
        assert_eq!(format!("{}", DigestValue(digest(&events))), "a602e4fe853c6a25bc463eb07b5b7645");
    }

    #[test]
    fn every_field_counts() {
        let (attempt, lineage) = (Attempt(1), LineageId(3));
        let received = Event::Received { channel: ChannelId(1), attempt, sequence: 2, lineage };
        let read = |split, offset| {
            let (subtask, split) = (SubtaskId(1), SplitId(split));
            Event::Read { subtask, attempt, split, offset, lineage }
        };
        let events = [
            sent(1, 2, 3),
            sent(2, 2, 3),
            sent(1, 3, 3),
            sent(1, 2, 4),
            received,
            read(0, 2),
            read(1, 2),
            read(0, 3),
            Event::FaultsEnded,
            Event::SinkRecovered,
            run(),
        ];
        let mut digests: Vec<_> = events.iter().map(|e| digest(std::slice::from_ref(e))).collect();
        digests.push(digest(&[]));
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), events.len() + 1);
    }

    #[test]
    fn the_stamp_and_the_order_count() {
        let (one, other) = (sent(1, 0, 1), sent(2, 0, 1));
        assert_ne!(digest(&[one.clone(), other.clone()]), digest(&[other, one.clone()]));
        let of = |stamp| {
            let mut digest = TraceDigest::new();
            digest.record(stamp, &one);
            digest.finish()
        };
        let base = stamp(0);
        let digests = [
            of(base),
            of(Stamp { number: 1, ..base }),
            of(Stamp { at: VirtualTime(1), ..base }),
            of(Stamp { process: ProcessId::Worker(1), ..base }),
            of(Stamp { process: ProcessId::SinkTarget, ..base }),
        ];
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "stamp {index} does not count");
        }
    }

    #[test]
    fn words_are_folded_by_value_not_by_memory() {
        let start = Folder::new(1, 2);
        let (mut numbers, mut bytes) = (start, start);
        numbers.fold(0x0807_0605_0403_0201, 8);
        bytes.write(&[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(numbers, bytes);
    }
}
