//! The environment that this program is.

use std::env;
use std::process::{Command, Stdio};

use crate::plan::{Environment, Plan};
use crate::protocol::Digest;

impl Environment {
    /// The environment in which `configuration` is run, given by its hash.
    #[must_use]
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

    /// The environment in which `plan` is run.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        Self::of(&configuration_hash(&plan.to_json()))
    }
}

/// The hash of whatever decides a run, or a sweep, as text.
#[must_use]
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
