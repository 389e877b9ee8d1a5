//! Which splits the log has: those that are to come, those that are there, and those that are gone.

use std::time::Duration;

use crate::cluster::settings::DiscoverySettings;
use crate::protocol::{Listing, SplitId, VirtualTime};

/// The splits of a log.
#[derive(Clone, Debug)]
pub struct Splits {
    /// How they come and go; none where all are there for good.
    settings: Option<DiscoverySettings>,
    /// By split.
    standing: Vec<Standing>,
}

/// How a split stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It will come up; where splits come and go, also those that are there from the beginning.
    Awaited,
    There,
    /// It was committed to its end, and goes in its time.
    Consumed,
    Gone,
}

/// What has become of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Appeared,
    Removed,
}

impl Splits {
    /// So many splits, at the beginning.
    pub fn new(count: u16, settings: Option<DiscoverySettings>) -> Self {
        let standing = if settings.is_some() { Standing::Awaited } else { Standing::There };
        Self { standing: vec![standing; usize::from(count)], settings }
    }

    /// What is due of each split from now on, and after how long. A log that starts again has no timers.
    pub fn due(&self, now: VirtualTime) -> Vec<(SplitId, Duration)> {
        let Some(settings) = &self.settings else { return Vec::new() };
        let due = |(split, standing): (SplitId, &Standing)| match standing {
            Standing::Awaited => {
                let passed = now.since(VirtualTime::ZERO);
                Some((split, settings.appears(split).saturating_sub(passed)))
            }
            Standing::Consumed => Some((split, Duration::from_millis(settings.retained_ms))),
            Standing::There | Standing::Gone => None,
        };
        (0..).map(SplitId).zip(&self.standing).filter_map(due).collect()
    }

    /// The time of a split has come.
    pub fn handle_due(&mut self, split: SplitId) -> Option<Change> {
        let standing = self.standing.get_mut(split.index())?;
        match standing {
            Standing::Awaited => {
                *standing = Standing::There;
                Some(Change::Appeared)
            }
            Standing::Consumed => {
                *standing = Standing::Gone;
                Some(Change::Removed)
            }
            Standing::There | Standing::Gone => None,
        }
    }

    /// All of this split was committed: after how long it goes, if it does.
    pub fn consume(&mut self, split: SplitId) -> Option<Duration> {
        let settings = self.settings.as_ref()?;
        let standing = self.standing.get_mut(split.index())?;
        match standing {
            Standing::There => {
                *standing = Standing::Consumed;
                Some(Duration::from_millis(settings.retained_ms))
            }
            Standing::Awaited | Standing::Consumed | Standing::Gone => None,
        }
    }

    /// Whether entries that were committed can be read: a commit is only informative then.
    pub fn retains(&self, split: SplitId) -> bool {
        let standing = self.standing.get(split.index());
        self.settings.is_some() && standing.is_none_or(|standing| *standing != Standing::Gone)
    }

    /// Whether it has not come up yet: the outside does not know it.
    pub fn awaits(&self, split: SplitId) -> bool {
        self.standing.get(split.index()) == Some(&Standing::Awaited)
    }

    /// Which splits there are. One that is `hidden` is not listed, and may be back in the next listing.
    pub fn list(&self, hidden: impl Fn(SplitId) -> bool) -> Listing {
        let mut listing = Listing { is_complete: true, ..Listing::default() };
        for (split, standing) in (0..).map(SplitId).zip(&self.standing) {
            match standing {
                Standing::There | Standing::Consumed if !hidden(split) => listing.there.push(split),
                Standing::Awaited | Standing::There | Standing::Consumed => {
                    listing.is_complete = false;
                }
                Standing::Gone => listing.removed.push(split),
            }
        }
        listing
    }
}
