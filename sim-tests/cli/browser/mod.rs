//! Views in a browser: what a reader does with one, what it looks like to who cannot see it, and how fast it is.

mod broken;
mod client;
mod speed;
mod units;

use std::fs;
use std::io::BufReader;
use std::path::PathBuf;

use client::Browser;
use cutwater::trace::{Event, Stamp, TraceReader};
use cutwater::view::{Subject, View, causality};

use crate::harness::Place;

/// A run, its trace, and its view as the command line writes it.
struct Viewed {
    place: Place,
    page: PathBuf,
    view: View,
}

/// The view of a seed of a built-in scenario.
fn viewed(name: &str, run: &str) -> Viewed {
    let place = Place::new(name);
    place.run(&format!("run {run} --trace trace.jsonl"));
    let said = place.run("view trace.jsonl").expect(0);
    let page = place.path(said.out.trim());
    let view = View::new(&read(&place, "trace.jsonl"), Subject::default());
    Viewed { place, page, view }
}

fn read(place: &Place, name: &str) -> Vec<(Stamp, Event)> {
    let file = fs::File::open(place.path(name)).expect("the trace is there");
    let reader = TraceReader::new(BufReader::new(file)).expect("it is a trace");
    reader.map(|read| read.expect("every line is an event")).collect()
}

const CHOSEN: &str = "document.getElementById('checkpoint').selectedOptions[0].textContent";

/// The table of what is in flight, a row a channel.
const TABLE: &str = "[...document.querySelectorAll('#over-the-cut tbody tr')].map((row) =>
    [0, 1, 2, 3, 5].map((cell) => row.cells[cell].textContent)).sort()";

/// Whether of a channel with something in flight just that stands out.
const STANDS_OUT: &str = "[...document.querySelectorAll('tr.captured, tr.overtaken')].every((row) =>
    [1, 2, 3, 4, 5].every((cell) => (getComputedStyle(row.cells[cell]).fontWeight === '600') === (cell === 4)))";

/// What the table must say of a checkpoint.
fn table(view: &View, index: usize) -> serde_json::Value {
    let count = |number: Option<u64>| number.map_or("–".to_owned(), grouped);
    let row = |channel: &cutwater::view::cut::ChannelCut| {
        let put_back = match channel.put_back {
            0 => String::new(),
            records => format!(" + {records} put back"),
        };
        let state =
            channel.captured.map_or("–".to_owned(), |records| format!("{records}{put_back}"));
        let name = channel.name.replace("->", " → ");
        [name, count(channel.sent), count(channel.received), state, count(channel.bytes)]
    };
    let mut rows: Vec<_> = view.checkpoints[index].channels.iter().map(row).collect();
    rows.sort();
    serde_json::json!(rows)
}

/// As the page writes a number.
fn grouped(number: u64) -> String {
    match number / 1_000 {
        thousands @ 1.. => format!("{},{:03}", grouped(thousands), number % 1_000),
        0 => number.to_string(),
    }
}

#[test]
fn a_reader_finds_a_cut_and_what_was_in_flight_over_it() {
    let Viewed { place, page, view } = viewed("browser-reader", "unaligned --seed 1");
    let Some(mut browser) = Browser::start(&place) else { return };
    browser.open(&page, "");
    let (_, opening) = view.opening();
    let opening = opening.expect("it has checkpoints");
    assert!(browser.text(CHOSEN).starts_with(&view.checkpoints[opening].id.to_string()));
    assert_eq!(browser.eval(TABLE), table(&view, opening));
    assert_eq!(browser.eval(STANDS_OUT), true, "what is in flight stands out");
    let in_flight =
        view.checkpoints[opening].channels.iter().map(|own| own.flow.records()).sum::<u64>();
    assert!(in_flight > 0, "the cut that shows most has something to show");
    let verdict = browser.text("document.querySelector('.verdict').textContent");
    assert!(verdict.contains(&format!("{in_flight} record")), "{verdict}");

    // From checkpoint to checkpoint with the keyboard, to both ends.
    for step in (0..opening).rev() {
        browser.key("[");
        assert_eq!(browser.eval(TABLE), table(&view, step), "{step}");
    }
    browser.key("[");
    assert_eq!(browser.eval(TABLE), table(&view, 0), "there is none before the first");
    (1..view.checkpoints.len()).for_each(|_| browser.key("]"));
    assert_eq!(browser.eval(TABLE), table(&view, view.checkpoints.len() - 1));

    browser.eval("document.querySelector('#subtasks a').click()");
    browser.wait("page.selected >= 0 && location.hash.includes('e=')");
    let linked = browser.text("document.querySelector('#subtasks a').textContent");
    assert_eq!(
        browser.text("document.querySelector('#event h2').textContent"),
        format!("Event {linked}")
    );
    let shown = browser.text("document.querySelector('[aria-selected=true] .number').textContent");
    assert_eq!(shown, linked, "the table of events is there as well");
    let address = browser.text("location.hash");
    browser.open(&page, &address);
    assert_eq!(
        browser.text("document.querySelector('#event h2').textContent"),
        format!("Event {linked}")
    );
    browser.expect_quiet();
}

