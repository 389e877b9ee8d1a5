//! Commands, as a shell takes them: what failed is told with the one that runs it again.

use std::path::Path;

use super::run::WorldKind;

/// The command of `program` that runs a kept plan again in this world.
#[must_use]
pub fn replay(program: &str, plan: &Path, world: WorldKind) -> String {
    let mut command = format!("{program} replay {}", quoted(&plan.display().to_string()));
    push_world(&mut command, world);
    command
}

/// Adds the option for a world, where it is not the usual one.
pub fn push_world(command: &mut String, world: WorldKind) {
    if world != WorldKind::default() {
        command.push_str(&format!(" --world {world}"));
    }
}

/// What must be set for a build that has this world; nothing for the usual one.
#[must_use]
pub fn build_flags(world: WorldKind) -> Option<&'static str> {
    match world {
        WorldKind::Kernel => None,
        WorldKind::Madsim => Some("RUSTFLAGS='--cfg madsim'"),
    }
}

/// As a shell takes it for one word.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/=+,-:".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_a_shell_would_take_apart_is_quoted() {
        assert_eq!(quoted("out/plan-1.json"), "out/plan-1.json");
        assert_eq!(quoted("check::a_test"), "check::a_test");
        assert_eq!(quoted("my dir/it's"), r"'my dir/it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_plan_is_replayed_in_its_world() {
        let plan = Path::new("my dir/plan.json");
        let usual = replay("cargo run --", plan, WorldKind::default());
        assert_eq!(usual, "cargo run -- replay 'my dir/plan.json'");
        let other = replay("orders", plan, WorldKind::Madsim);
        assert_eq!(other, "orders replay 'my dir/plan.json' --world madsim");
    }
}
