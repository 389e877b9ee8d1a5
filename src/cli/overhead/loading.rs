//! Experiments and profiles: those that come with the crate, and those in files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::lab::factor::{Factor, Library};
use crate::lab::{EngineProfile, Experiment, StoreProfile};

use super::super::arguments::unknown;
use super::super::error::CliError;

/// The experiments that come with the crate, by name; the first is run where nobody names one.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("trade-offs", include_str!("../../../fixtures/overhead/trade-offs.toml")),
    ("recovery", include_str!("../../../fixtures/overhead/recovery.toml")),
    ("skew", include_str!("../../../fixtures/overhead/skew.toml")),
    (
        "flink-benchmark-chain",
        include_str!("../../../fixtures/overhead/flink-benchmark-chain.toml"),
    ),
    ("flink-benchmark-join", include_str!("../../../fixtures/overhead/flink-benchmark-join.toml")),
    ("abs-2015-figure-6", include_str!("../../../fixtures/overhead/abs-2015-figure-6.toml")),
    ("abs-2015-figure-7", include_str!("../../../fixtures/overhead/abs-2015-figure-7.toml")),
    ("vldb-2017-state", include_str!("../../../fixtures/overhead/vldb-2017-state.toml")),
    (
        "vldb-2017-parallelism",
        include_str!("../../../fixtures/overhead/vldb-2017-parallelism.toml"),
    ),
    ("changelog", include_str!("../../../fixtures/overhead/changelog.toml")),
    ("changelog-restart", include_str!("../../../fixtures/overhead/changelog-restart.toml")),
    (
        "checkmate-2024-throughput",
        include_str!("../../../fixtures/overhead/checkmate-2024-throughput.toml"),
    ),
    (
        "checkmate-2024-restart",
        include_str!("../../../fixtures/overhead/checkmate-2024-restart.toml"),
    ),
    ("checkmate-2024-skew", include_str!("../../../fixtures/overhead/checkmate-2024-skew.toml")),
    (
        "checkmate-2024-cyclic",
        include_str!("../../../fixtures/overhead/checkmate-2024-cyclic.toml"),
    ),
];

/// No file of settings is larger.
const BYTES_MAX: u64 = 1 << 20;

/// The experiment of this name, or in this file.
pub fn experiment(name: &str) -> Result<Experiment, CliError> {
    if is_file(name) {
        return Experiment::parse(name, &read(Path::new(name))?).map_err(usage);
    }
    match BUILT_IN.iter().find(|(known, _)| *known == name) {
        Some((name, text)) => Experiment::parse(name, text).map_err(usage),
        None => {
            let known = BUILT_IN.iter().map(|(name, _)| *name);
            Err(CliError::usage(unknown("experiment", name, known)))
        }
    }
}

/// Each is `factor=value,value`, on top of what the experiment says.
pub fn vary(experiment: &mut Experiment, arguments: &[String]) -> Result<(), CliError> {
    let mut given = BTreeSet::new();
    for argument in arguments {
        let (factor, values) = varied(argument)?;
        if !given.insert(factor) {
            return Err(CliError::usage(format!(
                "--vary {argument}: {factor} is varied twice, expected all its values in one"
            )));
        }
        experiment.vary(factor, values);
    }
    Ok(())
}

fn varied(argument: &str) -> Result<(Factor, Vec<String>), CliError> {
    let expected = || {
        CliError::usage(format!(
            "--vary {argument}: expected FACTOR=VALUE,VALUE such as interval=none,10s,1s"
        ))
    };
    let (name, values) = argument.split_once('=').ok_or_else(expected)?;
    let factor = Factor::named(name).map_err(usage)?;
    let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
    if values.iter().any(String::is_empty) {
        return Err(expected());
    }
    Ok((factor, values))
}

/// Every profile in a file that an experiment names.
pub fn library(experiment: &Experiment) -> Result<Library, CliError> {
    let mut library = Library::default();
    let base = experiment.base.0.iter().map(|(factor, value)| (*factor, value));
    let varied = experiment.vary.iter();
    let varied = varied.flat_map(|(factor, values)| values.iter().map(|value| (*factor, value)));
    for (factor, value) in base.chain(varied).filter(|(_, value)| is_file(value)) {
        match factor {
            Factor::Profile => {
                let profile = engine(Path::new(value))?;
                library.engines.insert(value.clone(), profile);
            }
            Factor::Store => {
                let text = read(Path::new(value))?;
                let profile = StoreProfile::parse(value, &text).map_err(usage)?;
                library.stores.insert(value.clone(), profile);
            }
            _ => {}
        }
    }
    Ok(library)
}

/// The engine profile in a file.
pub fn engine(path: &Path) -> Result<EngineProfile, CliError> {
    EngineProfile::parse(&path.display().to_string(), &read(path)?).map_err(usage)
}

/// A file of text, if it is not too large.
pub fn read(path: &Path) -> Result<String, CliError> {
    let length = fs::metadata(path).map_err(|error| CliError::io(path, error))?.len();
    if length > BYTES_MAX {
        let message = format!("{}: {length} bytes, expected {BYTES_MAX} at most", path.display());
        return Err(CliError::usage(message));
    }
    fs::read_to_string(path).map_err(|error| CliError::io(path, error))
}

/// What the laboratory refuses is wrong usage.
pub fn usage(error: impl std::fmt::Display) -> CliError {
    CliError::usage(error.to_string())
}

fn is_file(name: &str) -> bool {
    name.ends_with(".toml") || name.contains(std::path::MAIN_SEPARATOR)
}

#[cfg(test)]
mod tests {
    use crate::lab::Session;

    use super::*;

    #[test]
    fn every_experiment_that_comes_with_the_crate_can_be_run() {
        for (name, text) in BUILT_IN {
            let experiment = Experiment::parse(name, text).expect(name);
            assert_eq!(experiment.name, *name);
            let session = Session::new(experiment, Library::default());
            session.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
