//! How large a workload is asked for, and what of that it can do.

use serde::{Deserialize, Serialize};

use super::{Workload, WorkloadError};
use crate::dataflow::{Deal, SplitAssignment};
use crate::protocol::KeyGroup;

/// How large an experiment is, and which of its many inputs it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadSettings {
    /// How many records of input, in what the workload counts ([`Workload::unit`]); all there are when
    /// none, or for a generated input [`Workload::records_usual`].
    #[serde(default)]
    pub records: Option<u64>,
    /// How many subtasks the operators have that are more than one.
    pub parallelism: u16,
    /// How many splits the input has.
    pub splits: u16,
    /// How the entries of each source are dealt out to its splits.
    #[serde(default)]
    pub deal: Deal,
    /// Who decides which subtask of a source reads which split.
    #[serde(default)]
    pub assignment: SplitAssignment,
    /// Chooses among inputs of this size.
    pub seed: u64,
}

impl WorkloadSettings {
    /// Refuses what `workload` cannot do, naming the setting and what would be possible.
    pub(super) fn check(&self, workload: &Workload) -> Result<(), WorkloadError> {
        let refuse = |setting, got: u64, expected: String| {
            let workload = workload.name.to_string();
            Err(WorkloadError::Setting { workload, setting, got, expected })
        };
        if workload.is_fixed() {
            return self.check_fixed(workload);
        }
        if !(1..=KeyGroup::COUNT).contains(&self.parallelism) {
            let expected = format!("1 to {}, the number of key groups", KeyGroup::COUNT);
            return refuse("parallelism", self.parallelism.into(), expected);
        }
        if workload.single_split && self.splits != 1 {
            let expected = "1, since a single source reads everything in one order".to_owned();
            return refuse("splits", self.splits.into(), expected);
        }
        if !workload.single_split && self.splits < self.parallelism {
            let expected = format!("at least {}, one for each source", self.parallelism);
            return refuse("splits", self.splits.into(), expected);
        }
        if !self.deal.fits(self.splits) {
            let Deal::Empty { splits } = self.deal else { unreachable!("it fits one split") };
            let expected = format!("less than {}, so that one split holds something", self.splits);
            return refuse("deal of empty splits", splits.into(), expected);
        }
        match self.records {
            Some(records) if !(1..=workload.records_max).contains(&records) => {
                let expected = format!("1 to {} {}", workload.records_max, workload.unit);
                refuse("records", records, expected)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Of a workload of one size nothing can be asked for.
    fn check_fixed(&self, workload: &Workload) -> Result<(), WorkloadError> {
        let usual = workload.usual_settings(1, self.seed);
        let asked = [
            ("records", self.records.is_some()),
            ("parallelism", self.parallelism != usual.parallelism),
            ("splits", self.splits != usual.splits),
            ("deal", self.deal != usual.deal),
        ];
        match asked.into_iter().find(|(_, is_asked)| *is_asked) {
            Some((setting, _)) => {
                Err(WorkloadError::Fixed { workload: workload.name.to_string(), setting })
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{Error, MapDeserializer};

    use super::*;

    fn read(fields: &[(&str, u64)]) -> Result<WorkloadSettings, Error> {
        WorkloadSettings::deserialize(MapDeserializer::new(fields.iter().copied()))
    }

    #[test]
    fn settings_are_read_strictly() {
        let enough = [("parallelism", 2), ("splits", 4), ("seed", 9)];
        let expected = WorkloadSettings {
            records: None,
            parallelism: 2,
            splits: 4,
            deal: Deal::Even,
            assignment: SplitAssignment::Static,
            seed: 9,
        };
        assert_eq!(read(&enough), Ok(expected));
        let missing = read(&enough[1..]).expect_err("parallelism is missing");
        assert_eq!(missing.to_string(), "missing field `parallelism`");
        let unknown = read(&[("paralelism", 2)]).expect_err("no such field");
        assert!(unknown.to_string().starts_with("unknown field `paralelism`, expected one of"));
    }
}
