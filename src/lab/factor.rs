//! Factors: what can be varied, by the names that files and the command line have for it.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use strum::{EnumIter, EnumString, IntoEnumIterator as _, IntoStaticStr};

use super::error::LabError;
use super::profile::{self, EngineProfile, StoreProfile};

/// What can be varied. The comment of each says what a value looks like, and what it is where nobody says.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumIter,
    EnumString,
    IntoStaticStr,
    strum::Display,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Factor {
    /// A profile that comes with the crate, or a file of one: `flink-heap`.
    Profile,
    /// A store that comes with the crate, or a file of one: `local-ssd`.
    Store,
    /// How checkpoints come about: `aligned` and what else coordinates them; `coordinated`, which is aligned without a
    /// loop and cyclic with one; `uncoordinated`, `communication-induced`, `bcs`: `aligned`, with a loop `cyclic`.
    Protocol,
    /// From one checkpoint to the next, or `none`: `1s`.
    Interval,
    /// From the end of a checkpoint to the next trigger: `0ms`.
    Pause,
    /// When a checkpoint expires: `10min`.
    Timeout,
    /// When barriers of the hybrid protocol overtake: `100ms`.
    AlignedTimeout,
    /// How many checkpoints at once: `1`.
    Concurrency,
    /// Bytes of state in all: `100MiB`.
    State,
    /// Keys in all; instead of `state`.
    Keys,
    /// Bytes of payload a key: `80B`.
    Payload,
    /// How much of the state records touch: `100%`.
    Dirty,
    /// Bytes of a record on the wire: `100B`.
    RecordBytes,
    /// Records a second (`50k`), per cent of what the job takes without checkpoints (`80%`), or `closed`.
    Rate,
    /// Records that go to the first subtask, whatever their key: `0%`.
    Skew,
    /// What the last operator costs a record beside: `0ns`.
    Sink,
    /// `chain`, `join` or `loop`: `chain`.
    Shape,
    /// Records that reach the end of a loop and go round again: `0%`, in a loop `8.5%`.
    Back,
    /// Subtasks an operator: `2`.
    Parallelism,
    /// Shuffles: `1`.
    Exchanges,
    /// Bytes of a buffer: `32KiB`.
    Buffer,
    /// Buffers of its own that a channel has: `2`.
    Credits,
    /// Buffers that a gate shares: `8`.
    Floating,
    /// Buffers that wait at the sender: `4`.
    Output,
    /// The time that gates are sized for, or `none`: `none`.
    Debloat,
    /// Machines: `1`.
    Workers,
    /// Cores of a machine: what the profile was fitted to, or `2`.
    Cores,
    /// From machine to machine: `200us`.
    Network,
    /// When a worker dies after the warm-up, or `none`: `none`.
    FailAt,
    /// Not measured: `2s`.
    WarmUp,
    /// Measured: `8s`.
    Measure,
    /// Records that a batch stands for, or `auto`: `auto`.
    Quantum,
    /// What draws the tails of stores: `0`.
    Seed,
}

impl Factor {
    /// The factor of this name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn named(name: &str) -> Result<Self, LabError> {
        Self::from_str(name).map_err(|_| {
            let known: Vec<&str> = Self::iter().map(Into::into).collect();
            LabError::Factor(format!(
                "unknown factor {name:?}\n  expected one of: {}",
                known.join(", ")
            ))
        })
    }

    /// Whether it plays no part without checkpoints.
    #[must_use]
    pub fn is_of_checkpoints(self) -> bool {
        matches!(
            self,
            Self::Protocol
                | Self::Interval
                | Self::Pause
                | Self::Timeout
                | Self::AlignedTimeout
                | Self::Concurrency
        )
    }
}

/// The profiles that values may name, beside those that come with the crate.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Engines, by the name that a value has for them.
    pub engines: BTreeMap<String, EngineProfile>,
    /// Stores, by the name that a value has for them.
    pub stores: BTreeMap<String, StoreProfile>,
}

impl Library {
    pub(super) fn engine(&self, name: &str) -> Result<EngineProfile, String> {
        let known = self.engines.get(name).cloned().or_else(|| profile::engine(name));
        known.ok_or_else(|| {
            let names: Vec<&str> = profile::engine_names().collect();
            format!("unknown profile {name:?}, expected a file or one of: {}", names.join(", "))
        })
    }

    pub(super) fn store(&self, name: &str) -> Result<StoreProfile, String> {
        let known = self.stores.get(name).cloned().or_else(|| profile::store(name));
        known.ok_or_else(|| {
            let names: Vec<&str> = profile::store_names().collect();
            format!("unknown store {name:?}, expected a file or one of: {}", names.join(", "))
        })
    }
}

/// A value for each of some factors, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Values(pub BTreeMap<Factor, String>);

