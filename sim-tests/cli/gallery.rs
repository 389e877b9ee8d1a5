//! The gallery in the documents is what its plans give today.

use std::fs;
use std::path::Path;

use crate::harness::Place;

const GALLERY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/gallery");

/// The names of the files with this ending, in order.
fn names(dir: &Path, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("the directory is there");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("it can be read").file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).filter(|name| name.ends_with(ending)).collect();
    names.sort();
    names
}

#[test]
fn the_gallery_is_up_to_date() {
    let place = Place::new("gallery");
    let (gallery, plans) = (Path::new(GALLERY), Path::new(GALLERY).join("plans"));
    fs::create_dir_all(place.path("new/plans")).expect("a directory can be made");
    for name in names(&plans, ".json") {
        fs::copy(plans.join(&name), place.path("new/plans").join(&name))
            .expect("a plan can be copied");
    }
    place.run("generate gallery new").expect(0);
    let pages = names(&place.path("new"), ".html");
    assert_eq!(pages, names(gallery, ".html"), "one page for each plan");
    assert!(pages.len() >= 9);
    for name in pages {
        let (new, kept) =
            (place.read(&format!("new/{name}")), fs::read_to_string(gallery.join(&name)));
        let is_same = kept.is_ok_and(|kept| kept == new);
        assert!(
            is_same,
            "docs/gallery/{name} is not what its plan gives: `cargo run -- generate gallery docs/gallery`"
        );
        assert!(new.len() <= 300_000, "{name} has {} bytes", new.len());
    }
}

#[test]
fn every_page_of_the_gallery_is_told_of_and_has_a_picture() {
    let read = |name: &str| fs::read_to_string(format!("{GALLERY}/{name}"));
    let told = read("README.md").expect("it has an index");
    let protocol = read("../PROTOCOL.md").expect("it tells the protocols");
    for name in names(Path::new(GALLERY), ".html") {
        assert!(told.contains(&format!("({name}")), "{name} is in the index");
        let picture = name.replace(".html", ".png");
        assert!(told.contains(&format!("({picture})")), "{picture} is in the index");
        let link = format!("(gallery/{picture})");
        assert!(protocol.contains(&link), "{picture} is linked where its protocol is told");
        assert!(Path::new(GALLERY).join(&picture).is_file(), "{picture} is there");
    }
}

#[test]
fn a_gallery_without_plans_is_refused() {
    let place = Place::new("gallery-empty");
    fs::create_dir_all(place.path("none/plans")).expect("a directory can be made");
    assert!(place.run("generate gallery none").expect(2).err.contains("there is no plan in it"));
}
