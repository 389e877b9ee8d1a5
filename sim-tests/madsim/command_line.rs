//! The command line of a build that has the madsim world.

use std::path::Path;
use std::process::Command;

#[test]
fn a_sweep_runs_in_the_madsim_world() {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_cutwater"))
        .current_dir(place)
        .args(["sweep", "relay", "--seeds", "0..2", "--world", "madsim", "--out", "madsim-sweep"])
        .output()
        .expect("the program can be started");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        told.lines().any(|line| line.starts_with("world") && line.contains("madsim")),
        "{told}"
    );
}
