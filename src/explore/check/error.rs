//! Why a check did not hold, or could not be made. `?` and `unwrap` in a test print `Debug`: it reads as `Display`.

use std::fmt;

use crate::oracle::Verdict;
use crate::plan::Plan;
use crate::workload::WorkloadError;

/// Why a check did not hold, or could not be made.
#[derive(Clone)]
pub enum CheckError {
    /// The check itself is wrong: the job, its input, what is expected, or what was asked for.
    Usage(String),
    /// The job is wrong, and no failure is needed to see it.
    Unprovoked(String),
    /// A plan under which the job does not hold.
    Violated(Box<CheckFailure>),
    /// All held, and nothing was tested.
    Untested(String),
}

/// A plan under which a job did not hold.
#[derive(Clone)]
pub struct CheckFailure {
    /// The plan, as small as it got.
    pub plan: Plan,
    /// The plan that the seed drew.
    pub drawn: Plan,
    /// What is wrong.
    pub verdict: Verdict,
    /// Whether two runs of the plan differ, which is then what is wrong.
    pub is_repeatable: bool,
    /// What is told of it.
    pub(super) text: String,
}

impl CheckError {
    pub(super) fn usage(problem: String) -> Self {
        Self::Usage(problem)
    }

    pub(super) fn experiment(error: WorkloadError) -> Self {
        Self::Usage(error.to_string())
    }

    /// The plan that failed, if one did.
    #[must_use]
    pub fn failure(&self) -> Option<&CheckFailure> {
        match self {
            Self::Violated(failure) => Some(failure),
            Self::Usage(_) | Self::Unprovoked(_) | Self::Untested(_) => None,
        }
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(problem) => write!(f, "the check is wrong: {problem}"),
            Self::Unprovoked(text) => f.write_str(text),
            Self::Violated(failure) => failure.fmt(f),
            Self::Untested(problem) => f.write_str(problem),
        }
    }
}

impl fmt::Debug for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for CheckError {}

impl fmt::Display for CheckFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

impl fmt::Debug for CheckFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
