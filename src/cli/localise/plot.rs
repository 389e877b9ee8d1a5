//! The probability over the run as a picture: an SVG that needs nothing beside it.

use svg::Document;
use svg::node::element::{Group, Line, Polygon, Polyline, Rectangle, Style, Text, Title};

use super::super::table::whole;
use crate::explore::localise::{Estimate, Localisation};
use crate::plan::Plan;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 70.0;
const BOTTOM: f64 = 60.0;

const STYLE: &str = "text{font:11px sans-serif;fill:#222}.small{font-size:10px;fill:#666}\
                     .head{font-size:16px;font-weight:bold}";

const LINE: &str = "#2171b5";
const BAND: &str = "#c6dbef";
const LEAP: &str = "#e6550d";

/// The picture.
pub fn picture(plan: &Plan, found: &Localisation) -> String {
    let headline = format!("{}, seed {}: probability of the violation", plan.scenario, plan.seed);
    let about = format!(
        "{}; {} forks at {} places, 95 % intervals",
        found.violation,
        found.forks,
        found.estimates.len()
    );
    let scale = Scale { events: found.events.max(1) as f64 };
    Document::new()
        .set("viewBox", (0, 0, WIDTH, HEIGHT))
        .set("width", WIDTH)
        .set("height", HEIGHT)
        .add(Style::new(STYLE))
        .add(Rectangle::new().set("width", WIDTH).set("height", HEIGHT).set("fill", "white"))
        .add(text(12.0, 26.0, &headline).set("class", "head"))
        .add(text(12.0, 46.0, &about))
        .add(scale.axes())
        .add(scale.band(&found.estimates))
        .add(scale.leap(found))
        .add(scale.curve(&found.estimates))
        .to_string()
}

fn text(x: f64, y: f64, content: &str) -> Text {
    Text::new(content).set("x", x).set("y", y)
}

/// Where events and probabilities lie.
struct Scale {
    events: f64,
}

impl Scale {
    fn x(&self, events: u64) -> f64 {
        rounded(LEFT + (WIDTH - LEFT - RIGHT) * events as f64 / self.events)
    }

    fn y(&self, probability: f64) -> f64 {
        rounded(TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - probability))
    }

    fn axes(&self) -> Group {
        let mut axes = Group::new();
        for quarter in 0..=4_u32 {
            let share = f64::from(quarter) / 4.0;
            let y = self.y(share);
            let rule = Line::new().set("x1", LEFT).set("x2", WIDTH - RIGHT);
            let label = text(LEFT - 8.0, y + 4.0, &format!("{} %", quarter * 25));
            axes = axes
                .add(rule.set("y1", y).set("y2", y).set("stroke", "#ddd"))
                .add(label.set("text-anchor", "end"));
            let events = whole((self.events * share).floor());
            let label = text(self.x(events), HEIGHT - BOTTOM + 18.0, &events.to_string());
            axes = axes.add(label.set("text-anchor", "middle"));
        }
        let middle = (LEFT + WIDTH - RIGHT) / 2.0;
        let label = text(middle, HEIGHT - 16.0, "events before the fork");
        axes.add(label.set("text-anchor", "middle").set("class", "small"))
    }

    fn band(&self, estimates: &[Estimate]) -> Polygon {
        let high = estimates.iter().map(|it| (self.x(it.events), self.y(it.high)));
        let low = estimates.iter().rev().map(|it| (self.x(it.events), self.y(it.low)));
        Polygon::new().set("points", points(high.chain(low))).set("fill", BAND)
    }

    fn curve(&self, estimates: &[Estimate]) -> Group {
        let line = estimates.iter().map(|it| (self.x(it.events), self.y(it.probability)));
        let line = Polyline::new().set("points", points(line));
        let mut curve =
            Group::new().add(line.set("fill", "none").set("stroke", LINE).set("stroke-width", 1.5));
        for estimate in estimates {
            let (x, y) = (self.x(estimate.events), self.y(estimate.probability));
            let dot = Rectangle::new().set("x", x - 1.5).set("y", y - 1.5);
            let dot = dot.set("width", 3).set("height", 3).set("fill", LINE);
            let words = format!(
                "after {} events: {} of {} forks",
                estimate.events, estimate.violated, estimate.forks
            );
            curve = curve.add(dot.add(Title::new(words)));
        }
        curve
    }

    /// The step that sealed it, named beside a line.
    fn leap(&self, found: &Localisation) -> Group {
        let leap = &found.leap;
        let x = self.x(leap.after.events);
        let rule = Line::new().set("x1", x).set("x2", x).set("y1", TOP - 8.0);
        let rule = rule.set("y2", HEIGHT - BOTTOM).set("stroke", LEAP);
        let sealing = leap.context.iter().find(|line| line.is_sealing);
        let step = || leap.step.as_ref().map_or_else(String::new, ToString::to_string);
        let words = sealing.map_or_else(step, |line| line.words.clone());
        let label = format!("#{} {words}", leap.before.events);
        let (x, anchor) = if x > WIDTH / 2.0 { (x - 5.0, "end") } else { (x + 5.0, "start") };
        let label = text(x, TOP - 4.0, &label).set("text-anchor", anchor).set("fill", LEAP);
        Group::new().add(rule.set("stroke-dasharray", "4 3")).add(label)
    }
}

fn points(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

/// To a tenth: enough for a picture, and the same on every machine.
fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