#[test]
fn a_reader_searches_steps_and_follows_causes_with_the_keyboard_alone() {
    let Viewed { place, page, view } = viewed("browser-keys", "unaligned --seed 1");
    let Some(mut browser) = Browser::start(&place) else { return };
    browser.open(&page, "");
    browser.key("/");
    browser.write("triggers ckpt");
    let triggers = view.checkpoints.iter().filter(|own| own.triggered.is_some()).count();
    browser.wait(&format!("document.getElementById('hits').textContent === '{triggers} hits'"));
    browser.key("Enter");
    browser.key("Escape");
    let second = view.checkpoints[1].triggered.expect("it is in the trace");
    assert_eq!(browser.eval("page.selected"), second, "Enter goes to the next hit");
    assert_eq!(browser.text("document.activeElement.id"), "grid", "Escape goes to the events");
    browser.key("ArrowDown");
    assert_eq!(browser.eval("page.selected"), second + 1);
    browser.key("End");
    assert_eq!(browser.eval("page.selected"), view.rows.all.len() - 1);
    browser.key("Home");
    assert_eq!(browser.eval("page.selected"), 0);
    let caused = (0..view.rows.all.len()).rev().find(|row| view.rows.all[*row].cause.is_some());
    let caused = caused.expect("something led to something");
    browser.open(&page, &format!("#e={}", view.rows.all[caused].number));
    browser.key("c");
    assert_eq!(browser.eval("page.selected"), view.rows.all[caused].cause.expect("it has one"));
    let focused = tab_stops(&mut browser);
    for id in ["checkpoint", "search", "by", "cone", "grid", "panel"] {
        assert!(focused.iter().any(|stop| stop == id), "{id} is reached by Tab: {focused:?}");
    }
    browser.expect_quiet();
}

/// What Tab comes to, from the top of the page on.
fn tab_stops(browser: &mut Browser) -> Vec<String> {
    browser.eval("document.activeElement.blur()");
    let stop = |browser: &mut Browser| {
        browser.key("Tab");
        browser.text("document.activeElement.id || document.activeElement.tagName")
    };
    (0..60).map(|_| stop(browser)).collect()
}

#[test]
fn past_and_future_on_the_page_are_those_of_the_trace() {
    let Viewed { place, page, view } = viewed("browser-cones", "control-chaos --seed 3");
    let Some(mut browser) = Browser::start(&place) else { return };
    browser.open(&page, "#cone=1");
    let rows = &view.rows.all;
    for row in (0..rows.len()).step_by(rows.len() / 12) {
        browser.eval(&format!("page.go({{ row: {row} }})"));
        let told = browser.eval("[page.cones.past, page.cones.future].map((cone) => [...cone.rows].flatMap((has, at) => has ? [cone.from + at] : []))");
        let expected =
            serde_json::json!([causality::past(rows, row), causality::future(rows, row)]);
        assert_eq!(told, expected, "of row {row}");
    }
    let all = browser.eval("Array.from({ length: page.data.rows }, (_, row) => page.data.sentence(row).replaceAll(',', ''))");
    let sentence = |row: usize| view.sentence(row).replace(',', "");
    assert_eq!(all, serde_json::json!((0..rows.len()).map(sentence).collect::<Vec<_>>()));
    browser.expect_quiet();
}

#[test]
fn columns_can_be_hidden_and_moved_and_events_left_out() {
    let Viewed { place, page, view } = viewed("browser-columns", "unaligned --seed 1");
    let Some(mut browser) = Browser::start(&place) else { return };
    browser.open(&page, "#hide=0&off=record&e=0");
    let heads = "[...document.querySelectorAll('#heads [title]')].map((head) => head.title)";
    let mut names: Vec<_> = view.lanes.all.iter().skip(1).map(|lane| lane.name.clone()).collect();
    assert_eq!(browser.eval(heads), serde_json::json!(names));
    browser.eval("document.querySelector('[data-column=\"2 left\"]').click()");
    browser.eval("document.querySelector('[data-column=\"2 left\"]').click()");
    names.swap(0, 1);
    assert_eq!(browser.eval(heads), serde_json::json!(names));
    let count = "Number(document.getElementById('grid').getAttribute('aria-rowcount')) - 1";
    let is_left = |row: &usize| {
        let is_record = view.class(*row) == cutwater::view::wording::Class::Record;
        let lane = view.rows.all[*row].life.map(|life| view.lanes.lives[life].lane);
        !is_record && lane != Some(0)
    };
    assert_eq!(browser.eval(count), (0..view.rows.all.len()).filter(is_left).count());
    assert_eq!(browser.eval("document.querySelectorAll('.event.record').length"), 0);
    browser.expect_quiet();
}

