//! The command line of cutwater.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
