//! Pages that are broken on purpose: the tests of this folder can fail.

use std::fs;

use serde_json::Value;

use super::TABLE;
use super::client::Browser;
use crate::harness::Place;

/// A page of the documents.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gallery/unaligned-overtakes.html");

/// What is seen of a page with `planted` in the place of `sound`: its table, and what went wrong.
fn seen(
    browser: &mut Browser,
    place: &Place,
    (sound, planted): (&str, &str),
) -> (Value, Vec<String>) {
    let page = fs::read_to_string(PAGE).expect("it is in the documents");
    assert_eq!(page.matches(sound).count(), 1, "{sound} is in the page, once");
    place.write("page.html", &page.replace(sound, planted));
    browser.open(&place.path("page.html"), "");
    (browser.eval(TABLE), browser.complaints())
}

#[test]
fn what_is_wrong_with_a_page_is_seen() {
    let place = Place::new("browser-broken");
    let Some(mut browser) = Browser::start(&place) else { return };
    const SENT: &str = "tag(\"td\", {}, [count(sent)])";
    let (sound, complaints) = seen(&mut browser, &place, (SENT, SENT));
    assert!(
        complaints.is_empty() && sound.as_array().is_some_and(|rows| rows.len() > 1),
        "{sound}"
    );

    let (wrong, complaints) =
        seen(&mut browser, &place, (SENT, "tag(\"td\", {}, [count(sent + 1)])"));
    assert!(complaints.is_empty(), "{complaints:?}");
    assert_ne!(wrong, sound, "a wrong number is another table");

    let (_, complaints) = seen(&mut browser, &place, (SENT, "tag(\"td\", {}, [count(nobody)])"));
    assert!(complaints.iter().any(|one| one.starts_with("thrown: ")), "{complaints:?}");

    let asks = ("</body>", "<img src=\"http://127.0.0.1:9/\"></body>");
    let (_, complaints) = seen(&mut browser, &place, asks);
    assert!(!complaints.is_empty(), "a page asks for nothing");
}
