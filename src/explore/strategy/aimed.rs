//! Point-aimed: one to three faults, each right behind a protocol point.
//!
//! Random kills seldom hit the gaps between two steps of the protocol, where real bugs live. This
//! strategy numbers the **cells**, a class of faults at a protocol point, in an order of the scenario's
//! own, and seed n starts from cell n: so that every cell is tried as often as every other. Which
//! occurrence of the point is drawn among those that a recorded run of the scenario has.

use super::cells::{Cell, cells};
use super::profile::{Profile, ScenarioProfile};
use super::{Strategy, StrategyName, swarm};
use crate::explore::Experiments;
use crate::plan::draw::aim::Aim;
use crate::plan::draw::{FaultDraw, Targets};
use crate::plan::{Concern, FaultClass, NemesisScenario, Plan, PlannedFault, Scenario, Stream};
use crate::protocol::{DefectSet, SubtaskId};
use crate::trace::Point;
use crate::workload::WorkloadError;

/// Aims at one point after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Aimed;

/// How many faults are aimed in one plan.
const FAULTS_MAX: u64 = 3;

/// How many in a hundred plans have the scenario's own faults as well.
const WITH_OTHERS_PERCENT: u8 = 40;

/// How many in a hundred plans have the shape that a swarm of this seed has: the recorded run has another,
/// but its early occurrences are there all the same.
const VARIED_PERCENT: u8 = 50;

impl Strategy for Aimed {
    fn name(&self) -> StrategyName {
        StrategyName::Aimed
    }

    fn plan(
        &self,
        scenario: &Scenario,
        seed: u64,
        defects: DefectSet,
        experiments: &Experiments,
    ) -> Result<Option<Plan>, WorkloadError> {
        let profile = experiments.profiles.of(scenario, experiments)?;
        let cells = cells(scenario, &profile);
        let mut stream = Stream::new(scenario.root(seed), Concern::Aim, 0);
        let aims: Vec<Cell> = chosen(&cells, seed, &mut stream);
        let needs_trouble = |(point, _): &Cell| profile.calm.count(*point, None) == 0;
        let with_others = stream.chance(WITH_OTHERS_PERCENT) || aims.iter().any(needs_trouble);
        let is_varied = stream.chance(VARIED_PERCENT);
        let workload = experiments.registry().workload(&scenario.job.workload)?;
        let mut base =
            if is_varied { swarm::shape(scenario, seed, workload) } else { scenario.clone() };
        if !with_others {
            base.faults.clear();
        }
        let mut plan = experiments.draw(&base, seed, defects)?;
        let prepared = experiments.prepare(&plan.job)?;
        let topology = prepared.experiment.job.topology();
        let targets = Targets::of(topology, &plan);
        let (ranges, root) = (&scenario.nemesis, scenario.root(seed));
        let draw = AimedDraw { profile: &profile, ranges, targets, root };
        for (number, cell) in (1..).zip(aims) {
            plan.faults.extend(draw.faults(number, cell));
        }
        Ok(Some(plan))
    }
}

/// The cell of this seed, and up to two more.
fn chosen(cells: &[Cell], seed: u64, stream: &mut Stream) -> Vec<Cell> {
    let Some(own) = seed.checked_rem(cells.len() as u64) else { return Vec::new() };
    let mut chosen = vec![cells[usize::try_from(own).unwrap_or(0)]];
    for _ in 0..stream.below(FAULTS_MAX) {
        chosen.extend(stream.pick(cells));
    }
    chosen
}

/// What the aimed faults of one plan are drawn from.
struct AimedDraw<'a> {
    profile: &'a ScenarioProfile,
    ranges: &'a NemesisScenario,
    targets: Targets,
    root: u64,
}

impl AimedDraw<'_> {
    /// The faults of a cell: one, and a crash before it where a restart must come first.
    fn faults(&self, number: u64, (point, class): Cell) -> Vec<PlannedFault> {
        let mut stream = Stream::new(self.root, Concern::Aim, number << 8);
        let aim = self.aim(point, &mut stream);
        let mut faults = self.draw(number << 8 | 1).fault(class, Some(aim));
        let comes_later = matches!(class, FaultClass::CrashAgain | FaultClass::CrashInRecovery);
        if comes_later || (self.profile.calm.count(point, None) == 0 && stream.chance(50)) {
            faults.extend(self.draw(number << 8 | 2).fault(FaultClass::CrashWorker, None));
        }
        faults
    }

    fn draw(&self, entity: u64) -> FaultDraw<'_> {
        let stream = Stream::new(self.root, Concern::Aim, entity);
        FaultDraw::new(self.ranges, self.targets, stream)
    }

    /// One of the occurrences that there are, an early one more likely than a late one; as often in one
    /// subtask as in whichever comes to it.
    fn aim(&self, point: Point, stream: &mut Stream) -> Aim {
        let calm = &self.profile.calm;
        let profile = if calm.count(point, None) > 0 { calm } else { &self.profile.troubled };
        let subtask = stream.chance(50).then(|| self.subtask(profile, point, stream)).flatten();
        let count = profile.count(point, subtask).max(1);
        let doublings = u64::from(count.ilog2()) + 1;
        let bound = (1_u64 << (stream.below(doublings) + 1)).min(count.into());
        Aim { point, subtask, occurrence: 1 + stream.below(bound) as u32 }
    }

    fn subtask(&self, profile: &Profile, point: Point, stream: &mut Stream) -> Option<SubtaskId> {
        let exists = |subtask: &SubtaskId| subtask.0 < self.targets.subtasks;
        let subtasks: Vec<SubtaskId> = profile.subtasks(point).filter(exists).collect();
        stream.pick(&subtasks).copied()
    }
}
