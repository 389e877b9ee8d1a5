//! Sweeps that do not get to their end.

use crate::harness::{Place, SWEEP_FILES};

/// Far more than any machine runs while a signal is under way.
const ENDLESS: &str = "sweep relay --seeds 0..1_000_000_000 --jobs 2";

#[test]
fn an_interrupted_sweep_shows_the_table_so_far() {
    let place = Place::new("interrupted");
    let mut running = place.start(ENDLESS);
    running.wait_for("kept in");
    running.signal("INT");
    let said = running.finish().expect(130);
    let row = said.line("relay ");
    assert!(row.ends_with("held") || row.ends_with("not run"), "{row}");
    assert!(said.out.contains("interrupted"), "{}", said.out);
    assert_eq!(place.names("cutwater-out/sweep-1"), SWEEP_FILES, "what tells where it was is gone");
}

#[test]
fn a_killed_sweep_has_written_down_where_it_was() {
    let place = Place::new("killed");
    let mut running = place.start(ENDLESS);
    running.wait_for("kept in");
    let file = "cutwater-out/sweep-1/running/worker-0";
    while !place.path(file).exists() || place.read(file).is_empty() {
        assert!(running.is_running(), "it ended before a worker had begun");
        std::thread::yield_now();
    }
    running.signal("KILL");
    assert_eq!(running.finish().code, None, "it was killed");
    let status_files = place.read(file);
    let words: Vec<&str> = status_files.split_whitespace().collect();
    assert_eq!(words[..2], ["relay", "seed"], "{status_files}");
    assert!(words[2].parse::<u64>().is_ok(), "{status_files}");
    assert_eq!(place.names("cutwater-out/sweep-1")[0], "configuration.json");
}

/// A run of minutes, in one configuration.
const LONG: &str = "overhead --vary interval=none --vary rate=closed --vary profile=in-memory --vary state=1MB \
                    --vary quantum=10 --vary measure=60s --jobs 1 --out kept";

#[test]
fn a_run_of_the_laboratory_hears_that_it_is_to_end() {
    for signal in ["INT", "TERM"] {
        let place = Place::new(&format!("overhead-{signal}"));
        let mut running = place.start(LONG);
        // The lock on it is taken after the signal can be heard.
        while !place.path("kept/results").exists() {
            assert!(running.is_running(), "it ended before it had begun");
            std::thread::yield_now();
        }
        running.signal(signal);
        let said = running.finish().expect(130);
        assert!(said.out.contains("0 of 1 configurations"), "{signal}: {}", said.out);
    }
}
