//! Charts as SVG that takes its colours from the page: light, dark, and on paper.

use svg::Document;
use svg::node::element::{Group, Line, Polyline, Rectangle, Text, Title};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 290.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 34.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 50.0;

/// So many colours and dashes there are; after that they begin again.
pub const STYLES: usize = 7;

/// What charts look like.
pub const STYLE: &str = "\
.chart { width: 100%; max-width: 660px; height: auto; display: block; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 18px 28px; }
.charts figure, figure.alone { margin: 0; break-inside: avoid; }
figcaption { font-weight: 600; margin: 0 0 4px; overflow-wrap: anywhere; }
.key { display: flex; flex-wrap: wrap; gap: 2px 14px; list-style: none; padding: 0; margin: 4px 0; font-size: 12.5px; }
.key svg { width: 26px; height: 10px; vertical-align: middle; margin-right: 5px; }
.chart text { fill: var(--muted); font: 11.5px system-ui, 'DejaVu Sans', sans-serif; }
.chart .rule { stroke: var(--line); }
.chart .guide { stroke: var(--muted); stroke-dasharray: 2 3; }
.chart .shade { fill: var(--muted); opacity: .16; }
.chart .best { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.chart polyline, .key line { fill: none; stroke-width: 2; }
.chart .range { stroke-width: 2.5; stroke-dasharray: none; opacity: .65; }
:root { --s0: #0072b2; --s1: #c2500a; --s2: #00835f; --s3: #a8326f; --s4: #6a51a3; --s5: #8a6d00; --s6: #4d5560; --heat: #b3201a; }
@media (prefers-color-scheme: dark) { :root { --s0: #56b4e9; --s1: #f08a4b; --s2: #2fc79b; --s3: #e683b4; --s4: #b3a1e6; --s5: #e0c341; --s6: #b5bdc7; --heat: #ff8378; } }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); stroke-dasharray: 7 3; } .s2 { stroke: var(--s2); stroke-dasharray: 2 3; }
.s3 { stroke: var(--s3); stroke-dasharray: 9 3 2 3; } .s4 { stroke: var(--s4); stroke-dasharray: 12 4; } .s5 { stroke: var(--s5); stroke-dasharray: 4 4; } .s6 { stroke: var(--s6); stroke-dasharray: 1 2; }
.f0 { fill: var(--s0); } .f1 { fill: var(--s1); } .f2 { fill: var(--s2); } .f3 { fill: var(--s3); } .f4 { fill: var(--s4); } .f5 { fill: var(--s5); } .f6 { fill: var(--s6); }
.heat { fill: var(--heat); }
@media (max-width: 480px) { .chart text { font-size: 18px; } .chart .odd { display: none; } figure th, figure td { white-space: normal; } }
@media print { .charts { grid-template-columns: 1fr 1fr; } .charts figure { margin-bottom: 8px; } .wide { overflow: visible; } table { font-size: 9px; } th, td { white-space: normal; padding-right: 6px; } }
";

/// A line: its name, and by place on the axis its values.
#[derive(Clone, Debug)]
pub struct Series {
    pub name: String,
    /// The place, 0 to 1, and the value.
    pub points: Vec<(f64, f64)>,
    /// By place, the least and the most of what was measured, where that is known.
    pub ranges: Vec<(f64, f64, f64)>,
    /// Which of them is the best, if one is marked.
    pub best: Option<usize>,
    /// Whether points are joined.
    pub is_line: bool,
}

impl Series {
    /// A line of this name, with nothing on it.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            points: Vec::new(),
            ranges: Vec::new(),
            best: None,
            is_line: true,
        }
    }
}

/// What lies along an axis: places from 0 to 1, with what is written there.
pub type Ticks = Vec<(f64, String)>;

/// What all charts of two axes have in common.
#[derive(Clone, Debug)]
pub struct Axes {
    pub about: String,
    pub x: String,
    pub y: String,
    pub x_ticks: Ticks,
    /// The highest value that is shown.
    pub y_max: f64,
}

impl Axes {
    fn y(&self, value: f64) -> f64 {
        let share = (value / self.y_max.max(1e-12)).clamp(0.0, 1.0);
        rounded(TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share))
    }

    fn document(&self) -> Document {
        let mut axes = Group::new();
        for quarter in 0..=4_u32 {
            let value = self.y_max * f64::from(quarter) / 4.0;
            let y = self.y(value);
            axes = axes.add(rule(LEFT, y, WIDTH - RIGHT, y));
            axes = axes.add(text(LEFT - 6.0, y + 4.0, &short(value)).set("text-anchor", "end"));
        }
        for (index, (place, words)) in self.x_ticks.iter().enumerate() {
            let class = if self.x_ticks.len() > 10 && index % 2 == 1 { "odd" } else { "" };
            let label = text(x(*place), HEIGHT - BOTTOM + 20.0, words);
            axes = axes.add(label.set("text-anchor", "middle").set("class", class));
        }
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        axes = axes.add(text(middle, HEIGHT - 8.0, &self.x).set("text-anchor", "middle"));
        axes = axes.add(text(4.0, 18.0, &self.y).set("text-anchor", "start"));
        Document::new()
            .set("viewBox", (0, 0, WIDTH, HEIGHT))
            .set("class", "chart")
            .set("role", "img")
            .set("aria-label", self.about.as_str())
            .add(axes)
    }
}

/// Lines or points over an axis, with spans of it shaded.
pub fn lines(axes: &Axes, series: &[Series], shaded: &[(f64, f64)], has_diagonal: bool) -> String {
    let mut document = axes.document();
    for (from, to) in shaded {
        let width = (x(*to) - x(*from)).max(0.7);
        let span = Rectangle::new().set("x", x(*from)).set("width", rounded(width));
        let span = span.set("y", TOP).set("height", HEIGHT - TOP - BOTTOM).set("class", "shade");
        document = document.add(span);
    }
    if has_diagonal {
        let guide = Line::new().set("x1", x(0.0)).set("x2", x(1.0)).set("y1", axes.y(0.0));
        document = document.add(guide.set("y2", axes.y(axes.y_max)).set("class", "guide"));
    }
    for (index, one) in series.iter().enumerate() {
        document = document.add(drawn(axes, one, index % STYLES));
    }
    document.to_string()
}

fn drawn(axes: &Axes, series: &Series, style: usize) -> Group {
    let mut group = Group::new();
    if series.is_line {
        let points: Vec<String> = series
            .points
            .iter()
            .map(|(place, value)| format!("{},{}", x(*place), axes.y(*value)))
            .collect();
        let line = Polyline::new().set("points", points.join(" "));
        group = group.add(line.set("class", format!("s{style}")));
    }
    for (place, least, most) in series.ranges.iter().filter(|(_, least, most)| least < most) {
        let words = format!("{}: {} to {}", series.name, short(*least), short(*most));
        let range = Line::new().set("x1", x(*place)).set("x2", x(*place));
        let range = range.set("y1", axes.y(*least)).set("y2", axes.y(*most));
        group = group.add(range.set("class", format!("range s{style}")).add(Title::new(words)));
    }
    // Where there are many, the line is enough.
    let has_dots = series.points.len() <= 24;
    for (index, (place, value)) in series.points.iter().enumerate().filter(|_| has_dots) {
        let (x, y) = (x(*place), axes.y(*value));
        let dot = Rectangle::new().set("x", rounded(x - 3.0)).set("y", rounded(y - 3.0));
        let dot = dot.set("width", 6).set("height", 6).set("class", format!("f{style}"));
        group = group.add(dot.add(Title::new(format!("{}: {}", series.name, short(*value)))));
        if series.best == Some(index) {
            let mark = Rectangle::new().set("x", rounded(x - 6.5)).set("y", rounded(y - 6.5));
            let mark = mark.set("width", 13).set("height", 13).set("class", "best");
            group = group.add(mark.add(Title::new("the best of this line")));
        }
    }
    group
}

/// Bars of several parts, one on another: by bar, the value of each part.
pub fn bars(axes: &Axes, parts: &[&str], bars: &[(String, Vec<f64>)]) -> String {
    let axes = Axes { x_ticks: Vec::new(), ..axes.clone() };
    let mut document = axes.document();
    let step = 1.0 / bars.len().max(1) as f64;
    for (index, (name, values)) in bars.iter().enumerate() {
        let from = x(step * (index as f64 + 0.15));
        let width = rounded(x(step * (index as f64 + 0.85)) - from);
        let mut below = 0.0;
        for (part, value) in values.iter().enumerate() {
            let (low, high) = (axes.y(below), axes.y(below + value));
            below += value;
            let bar = Rectangle::new().set("x", from).set("width", width).set("y", high);
            let bar =
                bar.set("height", rounded(low - high)).set("class", format!("f{}", part % STYLES));
            let words = format!("{name}, {}: {}", parts.get(part).unwrap_or(&""), short(*value));
            document = document.add(bar.add(Title::new(words)));
        }
        let middle = from + width / 2.0;
        let label = text(rounded(middle), HEIGHT - BOTTOM + 20.0, &(index + 1).to_string());
        // Many numbers side by side have no room on a narrow page.
        let class = if bars.len() > 10 && index % 2 == 1 { "odd" } else { "" };
        document = document.add(label.set("text-anchor", "middle").set("class", class));
    }
    document.to_string()
}

/// Rows of cells, the darker the more: by row, its name and its shares of the most.
pub fn heat(about: &str, below: &str, rows: &[(String, Vec<f64>)]) -> String {
    const ROW: f64 = 20.0;
    const NAMES: f64 = 70.0;
    let height = ROW * rows.len() as f64 + 40.0;
    let mut group = Group::new();
    for (index, (name, shares)) in rows.iter().enumerate() {
        let y = 6.0 + ROW * index as f64;
        group = group.add(text(NAMES - 6.0, y + 14.0, name).set("text-anchor", "end"));
        let width = (WIDTH - NAMES - RIGHT) / shares.len().max(1) as f64;
        for (slot, share) in shares.iter().enumerate() {
            let cell = Rectangle::new().set("x", rounded(NAMES + width * slot as f64)).set("y", y);
            let cell = cell.set("width", rounded(width + 0.3)).set("height", ROW - 2.0);
            group =
                group.add(cell.set("class", "heat").set("opacity", rounded(share * 10.0) / 10.0));
        }
    }
    let label =
        text((NAMES + WIDTH - RIGHT) / 2.0, height - 8.0, below).set("text-anchor", "middle");
    Document::new()
        .set("viewBox", (0, 0, WIDTH, height))
        .set("class", "chart")
        .set("role", "img")
        .set("aria-label", about)
        .add(group.add(label))
        .to_string()
}

/// What the lines or parts are called.
pub fn key(names: &[String], is_line: bool) -> String {
    let item = |(index, name): (usize, &String)| {
        let style = index % STYLES;
        let sample = if is_line {
            format!("<line x1=\"0\" x2=\"26\" y1=\"5\" y2=\"5\" class=\"s{style}\"/>")
        } else {
            format!("<rect width=\"26\" height=\"10\" class=\"f{style}\"/>")
        };
        let name = crate::view::markup::escaped(name);
        format!("<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\">{sample}</svg>{name}</li>")
    };
    let items: String = names.iter().enumerate().map(item).collect();
    format!("<ul class=\"key\">{items}</ul>\n")
}

/// Evenly spaced places for so many words.
pub fn evenly(words: &[String]) -> Ticks {
    let last = words.len().saturating_sub(1).max(1) as f64;
    words.iter().enumerate().map(|(index, word)| (index as f64 / last, word.clone())).collect()
}

/// A round number that is no less.
pub fn ceiling(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let mut unit = 1.0;
    while unit < value {
        unit *= 10.0;
    }
    while unit / 10.0 >= value {
        unit /= 10.0;
    }
    let steps = [0.1, 0.12, 0.16, 0.2, 0.24, 0.32, 0.4, 0.6, 0.8, 1.0];
    steps.into_iter().map(|step| step * unit).find(|top| *top >= value).unwrap_or(unit)
}

/// A number in few characters.
pub fn short(value: f64) -> String {
    let (value, unit) = match value {
        value if value >= 1e9 => (value / 1e9, "G"),
        value if value >= 1e6 => (value / 1e6, "M"),
        value if value >= 1e4 => (value / 1e3, "k"),
        value => (value, ""),
    };
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{value:.digits$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

fn x(place: f64) -> f64 {
    rounded(LEFT + (WIDTH - LEFT - RIGHT) * place.clamp(0.0, 1.0))
}

fn rule(x1: f64, y1: f64, x2: f64, y2: f64) -> Line {
    Line::new().set("x1", x1).set("x2", x2).set("y1", y1).set("y2", y2).set("class", "rule")
}

fn text(x: f64, y: f64, content: &str) -> Text {
    Text::new(content).set("x", x).set("y", y)
}

/// To a tenth: enough for a picture, and the same on every machine.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_tops_round() {
        let shown = [0.0, 0.25, 12.34, 999.0, 1_234.0, 12_340.0, 6_767_721.0].map(short);
        assert_eq!(shown, ["0", "0.25", "12.3", "999", "1234", "12.3k", "6.77M"]);
        assert_eq!([0.0, 0.9, 1.03, 55.0, 601.0].map(ceiling), [1.0, 1.0, 1.2, 60.0, 800.0]);
    }
}
