//! That the comparators hold, that each seeded bug is found, and that the shapes of the literature come out.

use strum::IntoEnumIterator as _;

use super::*;
use crate::protocol::independent::{IndependentDefect, IndependentDefectSet, Scheme};

/// A job that comes back to its join with so many of a million records; short, so that many can be run.
fn cyclic(scheme: Scheme, back_per_million: u32, seed: u64) -> Settings {
    let settings = Settings::of(scheme, Shape::cycle(3, back_per_million), seed);
    Settings { rate: 40, input_ms: 30_000, failure_ms: 24_000, ..settings }
}

fn pipeline(scheme: Scheme, seed: u64) -> Settings {
    let settings = Settings::of(scheme, Shape::pipeline(3, 3), seed);
    Settings { rate: 40, input_ms: 30_000, failure_ms: 24_000, ..settings }
}

#[test]
fn every_scheme_holds_with_a_loop_and_without() {
    for scheme in Scheme::iter() {
        for seed in 0..10 {
            for settings in [pipeline(scheme, seed), cyclic(scheme, 80_000, seed)] {
                let outcome = run(&settings);
                assert_eq!(outcome.violations, [], "{scheme}, seed {seed}");
                assert!(outcome.measured.at_failure > 20, "{:?}", outcome.measured);
            }
        }
    }
}

#[test]
fn a_run_is_the_same_again() {
    let settings = cyclic(Scheme::Hmnr, 80_000, 1);
    assert_eq!(run(&settings), run(&settings));
}

/// In how many of ten seeds a defect is found: where checkpoints depend on one another, or where much is under way.
fn found(defect: IndependentDefect) -> usize {
    use IndependentDefect as D;
    let settings = |seed: u64| match defect {
        D::OvertakenMessageForcesNothing
        | D::OwnIntervalForcesNothing
        | D::KnowledgeNotMerged
        | D::ForcedAfterDelivery => {
            Settings { pace: Pace::Regular, ..cyclic(Scheme::Hmnr, 80_000, seed) }
        }
        D::LocalEdgesSkipped | D::LineTooOld => cyclic(Scheme::Uncoordinated, 80_000, seed),
        D::IdleChannelNotReplayed => Settings { rate: 1, ..slow(seed) },
        D::StaleMessageTaken => slow(seed),
    };
    let defects = IndependentDefectSet::only(defect);
    let is_found = |seed: &u64| {
        let settings = settings(*seed);
        let healthy = run(&settings).violations;
        assert_eq!(healthy, [], "seed {seed} without {defect}");
        !run(&Settings { defects, ..settings }).violations.is_empty()
    };
    (0..10).filter(is_found).count()
}

/// With messages under way whenever the failure comes.
fn slow(seed: u64) -> Settings {
    let delay_us = crate::plan::Span::new(20_000, 900_000);
    Settings { delay_us, ..pipeline(Scheme::Uncoordinated, seed) }
}

#[test]
fn every_defect_is_found() {
    let counts: Vec<_> = IndependentDefect::all().map(|defect| (defect, found(defect))).collect();
    assert!(counts.iter().all(|(_, found)| *found > 0), "{counts:?}");
}

/// The row of a job and a scheme.
fn row(rows: &[comparison::Row], job: &str, scheme: Scheme, skips: bool) -> comparison::Row {
    let is_it = |row: &&comparison::Row| {
        row.job == job && row.scheme == scheme && row.skips_local_edges == skips
    };
    rows.iter().find(is_it).expect("it is compared").clone()
}

/// A zigzag cycle needs a cycle of processes: in a pipeline every checkpoint is of use, and a forced one is a cost.
#[test]
fn in_a_pipeline_nothing_is_useless_and_forcing_is_for_nothing() {
    let rows = comparison::compare(5, 20, &(0..2));
    for scheme in Scheme::iter() {
        let own = row(&rows, "pipeline", scheme, false);
        assert_eq!((own.violated, own.useless_percent, own.from_nothing_percent), (0, 0.0, 0.0));
        assert_eq!(own.forced_per_basic > 0.0, scheme != Scheme::Uncoordinated, "{own:?}");
    }
    // What its vectors are for (Hélary et al. 2000): they tell that a message closes no cycle, which a clock cannot.
    let forced = |scheme| row(&rows, "pipeline", scheme, false).forced_per_basic;
    let (vectors, clock) = (forced(Scheme::Hmnr), forced(Scheme::Bcs));
    assert!(vectors < clock, "HMNR forces {vectors} for each basic one, BCS {clock}");
}

/// The domino effect in a loop, which forced checkpoints prevent; and what hides it from CheckMate's Table IV: with
/// the recovery graph as released, 1.4 % are discarded, and the line has orphans.
#[test]
fn a_loop_falls_back_to_the_beginning_unless_checkpoints_are_forced() {
    let rows = comparison::compare(5, 60, &(0..2));
    let alone = row(&rows, "cycle", Scheme::Uncoordinated, false);
    assert_eq!(alone.violated, 0, "{alone:?}");
    assert!(alone.discarded_percent > 60.0 && alone.useless_percent > 40.0, "{alone:?}");
    // All but the sources, which receive nothing.
    assert_eq!(alone.from_nothing_percent, 75.0, "{alone:?}");
    for scheme in [Scheme::Bcs, Scheme::Hmnr] {
        let induced = row(&rows, "cycle", scheme, false);
        assert_eq!((induced.violated, induced.useless_percent), (0, 0.0), "{induced:?}");
        assert!(induced.discarded_percent < 10.0, "{induced:?}");
        assert!(induced.checkpoints < 1.2 * alone.checkpoints, "{induced:?}");
    }
    let released = row(&rows, "cycle", Scheme::Uncoordinated, true);
    assert!(released.discarded_percent < 3.0 && released.from_nothing_percent == 0.0);
    assert!(released.first.expect("it is found").contains("orphans"));
}
