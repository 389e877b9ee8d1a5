//! `cutwater view`: what it takes, what it refuses, and who else leaves a view.

use std::path::Path;

use crate::harness::{Place, QUICK};

/// The line after `word` in what a command said.
fn told<'a>(out: &'a str, word: &str) -> Vec<&'a str> {
    out.lines().filter_map(|line| line.strip_prefix(word)).map(str::trim).collect()
}

#[test]
fn a_failing_sweep_prints_the_path_of_a_view_and_its_report_links_it() {
    let place = Place::new("view-sweep");
    place.write("quick.toml", QUICK);
    let said =
        place.run("sweep quick.toml --seeds 0..9 --defect acknowledge-before-durable").expect(1);
    let views = told(&said.out, "view ");
    assert_eq!(views.len(), 2, "of a failure, and of the shrunk one:\n{}", said.out);
    for view in &views {
        let page = place.read(view);
        assert!(page.contains("acknowledged ckpt-1 before its snapshot was durable"), "{view}");
        let plan = Path::new(view).with_file_name("plan.json");
        assert!(
            page.contains(&format!("cutwater replay {}", plan.display())),
            "the command is there"
        );
    }
    let report = place.read("cutwater-out/sweep-1/report.html");
    for view in views {
        let link = view.strip_prefix("cutwater-out/sweep-1/").expect("it lies within");
        assert!(report.contains(&format!("href=\"{link}\"")), "{link}");
    }
    assert!(
        report.contains("<title>faults that struck</title>")
            || report.contains("<title>crash-worker after")
    );
    // A directory is as good as its plan.
    let again = place.run("view cutwater-out/sweep-1 --out mine").expect(0);
    assert_eq!(again.out, "mine/view-1/view.html\n");
    assert!(place.read("mine/view-1/view.html").contains("durability/acknowledged-before-durable"));
}

#[test]
fn a_run_that_fails_and_what_is_shrunk_of_it_leave_views() {
    let place = Place::new("view-run");
    place.write("quick.toml", QUICK);
    let said = place.run("run quick.toml --seed 1 --defect no-flush-at-barrier").expect(1);
    let [view] = told(&said.out, "view ")[..] else { panic!("{}", said.out) };
    assert_eq!(view, "cutwater-out/run-1/view.html");
    assert!(place.read(view).contains("output/missing-output"));
    let said = place.run("shrink cutwater-out/run-1/plan.json").expect(1);
    assert_eq!(told(&said.out, "view "), ["cutwater-out/shrink-1/view.html"]);
    let held = place.run("run quick.toml --seed 1").expect(0);
    assert_eq!(told(&held.out, "view "), [""; 0], "who holds is not kept");
}

#[test]
fn a_trace_that_is_no_trace_is_refused_with_its_line() {
    let place = Place::new("view-refused");
    place.write("quick.toml", QUICK);
    place.run("run quick.toml --seed 1 --trace whole.jsonl --out out").expect(0);
    let whole = place.read("whole.jsonl");
    place.write("newer.jsonl", &whole.replacen("\"version\":1", "\"version\":2", 1));
    place.write("cut.jsonl", &whole[..whole.len() / 2 - 7]);
    place.write("empty.jsonl", "");
    std::fs::create_dir(place.path("bare")).expect("a directory can be made");
    let lines = whole[..whole.len() / 2 - 7].lines().count();
    for (line, expected) in [
        (
            "view newer.jsonl",
            "newer.jsonl: line 1: field version: this is version 2 of the format".to_owned(),
        ),
        ("view cut.jsonl", format!("cut.jsonl: line {lines}: ")),
        (
            "view empty.jsonl",
            "empty.jsonl: line 1: not the header of a trace: the file is empty".to_owned(),
        ),
        ("view bare", "bare: there is no plan.json in it, and no failure".to_owned()),
        ("view nowhere.jsonl", "nowhere.jsonl: ".to_owned()),
        ("view quick.toml", "quick.toml:2: ".to_owned()),
        (
            "view whole.jsonl --shiviz s.log --checkpoint 99",
            "--shiviz: there is no ckpt-99 in the trace".to_owned(),
        ),
        (
            "view whole.jsonl --trace-events whole.jsonl",
            "whole.jsonl: exists, and is not written over".to_owned(),
        ),
    ] {
        let said = place.run(&format!("{line} --out refused")).expect(2);
        assert!(said.err.contains(&expected), "{line}: {}", said.err);
        assert!(!place.path("refused").exists(), "{line}: nothing is written");
    }
    assert_eq!(place.read("whole.jsonl"), whole);
}

#[test]
fn a_trace_is_shown_from_where_it_is_asked_for_and_for_other_viewers() {
    let place = Place::new("view-others");
    place.write("quick.toml", QUICK);
    place.run("run quick.toml --seed 1 --trace whole.jsonl --out out").expect(0);
    let said = place
        .run("view whole.jsonl --from 500 --trace-events t.json --shiviz s.log --checkpoint 2")
        .expect(0);
    assert_eq!(said.out, "cutwater-out/view-1/view.html\nt.json\ns.log\n");
    let page = place.read("cutwater-out/view-1/view.html");
    assert!(
        page.contains("\"missing\":499"),
        "all before, but for the first, which tells the job's shape"
    );
    let events: serde_json::Value =
        serde_json::from_str(&place.read("t.json")).expect("it is JSON");
    assert!(events["traceEvents"].as_array().is_some_and(|events| events.len() > 100));
    assert!(place.read("s.log").lines().any(|line| line == "triggers ckpt-2"));
}

#[test]
fn a_trace_with_a_violation_opens_at_it() {
    let place = Place::new("view-violated");
    place.write("quick.toml", QUICK);
    place.run("run quick.toml --seed 1 --defect acknowledge-before-durable --trace bad.jsonl --out out").expect(1);
    let page = place.run("view bad.jsonl").expect(0);
    let page = place.read(page.out.trim());
    assert!(page.contains("\"headline\":\"durability: "), "the oracles have judged it");
}

#[test]
fn the_chart_of_what_sealed_a_violation_is_a_page() {
    let place = Place::new("view-localise");
    let plan =
        concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/regressions/channel-not-blocked.json");
    place.run(&format!("localise {plan} --forks 4 --grid 4 --html chart.html")).expect(0);
    let page = place.read("chart.html");
    assert!(
        page.contains("<svg")
            && page.contains("forks</title>")
            && page.contains("<th class=\"right\">share</th>")
    );
    assert!(
        !page.contains("http://www.w3.org/1999") && !page.contains("src="),
        "it asks for nothing"
    );
}
