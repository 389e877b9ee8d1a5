//! Experiments as data: what is the same in all runs, and what is varied.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::error::{LabError, line_in, line_of};
use super::factor::{Factor, Values};
use super::results::METRICS;

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
    /// Where the values of a factor were given, so that an error can say so.
    pub places: BTreeMap<Factor, Place>,
}

/// Where the values of a factor were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a line of a file.
    Line {
        /// Which file.
        path: String,
        /// Which line, from 1.
        line: usize,
    },
    /// By an argument, or a call of [`Experiment::vary`].
    Argument,
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
        let mut experiment = Self {
            name: file.name,
            about: file.about,
            published: file.published,
            repetitions: file.repetitions,
            ..Self::default()
        };
        for (name, given) in &file.base {
            let at = line_of(text, &format!("base.{name}"));
            let factor = factor(path, at, name)?;
            experiment.base.0.insert(factor, value(path, at, name, given)?);
            experiment.places.insert(factor, Place::Line { path: path.to_owned(), line: at });
        }
        for (index, Varied { factor: name, values }) in file.vary.iter().enumerate() {
            let named = line_in(text, "vary", index, "factor");
            let factor = factor(path, named, name)?;
            if experiment.vary.iter().any(|(held, _)| *held == factor) {
                let problem = format!("{factor}: varied twice, expected all its values in one");
                return Err(LabError::at(path, named, problem));
            }
            let at = line_in(text, "vary", index, "values");
            if values.is_empty() {
                return Err(LabError::at(path, at, format!("{name}: expected values")));
            }
            let read = values.iter().map(|given| value(path, at, name, given));
            experiment.vary.push((factor, read.collect::<Result<_, _>>()?));
            experiment.places.insert(factor, Place::Line { path: path.to_owned(), line: at });
        }
        for (index, figure) in experiment.published.iter().enumerate() {
            let wrong = |(field, problem): (&str, String)| {
                LabError::at(path, line_in(text, "published", index, field), problem)
            };
            experiment.check_published(figure).map_err(wrong)?;
        }
        Ok(experiment)
    }

    /// A published figure is of something that is measured, and of a configuration that is run: the field that is
    /// wrong, and how.
    fn check_published(&self, figure: &Published) -> Result<(), (&'static str, String)> {
        if !METRICS.iter().any(|metric| metric.name == figure.metric) {
            let known: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
            let problem = format!(
                "metric: unknown {:?}, expected one of: {}",
                figure.metric,
                known.join(", ")
            );
            return Err(("metric", problem));
        }
        if !(0.0..=1e15).contains(&figure.value) {
            return Err(("value", format!("value: {}, expected 0 to 1e15", figure.value)));
        }
        for (name, value) in &figure.at {
            let factor = Factor::named(name).map_err(|error| ("at", format!("at: {error}")))?;
            let varied = self.vary.iter().find(|(varied, _)| *varied == factor);
            let run: Vec<&str> = match varied {
                Some((_, values)) => values.iter().map(String::as_str).collect(),
                None => self.base.get(factor).into_iter().collect(),
            };
            if !run.contains(&value.as_str()) {
                let expected = if run.is_empty() {
                    "that it is given or varied".to_owned()
                } else {
                    run.join(", ")
                };
                return Err((
                    "at",
                    format!("at: {factor} {value:?} is not run, expected {expected}"),
                ));
            }
        }
        Ok(())
    }

    /// The same error with the place at which the value was given.
    #[must_use]
    pub fn placed(&self, error: LabError) -> LabError {
        let LabError::Value { factor, problem } = error else { return error };
        match self.places.get(&factor) {
            Some(Place::Line { path, line }) => {
                LabError::at(path, *line, format!("{factor}: {problem}"))
            }
            Some(Place::Argument) => LabError::Factor(format!("--vary {factor}: {problem}")),
            None => LabError::Value { factor, problem },
        }
    }

    /// Varies a factor, instead of what was said of it before.
    pub fn vary(&mut self, factor: Factor, values: Vec<String>) {
        self.places.insert(factor, Place::Argument);
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
        let is_hybrid = |cell: &Values| cell.get(Factor::Protocol) == Some("hybrid");
        // Beside a hybrid the others have no timeout; alone they are refused one.
        let has_hybrid = cells.iter().any(is_hybrid);
        let sparing = |mut cell: Values| {
            if has_hybrid && !is_hybrid(&cell) {
                cell.0.remove(&Factor::AlignedTimeout);
            }
            match cell.get(Factor::Interval) {
                Some("none") => without_checkpoints(cell),
                _ => cell,
            }
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

fn factor(path: &str, line: usize, name: &str) -> Result<Factor, LabError> {
    Factor::named(name).map_err(|error| LabError::at(path, line, error.to_string()))
}

fn value(path: &str, line: usize, name: &str, given: &toml::Value) -> Result<String, LabError> {
    let expected = || LabError::at(path, line, format!("{name}: expected a text or a number"));
    text_of(given).ok_or_else(expected)
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
    #[test]
    fn what_is_varied_twice_is_refused() {
        let twice = TEXT.replace("\"protocol\"", "\"interval\"");
        let error = Experiment::parse("a.toml", &twice).expect_err("twice").to_string();
        assert!(error.starts_with("a.toml:9: interval: varied twice, expected all"), "{error}");
    }

    /// What is said of a file in which one text stands for another.
    fn said(this: &str, other: &str) -> String {
        assert!(TEXT.contains(this), "{this}");
        let published =
            "[[published]]\nat = { interval = \"1s\" }\nmetric = \"durationP50\"\nvalue = 3.0\n";
        let text = format!("{TEXT}{published}").replacen(this, other, 1);
        let experiment = match Experiment::parse("a.toml", &text) {
            Ok(experiment) => experiment,
            Err(error) => return error.to_string(),
        };
        let session = crate::lab::Session::new(experiment, crate::lab::factor::Library::default());
        session.err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn what_is_wrong_in_a_file_is_said_with_its_line_and_field() {
        assert_eq!(said("name", "name"), "");
        assert!(
            said("parallelism = 2", "parallelism = 0")
                .starts_with("a.toml:4: parallelism: 0, expected 1")
        );
        assert!(said("parallelism = 2", "cores = nan").starts_with("a.toml:4: cores: "));
        assert!(
            said("parallelism = 2", "rate = \"0%\"")
                .starts_with("a.toml:4: rate: \"0%\", expected")
        );
        assert!(
            said("\"1s\"]", "\"0ms\", \"1s\"]")
                .starts_with("a.toml:7: interval: \"0ms\", expected")
        );
        assert!(said("\"unaligned\"", "\"cyclic\"").starts_with("a.toml:10: protocol: cyclic"));
        assert!(
            said("parallelism = 2", "aligned-timeout = \"1s\"")
                .starts_with("a.toml:4: aligned-timeout: ")
        );
    }

    #[test]
    fn a_published_figure_is_of_something_that_is_run_and_measured() {
        let said = |this: &str, other: &str| {
            let published = "[[published]]\nat = { interval = \"1s\" }\nmetric = \"durationP50\"\nvalue = 3.0\n";
            let text = format!("{TEXT}{}", published.replace(this, other));
            Experiment::parse("a.toml", &text)
                .map_or_else(|error| error.to_string(), |_| String::new())
        };
        assert_eq!(said("value", "value"), "");
        assert!(
            said("durationP50", "duration").starts_with("a.toml:13: metric: unknown \"duration\"")
        );
        assert!(said("3.0", "nan").starts_with("a.toml:14: value: NaN, expected"));
        assert!(said("interval", "intervall").starts_with("a.toml:12: at: unknown factor"));
        assert!(
            said("1s", "2s")
                .starts_with("a.toml:12: at: interval \"2s\" is not run, expected none, 1s")
        );
        assert!(said("interval", "seed").starts_with("a.toml:12: at: seed \"1s\" is not run"));
    }
}