impl Values {
    /// The same values, but for one.
    #[must_use]
    pub fn with(&self, factor: Factor, value: impl Into<String>) -> Self {
        let mut values = self.clone();
        values.0.insert(factor, value.into());
        values
    }

    /// What the value of a factor is.
    #[must_use]
    pub fn get(&self, factor: Factor) -> Option<&str> {
        self.0.get(&factor).map(String::as_str)
    }

    /// In one line, the same for the same values.
    #[must_use]
    pub fn line(&self) -> String {
        let pairs: Vec<_> =
            self.0.iter().map(|(factor, value)| format!("{factor}={value}")).collect();
        pairs.join(" ")
    }

    /// The same without checkpoints: what their cost is compared with.
    #[must_use]
    pub fn base(&self) -> Self {
        let mut values = self.clone();
        values.0.retain(|factor, _| !factor.is_of_checkpoints() && *factor != Factor::FailAt);
        values.with(Factor::Interval, "none")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(factor: Factor, value: &str) -> String {
        let values = Values::default().with(factor, value);
        values.settings(&Library::default()).expect_err(value).to_string()
    }

    #[test]
    fn defaults_make_settings() {
        let settings = Values::default().settings(&Library::default()).expect("defaults");
        assert_eq!(settings.engine.name, "flink-heap");
        assert!(settings.job.keys > 100_000);
    }

    #[test]
    fn what_is_no_value_of_its_factor_is_named() {
        assert!(
            Factor::named("intervall")
                .expect_err("unknown")
                .to_string()
                .contains("expected one of")
        );
        assert!(refused(Factor::Interval, "10").starts_with("interval: "));
        assert!(refused(Factor::Profile, "spark").contains("unknown profile \"spark\""));
        assert!(refused(Factor::Store, "tape").contains("unknown store"));
        assert!(refused(Factor::Protocol, "cyclic").contains("loop"));
        assert!(refused(Factor::Rate, "1G/s").contains("records a second, and at"));
        assert!(refused(Factor::Parallelism, "0").contains("expected 1 to 1000"));
        assert!(refused(Factor::Rate, "0%").contains("expected whole per cent, 1% to 100%"));
        assert!(refused(Factor::Rate, "0.5%").contains("expected whole per cent"));
        assert!(refused(Factor::Rate, "0").contains("at least 1 a second"));
        assert!(refused(Factor::Interval, "0ms").contains("at least 1ms, or none"));
        assert!(refused(Factor::Timeout, "0ms").contains("at least 1ms"));
        assert!(refused(Factor::Debloat, "0ms").contains("at least 1ms"));
        for factor in [Factor::Parallelism, Factor::Exchanges, Factor::Concurrency, Factor::Keys] {
            let problem = refused(factor, "1.5");
            assert!(problem.starts_with(&format!("{factor}: \"1.5\"")), "{problem}");
            assert!(problem.contains("expected a whole number"), "{problem}");
        }
        assert!(refused(Factor::Seed, "0.9").contains("expected a whole number"));
        assert!(refused(Factor::State, "0.5B").contains("no whole number"));
        assert!(refused(Factor::Cores, "NaN").contains("NaN, expected 0.001 to 1000"));
        assert!(refused(Factor::Cores, "-1").contains("-1, expected 0.001"));
        assert!(refused(Factor::AlignedTimeout, "1s").contains("expected protocol hybrid"));
        assert!(refused(Factor::FailAt, "8s").contains("within what is measured"));
        let both = Values::default().with(Factor::Keys, "5").with(Factor::State, "1MiB");
        assert!(both.settings(&Library::default()).is_err());
        let concurrent =
            Values::default().with(Factor::Protocol, "unaligned").with(Factor::Concurrency, "2");
        assert!(concurrent.settings(&Library::default()).is_err());
    }
    #[test]
    fn a_run_of_endless_checkpoints_is_refused() {
        let idle = Values::default().with(Factor::Rate, "1").with(Factor::Measure, "300h");
        let problem = |values: &Values| match values.settings(&Library::default()) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        assert!(problem(&idle.with(Factor::Interval, "1ms")).contains("fewer checkpoints"));
        let busy = Values::default().with(Factor::Quantum, "1").with(Factor::Measure, "10min");
        assert!(problem(&busy).contains("more records a batch"));
        let alone = Values::default().with(Factor::Rate, "50k").with(Factor::Measure, "20min");
        let alone = alone.with(Factor::Parallelism, "100");
        let by = |protocol: &str| problem(&alone.with(Factor::Protocol, protocol));
        assert_eq!(by("uncoordinated"), "");
        assert!(by("bcs").contains("fewer checkpoints"), "each forces others");
        let wide = idle.with(Factor::Interval, "1h").with(Factor::Parallelism, "100");
        assert_eq!(problem(&wide), "");
        assert!(problem(&wide.with(Factor::Debloat, "300ms")).contains("no debloating"));
    }
}
