//! The parts of the page's script, each by itself: what they give is told in the page of `units.js`.

use cutwater::view::markup::SCRIPT;

use super::client::Browser;
use crate::harness::Place;

#[test]
fn each_part_of_the_script_does_as_it_says() {
    let place = Place::new("browser-units");
    let Some(mut browser) = Browser::start(&place) else { return };
    // All but the last file, which begins the page.
    let parts = SCRIPT[..SCRIPT.len() - 1].concat();
    let tests = include_str!("units.js");
    place.write(
        "units.html",
        &format!("<!doctype html><title>units</title><script>\n{parts}\n{tests}</script>"),
    );
    browser.open(&place.path("units.html"), "");
    let told = browser.eval("window.told");
    let told = told.as_array().expect("it came to its end");
    assert!(told.len() >= 8, "{told:?}");
    let failed: Vec<_> = told.iter().filter(|one| one["wrong"] != "").collect();
    assert!(failed.is_empty(), "{failed:?}");
    browser.expect_quiet();
}