#[test]
fn a_page_is_light_and_dark_and_fits_a_telephone() {
    let Viewed { place, page, .. } = viewed("browser-looks", "unaligned --seed 1");
    let Some(mut browser) = Browser::start(&place) else { return };
    let ground = "getComputedStyle(document.body).backgroundColor";
    browser.prefer("dark");
    browser.open(&page, "");
    let dark = browser.text(ground);
    browser.prefer("light");
    browser.wait(&format!("{ground} === 'rgb(255, 255, 255)'"));
    browser.key("d");
    assert_eq!(browser.text(ground), dark, "a reader's choice goes before the system's");
    assert!(browser.text("location.hash").contains("theme=dark"));
    browser.resize(360, 740);
    browser.open(&page, "");
    let width = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]";
    let [whole, seen] = [0, 1].map(|at| browser.eval(width)[at].as_u64());
    assert_eq!(whole, seen, "nothing reaches over the edge");
    assert!(seen <= Some(360));
    let is_in_sight =
        "document.querySelector('#grid .event .what').getBoundingClientRect().left < 360";
    assert_eq!(browser.eval(is_in_sight), true, "words begin within the page");
    browser.expect_quiet();
}

#[test]
fn a_printed_page_shows_what_was_in_sight() {
    let Viewed { place, page, .. } = viewed("browser-print", "unaligned --seed 1");
    let Some(mut browser) = Browser::start(&place) else { return };
    browser.open(&page, "#e=500");
    let in_sight = "[...document.querySelectorAll('#grid .event')].filter((row) => {
        const [box, all] = [row, document.getElementById('diagram')].map((one) => one.getBoundingClientRect());
        return box.top >= all.top && box.bottom <= all.bottom;
    }).map((row) => row.querySelector('.number').textContent)";
    browser.eval("page.print(true)");
    let printed = browser.eval(in_sight);
    let rows = printed.as_array().expect("a list");
    assert!(rows.len() > 20 && rows.iter().any(|row| row == "#500"), "{printed}");
    browser.eval("page.print(false)");
    let whole = browser.eval("document.getElementById('grid').offsetHeight");
    assert!(whole.as_f64() > Some(10_000.0), "all of it can be scrolled through again");
    browser.expect_quiet();
}

/// What an automated check finds wrong, in short.
const AXE: &str = "axe.run().then((found) => found.violations.map((one) =>
    `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 120)).join(' | ')}`))";

#[test]
fn an_automated_check_finds_every_view_accessible() {
    let place = Place::new("browser-axe");
    let fixture =
        concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/regressions/channel-not-blocked.json");
    let said = place.run(&format!("view {fixture}")).expect(0);
    let violated = place.path(said.out.trim());
    place.run("run unaligned --seed 1 --trace trace.jsonl");
    let said = place.run("view trace.jsonl").expect(0);
    let held = place.path(said.out.trim());
    let Some(mut browser) = Browser::start(&place) else { return };
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        for (page, fragment) in [(&violated, "#cone=1"), (&held, "#by=time&e=100&q=ckpt-1")] {
            browser.open(page, fragment);
            browser.eval("document.querySelectorAll('details').forEach((one) => { one.open = one.className !== 'menu'; })");
            browser.eval(include_str!("axe.min.js"));
            assert_eq!(browser.eval(AXE), serde_json::json!([]), "{scheme}, {}", page.display());
        }
    }
}

#[test]
fn hostile_names_are_text() {
    let place = Place::new("browser-hostile");
    place.run("run unaligned --seed 1 --trace trace.jsonl");
    let trace = place.read("trace.jsonl");
    let name = format!("</script><img src=x onerror=window.struck=1>\\u0001{}", "y".repeat(10_000));
    let hostile = trace.replace("\"name\":\"bids\"", &format!("\"name\":\"{name}\""));
    assert_ne!(trace, hostile, "the job has such an operator");
    place.write("hostile<b>.jsonl", &hostile);
    let said = place.run("view hostile<b>.jsonl").expect(0);
    let Some(mut browser) = Browser::start(&place) else { return };
    browser.open(&place.path(said.out.trim()), "");
    assert_eq!(
        browser.eval("[typeof window.struck, document.images.length, document.scripts.length > 2]"),
        serde_json::json!(["undefined", 0, true])
    );
    assert_eq!(browser.text("document.title"), "hostile<b>.jsonl");
    let heads = browser.text("document.getElementById('heads').textContent");
    assert!(heads.contains("</script><img src=x"), "it is shown as it is: {heads}");
    browser.expect_quiet();
}

#[test]
fn what_was_not_kept_is_shown_as_missing() {
    let place = Place::new("browser-gaps");
    place.run("run unaligned --seed 1 --trace trace.jsonl");
    let trace = place.read("trace.jsonl");
    let kept = trace
        .lines()
        .enumerate()
        .filter(|(line, _)| *line < 2 || (200..300).contains(line) || *line > 320);
    place.write("holes.jsonl", &kept.map(|(_, line)| format!("{line}\n")).collect::<String>());
    let said = place.run("view holes.jsonl").expect(0);
    let Some(mut browser) = Browser::start(&place) else { return };
    browser.open(&place.path(said.out.trim()), "#e=305");
    assert_eq!(
        browser.text("document.querySelector('#panel p').textContent"),
        "21 events are not kept"
    );
    assert!(
        browser
            .text("document.getElementById('facts').textContent")
            .contains("not kept 219 events")
    );
    browser.expect_quiet();
}
