//! How fast views are, and how large. Sizes are bounded everywhere; times are measured where a machine is quiet,
//! before a release.

use super::client::Browser;
use crate::harness::{Place, quick_with};

/// A view of about so many events, as the command line writes it.
fn long_view(name: &str, records: &str, events: usize) -> (Place, std::path::PathBuf) {
    let place = Place::new(name);
    place.write("quick.toml", &quick_with(records));
    place.run("run quick.toml --seed 1 --trace whole.jsonl").expect(0);
    let trace = place.read("whole.jsonl");
    let lines: Vec<&str> = trace.lines().take(events + 1).collect();
    assert_eq!(lines.len(), events + 1, "the run is long enough");
    place.write("trace.jsonl", &format!("{}\n", lines.join("\n")));
    let said = place.run("view trace.jsonl").expect(0);
    let page = place.path(said.out.trim());
    (place, page)
}

/// How long a page took to open, in milliseconds, by its own clock.
const OPENED: &str = "performance.getEntriesByType('navigation')[0].loadEventEnd";

/// The longest that painting took while scrolling through the page, in milliseconds.
const SCROLLED: &str = "(async () => {
    const scroller = document.getElementById('scroller');
    let longest = 0;
    for (let frame = 1; frame <= 60; frame += 1) {
        scroller.scrollTop = (scroller.scrollHeight * frame) / 61;
        await new Promise(requestAnimationFrame);
        const began = performance.now();
        page.paint();
        longest = Math.max(longest, performance.now() - began);
    }
    return longest;
})()";

/// A view whose size is what it may be, in a browser, if there is one.
fn opened(name: &str, records: &str, events: usize, bytes_max: u64) -> Option<(Browser, Place)> {
    let (place, page) = long_view(name, records, events);
    let size = std::fs::metadata(&page).expect("it is there").len();
    assert!(size <= bytes_max, "{size} bytes");
    println!("{events} events: {size} bytes");
    let mut browser = Browser::start(&place)?;
    browser.open(&page, "");
    browser.expect_quiet();
    Some((browser, place))
}

/// How long it took to open, and the longest frame, in milliseconds.
fn times(browser: &mut Browser) -> (f64, f64) {
    let mut number = |script| browser.eval(script).as_f64().expect("a number");
    let times = (number(OPENED), number(SCROLLED));
    println!("opened, and painted at the longest, in ms: {times:?}");
    times
}

#[test]
fn ten_thousand_events_fit_and_can_be_scrolled_through() {
    let Some((mut browser, _place)) = opened("browser-10k", "3000", 10_000, 3_000_000) else {
        return;
    };
    times(&mut browser);
    browser.expect_quiet();
}

#[test]
#[ignore = "it measures time: .ci/release runs it"]
fn ten_thousand_events_are_fluid() {
    let Some((mut browser, _place)) = opened("browser-fluid", "3000", 10_000, 3_000_000) else {
        return;
    };
    let (opened, longest) = times(&mut browser);
    assert!(opened <= 1_000.0 && longest <= 50.0, "{opened} ms, {longest} ms");
}

#[test]
#[ignore = "it takes a minute, and measures time: .ci/release runs it"]
fn a_million_events_open() {
    let Some((mut browser, _place)) = opened("browser-1m", "200_000", 1_000_000, 60_000_000) else {
        return;
    };
    let (opened, longest) = times(&mut browser);
    assert!(opened <= 3_000.0 && longest <= 50.0, "{opened} ms, {longest} ms");
    browser.expect_quiet();
}
