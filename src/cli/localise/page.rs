//! The probability over the run as a page: the chart, whose points tell their figures, and all of them as a table.

use super::super::pages::{document, picture, table};
use super::super::table::{Align, Table, count};
use super::plot;
use crate::explore::localise::{Estimate, Localisation};
use crate::plan::Plan;
use crate::protocol::VirtualTime;
use crate::view::markup::escaped;

/// The page.
pub fn page(plan: &Plan, found: &Localisation) -> String {
    let title = format!("{}, seed {}: what sealed the violation", plan.scenario, plan.seed);
    let facts = format!("{} · {} forks", found.violation, count(found.forks));
    let chart = plot::picture(plan, found);
    let content = format!(
        "<h1>{}</h1>\n<p class=\"facts\">{}</p>\n<h2>Probability over the run</h2>\n{}{}<h2>The events that sealed it</h2>\n{}",
        escaped(&title),
        escaped(&facts),
        picture("Share of forks with the same violation", &chart),
        table(&estimates(found)),
        table(&context(found)),
    );
    document(&title, &content)
}

fn estimates(found: &Localisation) -> Table {
    let right = ["events before the fork", "time", "violated", "forks", "share", "95 % interval"];
    let mut estimates = Table::new(&right.map(|title| (title, Align::Right)));
    for estimate in &found.estimates {
        let Estimate { events, at_ns, violated, forks, probability, low, high, .. } = estimate;
        estimates.row([
            count(*events),
            VirtualTime(*at_ns).to_string(),
            count(u64::from(*violated)),
            count(u64::from(*forks)),
            format!("{:.0} %", probability * 100.0),
            format!("{:.0} to {:.0} %", low * 100.0, high * 100.0),
        ]);
    }
    estimates
}

fn context(found: &Localisation) -> Table {
    let left = [
        ("", Align::Left),
        ("event", Align::Right),
        ("time", Align::Right),
        ("process", Align::Left),
        ("what", Align::Left),
    ];
    let mut events = Table::new(&left);
    for line in &found.leap.context {
        let mark = if line.is_sealing { ">>" } else { "" };
        let (number, time) = (format!("#{}", line.number), VirtualTime(line.at_ns).to_string());
        events.row([mark.to_owned(), number, time, line.process.to_string(), line.words.clone()]);
    }
    events
}
