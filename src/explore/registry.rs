//! The experiments that a command line knows: workloads, and the scenarios that they are run in.

use std::fmt;
use std::str::FromStr as _;
use std::sync::OnceLock;

use thiserror::Error;

use super::usual;
use crate::plan::limits::check_scenario;
use crate::plan::scenario;
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

    /// Whether a scenario of this name may be one of them.
    fn may_name(&self, scenario: &str) -> bool {
        scenario.starts_with(&*self.workload.name)
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
    /// Two scenarios with one name.
    #[error("two scenarios are called {name:?}: expected each name once")]
    ScenarioTwice {
        /// The name.
        name: String,
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

/// A name that lives for ever, as one that lives as long as others do.
fn shortened<'a>(name: &'static str) -> &'a str {
    name
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
        (0..self.scenarios.len()).try_for_each(|place| self.check_scenario(place))
    }

    fn check_scenario(&self, place: usize) -> Result<(), RegistryError> {
        let own = &self.scenarios[place];
        let name = own.name.to_string();
        let is_built_in = self.has_built_in && scenario::names().any(|known| known == name);
        if is_built_in || self.scenarios[..place].iter().any(|other| other.name == own.name) {
            return Err(RegistryError::ScenarioTwice { name });
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
        let built_in = scenario::names().filter(|_| self.has_built_in);
        let own = self.own_scenarios().map(|scenario| scenario.name.as_str());
        built_in.map(shortened).chain(own).collect()
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
