//! The command line of cutwater.

use std::process::ExitCode;

fn main() -> ExitCode {
    cutwater::cli::main()
}
