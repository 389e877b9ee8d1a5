//! The matrix as a picture: an SVG that needs nothing beside it.

use strum::{EnumCount as _, IntoEnumIterator as _};
use svg::Document;
use svg::node::element::{Group, Line, Pattern, Rectangle, Style, Text, Title};

use crate::explore::reach::matrix::{Entry, Row};
use crate::explore::reach::{Matrix, SweepReach};
use crate::plan::{FaultClass, FaultFamily};

/// The side of a cell.
const SIDE: usize = 18;
/// Room for the names of the points.
const LEFT: usize = 190;
/// Room for the headline and the names of the classes.
const TOP: usize = 210;
/// Room for how much of a row was reached.
const RIGHT: usize = 70;
/// Room for the legend.
const BOTTOM: usize = 90;
/// Room between two families.
const GAP: usize = 8;

/// Light to dark: few faults to many.
const SHADES: [&str; 6] = ["#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08457f"];
/// The least count of each shade.
const FROM: [u64; 6] = [1, 3, 10, 30, 100, 1_000];
const MISSING: &str = "#e6550d";
const CONTRADICTION: &str = "#d4007f";

const STYLE: &str = "text{font:11px sans-serif;fill:#222}.small{font-size:10px;fill:#666}\
                     .head{font-size:16px;font-weight:bold}.family{font-weight:bold}";

/// The picture.
pub fn heat_map(reach: &SweepReach) -> String {
    let matrix = reach.matrix();
    let rows: Vec<&Row> = matrix.possible_rows().collect();
    let columns = columns();
    let (width, below) = (right_edge() + RIGHT, TOP + rows.len() * SIDE);
    let height = below + BOTTOM;
    let mut picture = Document::new()
        .set("viewBox", (0, 0, width, height))
        .set("width", width)
        .set("height", height)
        .add(Style::new(STYLE))
        .add(hatching())
        .add(Rectangle::new().set("width", width).set("height", height).set("fill", "white"))
        .add(
            text(12, 26, "Reach: faults that struck right after each protocol point")
                .set("class", "head"),
        )
        .add(text(12, 46, &format!("{}, {} runs", reach.figures(), reach.total().runs())));
    picture = picture.add(column_names(&columns));
    for (place, row) in rows.iter().enumerate() {
        picture = picture.add(row_of(row, &columns, TOP + place * SIDE));
    }
    picture.add(legend(&matrix, below + 24)).to_string()
}

/// Each class with where its column begins; families stand together.
fn columns() -> Vec<(FaultClass, usize)> {
    let mut columns = Vec::new();
    let mut left = LEFT;
    for family in FaultFamily::iter() {
        for class in FaultClass::iter().filter(|class| class.family() == family) {
            columns.push((class, left));
            left += SIDE;
        }
        left += GAP;
    }
    columns
}

fn right_edge() -> usize {
    LEFT + FaultClass::COUNT * SIDE + FaultFamily::iter().count() * GAP
}

fn text(x: usize, y: usize, content: &str) -> Text {
    Text::new(content).set("x", x).set("y", y)
}

/// Names of classes, upright, and above them those of their families.
fn column_names(columns: &[(FaultClass, usize)]) -> Group {
    let mut names = Group::new();
    let mut family = None;
    for (class, left) in columns {
        let (x, y) = (left + SIDE - 5, TOP - 6);
        let turned = format!("rotate(-90 {x} {y})");
        names = names.add(text(x, y, class.into()).set("transform", turned));
        if family.replace(class.family()) != Some(class.family()) {
            let name: &str = class.family().into();
            let rule = Line::new().set("x1", *left).set("x2", *left).set("y1", 62).set("y2", TOP);
            names = names
                .add(text(*left + 3, 72, name).set("class", "family"))
                .add(rule.set("stroke", "#bbb"));
        }
    }
    names
}

fn row_of(row: &Row, columns: &[(FaultClass, usize)], top: usize) -> Group {
    let name = text(LEFT - 8, top + 13, row.point.into()).set("text-anchor", "end");
    let mut group = Group::new().add(name);
    for (class, left) in columns {
        group = group.add(square(row, *class, *left, top));
    }
    let possible = row.entries().filter(|(_, entry)| entry.is_possible()).count();
    let reached = row.entries().filter(|(_, entry)| entry.is_reached()).count();
    let share = format!("{reached}/{possible}");
    group.add(text(right_edge() + 4, top + 13, &share).set("class", "small"))
}

/// One cell, with its number for whoever points at it.
fn square(row: &Row, class: FaultClass, left: usize, top: usize) -> Group {
    let entry = row.entry(class);
    let told = match entry {
        Entry::Reached(count) => format!("{count} times"),
        Entry::Missing => "never, and could be".to_owned(),
        Entry::NotAsked => "not asked for".to_owned(),
        Entry::Impossible(rule) => format!("impossible: {}", rule.reason()),
        Entry::Contradicts(rule, count) => format!("{count} times, against rule {rule}"),
    };
    let title = Title::new(format!("{class} after {}: {told}", row.point));
    swatch(fill(entry), left, top).add(title)
}

fn swatch(fill: &str, left: usize, top: usize) -> Group {
    let square = Rectangle::new()
        .set("x", left + 1)
        .set("y", top + 1)
        .set("width", SIDE - 2)
        .set("height", SIDE - 2)
        .set("fill", fill);
    let is_bare = fill == "white";
    Group::new().add(if is_bare { square.set("stroke", "#ddd") } else { square })
}

fn fill(entry: Entry) -> &'static str {
    match entry {
        Entry::Reached(count) => {
            let shade = FROM.iter().rposition(|from| *from <= count).unwrap_or(0);
            SHADES[shade]
        }
        Entry::Missing => MISSING,
        Entry::NotAsked => "white",
        Entry::Impossible(_) => "url(#impossible)",
        Entry::Contradicts(..) => CONTRADICTION,
    }
}

/// What impossible cells are filled with.
fn hatching() -> Pattern {
    let stroke = |line: Line| line.set("stroke", "#c4c4c4").set("stroke-width", 1);
    Pattern::new()
        .set("id", "impossible")
        .set("width", 6)
        .set("height", 6)
        .set("patternUnits", "userSpaceOnUse")
        .add(Rectangle::new().set("width", 6).set("height", 6).set("fill", "#f2f2f2"))
        .add(stroke(Line::new().set("x1", 0).set("y1", 6).set("x2", 6).set("y2", 0)))
}

fn legend(matrix: &Matrix, top: usize) -> Group {
    let mut legend = Group::new().add(text(12, top + 13, "faults that struck:"));
    let mut left = 130;
    let mut entry = |fill: &str, words: &str| {
        let group = swatch(fill, left, top).add(text(left + SIDE + 3, top + 13, words));
        left += SIDE + 14 + 6 * words.chars().count();
        group
    };
    for (place, from) in FROM.iter().enumerate() {
        let words = match FROM.get(place + 1) {
            Some(next) => format!("{from} to {}", next - 1),
            None => format!("{from} or more"),
        };
        legend = legend.add(entry(SHADES[place], &words));
    }
    legend = legend
        .add(entry(MISSING, "none, and could have"))
        .add(entry("url(#impossible)", "impossible"))
        .add(entry("white", "not asked for"));
    if matrix.contradictions().next().is_some() {
        legend = legend.add(entry(CONTRADICTION, "reached against a rule"));
    }
    let hint = "Right: classes reached of those possible. Point at a cell for its number.";
    legend.add(text(12, top + 40, hint).set("class", "small"))
}
