//! Which record was lost, and where: what the headline of missing output names.
//!
//! The output oracle knows how many records are missing, and not which: what is expected is a multiset of
//! contents. Here the plan runs again, once without its faults and defects for the records that there
//! should be, and once as it is for what became of the first of them that is not visible.

mod follower;
mod outputs;

use self::follower::Follower;
use self::outputs::{Outputs, Seen};
use super::experiments::Prepared;
use super::run::{WorldKind, run_plan};
use crate::oracle::{Kind, Loss, Verdict};
use crate::plan::Plan;
use crate::protocol::LineageId;
use crate::protocol::ordered::VecSet;
use crate::render::text::journey::ancestors;

/// Completes a verdict on missing output: its first violation names a record, where it was last seen, the
/// transaction and the checkpoint that had it, and the restore behind which it was gone.
///
/// Costs three runs of the plan where output is missing, and nothing anywhere else. A record that the run
/// without faults has under another name, as aggregates in processing order have, is not found; then the
/// violation stays as it is.
pub fn name_lost(plan: &Plan, prepared: &Prepared, world: WorldKind, verdict: &mut Verdict) {
    let Verdict::Violated(violations) = verdict else { return };
    if violations.first().map(|first| first.kind) != Some(Kind::MissingOutput) {
        return;
    }
    if let Some(loss) = find(plan, prepared, world) {
        violations.complete_first(loss);
    }
}

fn find(plan: &Plan, prepared: &Prepared, world: WorldKind) -> Option<Loss> {
    let expected = seen(&calm(plan), prepared, world)?;
    let visible = seen(plan, prepared, world)?;
    let record = expected.first_missing_in(&visible)?;
    let family = ancestors(&expected.into_trace(), record);
    follow(plan, prepared, world, record, family)
}

/// The plan without anything that goes wrong.
fn calm(plan: &Plan) -> Plan {
    let mut calm = plan.clone();
    calm.faults.clear();
    calm.requests.clear();
    calm.rescales.clear();
    calm.defects = Default::default();
    calm
}

fn seen(plan: &Plan, prepared: &Prepared, world: WorldKind) -> Option<Seen> {
    let (_, outputs) = run_plan(plan, prepared, world, Outputs::default());
    outputs?.into_seen()
}

fn follow(
    plan: &Plan,
    prepared: &Prepared,
    world: WorldKind,
    record: LineageId,
    family: VecSet<LineageId>,
) -> Option<Loss> {
    let (_, follower) = run_plan(plan, prepared, world, Follower::of(record, family));
    follower?.tell()
}

#[cfg(test)]
mod tests;
