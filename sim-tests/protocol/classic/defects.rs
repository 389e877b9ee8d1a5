//! Every seeded defect is found by the oracles that it is there for, and every oracle finds one.

use std::collections::BTreeSet;

use cutwater::classic::oracle::Property;
use cutwater::classic::run::run;
use cutwater::classic::{Settings, Workload};
use cutwater::protocol::chandy_lamport::{MarkerDefect, MarkerDefectSet};
use strum::IntoEnumIterator as _;

use super::files;

/// Where a defect is looked for.
struct Row {
    defect: MarkerDefect,
    system: &'static str,
    /// So many seeds are enough for all that is expected.
    seeds: u64,
    /// Who must find it in some seed; others may.
    finders: &'static [Property],
}

use Property::{ChannelState, Conservation, Cut, Order, Permutation, Stability, Termination};

const fn row(
    defect: MarkerDefect,
    system: &'static str,
    seeds: u64,
    finders: &'static [Property],
) -> Row {
    Row { defect, system, seeds, finders }
}

/// In the order of [`MarkerDefect`].
const TABLE: &[Row] = &[
    row(MarkerDefect::MarkerAfterNextMessage, "pair", 60, &[Cut, Permutation, Conservation]),
    row(MarkerDefect::MarkerNotForwarded, "mesh", 3, &[Termination]),
    row(MarkerDefect::ChannelNotRecorded, "mesh", 3, &[ChannelState, Permutation, Conservation]),
    row(MarkerDefect::RecordingStoppedLate, "pair", 30, &[ChannelState, Permutation, Stability]),
    row(MarkerDefect::RecordingStartedEarly, "mesh", 3, &[ChannelState, Permutation, Conservation]),
    row(MarkerDefect::StateRecordedLate, "mesh", 3, &[Cut, ChannelState, Permutation, Stability]),
    row(MarkerDefect::StateRecordedAgain, "mesh", 3, &[Cut]),
    row(MarkerDefect::SnapshotIdsIgnored, "mesh", 3, &[Termination]),
    row(MarkerDefect::ChannelOutOfOrder, "pair", 10, &[Order, ChannelState, Permutation]),
];

fn finders(row: &Row) -> BTreeSet<Property> {
    let (system, script) = files::system(row.system, Workload::Tokens);
    let defects = MarkerDefectSet::only(row.defect);
    let of_seed = |seed| {
        let settings = Settings { defects, ..Settings::of_seed(seed) };
        let run = run(&system, &script, settings).expect("the script fits the system");
        run.violations.into_iter().map(|violation| violation.property)
    };
    (0..row.seeds).flat_map(of_seed).collect()
}

#[test]
fn every_defect_is_found() {
    for row in TABLE {
        let found = finders(row);
        let missing: Vec<_> = row.finders.iter().filter(|it| !found.contains(it)).collect();
        assert!(missing.is_empty(), "{}: not found by {missing:?}, but by {found:?}", row.defect);
    }
}

#[test]
fn the_table_has_every_defect_and_every_oracle() {
    let defects: Vec<_> = TABLE.iter().map(|row| row.defect).collect();
    assert_eq!(defects, MarkerDefect::all().collect::<Vec<_>>());
    let seen: BTreeSet<_> = TABLE.iter().flat_map(|row| row.finders).copied().collect();
    // A kernel writes no trace that makes no sense; the oracles' own tests do.
    let all = Property::iter().filter(|property| *property != Property::Trace);
    assert_eq!(seen, all.collect());
}
