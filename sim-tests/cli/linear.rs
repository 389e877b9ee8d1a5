//! What grows with splits, or with snapshots, grows in proportion. The bounds here are ten times what it takes, and
//! a tenth of what it took when it grew with the square.

use std::time::Duration;

use crate::harness::{Place, stopwatch};

/// How long a command line takes, which holds.
fn takes(place: &Place, line: &str) -> Duration {
    let started = stopwatch();
    place.run(line).expect(0);
    started()
}

#[test]
fn as_many_splits_as_there_may_be() {
    let place = Place::new("many-splits");
    let job = "[job]\nworkload = \"word-count\"\nrecords = 100\nparallelism = 2\nsplits = 65535\n";
    place.write("many.toml", &format!("version = 1\nname = \"many\"\nabout = \"many\"\n{job}"));
    let time = takes(&place, "run many.toml --seed 1 --strategy random");
    assert!(time < Duration::from_secs(60), "{time:?}");
}

#[test]
fn four_thousand_snapshots() {
    let place = Place::new("many-snapshots");
    place.write("ring.top", "3\nN1 10\nN2 10\nN3 10\nN1 N2\nN2 N3\nN3 N1\nN2 N1\n");
    let snapshot = |number| format!("snapshot N{}\ntick\n", 1 + number % 3);
    place.write("many.events", &(0..4_000).map(snapshot).collect::<String>());
    let time = takes(&place, "snapshot ring.top many.events");
    assert!(time < Duration::from_secs(10), "{time:?}");
}
