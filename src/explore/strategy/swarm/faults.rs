//! Which classes of faults a seed has, and how many of each.

use strum::IntoEnumIterator as _;

use super::Variation;
use crate::plan::{Concern, FaultClass, Setting, Span, Stream};

/// How many in a hundred of the classes that a scenario does not name a seed has: mostly few, so that
/// they do not hide what each of them would show.
const STRANGERS_PERCENT: &[u8] = &[0, 4, 8, 15];

/// How many in a hundred of the classes that it does name.
const NAMED_PERCENT: &[u8] = &[40, 75, 100];

/// How many faults there are of a class that the scenario does not name.
const STRANGERS: Span = Span::new(1, 2);

impl Variation {
    pub(super) fn faults(&mut self) {
        let swarm = &self.varied.swarm;
        if swarm.is_pinned(Setting::Faults) {
            return;
        }
        let entity = |class: FaultClass| (1 << 32) | class as u64;
        let mut share = Stream::new(self.root, Concern::Swarm, Setting::Faults as u64);
        let strangers = *share.pick(STRANGERS_PERCENT).unwrap_or(&0);
        let named = *share.pick(NAMED_PERCENT).unwrap_or(&100);
        let draws = FaultClass::iter().filter_map(|class| {
            let mut stream = Stream::new(self.root, Concern::Swarm, entity(class));
            let range = self.varied.faults.get(&class).copied();
            let is_mandatory = swarm.mandatory.contains(&class);
            let is_suppressed = swarm.suppressed.contains(&class)
                || (class.is_by_name_only() && range.is_none() && !is_mandatory);
            let is_drawn = is_mandatory
                || (!is_suppressed
                    && stream.chance(if range.is_some() { named } else { strangers }));
            let range = range.unwrap_or(STRANGERS);
            let least = if is_mandatory { range.min.max(1) } else { range.min };
            is_drawn.then(|| (class, Span::new(least, range.max.max(least))))
        });
        let drawn = draws.collect();
        self.varied.faults = drawn;
    }
}
