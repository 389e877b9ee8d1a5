//! The experiments that a command line knows: workloads, and the scenarios that they are run in.

use std::fmt;
use std::str::FromStr as _;
use std::sync::OnceLock;

use thiserror::Error;

use super::usual;
use crate::plan::limits::check_scenario;
use crate::plan::scenario::{self, Heading};
use crate::plan::{NAME_CHARS_MAX, Name, NameError, Scenario};
use crate::workload::{self, UnknownWorkload, Workload};

/// Workloads and scenarios, by name.
///
/// A workload that comes without scenarios of its own has the [usual ones](super::usual), which are named after it.
///
/// ```
/// use cutwater::explore::Registry;
///
/// let registry = Registry::built_in();
/// assert!(registry.workload("word-count").is_ok());
/// assert!(registry.scenario("rescale-words").is_some());
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    /// Whether it holds what comes with the library.
    has_built_in: bool,
    workloads: Vec<Registered>,
    scenarios: Vec<Scenario>,
    /// Where generated tests find it.
    place: Option<String>,
}

/// A workload, with its usual scenarios: made when they are first asked for, since the job is built for it.
#[derive(Clone)]
struct Registered {
    workload: Workload,
    usual: OnceLock<Vec<Scenario>>,
}

impl Registered {
    fn usual(&self) -> &[Scenario] {
        self.usual.get_or_init(|| usual::scenarios(&self.workload))
    }

    /// Whether a scenario of this name may be one of them, as far as can be told without the job.
    fn may_name(&self, scenario: &str) -> bool {
        let suffix = scenario.strip_prefix(&*self.workload.name);
        suffix.is_some_and(|suffix| usual::SUFFIXES.contains(&suffix))
    }

    /// Whether a scenario of this name is one of them.
    fn names(&self, scenario: &str) -> bool {
        self.may_name(scenario) && self.usual().iter().any(|usual| usual.name == *scenario)
    }
}

/// Why something cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RegistryError {
    /// A workload whose name is none.
    #[error("a workload: {0}")]
    Name(#[from] NameError),
    /// A workload whose name leaves no room for those of its scenarios.
    #[error("workload {name:?}: its name has {} characters, expected at most {}", name.len(), name_max())]
    LongName {
        /// The name.
        name: String,
    },
    /// Two workloads with one name.
    #[error("two workloads are called {name:?}: expected each name once")]
    WorkloadTwice {
        /// The name.
        name: String,
    },
    /// Two scenarios with one name, the usual ones of a workload among them.
    #[error("two scenarios are called {name:?}, {one} and {other}: expected each name once")]
    ScenarioTwice {
        /// The name.
        name: String,
        /// Where the one is from.
        one: ScenarioOrigin,
        /// Where the other is from.
        other: ScenarioOrigin,
    },
    /// A scenario of a workload that there is not.
    #[error("scenario {scenario:?}: {unknown}")]
    ScenarioWithoutWorkload {
        /// The scenario.
        scenario: String,
        /// What it names.
        unknown: UnknownWorkload,
    },
    /// A scenario with a number that is out of its range.
    #[error("scenario {scenario:?}: {problem}")]
    ScenarioOutOfRange {
        /// The scenario.
        scenario: String,
        /// Which number, and its range.
        problem: String,
    },
}

/// Where a scenario of a registry is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScenarioOrigin {
    /// It comes with the library.
    Library,
    /// It was [registered](Registry::with_scenario).
    Registered,
    /// It is one of the [usual ones](super::usual) of a workload.
    Usual {
        /// The name of the workload.
        workload: String,
    },
}

impl fmt::Display for ScenarioOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library => f.write_str("one of the library"),
            Self::Registered => f.write_str("one that was registered"),
            Self::Usual { workload } => write!(f, "the usual one of workload {workload:?}"),
        }
    }
}

/// The longest name of a workload whose usual scenarios can all be named after it.
fn name_max() -> usize {
    NAME_CHARS_MAX - usual::SUFFIX_CHARS_MAX
}

impl Registry {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What comes with the library.
    #[must_use]
    pub fn built_in() -> Self {
        Self { has_built_in: true, ..Self::default() }
    }

    /// With a workload.
    #[must_use]
    pub fn with(mut self, workload: Workload) -> Self {
        self.workloads.push(Registered { workload, usual: OnceLock::new() });
        self
    }

    /// With a scenario, which takes the place of a usual one of the same name;
    /// [`Scenario::from_toml`] reads one.
    #[must_use]
    pub fn with_scenario(mut self, scenario: Scenario) -> Self {
        self.scenarios.push(scenario);
        self
    }

    /// With the path of the function that makes it, such as `my_app::registry`: the tests that shrinking generates
    /// call it. Unless told otherwise `crate::registry`.
    #[must_use]
    pub fn found_at(self, place: impl Into<String>) -> Self {
        Self { place: Some(place.into()), ..self }
    }

    /// Whether all that was registered can be.
    ///
    /// # Errors
    ///
    /// The first thing that cannot.
    pub fn check(&self) -> Result<(), RegistryError> {
        for (place, Registered { workload, .. }) in self.workloads.iter().enumerate() {
            let name = workload.name.to_string();
            Name::from_str(&name)?;
            if name.len() > name_max() {
                return Err(RegistryError::LongName { name });
            }
            let is_twin = |other: &Registered| other.workload.name == workload.name;
            let is_built_in = self.has_built_in && workload::named(&name).is_ok();
            if is_built_in || self.workloads[..place].iter().any(is_twin) {
                return Err(RegistryError::WorkloadTwice { name });
            }
        }
        (0..self.scenarios.len()).try_for_each(|place| self.check_scenario(place))?;
        (0..self.workloads.len()).try_for_each(|place| self.check_usual(place))
    }

