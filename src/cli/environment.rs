//! What ran: kept with every failure, so that a reproduction that fails can be explained.

use std::env;
use std::process::{Command, Stdio};

use cutwater::protocol::Digest;
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
    /// The hash of what was run: see [`configuration_hash`].
    pub configuration: String,
}

impl Environment {
    /// The environment in which `configuration` is run.
    pub fn of(configuration: &str) -> Self {
        Self {
            cutwater: env!("CARGO_PKG_VERSION").to_owned(),
            commit: commit(),
            rustc: env!("CUTWATER_RUSTC").to_owned(),
            target: env!("CUTWATER_TARGET").to_owned(),
            profile: (if cfg!(debug_assertions) { "debug" } else { "release" }).to_owned(),
            madsim: cfg!(madsim),
            configuration: configuration.to_owned(),
        }
    }
}

/// The hash of whatever decides a run, or a sweep, as text.
pub fn configuration_hash(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}

/// Given when the program was built, or that of the repository in which it lies.
fn commit() -> String {
    if let Some(commit) = option_env!("CUTWATER_COMMIT") {
        return commit.to_owned();
    }
    repository_commit().unwrap_or_else(|| "unknown".to_owned())
}

fn repository_commit() -> Option<String> {
    let program = env::current_exe().ok()?;
    let git = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(program.parent()?)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let commit = String::from_utf8(git.stdout).ok()?.trim().to_owned();
    (git.status.success() && !commit.is_empty()).then_some(commit)
}
