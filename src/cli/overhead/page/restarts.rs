//! What a restart takes, stacked.

use crate::lab::Row;
use crate::lab::factor::Factor;
use crate::lab::report::Recovery;

use super::super::telling::ms;
use super::{BARS_MAX, bar_chart_with, words};

const PARTS: [&str; 5] = ["detect", "deploy", "restore", "replay", "catch up"];

/// One bar a run in which a worker died.
pub fn chart(factors: &[Factor], rows: &[Row]) -> String {
    let of_row = |row: &Row| Some((words(&row.values, factors), row.report.recovery?));
    let restarts: Vec<(String, Recovery)> = rows.iter().filter_map(of_row).take(BARS_MAX).collect();
    if restarts.is_empty() {
        return String::new();
    }
    let bars: Vec<_> =
        restarts.iter().map(|(name, recovery)| (name.clone(), drawn(recovery))).collect();
    let cells: Vec<_> = restarts.iter().map(|(_, recovery)| said(recovery)).collect();
    let chart = bar_chart_with("after a worker died", &PARTS, &bars, &cells);
    let cut = restarts.iter().any(|(_, recovery)| recovery.catch_up_ms.is_none());
    let note = if cut {
        "<p>What was not over when the run ended is drawn to its end, and is never in the table.</p>\n"
    } else {
        ""
    };
    format!("<h3>Recovery</h3>\n{note}<div class=\"charts\">\n{chart}</div>\n")
}

/// The first part that does not end in the run takes what is left of it; those behind it do not begin.
fn drawn(recovery: &Recovery) -> Vec<f64> {
    let mut left = Some(recovery.until_end_ms);
    let part = |(_, took): (&str, Option<f64>)| match (left, took) {
        (Some(rest), Some(took)) => {
            left = Some((rest - took).max(0.0));
            took
        }
        (Some(rest), None) => {
            left = None;
            rest
        }
        (None, _) => 0.0,
    };
    recovery.parts().into_iter().map(part).collect()
}

fn said(recovery: &Recovery) -> Vec<String> {
    let word = |(_, took): (&str, Option<f64>)| took.map_or("never".to_owned(), ms);
    recovery.parts().into_iter().map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_end_in_the_run_is_drawn_to_its_end() {
        let recovery = Recovery {
            detect_ms: Some(40.0),
            deploy_ms: Some(60.0),
            until_end_ms: 500.0,
            ..Recovery::default()
        };
        assert_eq!(drawn(&recovery), [40.0, 60.0, 400.0, 0.0, 0.0]);
        assert_eq!(said(&recovery), ["40.0 ms", "60.0 ms", "never", "never", "never"]);
        let whole = Recovery {
            restore_ms: Some(10.0),
            replay_ms: Some(20.0),
            catch_up_ms: Some(30.0),
            ..recovery
        };
        assert_eq!(drawn(&whole), [40.0, 60.0, 10.0, 20.0, 30.0]);
    }
}
