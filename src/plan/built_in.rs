//! The scenarios that come with the program. Their names are known at once; each is parsed when it is first
//! asked for, because most commands need one of them, or none.

use std::sync::OnceLock;

use super::heading::Heading;
use super::scenario::Scenario;

/// A built-in scenario.
struct BuiltIn {
    /// The name of its file, which is its own: a test holds that.
    name: &'static str,
    /// The content of its file.
    text: &'static str,
    /// The scenario, once it was asked for.
    parsed: OnceLock<Scenario>,
}

impl BuiltIn {
    /// # Panics
    ///
    /// When it does not parse, which a test rules out.
    fn scenario(&self) -> &Scenario {
        let parse = || toml::from_str(self.text).expect("built-in scenarios parse");
        self.parsed.get_or_init(parse)
    }
}

/// Declares the table of the built-in scenarios: files of these names, in their folder.
macro_rules! built_in {
    ($($name:literal,)*) => {
        /// The scenarios that come with the program, in the order in which they are listed and swept.
        static BUILT_IN: [BuiltIn; [$($name),*].len()] = [$(BuiltIn {
            name: $name,
            text: include_str!(concat!("../../fixtures/scenarios/", $name, ".toml")),
            parsed: OnceLock::new(),
        }),*];
    };
}

built_in![
    "relay",
    "calm",
    "steady",
    "word-count",
    "flights",
    "nexmark-q1",
    "nexmark-q3",
    "nexmark-q5",
    "nexmark-q12",
    "bank",
    "sequence",
    "uneven-ends",
    "control-chaos",
    "storage-trouble",
    "back-pressure",
    "zombies",
    "coordinator-crashes",
    "split-brain",
    "broken-links",
    "clocks",
    "storage-rot",
    "sink-trouble",
    "sink-refuses",
    "sink-expires",
    "idle-inputs",
    "crash-loop",
    "no-copy-left",
    "at-least-once",
    "enumerated",
    "discovered",
    "lossy-requests",
    "lost-answers",
    "unaligned",
    "unaligned-join",
    "buffers",
    "buffers-hybrid",
    "unaligned-recovery",
    "hybrid",
    "hybrid-aborts",
    "counted-barriers",
    "stop-the-world",
    "savepoints",
    "savepoint-recovery",
    "drained",
    "drained-behind",
    "savepoints-unaligned",
    "savepoints-rescaled",
    "savepoints-upgraded",
    "savepoints-cyclic",
    "savepoints-counted",
    "savepoints-enumerated",
    "savepoints-discovered",
    "savepoints-requests",
    "drained-requests",
    "savepoints-windows",
    "abort-storm",
    "final-checkpoint",
    "event-time",
    "late-reports",
    "rescale-words",
    "rescale-lists",
    "rescale-windows",
    "rescale-unaligned",
    "rescale-buffers",
    "rescale-hybrid",
    "rescale-forward",
    "rescale-stateless",
    "rescale-discovered",
    "two-edges",
    "rescale-laps",
    "reachability",
    "collatz",
    "word-count-whole",
    "flights-whole",
    "visits",
    "tariffs",
    "payments",
    "meters",
    "batches",
    "shared-queue",
    "requests",
    "union-lists",
    "log-sink",
    "log-sink-expires",
    "table-sink",
    "database-sink",
    "bucket-sink",
    "queue-sink",
    "upsert-sink",
    "counter-sink",
    "bucket-sink-expires",
    "database-sink-expires",
];

/// The names of all built-in scenarios. None of them is parsed.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|known| known.name)
}

/// What a list tells of all built-in scenarios. None of them is parsed further than that.
///
/// # Panics
///
/// When one of them does not parse, which a test rules out.
pub fn headings() -> impl Iterator<Item = Heading> {
    let heading = |known: &BuiltIn| Heading::of_file(known.text).expect("built-in scenarios parse");
    BUILT_IN.iter().map(heading)
}

/// The built-in scenario of this name. No other is parsed.
///
/// # Panics
///
/// When it does not parse, which a test rules out.
#[must_use]
pub fn named(name: &str) -> Option<&'static Scenario> {
    BUILT_IN.iter().find(|known| known.name == name).map(BuiltIn::scenario)
}

/// The built-in scenarios that a sweep runs when it names none, in that order.
///
/// # Panics
///
/// When one of them does not parse, which a test rules out.
#[must_use]
pub fn built_in() -> Vec<Scenario> {
    let scenarios = BUILT_IN.iter().map(BuiltIn::scenario);
    scenarios.filter(|scenario| scenario.in_sweep).cloned().collect()
}

/// All built-in scenarios: also those that are run only by name.
///
/// # Panics
///
/// When one of them does not parse, which a test rules out.
#[must_use]
pub fn all() -> Vec<Scenario> {
    BUILT_IN.iter().map(BuiltIn::scenario).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_in_scenario_has_the_name_of_its_file() {
        for known in &BUILT_IN {
            assert_eq!(known.scenario().name, known.name);
        }
    }

    #[test]
    fn a_heading_is_what_the_whole_file_says() {
        let whole: Vec<Heading> = all().iter().map(Heading::from).collect();
        assert_eq!(headings().collect::<Vec<_>>(), whole);
    }

    #[test]
    fn every_file_of_a_scenario_is_built_in_once() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/scenarios");
        let entries = std::fs::read_dir(folder).expect("the folder can be read");
        let mut files: Vec<String> = entries
            .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
            .collect();
        let mut known: Vec<String> = names().map(|name| format!("{name}.toml")).collect();
        files.sort();
        known.sort();
        assert_eq!(known, files);
    }

    #[test]
    fn a_scenario_is_found_by_its_name_alone() {
        assert_eq!(named("relay").map(|scenario| &*scenario.name), Some("relay"));
        assert_eq!(named("rely"), None);
        assert_eq!(names().count(), all().len());
    }
}
