//! What a failing check leaves: on two screens, and in a directory.

use std::io;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::variables::{REPLAY, SEEDS};
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

/// The command that runs a plan again: of the program in which the job is registered, or of this test.
pub fn replay_command(plan: &Path, is_registered: bool) -> String {
    let plan = plan.display();
    if is_registered {
        return format!("cargo run -- replay {plan}");
    }
    format!("{REPLAY}={plan} {}", this())
}

/// The command that runs a seed of this test again.
pub fn seed_command(seed: u64) -> String {
    format!("{SEEDS}={seed}..{} {}", seed.saturating_add(1), this())
}

/// What runs this test again: the harness names the thread of a test after it.
fn this() -> String {
    #[expect(clippy::disallowed_methods, reason = "a name in a message, which decides nothing")]
    let thread = std::thread::current();
    match thread.name() {
        Some(test) if test != "main" => format!("cargo test {test} -- --exact"),
        Some(_) | None => env::args().next().unwrap_or_else(|| "cargo run".to_owned()),
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
    fn a_diagram_keeps_its_head_and_its_end() {
        let diagram: String = (0..20).map(|line| format!("{line}\n")).collect();
        assert_eq!(cut(&diagram, 7), ["0", "1", "2", "...", "17", "18", "19"]);
        assert_eq!(cut(&diagram, 20).len(), 20);
    }
}
