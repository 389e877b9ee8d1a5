//! The report as a page: the table, the failures with their views, the faults, what was reached.

use std::path::Path;

use strum::IntoEnumIterator as _;

use super::super::super::pages::{document, picture, table};
use super::super::super::reach::heat_map;
use super::super::super::table::{Align, Table, count};
use super::super::super::view;
use super::super::smallest;
use super::{FailedRun, GroupRow, Report};
use crate::explore::reach::SweepReach;
use crate::plan::FaultClass;
use crate::view::markup::escaped;

/// Its name in the sweep's directory.
pub const FILE: &str = "report.html";

/// The page, for the directory `home`: views are named as they lie there.
pub fn page(report: &Report, reached: &SweepReach, home: &Path) -> String {
    let configuration = &report.configuration;
    let title = format!("Sweep of {}", configuration.scenarios.join(", "));
    let [from, to] = configuration.seeds;
    let facts = format!(
        "seeds {from}..{to} · strategy {} · {} world · {} events · configuration {}",
        configuration.strategy,
        configuration.world,
        count(report.total.events),
        configuration.hash
    );
    let mut content =
        format!("<h1>{}</h1>\n<p class=\"facts\">{}</p>\n", escaped(&title), escaped(&facts));
    content.push_str(&failures(report, home));
    content.push_str(&format!("<h2>Scenarios</h2>\n{}", table(&report.table())));
    content.push_str(&format!("<h2>Faults that struck</h2>\n{}", table(&faults(report))));
    let about = "Reach: faults that struck right after each protocol point";
    content.push_str(&format!("<h2>Reach</h2>\n{}", picture(about, &heat_map(reached))));
    document(&title, &content)
}

fn failures(report: &Report, home: &Path) -> String {
    let mut text = String::new();
    let mut failures = report.failures.as_slice();
    for GroupRow { signature, runs, listed } in &report.groups {
        let (group, rest) = failures.split_at(*listed);
        failures = rest;
        text.push_str(&format!("<h3>{}, {} runs</h3>\n", escaped(signature), count(*runs as u64)));
        let shown = group.iter().filter(|failed| failed.kept.is_some());
        shown.for_each(|failed| text.push_str(&failure(failed, home)));
    }
    for line in report.scenarios.iter().flat_map(|row| report.shortcomings(&row.name)) {
        text.push_str(&format!("<p class=\"failure\">{}</p>\n", escaped(&line)));
    }
    if text.is_empty() {
        text.push_str("<p>All that was run held.</p>\n");
    }
    format!("<h2>Failures</h2>\n{text}")
}

fn failure(failed: &FailedRun, home: &Path) -> String {
    let FailedRun { violated, command, kept, view: own, .. } = failed;
    let small = kept.as_ref().map(|kept| kept.join(smallest::DIRECTORY).join(view::FILE));
    let small = small.filter(|path| path.is_file());
    let named = [(own.as_deref(), "its view"), (small.as_deref(), "the view of it shrunk")];
    let links = named.into_iter().filter_map(|(path, words)| Some(link(path?, home, words)));
    let links: Vec<String> = links.collect();
    format!(
        "<div class=\"failure\"><p class=\"what\">{}</p>\n<p><code>{}</code></p>\n<p>{}</p></div>\n",
        escaped(violated),
        escaped(command),
        links.join(" · ")
    )
}

/// Within the directory, so that it can be moved, or packed as a whole.
fn link(path: &Path, home: &Path, words: &str) -> String {
    let path = path.strip_prefix(home).unwrap_or(path);
    let named: String = path.display().to_string().bytes().map(encoded).collect();
    format!("<a href=\"{named}\">{words}</a>")
}

/// As an address spells a byte of a path.
fn encoded(byte: u8) -> String {
    let is_plain = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
}

/// By scenario and class, how many faults struck.
fn faults(report: &Report) -> Table {
    let is_there =
        |class: &FaultClass| report.scenarios.iter().any(|row| row.faults.get(class).is_some());
    let classes: Vec<FaultClass> = FaultClass::iter().filter(is_there).collect();
    let mut columns = vec![("scenario", Align::Left)];
    columns.extend(classes.iter().map(|class| (class.into(), Align::Right)));
    let mut table = Table::new(&columns);
    for row in &report.scenarios {
        let struck = classes
            .iter()
            .map(|class| row.faults.get(class).copied().map(count).unwrap_or_default());
        table.row(std::iter::once(row.name.clone()).chain(struck));
    }
    table
}
