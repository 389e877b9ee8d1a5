//! Sweeps in parts, and the parts joined.

use quick_xml::events::Event;
use serde_json::Value;

use crate::harness::{Place, QUICK, report, timeless};

/// Of three scenarios two hold, and one fails.
const SWEEP: &str =
    "sweep quick.toml relay bank --seeds 36..46 --defect duplicate-acknowledgement-counted";

fn sharded(name: &str, shards: u64) -> Place {
    let place = Place::new(name);
    place.write("quick.toml", QUICK);
    for shard in 0..shards {
        place.run(&format!("{SWEEP} --shard {shard}/{shards} --resume shard-{shard}"));
    }
    place
}

/// All but when, and where.
fn comparable(report: Value) -> String {
    let mut report = timeless(report);
    for failure in report["failures"].as_array_mut().expect("a list") {
        (failure["kept"], failure["view"]) = (Value::Null, Value::Null);
        let is_replay = failure["command"].as_str().is_some_and(|line| line.contains("replay"));
        if is_replay {
            failure["command"] = Value::Null;
        }
    }
    report.to_string()
}

#[test]
fn shards_joined_are_the_whole() {
    let place = sharded("joined", 3);
    let whole = place.run(&format!("{SWEEP} --json - --junit whole.xml"));
    let joined =
        place.run("merge shard-2/results.jsonl shard-0 shard-1 --json - --junit joined.xml");
    assert_eq!(joined.code, whole.code);
    assert_eq!(joined.code, Some(1));
    let kept = report(&joined)["failures"][0]["kept"].clone();
    assert!(kept.as_str().is_some_and(|kept| kept.starts_with("shard-")), "{kept}");
    assert_eq!(comparable(report(&joined)), comparable(report(&whole)));
    let lines = |name: &str| place.read(name).lines().filter(|l| !l.contains("replay")).count();
    assert_eq!(lines("joined.xml"), lines("whole.xml"));
    assert_eq!(place.read("joined.xml").replace("shard-", ""), {
        let whole = place.read("whole.xml");
        assert!(!whole.contains("replay"), "bank is built in: {whole}");
        whole
    });
}

#[test]
fn shards_joined_have_a_page_with_their_views() {
    let place = sharded("joined-page", 2);
    place.run("merge shard-0 shard-1 --html joined.html").expect(1);
    let page = place.read("joined.html");
    let links = page.split("<a href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let views: Vec<&str> = links.filter(|link| link.ends_with("view.html")).collect();
    assert!(!views.is_empty() && views.iter().all(|view| view.starts_with("shard-")), "{views:?}");
    assert!(views.iter().all(|view| place.path(view).is_file()), "{views:?}");
    let again = place.run("merge shard-0 shard-1 --html joined.html").expect(2);
    assert!(again.err.contains("joined.html"), "nothing is written over: {}", again.err);
}

#[test]
fn what_is_missing_is_named() {
    let place = sharded("missing", 3);
    let said = place.run("merge shard-0 shard-2").expect(2);
    assert!(said.err.contains("shard 1/3: no file of it, 10 runs"), "{}", said.err);
    let text = place.read("shard-1/results.jsonl");
    let cut: Vec<&str> = text.lines().take(8).collect();
    place.write("shard-1/results.jsonl", &format!("{}\n{{\"torn", cut.join("\n")));
    let said = place.run("merge shard-0 shard-1 shard-2").expect(2);
    let told = "shard 1/3: 3 of 10 runs (shard-1/results.jsonl)";
    assert!(said.err.contains(told), "{}", said.err);
    let partial = place.run("merge shard-0 shard-1 shard-2 --partial");
    assert!(partial.out.contains("partial: 3 runs are in none of the files"), "{}", partial.out);
    assert_ne!(partial.code, Some(2));
}

#[test]
fn what_does_not_belong_together_is_not_joined() {
    let place = sharded("not-together", 2);
    let twice = place.run("merge shard-0 shard-1 shard-0").expect(2);
    assert!(twice.err.contains("is there twice"), "{}", twice.err);
    place.run("sweep relay --seeds 0..4 --shard 1/2 --resume other").expect(0);
    let other = place.run("merge shard-0 other").expect(2);
    assert!(other.err.contains("are not of one sweep\n  scenarios: "), "{}", other.err);
    place.run(&format!("{SWEEP} --shard 1/3 --resume third"));
    let third = place.run("merge shard-0 third").expect(2);
    assert!(third.err.contains("shards: 2, not 3"), "{}", third.err);
    assert!(place.run("merge nowhere").expect(2).err.contains("nowhere: "));
    place.write("empty.jsonl", "");
    assert!(place.run("merge empty.jsonl").expect(2).err.contains("empty.jsonl: empty"));
}

#[test]
fn a_shard_is_one_that_there_is() {
    let place = Place::new("bad-shards");
    let refused = |line: &str, variables: &[(&str, &str)], told: &str| {
        let said = place.run_with(line, variables).expect(2);
        assert!(said.err.contains(told), "{line}: {}", said.err);
        assert_eq!(place.names("."), [""; 0], "{line}");
    };
    let range = "shard 4/4 is out of range: the first is 0/4, the last 3/4";
    refused("sweep relay --shard 4/4", &[], range);
    refused("sweep relay --shard auto/4", &[("JOB_COMPLETION_INDEX", "4")], range);
    refused("sweep relay --shard auto", &[], "neither is set");
    refused("sweep relay --shard 1", &[], "expected i/n");
}

#[test]
fn schedulers_tell_which_shard() {
    let place = Place::new("scheduled");
    let variables = [
        ("SLURM_ARRAY_TASK_ID", "6"),
        ("SLURM_ARRAY_TASK_MIN", "5"),
        ("SLURM_ARRAY_TASK_MAX", "7"),
        ("SLURM_ARRAY_TASK_COUNT", "3"),
    ];
    let said = place.run_with("sweep relay --seeds 0..7 --shard auto", &variables).expect(0);
    assert_eq!(said.line("shard"), "1/3: 2 of 7 runs");
    let variables = [("JOB_COMPLETION_INDEX", "0")];
    let said = place.run_with("sweep relay --seeds 0..7 --shard auto/3", &variables).expect(0);
    assert_eq!(said.line("shard"), "0/3: 3 of 7 runs");
}

#[test]
fn junit_has_a_case_for_each_scenario() {
    let place = Place::new("junit");
    let line =
        "sweep relay bank --seeds 36..46 --defect duplicate-acknowledgement-counted --junit it.xml";
    place.run(line).expect(1);
    let text = place.read("it.xml");
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut open, mut cases, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(element) => {
                let name = element.name().as_ref().to_owned();
                if name == "failure" {
                    let message = element.try_get_attribute("message").expect("attributes");
                    failures.push(message.expect("one").value.into_owned());
                }
                if name == "testcase" {
                    cases.push(open.len());
                }
                open.push(name);
            }
            Event::Empty(element) => {
                assert_eq!(element.name().as_ref(), "testcase");
                cases.push(open.len());
            }
            Event::End(element) => {
                let name = element.name().as_ref().to_owned();
                assert_eq!(open.pop(), Some(name));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(cases, [2, 2], "two cases, each in the suite");
    assert_eq!(failures.len(), 1, "{text}");
    assert!(failures[0].starts_with("lifecycle violated (bank, seed "), "{}", failures[0]);
    assert!(text.contains("tests=\"2\" failures=\"1\""), "{text}");
    let refused = place.run(line).expect(2);
    assert!(refused.err.contains("it.xml: exists, and is not written over"), "{}", refused.err);
}