    /// Refuses a usual scenario that is called as one of the library, or of a workload before it; unless a scenario
    /// was registered that takes the place of both. A job is made only where its name leaves it open whether there
    /// is one.
    fn check_usual(&self, place: usize) -> Result<(), RegistryError> {
        let registered = &self.workloads[place];
        let workload = registered.workload.name.to_string();
        for suffix in usual::SUFFIXES {
            let name = format!("{workload}{suffix}");
            if let Some(one) = self.taken(&name, place).filter(|_| registered.names(&name)) {
                return Err(RegistryError::ScenarioTwice {
                    name,
                    one,
                    other: ScenarioOrigin::Usual { workload },
                });
            }
        }
        Ok(())
    }

    /// Where a scenario of this name is from that stands in the way of a usual one of the workload at `place`.
    fn taken(&self, name: &str, place: usize) -> Option<ScenarioOrigin> {
        if self.scenarios.iter().any(|own| own.name == *name) {
            return None;
        }
        if self.is_of_library(name) {
            return Some(ScenarioOrigin::Library);
        }
        let twin = self.workloads[..place].iter().find(|earlier| earlier.names(name))?;
        Some(ScenarioOrigin::Usual { workload: twin.workload.name.to_string() })
    }

    fn is_of_library(&self, scenario: &str) -> bool {
        self.has_built_in && scenario::names().any(|known| known == scenario)
    }

    fn check_scenario(&self, place: usize) -> Result<(), RegistryError> {
        let own = &self.scenarios[place];
        let name = own.name.to_string();
        let is_twin = |other: &Scenario| other.name == own.name;
        let one = if self.is_of_library(&name) {
            Some(ScenarioOrigin::Library)
        } else {
            self.scenarios[..place].iter().any(is_twin).then_some(ScenarioOrigin::Registered)
        };
        if let Some(one) = one {
            let other = ScenarioOrigin::Registered;
            return Err(RegistryError::ScenarioTwice { name, one, other });
        }
        if let Err(unknown) = self.workload(&own.job.workload) {
            return Err(RegistryError::ScenarioWithoutWorkload { scenario: name, unknown });
        }
        check_scenario(own).map_err(|refusal| {
            let problem = refusal.problem;
            RegistryError::ScenarioOutOfRange { scenario: name, problem }
        })
    }

    /// All workloads.
    pub fn workloads(&self) -> impl Iterator<Item = &Workload> {
        let built_in = if self.has_built_in { workload::all() } else { &[] };
        built_in.iter().chain(self.workloads.iter().map(|registered| &registered.workload))
    }

    /// The workload called `name`.
    ///
    /// # Errors
    ///
    /// When there is none; the error lists those there are.
    pub fn workload(&self, name: &str) -> Result<&Workload, UnknownWorkload> {
        let found = self.workloads().find(|workload| workload.name == name);
        found.ok_or_else(|| UnknownWorkload::among(name, self.workloads()))
    }

    /// The names of all scenarios.
    #[must_use]
    pub fn scenario_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = scenario::names().filter(|_| self.has_built_in).collect();
        names.extend(self.own_scenarios().map(|scenario| scenario.name.as_str()));
        names
    }

    /// What a list tells of all scenarios, in the order of their names.
    #[must_use]
    pub fn headings(&self) -> Vec<Heading> {
        let mut headings: Vec<Heading> =
            scenario::headings().filter(|_| self.has_built_in).collect();
        headings.extend(self.own_scenarios().map(Heading::from));
        headings
    }

    /// The scenario called `name`.
    #[must_use]
    pub fn scenario(&self, name: &str) -> Option<&Scenario> {
        let built_in = self.has_built_in.then(|| scenario::named(name)).flatten();
        let given = || self.scenarios.iter().find(|scenario| scenario.name == *name);
        let usual = || {
            let named = self.workloads.iter().filter(|registered| registered.may_name(name));
            named.flat_map(Registered::usual).find(|scenario| scenario.name == *name)
        };
        built_in.or_else(given).or_else(usual)
    }

    /// The scenarios that a sweep runs when it names none, in that order.
    #[must_use]
    pub fn in_sweep(&self) -> Vec<Scenario> {
        let mut scenarios = if self.has_built_in { scenario::built_in() } else { Vec::new() };
        scenarios.extend(self.own_scenarios().filter(|scenario| scenario.in_sweep).cloned());
        scenarios
    }

    /// The path of the function that makes it; none for what comes with the library alone.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        let is_own = !self.workloads.is_empty() || !self.has_built_in;
        is_own.then(|| self.place.as_deref().unwrap_or("crate::registry"))
    }

    /// Those that were registered, and the usual ones of all workloads that were.
    fn own_scenarios(&self) -> impl Iterator<Item = &Scenario> {
        let is_free = |usual: &&Scenario| self.scenarios.iter().all(|own| own.name != usual.name);
        let usual = self.workloads.iter().flat_map(Registered::usual).filter(is_free);
        self.scenarios.iter().chain(usual)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workloads: Vec<&str> = self.workloads().map(|workload| &*workload.name).collect();
        f.debug_struct("Registry")
            .field("has_built_in", &self.has_built_in)
            .field("workloads", &workloads)
            .finish_non_exhaustive()
    }
}
