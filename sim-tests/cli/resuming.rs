//! Sweeps that were killed, and go on.

use std::fs::OpenOptions;
use std::io::Write as _;

use serde_json::Value;

use crate::harness::{Place, QUICK, timeless};

const RESULTS: &str = "kept/results.jsonl";

/// Failures, and runs that hold.
const SWEEP: &str =
    "sweep quick.toml bank --seeds 0..60 --jobs 2 --defect duplicate-acknowledgement-counted";

fn quick(name: &str) -> Place {
    let place = Place::new(name);
    place.write("quick.toml", QUICK);
    place
}

fn json(place: &Place, name: &str) -> Value {
    serde_json::from_str(&place.read(name)).expect("JSON")
}

/// Lengthens the results by what a write that was cut off leaves.
fn tear(place: &Place) {
    let file = OpenOptions::new().append(true).open(place.path(RESULTS));
    let torn = file.and_then(|mut file| file.write_all(b"{\"index\":4,\"scen"));
    torn.expect("the results can be written");
}

#[test]
fn a_killed_sweep_goes_on_and_tells_what_an_undisturbed_one_does() {
    let place = quick("kill-and-resume");
    let whole = place.run(&format!("{SWEEP} --resume whole"));
    for lines in [10, 40, 70] {
        let mut running = place.start(&format!("{SWEEP} --resume kept"));
        place.await_lines(RESULTS, lines, &mut running);
        running.signal("KILL");
        running.finish();
        tear(&place);
    }
    let resumed = place.run(&format!("{SWEEP} --resume kept"));
    assert_eq!(resumed.code, whole.code);
    assert!(resumed.line("resumed").ends_with("of 120 runs are done"), "{}", resumed.out);
    assert_eq!(place.indices(RESULTS), (0..120).collect::<Vec<u64>>(), "none lost, none twice");
    let reports =
        ["whole/report.json", "kept/report.json"].map(|name| timeless(json(&place, name)));
    let [whole, kept] = reports.map(|report| report.to_string().replace("whole/", "kept/"));
    assert_eq!(kept, whole);
    let sorted = |file: &str| {
        let text = place.read(file);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(RESULTS), sorted("whole/results.jsonl"), "the same records, to the byte");
}

#[test]
fn a_sweep_that_is_over_has_nothing_left_to_do() {
    let place = quick("resume-finished");
    let first = place.run("sweep quick.toml --seeds 0..3 --resume kept").expect(0);
    let results = place.read(RESULTS);
    let again = place.run("sweep quick.toml --seeds 0..3 --resume kept").expect(0);
    assert_eq!(again.line("quick "), first.line("quick "));
    assert_eq!(place.read(RESULTS), results);
}

#[test]
fn the_results_of_another_configuration_are_refused() {
    let place = quick("other-configuration");
    place.run("sweep quick.toml --seeds 0..3 --resume kept").expect(0);
    let before = place.read(RESULTS);
    let refused = |line: &str, told: &str| {
        let said = place.run(&format!("{line} --resume kept")).expect(2);
        let opening = "error: kept/results.jsonl: the results of another configuration\n  ";
        assert!(said.err.starts_with(opening) && said.err.contains(told), "{line}: {}", said.err);
        assert_eq!(place.read(RESULTS), before, "{line}");
    };
    refused("sweep quick.toml --seeds 0..4", "seeds: 0..4, not 0..3");
    refused("sweep relay --seeds 0..3", "scenarios: relay, not quick.toml");
    refused("sweep quick.toml --seeds 0..3 --twice", "each seed twice: true, not false");
    refused("sweep quick.toml --seeds 0..3 --shard 0/2", "shard: 0/2, not 0/1");
    refused(
        "sweep quick.toml --seeds 0..3 --defect no-flush-at-barrier",
        "defects: no-flush-at-barrier, not none",
    );
    place.write("quick.toml", &QUICK.replace("200,", "300,").replace("= 200", "= 300"));
    refused("sweep quick.toml --seeds 0..3", "the content of a scenario: ");
}

#[test]
fn results_that_make_no_sense_are_refused_with_their_line() {
    let place = quick("broken-results");
    place.run("sweep quick.toml --seeds 0..3 --jobs 1 --resume kept").expect(0);
    let good = place.read(RESULTS);
    let last = good.lines().last().expect("a record");
    let broken = |content: String, told: &str| {
        place.write(RESULTS, &content);
        for line in ["sweep quick.toml --seeds 0..3 --resume kept", "merge kept"] {
            let said = place.run(line).expect(2);
            assert!(said.err.contains(told), "{line}: {}", said.err);
            assert_eq!(place.read(RESULTS), content, "what there is stays");
            let is_told = said.out.starts_with("scenarios      quick.toml\n");
            assert_eq!(is_told, line.starts_with("sweep") && !told.contains("format is"), "{line}");
        }
    };
    broken(format!("{good}{last}\n"), "kept/results.jsonl:5: run 2 (quick, seed 2) is there twice");
    broken(format!("{good}nonsense\n"), "kept/results.jsonl:5: expected ident at column 2\n");
    broken(
        format!("{good}{{\"index\":2,\n"),
        "kept/results.jsonl:5: EOF while parsing a value at its end\n",
    );
    broken(good.replace("\"index\":2", "\"index\":7"), "run 7 of a sweep of 3");
    broken(good.replace("\"seed\":2", "\"seed\":1"), "expected quick, seed 2");
    broken(
        good.replacen("cutwater-results", "cutwater-trace", 1),
        "kept/results.jsonl:1: format is",
    );
    broken(good.replacen("\"version\":1", "\"version\":9", 1), "kept/results.jsonl:1: format is");
}

