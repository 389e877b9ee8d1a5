//! Sources as connectors have them, and the mistakes that connectors made: each is found.

use std::collections::BTreeMap;

use cutwater::dataflow::conformance::{Divergence, check_source};
use cutwater::dataflow::{
    CompletedSource, EncodedSink, Entry, Input, JobBuilder, Source, SourceCollector,
};
use cutwater::explore::Check;
use cutwater::oracle::{OracleName, Verdict};
use cutwater::protocol::SplitId;
use cutwater::trace::SplitPosition;

/// Reads rows, then where the log goes on, and then the log; emits what the rows had not seen.
#[derive(Clone)]
struct Table {
    seen: BTreeMap<SplitId, u8>,
    /// Whether it keeps that in its snapshots.
    remembers: bool,
}

const ROWS: u8 = 60;
const HIGH: u8 = 90;
const CHANGES: u8 = 120;

impl Source for Table {
    type Out = u8;
    type State = BTreeMap<SplitId, u8>;

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, u8>) {
        match entry.bytes {
            [b'r', row] => out.emit(0, *row),
            [b'h', place] => drop(self.seen.insert(entry.split, *place)),
            [b'c', place] if self.seen.get(&entry.split).is_none_or(|seen| place > seen) => {
                out.emit(0, 100 + place);
            }
            _ => {}
        }
    }

    fn snapshot(&self) -> Self::State {
        if self.remembers { self.seen.clone() } else { BTreeMap::new() }
    }

    fn restore(&mut self, seen: Self::State) {
        self.seen = seen;
    }
}

/// The oracle that finds something first.
fn found_by(check: &Check) -> OracleName {
    let error = check.clone().seeds_only().shrink_runs(0).run().unwrap_err();
    match &error.failure().expect("a plan fails").verdict {
        Verdict::Violated(found) => found.first().unwrap().oracle,
        other => panic!("{other}"),
    }
}

fn lines() -> Vec<Vec<u8>> {
    let rows = (0..ROWS).map(|row| vec![b'r', row]);
    let changes = (0..CHANGES).map(|place| vec![b'c', place]);
    rows.chain([vec![b'h', HIGH]]).chain(changes).collect()
}

fn table(remembers: bool) -> Check {
    let job = JobBuilder::new("table");
    let table = Table { seen: BTreeMap::new(), remembers };
    job.source("table", table, 1, 1).transactional_sink("rows", 1, EncodedSink::new());
    let expected: Vec<u8> = (0..ROWS).chain(101 + HIGH..100 + CHANGES).collect();
    Check::new(&job, Input::new(vec![lines()]), &expected).unwrap().seeds(0..60)
}

#[test]
fn a_snapshot_phase_that_is_state_survives() {
    let source = Table { seen: BTreeMap::new(), remembers: true };
    assert_eq!(check_source(source, &[lines()]), Ok(()));
    assert!(table(true).run().is_ok());
}

#[test]
fn a_snapshot_phase_that_is_forgotten_is_found_by_both_checks() {
    let source = Table { seen: BTreeMap::new(), remembers: false };
    let prefix = usize::from(ROWS) + 1;
    let found = check_source(source, &[lines()]);
    assert!(
        matches!(found, Err(Divergence::Output { prefix: at, input, .. }) if (at, input) == (prefix, prefix)),
        "{found:?}"
    );
    assert_eq!(found_by(&table(false)), OracleName::Output);
}

/// Says on completion what it should not, or what it should.
#[derive(Clone)]
struct Confirming {
    /// By split, the offset behind what was read last; of no snapshot.
    newest: BTreeMap<SplitId, u64>,
    confirms_newest: bool,
}

impl Source for Confirming {
    type Out = u64;
    type State = ();

    fn read(&mut self, entry: Entry<'_>, out: &mut SourceCollector<'_, u64>) {
        self.newest.insert(entry.split, entry.offset + 1);
        out.emit(0, entry.offset);
    }

    fn snapshot(&self) {}

    fn restore(&mut self, (): ()) {}

    fn on_checkpoint_complete(&mut self, held: CompletedSource<'_, ()>) -> Vec<SplitPosition> {
        if !self.confirms_newest {
            return held.positions.to_vec();
        }
        let newest = self.newest.iter();
        newest.map(|(split, offset)| SplitPosition { split: *split, offset: *offset }).collect()
    }
}

fn confirming(confirms_newest: bool) -> Check {
    let job = JobBuilder::new("confirming");
    let source = Confirming { newest: BTreeMap::new(), confirms_newest };
    job.source("numbers", source, 1, 1).transactional_sink("out", 1, EncodedSink::new());
    let expected: Vec<u64> = (0..300).collect();
    let input = Input::new(vec![vec![Vec::new(); 300]]);
    Check::new(&job, input, &expected).unwrap().seeds(0..10)
}

/// flink-cdc #2538.
#[test]
fn a_source_that_confirms_its_newest_position_is_found() {
    assert!(confirming(false).run().is_ok());
    assert_eq!(found_by(&confirming(true)), OracleName::State);
}
