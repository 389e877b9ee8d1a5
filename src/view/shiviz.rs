//! The window of one checkpoint as a log that ShiViz reads with its own pattern:
//! `(?<event>.*)\n(?<host>\S*) (?<clock>{.*})`.
//!
//! Each life is a host, whose own entry of the vector clock grows by one with each of its events. ShiViz keeps all of
//! a log in its page, so that a whole run would be too much for it.

use std::collections::BTreeMap;

use super::View;
use super::checkpoints::{Checkpoint, End};
use super::lanes::Life;

/// A log has so many events at most: the first of its window.
pub const EVENTS_MAX: usize = 5_000;

/// The log of a checkpoint, from its trigger to its end; `index` is its place among those of the view.
#[must_use]
pub fn log(view: &View, index: usize) -> Option<String> {
    let (from, to) = window(view, view.checkpoints.get(index)?)?;
    let mut clocks: Vec<Clock> = vec![Clock::new(); view.lanes.lives.len()];
    let mut sent: BTreeMap<usize, Clock> = BTreeMap::new();
    let mut text = String::new();
    let hosts: Vec<String> = hosts(view);
    for row in from..=to {
        let own = view.rows.all[row];
        let Some(life) = own.life else { continue };
        if let Some(learned) = own.cause.and_then(|cause| sent.get(&cause)) {
            for (other, count) in learned {
                let known = clocks[life].entry(*other).or_default();
                *known = (*known).max(*count);
            }
        }
        *clocks[life].entry(life).or_default() += 1;
        sent.insert(row, clocks[life].clone());
        text.push_str(&entry(view, &hosts, row, life, &clocks[life]));
    }
    Some(text)
}

/// By life, how many of its events are known.
type Clock = BTreeMap<usize, u64>;

fn window(view: &View, own: &Checkpoint) -> Option<(usize, usize)> {
    let steps = own
        .members
        .iter()
        .flat_map(|member| [member.barrier, member.snapshot, member.acknowledged]);
    let from = own.triggered.or_else(|| steps.clone().flatten().min())?;
    let to = match own.end {
        End::Pending => view.rows.all.len() - 1,
        End::Completed(row) | End::Aborted(row, _) => row,
    };
    Some((from, to.min(from + EVENTS_MAX - 1)))
}

fn entry(view: &View, hosts: &[String], row: usize, life: usize, clock: &Clock) -> String {
    let named: BTreeMap<&String, u64> =
        clock.iter().map(|(life, count)| (&hosts[*life], *count)).collect();
    let clock = serde_json::to_string(&named).expect("plain data can be encoded");
    format!("{}\n{} {clock}\n", view.sentence(row).replace('\n', " "), hosts[life])
}

/// By life, its column, without blanks; with the attempt where the column has had more lives than this.
fn hosts(view: &View) -> Vec<String> {
    let mut lives = vec![0; view.lanes.all.len()];
    view.lanes.lives.iter().for_each(|life| lives[life.lane] += 1);
    let host = |own: &Life| {
        let name: Vec<&str> = view.lanes.all[own.lane].name.split_whitespace().collect();
        let name = name.join("_");
        if lives[own.lane] == 1 { name } else { format!("{name}@{}", own.turn) }
    };
    view.lanes.lives.iter().map(host).collect()
}
