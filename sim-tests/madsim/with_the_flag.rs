//! Runs the tests of this program in a build that has the madsim world.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What gives a build its madsim world.
const FLAG: &str = "--cfg madsim";

/// Set where cargo was started by the test below: such a build must have the world.
const INNER: &str = "CUTWATER_MADSIM_TESTS";

#[test]
fn the_tests_of_the_madsim_world_pass() {
    assert!(
        env::var_os(INNER).is_none(),
        "`{FLAG}` was given and is lost: something replaces RUSTFLAGS (a cargo configuration, a wrapper \
         of rustc), and the madsim world would go untested"
    );
    let output = tests().output().expect("cargo can be started");
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{errors}");
    assert!(told.contains("every_cell_holds_in_madsim ... ok"), "the inner run ran something else");
}

/// The same tests, built with the flag, in a folder of their own: other flags, other crates. The command line
/// stays out: it takes half a minute to build, and `.ci/release` has the one test of it.
fn tests() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "test",
        "--no-default-features",
        "--test",
        "madsim",
    ]);
    command.arg("--target-dir").arg(target_folder());
    command.env(INNER, "1").env("RUSTFLAGS", flags()).env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

fn target_folder() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    target.expect("the folder for tests lies in cargo's target folder").join("madsim")
}

/// The user's own flags stay.
fn flags() -> String {
    let own = env::var("RUSTFLAGS").unwrap_or_default();
    format!("{own} {FLAG}").trim_start().to_owned()
}
