//! `cutwater reach`, and what a sweep leaves for it.

use serde_json::Value;

use crate::harness::{Place, QUICK};

/// A place with two sweeps of a small scenario in it.
fn swept(name: &str) -> Place {
    let place = Place::new(name);
    place.write("quick.toml", QUICK);
    place.run("sweep quick.toml --seeds 0..3").expect(0);
    place.run("sweep quick.toml --seeds 3..8").expect(0);
    place
}

#[test]
fn a_sweep_says_what_it_reached_and_leaves_it() {
    let place = Place::new("reach-line");
    place.write("quick.toml", QUICK);
    let said = place.run("sweep quick.toml --seeds 0..3").expect(0);
    let line = said.line("reach");
    assert!(line.contains(" cells (") && line.contains(" points"), "{line}");
    let again = place.run("reach cutwater-out/sweep-1").expect(0);
    assert_eq!(again.line("reach"), line);
    let document: Value =
        serde_json::from_str(&place.read("cutwater-out/sweep-1/reach.json")).expect("JSON");
    assert_eq!(document["scenarios"][0]["reach"]["runs"], 3);
    assert!(document["matrix"]["triggered"]["passed"].as_u64() > Some(0));
    assert_eq!(document["scenarios"][0]["asked"], serde_json::json!(["crash-worker"]));
}

#[test]
fn sweeps_are_added_up() {
    let place = swept("reach-sum");
    let both = "reach cutwater-out/sweep-1 cutwater-out/sweep-2/reach.json";
    let said = place.run(&format!("{both} --json sum.json")).expect(0);
    let row: Vec<&str> = said.line("quick ").split_whitespace().collect();
    assert_eq!(row[0], "8", "runs: {row:?}");
    let other = "reach cutwater-out/sweep-2 cutwater-out/sweep-1 --scenario quick --json -";
    let document = place.run(other).expect(0);
    assert_eq!(document.out, place.read("sum.json"), "in any order");
    assert!(
        said.out.contains("\nnot asked for by any scenario: crash-coordinator, "),
        "{}",
        said.out
    );
    assert!(said.out.contains("\n  run-is-over, 43 cells: the run ends with this event\n"));
}

#[test]
fn the_heat_map_is_well_formed_and_has_every_row_and_column() {
    use svg::parser::Event;
    let place = swept("reach-svg");
    place.run("reach cutwater-out/sweep-1 --svg map.svg").expect(0);
    let map = place.read("map.svg");
    assert_eq!(map, place.read("cutwater-out/sweep-1/reach.svg"));
    let mut open = 0_i32;
    for event in svg::read(&map).expect("it can be read") {
        match event {
            Event::Error(error) => panic!("{error}"),
            Event::Tag(_, svg::node::element::tag::Type::Start, _) => open += 1,
            Event::Tag(_, svg::node::element::tag::Type::End, _) => open -= 1,
            _ => {}
        }
    }
    assert_eq!(open, 0, "every element is closed");
    for label in ["crash-worker", "idle-split", "run-started", "transaction-aborted", "impossible"]
    {
        assert!(map.contains(&format!("\n{label}\n")), "{label} is not in the map");
    }
}

#[test]
fn what_is_no_reach_is_refused() {
    let place = Place::new("reach-bad");
    place.write("plan.json", "{\"format\": \"cutwater-plan\", \"version\": 1}");
    place.write("torn.json", "{\"format\": ");
    std::fs::create_dir(place.path("empty")).expect("a directory can be made");
    let refused = |line: &str| place.run(line).expect(2).err;
    assert!(refused("reach").contains("RESULTS"));
    assert!(refused("reach nowhere").starts_with("error: nowhere: "));
    assert!(refused("reach empty").starts_with("error: empty/reach.json: "));
    assert!(refused("reach torn.json").starts_with("error: torn.json: EOF"));
    let format = refused("reach plan.json");
    assert!(format.contains("format is \"cutwater-plan\", and \"cutwater-reach\" is expected"));
}
