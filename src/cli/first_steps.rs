//! What a person reads who types `cutwater` and nothing else: what it is, and what to type next.

use std::io::{self, Write as _};

use super::exit::Exit;

const FIRST_STEPS: &str = "\
cutwater tests the checkpoints of stream processors: it simulates them, injects faults, judges.

What to type next:
  cutwater sweep                      all built-in scenarios, 100 seeds of faults each, on all cores
  cutwater run word-count --seed 1    one run of one scenario, told in full
  cutwater scenarios                  what there is to run
  cutwater defects                    which seeded bugs are found, and how fast
  cutwater --help                     all commands; `cutwater sweep --help` for one of them

Nothing was run: a command is missing.
";

/// Tells them on standard error, as any other wrong usage: a script that lost its arguments must fail,
/// and find nothing on standard output.
pub fn tell() -> Exit {
    let _ = io::stderr().write_all(FIRST_STEPS.as_bytes());
    Exit::Outside
}
