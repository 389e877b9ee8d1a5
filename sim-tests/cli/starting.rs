//! What is said to somebody who does not know the program yet, and what an installation asks of it.

use crate::harness::{Place, Said};

/// Every command that the help lists.
const COMMANDS: [&str; 15] = [
    "sweep",
    "merge",
    "run",
    "replay",
    "shrink",
    "bugs",
    "localise",
    "view",
    "defects",
    "reach",
    "overhead",
    "snapshot",
    "independent",
    "scenarios",
    "workloads",
];

/// Those that nobody types.
const HIDDEN: [&str; 2] = ["worker-process", "generate"];

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

#[test]
fn completions_know_the_commands_and_their_options() {
    let place = Place::new("completions");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let Said { out, err, .. } = place.run(&format!("generate completions {shell}")).expect(0);
        assert_eq!(err, "", "{shell}");
        for name in COMMANDS.into_iter().chain(["until-plateau"]) {
            assert!(out.contains(name), "{shell}: {name}");
        }
        for hidden in HIDDEN {
            assert!(!out.contains(hidden), "{shell}: {hidden}");
        }
    }
    let unknown = place.run("generate completions ksh").expect(2);
    assert!(unknown.err.contains("[possible values: bash, elvish, fish"), "{}", unknown.err);
}

#[test]
fn there_is_a_manual_page_of_each_command() {
    let place = Place::new("man");
    let said = place.run("generate man share/man1").expect(0);
    assert_eq!((&*said.out, &*said.err), ("", ""));
    let pages = place.names("share/man1");
    let page = |name: &str| format!("cutwater-{name}.1");
    let inner = ["bugs-add", "bugs-list", "bugs-test", "overhead-calibrate", "overhead-predict"];
    for name in COMMANDS.into_iter().chain(inner) {
        assert!(pages.contains(&page(name)), "{name}: {pages:?}");
    }
    for hidden in HIDDEN {
        assert!(!pages.contains(&page(hidden)), "{hidden}: {pages:?}");
    }
    assert_eq!(
        pages.len(),
        COMMANDS.len() + inner.len() + 1,
        "that of the program, and nothing else: {pages:?}"
    );
    let sweep = place.read("share/man1/cutwater-sweep.1");
    assert!(sweep.contains(".TH cutwater-sweep 1") && sweep.contains("until\\-plateau"), "{sweep}");
    let whole = place.read("share/man1/cutwater.1");
    assert!(whole.contains("cutwater\\-sweep(1)") && whole.contains("Exit codes"), "{whole}");
    place.write("share/man1/cutwater.1", "of an earlier version");
    place.run("generate man share/man1").expect(0);
    assert_eq!(place.read("share/man1/cutwater.1"), whole);
}

#[test]
fn a_place_that_cannot_take_manual_pages_is_refused() {
    let place = Place::new("bad-man");
    place.write("taken", "a file");
    std::fs::create_dir_all(place.path("full/cutwater.1")).expect("a directory can be made");
    for (dir, told) in [
        ("taken", "error: taken: "),
        ("taken/man1", "error: taken/man1: "),
        ("full", "error: full/cutwater.1: "),
    ] {
        let said = place.run(&format!("generate man {dir}")).expect(2);
        assert!(said.err.starts_with(told) && said.err.contains("os error"), "{dir}: {}", said.err);
        assert_eq!(said.out, "", "{dir}");
    }
    assert_eq!(place.read("taken"), "a file");
}
