//! Tells the program which compiler built it, and for what: kept with every failure.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/cli/build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC");
    println!("cargo::rustc-env=CUTWATER_RUSTC={}", rustc_version());
    println!("cargo::rustc-env=CUTWATER_TARGET={}", env::var("TARGET").unwrap_or_default());
}

fn rustc_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("--version").output().ok();
    let line = said.and_then(|said| String::from_utf8(said.stdout).ok());
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}
