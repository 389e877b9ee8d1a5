//! What ran a plan: kept with it, so that a replay that comes out otherwise can be explained.

use serde::{Deserialize, Serialize};

/// The program and the machine it was built for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The version of this package.
    pub cutwater: String,
    /// The commit of the repository around the program, or `unknown`.
    pub commit: String,
    /// The compiler.
    pub rustc: String,
    /// What it was built for.
    pub target: String,
    /// With or without optimisation.
    pub profile: String,
    /// Whether the madsim world is built in.
    pub madsim: bool,
    /// The hash of what was run.
    pub configuration: String,
}

impl Environment {
    /// In what this environment and another differ that a trace may depend on, one line each.
    ///
    /// Profiles are not compared: a debug build and a release build give the same trace.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let pairs = [
            ("cutwater", &self.cutwater, &other.cutwater),
            ("commit", &self.commit, &other.commit),
            ("rustc", &self.rustc, &other.rustc),
            ("target", &self.target, &other.target),
            ("configuration", &self.configuration, &other.configuration),
        ];
        let differing = pairs.into_iter().filter(|(_, kept, now)| kept != now);
        differing.map(|(what, kept, now)| format!("{what} was {kept}, is {now}")).collect()
    }
}
