//! What is said to somebody who does not know the program yet.

use crate::harness::Place;

/// Every command that the help lists.
const COMMANDS: [&str; 13] = [
    "sweep",
    "merge",
    "run",
    "replay",
    "shrink",
    "bugs",
    "localise",
    "defects",
    "reach",
    "overhead",
    "snapshot",
    "scenarios",
    "workloads",
];

/// Those that nobody types.
const HIDDEN: [&str; 2] = ["crew-member", "generate"];

#[test]
fn without_arguments_it_says_what_to_type_next() {
    let place = Place::new("no-arguments");
    let said = place.run("").expect(2);
    assert_eq!(said.out, "");
    assert!(said.err.lines().count() <= 12, "{}", said.err);
    let commands = said.err.lines().filter_map(|line| line.strip_prefix("  cutwater "));
    let first: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(first, ["sweep", "run", "scenarios", "defects", "--help"]);
    assert_eq!(place.names("."), [""; 0]);
}

#[test]
fn what_it_says_to_type_next_can_be_typed() {
    let place = Place::new("first-steps");
    let run = "  cutwater run word-count --seed 1 ";
    assert!(place.run("").err.lines().any(|line| line.starts_with(run)));
    place.run("run word-count --seed 1").expect(0);
    place.run("scenarios").expect(0);
    for command in ["sweep --help", "defects --help"] {
        place.run(command).expect(0);
    }
}

#[test]
fn the_help_lists_every_command() {
    let help = Place::new("help").run("--help").expect(0);
    let listed = |name: &&str| help.out.contains(&format!("\n  {name} "));
    assert!(COMMANDS.iter().all(listed) && !HIDDEN.iter().any(listed), "{}", help.out);
}
