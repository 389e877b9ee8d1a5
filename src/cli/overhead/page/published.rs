//! Published figures beside what was measured.

use crate::lab::factor::Factor;
use crate::lab::results::Metric;
use crate::lab::{Row, Session, Spread};

use super::super::super::table::{Align, Table};
use super::super::chart::{self, Axes, Series};
use super::super::telling;
use super::{distinct, figure};

/// A configuration, what was published for it, and what was measured, if it was.
struct Compared {
    at: String,
    published: f64,
    here: Option<Spread>,
}

impl Compared {
    /// What did not come in the time of the run has no place in a chart; the table says so.
    fn drawn(&self) -> Option<Spread> {
        self.here.filter(|here| here.max.is_finite())
    }
}

/// Published beside measured, where the experiment has published figures.
pub fn charts(session: &Session, rows: &[Row]) -> String {
    let figures = &session.experiment.published;
    let mut names = distinct(figures.iter().map(|figure| figure.metric.clone()));
    names.sort();
    let mut content = String::new();
    for metric in names {
        let mut bars: Vec<Compared> = Vec::new();
        for figure in figures.iter().filter(|figure| figure.metric == metric) {
            let at: Vec<String> =
                figure.at.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let is_it = |row: &&Row| {
                figure.at.iter().all(|(name, value)| {
                    Factor::named(name).is_ok_and(|factor| row.values.get(factor) == Some(value))
                })
            };
            let row = rows.iter().find(is_it);
            let found = row.and_then(|row| Some(row.spread(Metric::named(&metric)?.name)));
            bars.push(Compared { at: at.join(", "), published: figure.value, here: found });
        }
        content.push_str(&published_chart(&metric, &bars));
    }
    if content.is_empty() {
        return content;
    }
    format!("<h3>Published, and here</h3>\n<div class=\"charts\">\n{content}</div>\n")
}

fn published_chart(metric: &str, bars: &[Compared]) -> String {
    let ticks =
        chart::evenly(&(1..=bars.len()).map(|number| number.to_string()).collect::<Vec<_>>());
    let place = |index: usize| ticks.get(index).map_or(0.0, |(place, _)| *place);
    let points = |of: fn(&Compared) -> Option<f64>| {
        bars.iter().enumerate().filter_map(|(index, bar)| Some((place(index), of(bar)?))).collect()
    };
    // One configuration has nothing to do with the next: nothing joins them.
    let published = Series {
        points: points(|bar| Some(bar.published)),
        is_line: false,
        ..Series::named("published")
    };
    let ranges = bars.iter().enumerate();
    let ranges = ranges.filter_map(|(index, bar)| Some((place(index), bar.drawn()?)));
    let ranges = ranges.map(|(place, here)| (place, here.min, here.max));
    let here = Series {
        points: points(|bar| Some(bar.drawn()?.median)),
        ranges: ranges.collect(),
        is_line: false,
        ..Series::named("here")
    };
    let series = [published, here];
    let most = bars
        .iter()
        .map(|bar| bar.published.max(bar.drawn().map_or(0.0, |here| here.max)))
        .fold(0.0, f64::max);
    let axes = Axes {
        about: format!("{metric}, published and here; its table follows"),
        x: "number in the table".to_owned(),
        y: metric.to_owned(),
        x_ticks: ticks.clone(),
        y_max: chart::ceiling(most),
    };
    let mut table = Table::new(&[
        ("", Align::Right),
        ("at", Align::Left),
        ("published", Align::Right),
        ("here", Align::Right),
    ]);
    for (index, Compared { at, published, here }) in bars.iter().enumerate() {
        let here = here.map_or("not measured".to_owned(), |here| telling::spread(here, 3));
        table.row([(index + 1).to_string(), at.clone(), format!("{published:.3}"), here]);
    }
    let names: Vec<String> = series.iter().map(|one| one.name.clone()).collect();
    figure(metric, &chart::lines(&axes, &series, &[], false), &chart::key(&names, false), &table)
}
