//! Cells: a class of faults at a protocol point; and how they are put into an even order.

use strum::IntoEnumIterator as _;

use super::profile::ScenarioProfile;
use crate::plan::draw::aim::{can_aim, points};
use crate::plan::draw::repertoire::Repertoire;
use crate::plan::{Concern, FaultClass, Scenario, Stream, salt};
use crate::trace::Point;

/// A class of faults at a protocol point.
pub type Cell = (Point, FaultClass);

/// The classes that a scenario lets a strategy draw: all that are not suppressed, and those
/// that lose something for good only where the scenario names them, since nothing is owed after them.
pub fn classes(scenario: &Scenario) -> impl Iterator<Item = FaultClass> + '_ {
    let swarm = &scenario.swarm;
    FaultClass::iter().filter(|class| {
        let is_named = scenario.faults.contains_key(class) || swarm.mandatory.contains(class);
        let is_suppressed = swarm.suppressed.contains(class);
        !is_suppressed && (is_named || !class.is_by_name_only())
    })
}

/// All cells of the points that a scenario's runs reach, in an order of the scenario's own.
pub fn cells(scenario: &Scenario, profile: &ScenarioProfile) -> Vec<Cell> {
    let is_reached = |point: &Point| {
        profile.calm.count(*point, None) > 0 || profile.troubled.count(*point, None) > 0
    };
    let classes: Vec<FaultClass> = classes(scenario).collect();
    let of_point = |point: Point| classes.iter().map(move |class| (point, *class));
    let all = points(Repertoire::ALL).filter(is_reached).flat_map(of_point);
    shuffled(all.filter(|(point, class)| can_aim(*class, *point)).collect(), scenario)
}

/// The same things in another order, which the scenario's name decides.
pub fn shuffled<T>(mut things: Vec<T>, scenario: &Scenario) -> Vec<T> {
    let mut stream = Stream::new(salt(&scenario.name), Concern::Aim, ORDER_ENTITY);
    for place in (1..things.len()).rev() {
        let other = stream.below(place as u64 + 1);
        things.swap(place, usize::try_from(other).unwrap_or(0));
    }
    things
}

/// The stream of an order; those of aims have the number of the aim.
const ORDER_ENTITY: u64 = 1 << 48;
