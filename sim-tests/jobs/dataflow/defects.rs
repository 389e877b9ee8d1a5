//! Seeded bugs of the dataflow: off by default, wrong when switched on.

use cutwater::protocol::{Defect, DefectSet, SplitId};
use cutwater::trace::SplitPosition;

use super::harness::{Harness, Op, Shown, obedient_job};

#[test]
fn colliding_key_groups_lose_one() {
    let job = obedient_job();
    let frozen = |defects| {
        let mut harness = Harness::with_defects(&job, "obedient/0", defects);
        for key in 0..20_u16 {
            let _: Vec<Shown> = harness.record(0, 0, &(key, Op::SetValue(1)));
        }
        harness.subtask.freeze().key_groups
    };
    let whole = frozen(DefectSet::NONE);
    assert_eq!(frozen(DefectSet::only(Defect::KeyGroupsCollide)), whole[1..]);
}

#[test]
fn an_empty_epoch_resets_positions() {
    let job = obedient_job();
    let entry = postcard::to_stdvec(&(3_u16, Op::Show)).unwrap();
    let mut harness = Harness::new(&job, "source/0");
    for offset in 0..3 {
        harness.items(|subtask, out| subtask.read(SplitId(0), offset, &entry, out));
    }
    let state = harness.subtask.freeze();
    let id = harness.subtask.id();
    let mut defective = job.subtask(id, DefectSet::only(Defect::EmptyEpochResetsPosition));
    defective.restore(&state).unwrap();
    let at = |offset| [SplitPosition { split: SplitId(0), offset }];
    assert_eq!(defective.freeze().reading(), at(0), "nothing was read since the restore");
    assert_eq!(defective.splits(), at(3), "reading itself goes on where it should");
    defective.read(SplitId(0), 3, &entry, &mut Default::default());
    assert_eq!(defective.freeze().reading(), at(4));
}
