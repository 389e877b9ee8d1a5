//! Cells that cannot be reached, each by a rule with its reason.
//!
//! A rule must hold by construction, whatever the plan: a sweep that reaches such a cell shows that the
//! rule is wrong, and says so.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoEnumIterator as _, IntoStaticStr};

use crate::plan::FaultClass;
use crate::plan::draw::aim::is_of_enumerator;
use crate::trace::Point;

/// What the jobs that were run have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jobs {
    /// Whether any has a sink that writes outside transactions.
    pub write_at_once: bool,
    /// Whether any has a source with an enumerator.
    pub enumerate: bool,
    /// Whether event time was observed in any.
    pub observe_time: bool,
}

/// Why a cell cannot be reached.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumIter,
    IntoStaticStr,
    strum::Display,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Rule {
    /// Rows of events that tell of faults.
    TellsOfFault,
    /// The row of the last event.
    RunIsOver,
    /// The row of a write outside transactions, where no job makes one.
    NoSuchSink,
    /// The rows of sources with an enumerator, where no job has one.
    NoEnumerator,
    /// Rows of event time, where it was not observed.
    TimeUnobserved,
    /// What is in recovery by definition, elsewhere.
    NotInRecovery,
    /// What comes after a restart, where none can have been or another class is meant.
    NotAgain,
    /// What is there from the beginning, later.
    NotAtTheBeginning,
}

impl Rule {
    /// The first rule that a cell falls under; none where it can be reached.
    #[must_use]
    pub fn of(point: Point, class: FaultClass, jobs: Jobs) -> Option<Self> {
        let of_class = || Self::iter().find(|rule| rule.covers(point, class));
        Self::of_row(point, jobs).or_else(of_class)
    }

    /// The first rule that all cells of a row fall under.
    #[must_use]
    pub fn of_row(point: Point, jobs: Jobs) -> Option<Self> {
        match point {
            Point::JobFinished => Some(Self::RunIsOver),
            Point::OutputWritten if !jobs.write_at_once => Some(Self::NoSuchSink),
            point if is_of_enumerator(point) && !jobs.enumerate => Some(Self::NoEnumerator),
            point if point.tells_of_time() && !jobs.observe_time => Some(Self::TimeUnobserved),
            point if point.tells_of_fault() => Some(Self::TellsOfFault),
            _ => None,
        }
    }

    /// Why, in words.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::TellsOfFault => {
                "a strike is placed after the last event of the system, and these tell of faults"
            }
            Self::RunIsOver => "the run ends with this event",
            Self::NoSuchSink => "no job that was run has a sink that writes outside transactions",
            Self::NoEnumerator => "no job that was run has a source with an enumerator",
            Self::TimeUnobserved => "no plan that was run observes event time",
            Self::NotInRecovery => {
                "the class is that of crashes aimed at leadership-taken, attempt-started and restored"
            }
            Self::NotAgain => {
                "the class needs a restart before it; aimed at leadership-taken, attempt-started or \
                 restored, the same crash is a crash-in-recovery"
            }
            Self::NotAtTheBeginning => {
                "clocks are offset at time 0, before any process has done more than start; later it is \
                 a clock-step"
            }
        }
    }

    /// Whether it is about this class, and covers this point.
    fn covers(self, point: Point, class: FaultClass) -> bool {
        match self {
            Self::TellsOfFault
            | Self::RunIsOver
            | Self::NoSuchSink
            | Self::NoEnumerator
            | Self::TimeUnobserved => false,
            Self::NotInRecovery => class == FaultClass::CrashInRecovery && !is_recovery(point),
            Self::NotAgain => {
                class == FaultClass::CrashAgain
                    && (is_recovery(point) || point == Point::RunStarted)
            }
            Self::NotAtTheBeginning => {
                class == FaultClass::ClockOffset && point != Point::RunStarted
            }
        }
    }
}

fn is_recovery(point: Point) -> bool {
    matches!(point, Point::LeadershipTaken | Point::AttemptStarted | Point::Restored)
}
