//! Names from files and arguments become directories, words on a terminal and functions of Rust: what could be
//! more than that is refused where it is read.

use crate::harness::{Place, QUICK};

/// What is no name, as it stands in TOML and JSON, and what the error says of it.
const NO_NAMES: [&str; 8] = [
    "",
    "../../../evil",
    "/evil/x",
    "x/y",
    "Quick",
    "quick one",
    "\\u001b[31mred\\u0007",
    "a-name-of-more-than-sixty-four-characters-is-longer-than-any-that-is-read",
];

const EXPECTED: &str =
    "is no name: expected 1 to 64 lower case letters (a to z), digits and hyphens";

/// The command is refused with a message about a name, and leaves nothing behind, here or above.
fn refused(place: &Place, line: &str) -> String {
    let before = place.names(".");
    let said = place.run(line).expect(2);
    assert!(said.err.contains(EXPECTED), "{line}: {}", said.err);
    assert!(!said.err.contains('\u{1b}'), "{line}: {}", said.err);
    assert_eq!(place.names("."), before, "{line}");
    let outside = ["../evil", "../../evil", "../../../evil", "/evil/x"];
    assert!(!outside.iter().any(|path| place.path(path).exists()), "{line}");
    said.err
}

#[test]
fn of_scenarios() {
    let place = Place::new("names-of-scenarios");
    let defect = "--defect duplicate-acknowledgement-counted --no-shrink";
    for name in NO_NAMES {
        place.write("bad.toml", &QUICK.replace("name = \"quick\"", &format!("name = \"{name}\"")));
        for line in ["run bad.toml --seed 1", &format!("sweep bad.toml --seeds 90..95 {defect}")] {
            assert!(refused(&place, line).starts_with("error: bad.toml:3: "), "{line}");
        }
    }
    place.write("bad.toml", &QUICK.replace("\"relay\"", "\"../relay\""));
    assert!(refused(&place, "run bad.toml --seed 1").starts_with("error: bad.toml:7: "));
}

#[test]
fn of_plans_and_of_kept_plans() {
    let place = Place::new("names-of-plans");
    place.write("quick.toml", QUICK);
    place.run("run quick.toml --seed 1").expect(0);
    place
        .run("bugs add cutwater-out/run-1/plan.json --name kept --why because --dir bugs")
        .expect(0);
    let plans = ["cutwater-out/run-1/plan.json", "bugs/kept.json"].map(|path| place.read(path));
    for (plan, field) in plans.iter().flat_map(|plan| [(plan, "quick"), (plan, "relay")]) {
        let field = format!("\"{field}\"");
        assert!(plan.contains(&field), "{plan}");
        for name in NO_NAMES {
            place.write("bad.json", &plan.replace(&field, &format!("\"{name}\"")));
            for command in ["replay", "shrink"] {
                let said = refused(&place, &format!("{command} bad.json"));
                assert!(said.starts_with("error: bad.json:"), "{said}");
            }
        }
    }
    refused(
        &place,
        "bugs add cutwater-out/run-1/plan.json --name ../kept --why because --dir bugs",
    );
    place.write("bugs/Not a name.json", &plans[1]);
    refused(&place, "bugs list --dir bugs");
}

#[test]
fn what_stands_in_a_file_does_not_command_a_terminal() {
    let place = Place::new("names-on-a-terminal");
    place.write("quick.toml", QUICK);
    place.run("run quick.toml --seed 1").expect(0);
    let add = "bugs add cutwater-out/run-1/plan.json --name kept --dir bugs --why";
    let said = place.run(&format!("{add} \u{1b}[31mred")).expect(2);
    assert!(said.err.contains("expected a sentence, on one line"), "{}", said.err);

    place.run(&format!("{add} because")).expect(0);
    let kept = place.read("bugs/kept.json").replace("because", "\\u001b[31mred\\u009b");
    place.write("bugs/kept.json", &kept);
    let listed = place.run("bugs list --dir bugs").expect(0).out;
    assert!(listed.contains("\\u001b[31mred\\u009b"), "{listed}");
    assert!(!listed.contains(['\u{1b}', '\u{9b}']), "{listed}");

    place.write("bad.toml", "\u{1b}[31m = 1");
    let said = place.run("run bad.toml --seed 1").expect(2).err;
    assert!(said.contains("\\u001b[31m = 1") && !said.contains('\u{1b}'), "{said}");
}
