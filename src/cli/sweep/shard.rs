//! A part of a sweep, for one of several machines: every n-th run.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::super::error::CliError;

/// The `index`-th of `of` parts: the runs whose index leaves that remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Shard {
    index: u64,
    of: u64,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// A part, if there is one with this index.
    pub fn new(index: u64, of: u64) -> Result<Self, String> {
        match (index < of, of.checked_sub(1)) {
            (true, _) => Ok(Self { index, of }),
            (false, None) => Err("there is no shard of 0".to_owned()),
            (false, Some(last)) => Err(format!(
                "shard {index}/{of} is out of range: the first is 0/{of}, the last {last}/{of}"
            )),
        }
    }

    /// Whether a run belongs to it.
    pub fn has(self, index: u64) -> bool {
        index % self.of == self.index
    }

    /// How many parts there are.
    pub fn of(self) -> u64 {
        self.of
    }

    /// How many of `runs` belong to it.
    pub fn share(self, runs: u64) -> u64 {
        runs / self.of + u64::from(self.index < runs % self.of)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (index, of) = text.split_once('/').ok_or(EXPECTED)?;
        let number = |digits: &str| digits.parse::<u64>().map_err(|_| EXPECTED);
        Self::new(number(index)?, number(of)?)
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

const EXPECTED: &str = "expected i/n with i from 0 to n-1, auto, or auto/n";

/// Which part is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShardArgument {
    /// This one.
    Given(Shard),
    /// What the scheduler says, and how many there are.
    Auto,
    /// What the scheduler says, of so many.
    AutoOf(u64),
}

impl FromStr for ShardArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("auto") {
            None => text.parse().map(Self::Given),
            Some("") => Ok(Self::Auto),
            Some(of) => {
                let of = of.strip_prefix('/').and_then(|of| of.parse().ok()).ok_or(EXPECTED)?;
                Ok(Self::AutoOf(of))
            }
        }
    }
}

const SLURM_ID: &str = "SLURM_ARRAY_TASK_ID";
const KUBERNETES_INDEX: &str = "JOB_COMPLETION_INDEX";

impl ShardArgument {
    /// The part, with what schedulers say in `variables`.
    pub fn resolve(self, variables: &impl Fn(&str) -> Option<String>) -> Result<Shard, CliError> {
        let shard = match self {
            Self::Given(shard) => Ok(shard),
            Self::Auto => of_array(variables),
            Self::AutoOf(of) => scheduled_index(variables).and_then(|index| Shard::new(index, of)),
        };
        shard.map_err(|problem| CliError::usage(format!("--shard: {problem}")))
    }
}

/// The index that a scheduler gave this process.
fn scheduled_index(variables: &impl Fn(&str) -> Option<String>) -> Result<u64, String> {
    match (variables(SLURM_ID), variables(KUBERNETES_INDEX)) {
        (Some(_), None) => number(variables, SLURM_ID),
        (None, Some(_)) => number(variables, KUBERNETES_INDEX),
        (Some(_), Some(_)) => {
            Err(format!("both {SLURM_ID} and {KUBERNETES_INDEX} are set: say i/n instead of auto"))
        }
        (None, None) => {
            Err(format!("auto reads {SLURM_ID} or {KUBERNETES_INDEX}, and neither is set: say i/n"))
        }
    }
}

/// The place of this task in its Slurm array, which says itself how long it is.
fn of_array(variables: &impl Fn(&str) -> Option<String>) -> Result<Shard, String> {
    scheduled_index(variables)?;
    if variables(SLURM_ID).is_none() {
        return Err(format!("{KUBERNETES_INDEX} does not say of how many: say auto/n"));
    }
    let of = |name| number(variables, name);
    let (id, min, max) = (of(SLURM_ID)?, of("SLURM_ARRAY_TASK_MIN")?, of("SLURM_ARRAY_TASK_MAX")?);
    let count = of("SLURM_ARRAY_TASK_COUNT")?;
    let step = match variables("SLURM_ARRAY_TASK_STEP") {
        Some(_) => of("SLURM_ARRAY_TASK_STEP")?.max(1),
        None => 1,
    };
    if max < min || (max - min) / step + 1 != count || id < min || (id - min) % step != 0 {
        return Err(format!(
            "the array of {count} tasks from {min} to {max} in steps of {step} has gaps: \
             submit --array=0-N, and say auto/n to run some of its tasks again"
        ));
    }
    Shard::new((id - min) / step, count)
}

fn number(variables: &impl Fn(&str) -> Option<String>, name: &str) -> Result<u64, String> {
    let text = variables(name).ok_or_else(|| format!("{name} is not set"))?;
    text.trim().parse().map_err(|_| format!("{name} is {text:?}, expected a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(argument: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let variables = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let argument: ShardArgument = argument.parse()?;
        argument.resolve(&variables).map_or_else(|e| Err(e.to_string()), |s| Ok(s.to_string()))
    }

    fn array(id: &str, min: &str, max: &str, count: &str, step: &str) -> Result<String, String> {
        resolved(
            "auto",
            &[
                (SLURM_ID, id),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_MAX", max),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_STEP", step),
            ],
        )
    }

    #[test]
    fn shards_part_the_runs() {
        let shards = [0, 1, 2].map(|index| Shard::new(index, 3).expect("in range"));
        for run in 0..10 {
            assert_eq!(shards.iter().filter(|shard| shard.has(run)).count(), 1, "{run}");
        }
        assert_eq!(shards.map(|shard| shard.share(10)), [4, 3, 3]);
        assert_eq!(Shard::WHOLE.share(10), 10);
    }

    #[test]
    fn an_index_is_in_range() {
        assert_eq!(resolved("3/4", &[]), Ok("3/4".to_owned()));
        let error = resolved("4/4", &[]).expect_err("there is none");
        assert_eq!(error, "shard 4/4 is out of range: the first is 0/4, the last 3/4");
        for wrong in ["0/0", "1", "a/b", "-1/4", "auto/", "automatic", ""] {
            assert!(resolved(wrong, &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn schedulers_say_which() {
        assert_eq!(array("7", "4", "10", "3", "3"), Ok("1/3".to_owned()));
        assert_eq!(array("0", "0", "0", "1", "1"), Ok("0/1".to_owned()));
        assert!(array("7", "1", "7", "3", "1").expect_err("1, 5, 7").contains("has gaps"));
        assert!(array("x", "1", "7", "3", "1").expect_err("no number").contains("\"x\""));
        assert_eq!(resolved("auto/5", &[(KUBERNETES_INDEX, "4")]), Ok("4/5".to_owned()));
        assert_eq!(resolved("auto/5", &[(SLURM_ID, "2")]), Ok("2/5".to_owned()));
        let beyond = resolved("auto/5", &[(KUBERNETES_INDEX, "5")]).expect_err("0 to 4");
        assert!(beyond.contains("shard 5/5 is out of range"), "{beyond}");
        assert!(resolved("auto", &[(KUBERNETES_INDEX, "4")]).is_err_and(|e| e.contains("auto/n")));
        assert!(resolved("auto", &[]).is_err_and(|error| error.contains("neither is set")));
        assert!(resolved("auto/5", &[(KUBERNETES_INDEX, "4"), (SLURM_ID, "4")]).is_err());
    }
}
