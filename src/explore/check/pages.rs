//! What a failing check leaves: on two screens, and in a directory.

use std::io;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::variables::{REPLAY, SEEDS};
use crate::explore::command::{build_flags, quoted};
use crate::explore::run::WorldKind;
use crate::explore::viewing::new_directory;

/// How many lines are told: two screens.
pub const LINES_MAX: usize = 50;

/// How many characters a line has.
const WIDTH: usize = 120;

/// How far a line goes on to the right of where it began.
const INDENT: usize = 13;

/// Lines that are no longer than a screen is wide: what does not fit goes on below, behind an indent.
pub fn wrapped(lines: &[String]) -> Vec<String> {
    lines.iter().flat_map(|line| line.lines()).flat_map(wrap).collect()
}

fn wrap(line: &str) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut width = 0;
    for word in line.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if width > 0 && width + length > WIDTH {
            rows.push(row.trim_end().to_owned());
            (row, width) = (" ".repeat(INDENT), INDENT);
        }
        for c in word.chars() {
            if width >= WIDTH {
                rows.push(row.trim_end().to_owned());
                (row, width) = (" ".repeat(INDENT), INDENT);
            }
            row.push(c);
            width += 1;
        }
    }
    rows.push(row.trim_end().to_owned());
    rows
}

/// As much of a diagram as there is room for: its head, and its end, at which the violation stands.
pub fn cut(diagram: &str, room: usize) -> Vec<String> {
    const HEAD: usize = 3;
    let lines: Vec<&str> = diagram.trim_end().lines().collect();
    if lines.len() <= room {
        return lines.into_iter().map(str::to_owned).collect();
    }
    let end = lines.len() - room.saturating_sub(HEAD + 1).min(lines.len());
    let (head, tail) = (lines.iter().take(HEAD), &lines[end..]);
    head.chain(&["..."]).chain(tail).map(|line| (*line).to_owned()).collect()
}

/// Files for a new directory of `out`.
pub fn keep(out: &Path, files: &[(&str, String)]) -> Result<PathBuf, String> {
    let told = |error: io::Error| format!("{}: {error}", out.display());
    let dir = new_directory(out).map_err(told)?;
    files.iter().try_for_each(|(name, text)| fs::write(dir.join(name), text)).map_err(told)?;
    Ok(dir)
}

/// The command that runs a plan of this test again: what is set for it, and the command itself.
pub fn replay_command(plan: &Path, world: WorldKind) -> Vec<String> {
    this_with(format!("{REPLAY}={}", quoted(&plan.display().to_string())), world)
}

/// The command that runs a seed of this test again.
pub fn seed_command(seed: u64, world: WorldKind) -> Vec<String> {
    this_with(format!("{SEEDS}={seed}..{}", seed.saturating_add(1)), world)
}

fn this_with(variable: String, world: WorldKind) -> Vec<String> {
    let flags = build_flags(world).map(str::to_owned);
    [variable].into_iter().chain(flags).chain([this()]).collect()
}

/// A command on one line; on one for each of its parts where a screen is too narrow, which a shell takes as one.
pub fn folded(parts: &[String]) -> String {
    let line = parts.join(" ");
    if line.chars().count() <= WIDTH { line } else { parts.join(" \\\n    ") }
}

/// What runs this test again: the harness names the thread of a test after it.
fn this() -> String {
    #[expect(clippy::disallowed_methods, reason = "a name in a message, which decides nothing")]
    let thread = std::thread::current();
    match thread.name() {
        Some(test) if test != "main" => format!("cargo test {} -- --exact", quoted(test)),
        Some(_) | None => env::args_os()
            .next()
            .map_or_else(|| "cargo run".to_owned(), |own| quoted(&own.to_string_lossy())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_goes_on_behind_an_indent() {
        let line = format!("record       {}", "word ".repeat(40));
        let rows = wrapped(&[line]);
        assert!(rows.len() == 2 && rows.iter().all(|row| row.chars().count() <= WIDTH), "{rows:?}");
        assert!(rows[1].starts_with("             word"));
        let endless = wrapped(&["x".repeat(300)]);
        assert!(endless.iter().all(|row| row.chars().count() <= WIDTH), "{endless:?}");
        assert_eq!(wrapped(&[String::new(), "a\nb".to_owned()]), ["a", "b"]);
    }

    #[test]
    fn a_command_that_is_too_long_for_a_line_stays_one() {
        let short = ["A=b", "cargo test c"].map(str::to_owned);
        assert_eq!(folded(&short), "A=b cargo test c");
        let long = [format!("A={}", "b".repeat(WIDTH)), "cargo test c".to_owned()];
        assert_eq!(folded(&long), format!("A={} \\\n    cargo test c", "b".repeat(WIDTH)));
    }

    #[test]
    fn a_command_is_for_the_world_of_its_check() {
        let plan = Path::new("my dir/plan.json");
        let usual = replay_command(plan, WorldKind::Kernel);
        assert_eq!(usual[..usual.len() - 1], ["CUTWATER_REPLAY='my dir/plan.json'"]);
        let test = "cargo test explore::check::pages::tests::a_command_is_for_the_world_of_its_check -- --exact";
        assert_eq!(usual.last().map(String::as_str), Some(test));
        let other = seed_command(7, WorldKind::Madsim).join(" ");
        assert_eq!(other, format!("CUTWATER_SEEDS=7..8 RUSTFLAGS='--cfg madsim' {test}"));
    }

    #[test]
    fn a_diagram_keeps_its_head_and_its_end() {
        let diagram: String = (0..20).map(|line| format!("{line}\n")).collect();
        assert_eq!(cut(&diagram, 7), ["0", "1", "2", "...", "17", "18", "19"]);
        assert_eq!(cut(&diagram, 20).len(), 20);
    }
}
