//! Cells that cannot be reached, each by a rule with its reason.
//!
//! A rule must hold by construction, whatever the plan: a sweep that reaches such a cell shows that the
//! rule is wrong, and says so.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoEnumIterator as _, IntoStaticStr};

use crate::plan::FaultClass;
use crate::plan::draw::repertoire::{Need, Repertoire};
use crate::trace::Point;

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
    /// The rows of the last events.
    RunIsOver,
    /// The row of a write outside transactions, where no job makes one.
    NoSuchSink,
    /// The rows of transactions, where no job writes in any.
    NoTransactions,
    /// The row of requests to commit, where no sink asks for any.
    NothingCommitted,
    /// The rows of what readers of an external system see, where no job has one.
    NoReaders,
    /// The row of what readers do not see any more, where nothing is taken back.
    NothingHidden,
    /// The row of messages that come again, where no input is a queue.
    NoQueue,
    /// The rows of sources with an enumerator, where no job has one.
    NoEnumerator,
    /// The rows of splits that come and go, where no enumerator discovers any.
    NothingDiscovered,
    /// Rows of event time, where it was not observed.
    TimeUnobserved,
    /// The rows of barriers that overtake, where none may.
    NothingOvertakes,
    /// The row of records that a barrier cuts, where there are no buffers to overtake in.
    NoBuffers,
    /// The rows of channel state, where nothing can be in flight at a cut.
    NothingInFlight,
    /// The row of channel state that is dealt out, where none can be.
    NothingDealtOut,
    /// The rows of savepoints, where nobody asked for one.
    NoSavepoints,
    /// The rows of rescales, where nobody asked for one.
    NoRescales,
    /// The row of a job that goes on in another shape, where none could.
    NoOtherShape,
    /// What is in recovery by definition, elsewhere.
    NotInRecovery,
    /// What comes after a restart, where none can have been or another class is meant.
    NotAgain,
    /// What is there from the beginning, later.
    NotAtTheBeginning,
}

impl Rule {
    /// The first rule that a cell falls under, where runs had this; none where it can be reached.
    #[must_use]
    pub fn of(point: Point, class: FaultClass, repertoire: &Repertoire) -> Option<Self> {
        let of_class = || Self::iter().find(|rule| rule.covers(point, class));
        Self::of_row(point, repertoire).or_else(of_class)
    }

    /// The first rule that all cells of a row fall under, where runs had this.
    #[must_use]
    pub fn of_row(point: Point, repertoire: &Repertoire) -> Option<Self> {
        let lack = Need::of(point).filter(|need| !repertoire.meets(*need));
        lack.map(Self::of_lack).or_else(|| Self::of_point(point))
    }

    /// The rule that all cells of a row fall under, whatever runs had.
    fn of_point(point: Point) -> Option<Self> {
        if matches!(point, Point::JobFinished | Point::OutputHeld) {
            return Some(Self::RunIsOver);
        }
        point.tells_of_fault().then_some(Self::TellsOfFault)
    }

    /// The rule of rows that need what no run had.
    fn of_lack(need: Need) -> Self {
        match need {
            Need::Overtaking => Self::NothingOvertakes,
            Need::Buffers => Self::NoBuffers,
            Need::InFlight => Self::NothingInFlight,
            Need::Dealing => Self::NothingDealtOut,
            Need::Enumerating => Self::NoEnumerator,
            Need::Discovering => Self::NothingDiscovered,
            Need::Time => Self::TimeUnobserved,
            Need::Asking => Self::NoSavepoints,
            Need::Rescaling => Self::NoRescales,
            Need::Reshaping => Self::NoOtherShape,
            Need::WritingAtOnce => Self::NoSuchSink,
            Need::Committing => Self::NoTransactions,
            Need::AskingToCommit => Self::NothingCommitted,
            Need::Showing => Self::NoReaders,
            Need::Hiding => Self::NothingHidden,
            Need::Redelivering => Self::NoQueue,
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
            Self::NoTransactions => "no job that was run has a sink that writes in transactions",
            Self::NothingCommitted => "no job that was run has a sink that asks for commits",
            Self::NoReaders => "no job that was run writes to an external system",
            Self::NothingHidden => "no job that was run takes back what readers have seen",
            Self::NoQueue => "no input that was read is a queue, which gives messages again",
            Self::NoEnumerator => "no job that was run has a source with an enumerator",
            Self::NothingDiscovered => {
                "no job that was run has an enumerator that discovers splits"
            }
            Self::TimeUnobserved => "no plan that was run observes event time",
            Self::NothingOvertakes => {
                "no plan that was run has a protocol in which barriers overtake"
            }
            Self::NoBuffers => {
                "no plan that was run has both buffers and a protocol in which barriers overtake"
            }
            Self::NothingInFlight => {
                "no plan that was run has a protocol that saves what is in flight at a cut"
            }
            Self::NothingDealtOut => {
                "no job that was run may go on in another shape with what was in flight at a cut"
            }
            Self::NoSavepoints => "nobody asked for a savepoint in any plan that was run",
            Self::NoRescales => "nobody asked for another parallelism in any plan that was run",
            Self::NoOtherShape => {
                "no plan that was run lets its job go on at another parallelism, or resume at one"
            }
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
            | Self::NoTransactions
            | Self::NothingCommitted
            | Self::NoReaders
            | Self::NothingHidden
            | Self::NoQueue
            | Self::NoEnumerator
            | Self::NothingDiscovered
            | Self::TimeUnobserved
            | Self::NothingOvertakes
            | Self::NoBuffers
            | Self::NothingInFlight
            | Self::NothingDealtOut
            | Self::NoSavepoints
            | Self::NoRescales
            | Self::NoOtherShape => false,
            Self::NotInRecovery => class == FaultClass::CrashInRecovery && !point.begins_recovery(),
            Self::NotAgain => {
                class == FaultClass::CrashAgain
                    && (point.begins_recovery() || point == Point::RunStarted)
            }
            Self::NotAtTheBeginning => {
                class == FaultClass::ClockOffset && point != Point::RunStarted
            }
        }
    }
}