#[test]
fn a_budget_ends_a_sweep_and_the_rest_can_be_run_later() {
    let place = quick("budget");
    let said = place.run("sweep relay --seeds 0..100_000 --budget 100ms --resume kept").expect(0);
    assert!(said.out.contains("the budget is spent: "), "{}", said.out);
    let done = place.indices(RESULTS).len();
    assert!(done < 100_000, "{done}");
    let report = json(&place, "kept/report.json");
    assert_eq!(report["ended"], "budget");
    assert_eq!(report["missing"].as_u64(), Some(100_000 - done as u64));
    let said = place.run("sweep relay --seeds 0..100_000 --budget 100ms --resume kept").expect(0);
    assert!(done == 0 || said.line("resumed").starts_with(char::is_numeric), "{}", said.out);
    assert!(place.indices(RESULTS).len() > done);
}

#[test]
fn a_directory_that_is_no_sweeps_is_left_alone() {
    let place = quick("not-a-sweep");
    std::fs::create_dir_all(place.path("mine/failures/unfinished")).expect("it can be made");
    let mine = ["report.json", "reach.json", "configuration.json", "report.json.new"];
    mine.iter().for_each(|name| place.write(&format!("mine/{name}"), "mine"));
    let refused = |found: &str| {
        let before = place.names("mine");
        let said = place.run("sweep quick.toml --seeds 0..3 --resume mine").expect(2);
        assert!(
            said.err.contains("--resume mine: expected the directory of a sweep"),
            "{}",
            said.err
        );
        assert!(said.err.contains(found), "{}", said.err);
        assert_eq!(place.names("mine"), before);
        assert!(mine.iter().all(|name| place.read(&format!("mine/{name}")) == "mine"));
        assert!(place.path("mine/failures/unfinished").exists());
    };
    refused("found configuration.json, failures, reach.json, report.json");
    place.write("mine/results.jsonl", "somebody's results, on no line");
    refused("found a results.jsonl that is none");
    assert_eq!(place.read("mine/results.jsonl"), "somebody's results, on no line");
}

#[test]
fn a_sweep_that_was_killed_before_it_had_written_its_first_line_goes_on() {
    let place = quick("killed-at-once");
    place.run("sweep quick.toml --seeds 0..2 --resume whole").expect(0);
    let header = place.read("whole/results.jsonl");
    for length in [0, 1, 100] {
        std::fs::create_dir_all(place.path("kept")).expect("it can be made");
        place.write(RESULTS, &header[..length]);
        place.run("sweep quick.toml --seeds 0..2 --resume kept").expect(0);
        assert_eq!(place.indices(RESULTS), [0, 1]);
        std::fs::remove_dir_all(place.path("kept")).expect("it is there");
    }
}

#[test]
fn two_sweeps_do_not_write_one_file() {
    let place = quick("two-writers");
    let line = "sweep relay --seeds 0..1_000_000 --jobs 1 --resume kept";
    let mut running = place.start(line);
    place.await_lines(RESULTS, 2, &mut running);
    let said = place.run(line).expect(2);
    assert!(said.err.contains("another sweep is writing it"), "{}", said.err);
    running.signal("INT");
    running.finish().expect(130);
}

/// The limit on the size of files is what a full disk is to a writer.
#[cfg(unix)]
#[test]
fn what_was_found_before_the_disk_was_full_is_told() {
    let place = quick("full-disk-after");
    let sweep = "sweep bank --seeds 40..58 --jobs 2 --defect duplicate-acknowledgement-counted";
    for (directory, blocks, told) in
        [("at-the-end", 48, "reach.json"), ("before", 24, "results.jsonl")]
    {
        let said = place.run_limited(&format!("{sweep} --resume {directory}"), blocks).expect(1);
        assert!(said.err.contains(&format!("{directory}/{told}: File too large")), "{}", said.err);
        assert!(
            said.out.contains("more like it: ") || said.out.contains("cutwater run bank"),
            "{}",
            said.out
        );
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_ends_the_sweep_and_keeps_what_there_is() {
    let place = quick("full-disk");
    let said =
        place.run_limited("sweep relay --seeds 0..1000 --jobs 2 --resume kept", 100).expect(2);
    assert!(said.err.contains("error: kept/results.jsonl: File too large"), "{}", said.err);
    let whole = place.read(RESULTS).matches('\n').count() - 1;
    assert!(whole > 10, "{whole}");
    let said = place.run("sweep relay --seeds 0..1000 --jobs 2 --resume kept").expect(0);
    assert_eq!(said.line("resumed"), format!("{whole} of 1,000 runs are done"));
    assert_eq!(place.indices(RESULTS), (0..1000).collect::<Vec<u64>>());
}
