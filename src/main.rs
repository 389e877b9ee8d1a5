//! The command line of cutwater, over the workloads that come with it.

use std::process::ExitCode;

use cutwater::explore::Registry;

fn main() -> ExitCode {
    cutwater::cli::main(Registry::built_in())
}
