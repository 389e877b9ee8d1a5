//! Exit codes: the class of what went wrong.

use std::process::ExitCode;

use crate::explore::record::RunClass;
use crate::oracle::VerdictClass;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All that was run held.
    Held,
    /// A property was violated, user code panicked, or a sweep did not reach what it should.
    Violated,
    /// Wrong usage, or the outside world: files, arguments.
    Outside,
    /// Nothing wrong happened, but what must happen did not.
    Liveness,
    /// The same plan gave two different traces.
    NotDeterministic,
    /// Interrupted from outside.
    Interrupted,
}

impl Exit {
    /// The code that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Violated => 1,
            Self::Outside => 2,
            Self::Liveness => 3,
            Self::NotDeterministic => 4,
            Self::Interrupted => 130,
        }
    }

    /// Whether it says that something is wrong with what was run.
    pub fn is_finding(self) -> bool {
        match self {
            Self::Violated | Self::Liveness | Self::NotDeterministic => true,
            Self::Held | Self::Outside | Self::Interrupted => false,
        }
    }

    /// The exit of a sweep whose worst run ended so.
    ///
    /// A process that died of a run is as bad as a panic, and one that hangs as a job that does.
    pub fn of_worst(class: RunClass) -> Self {
        match class {
            RunClass::Held | RunClass::NotOwed | RunClass::NoPlan => Self::Held,
            RunClass::Safety | RunClass::Panicked | RunClass::Died => Self::Violated,
            RunClass::Liveness | RunClass::Hung | RunClass::Undecided => Self::Liveness,
        }
    }

    /// The exit of a run.
    ///
    /// A panic of user code is a violation of its run. A run that ended before it owed its end has not
    /// been seen to finish, which is all that liveness asks for.
    pub fn of(class: VerdictClass) -> Self {
        match class {
            VerdictClass::Held | VerdictClass::NotOwed => Self::Held,
            VerdictClass::Safety | VerdictClass::Panicked => Self::Violated,
            VerdictClass::Liveness | VerdictClass::Undecided => Self::Liveness,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
