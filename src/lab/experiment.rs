//! Experiments as data: what is the same in all runs, and what is varied.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::error::LabError;
use super::factor::{Factor, Values};

/// The version of experiment files.
pub const EXPERIMENT_VERSION: u32 = 1;

/// How many runs an experiment may lead to: configurations, times repetitions.
pub const RUNS_MAX: u64 = 10_000;

/// What is varied, and what is not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Experiment {
    /// What it is called.
    pub name: String,
    /// What it shows.
    pub about: String,
    /// What is the same in all runs.
    pub base: Values,
    /// What is varied, in the order in which it is: the last fastest.
    pub vary: Vec<(Factor, Vec<String>)>,
    /// Published figures to hold it against.
    pub published: Vec<Published>,
    /// How often each configuration is run, each time under another seed.
    pub repetitions: u64,
}

/// A published figure.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Published {
    /// The configuration: by factor, what it is beside what is the same in all.
    pub at: BTreeMap<String, String>,
    /// What was measured, by the name of a column of the table.
    pub metric: String,
    /// The figure.
    pub value: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    version: u32,
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default = "once")]
    repetitions: u64,
    #[serde(default)]
    base: BTreeMap<String, toml::Value>,
    #[serde(default)]
    vary: Vec<Varied>,
    #[serde(default)]
    published: Vec<Published>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Varied {
    factor: String,
    values: Vec<toml::Value>,
}

fn once() -> u64 {
    1
}

impl Experiment {
    /// Reads an experiment from the text of a file.
    ///
    /// # Errors
    ///
    /// When it is none: the message names the line, or the factor.
    pub fn parse(path: &str, text: &str) -> Result<Self, LabError> {
        let file: File =
            toml::from_str(text).map_err(|error| LabError::toml(path, text, &error))?;
        let line = |name: &str| line_of(text, name);
        if file.version != EXPERIMENT_VERSION {
            let problem = format!("version: {}, expected {EXPERIMENT_VERSION}", file.version);
            return Err(LabError::at(path, line("version"), problem));
        }
        if !(1..=1_000).contains(&file.repetitions) {
            return Err(LabError::at(
                path,
                line("repetitions"),
                "repetitions: expected 1 to 1,000",
            ));
        }
        let factor = |name: &str| {
            Factor::named(name).map_err(|error| LabError::at(path, line(name), error.to_string()))
        };
        let mut experiment = Self {
            name: file.name,
            about: file.about,
            published: file.published,
            repetitions: file.repetitions,
            ..Self::default()
        };
        let value = |name: &str, value: &toml::Value| {
            let expected =
                || LabError::at(path, line(name), format!("{name}: expected a text or a number"));
            text_of(value).ok_or_else(expected)
        };
        for (name, given) in &file.base {
            experiment.base.0.insert(factor(name)?, value(name, given)?);
        }
        for Varied { factor: name, values } in &file.vary {
            if values.is_empty() {
                return Err(LabError::at(path, line(name), format!("{name}: expected values")));
            }
            let values = values.iter().map(|given| value(name, given)).collect::<Result<_, _>>()?;
            experiment.vary.push((factor(name)?, values));
        }
        Ok(experiment)
    }

    /// Varies a factor, instead of what was said of it before.
    pub fn vary(&mut self, factor: Factor, values: Vec<String>) {
        // Either says how large the state is.
        let other = match factor {
            Factor::Keys => Some(Factor::State),
            Factor::State => Some(Factor::Keys),
            _ => None,
        };
        self.base.0.retain(|held, _| *held != factor && Some(*held) != other);
        self.vary.retain(|(held, _)| Some(*held) != other);
        match self.vary.iter_mut().find(|(held, _)| *held == factor) {
            Some((_, held)) => *held = values,
            None => self.vary.push((factor, values)),
        }
    }

    /// Every configuration, in order; those without checkpoints once, whatever is varied of checkpoints.
    ///
    /// # Errors
    ///
    /// When they need more than [`RUNS_MAX`] runs.
    pub fn cells(&self) -> Result<Vec<Values>, LabError> {
        let mut cells = vec![self.base.clone()];
        for (factor, values) in &self.vary {
            let more = (cells.len() as u64).saturating_mul(values.len() as u64);
            if more.saturating_mul(self.repetitions.max(1)) > RUNS_MAX {
                return Err(LabError::Factor(format!(
                    "{factor}: with its {} values there are {more} configurations, {} times each, expected at most \
                     {RUNS_MAX} runs",
                    values.len(),
                    self.repetitions.max(1)
                )));
            }
            let with = |cell: &Values| -> Vec<Values> {
                values.iter().map(|value| cell.with(*factor, value.clone())).collect()
            };
            cells = cells.iter().flat_map(with).collect();
        }
        let mut seen = BTreeSet::new();
        let sparing = |cell: Values| match cell.get(Factor::Interval) {
            Some("none") => without_checkpoints(cell),
            _ => cell,
        };
        Ok(cells.into_iter().map(sparing).filter(|cell| seen.insert(cell.clone())).collect())
    }
}

fn without_checkpoints(mut cell: Values) -> Values {
    cell.0.retain(|factor, _| !factor.is_of_checkpoints() || *factor == Factor::Interval);
    cell
}

fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(_)
        | toml::Value::Datetime(_)
        | toml::Value::Array(_)
        | toml::Value::Table(_) => None,
    }
}

/// The line on which a field is given, or a factor named; or 0.
fn line_of(text: &str, name: &str) -> usize {
    let named = format!("\"{name}\"");
    let is_it = |line: &str| {
        let field = line.trim_start().strip_prefix(name);
        let is_given = field.is_some_and(|rest| rest.trim_start().starts_with('='));
        is_given || (line.trim_start().starts_with("factor") && line.contains(&named))
    };
    text.lines().position(is_it).map_or(0, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "version = 1\nname = \"a\"\n[base]\nparallelism = 2\n[[vary]]\n\
                        factor = \"interval\"\nvalues = [\"none\", \"1s\"]\n[[vary]]\n\
                        factor = \"protocol\"\nvalues = [\"aligned\", \"unaligned\"]\n";

    #[test]
    fn configurations_without_checkpoints_are_run_once() {
        let experiment = Experiment::parse("a.toml", TEXT).expect("an experiment");
        let lines: Vec<_> = experiment.cells().expect("few").iter().map(Values::line).collect();
        let expected = [
            "interval=none parallelism=2",
            "protocol=aligned interval=1s parallelism=2",
            "protocol=unaligned interval=1s parallelism=2",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_is_varied_on_the_command_line_replaces_what_the_file_says() {
        let mut experiment = Experiment::parse("a.toml", TEXT).expect("an experiment");
        experiment.vary(Factor::Interval, vec!["10s".to_owned()]);
        experiment.vary(Factor::Parallelism, vec!["4".to_owned()]);
        let cells = experiment.cells().expect("few");
        assert_eq!(cells.len(), 2);
        assert_eq!(cells[0].line(), "protocol=aligned interval=10s parallelism=4");
    }

    /// Ten thousand of them are planned while nobody waits: no list is searched for each.
    #[test]
    fn configurations_are_bounded_with_their_repetitions() {
        let mut experiment = Experiment { repetitions: 1, ..Experiment::default() };
        let numbers = |count: u64| (1..=count).map(|number| number.to_string()).collect();
        experiment.vary(Factor::Seed, numbers(100));
        experiment.vary(Factor::Keys, numbers(100));
        assert_eq!(experiment.cells().expect("just as many as may be").len(), 10_000);
        experiment.repetitions = 2;
        let problem = experiment.cells().expect_err("twice as many").to_string();
        assert!(problem.contains("10000 configurations, 2 times each, expected at most 10000"));
    }

    #[test]
    fn an_unknown_factor_is_named_with_its_line() {
        let wrong = TEXT.replace("\"interval\"", "\"intervall\"");
        let error = Experiment::parse("a.toml", &wrong).expect_err("unknown").to_string();
        assert!(error.starts_with("a.toml:6: unknown factor \"intervall\""), "{error}");
        let error = Experiment::parse("a.toml", "version = 2\nname = \"a\"").expect_err("version");
        assert_eq!(error.to_string(), "a.toml:1: version: 2, expected 1");
    }
}
