//! The window of one checkpoint as a log that ShiViz reads with its own pattern:
//! `(?<event>.*)\n(?<host>\S*) (?<clock>{.*})`.
//!
//! Each life is a host, whose own entry of the vector clock grows by one with each of its events. ShiViz keeps all of
//! a log in its page, so that a whole run would be too much for it.

use std::collections::BTreeMap;

use super::View;
use super::checkpoints::{Checkpoint, End};

/// A log has so many events at most: the first of its window.
pub const EVENTS_MAX: usize = 5_000;

/// The log of a checkpoint, from its trigger to its end; `index` is its place among those of the view.
#[must_use]
pub fn log(view: &View, index: usize) -> Option<String> {
    let (from, to) = window(view, view.checkpoints.get(index)?)?;
    let mut clocks: Vec<Clock> = vec![Clock::new(); view.lanes.lives.len()];
    let mut sent: BTreeMap<usize, Clock> = BTreeMap::new();
    let mut text = String::new();
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
        text.push_str(&entry(view, row, life, &clocks[life]));
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

fn entry(view: &View, row: usize, life: usize, clock: &Clock) -> String {
    let named: BTreeMap<String, u64> =
        clock.iter().map(|(life, count)| (host(view, *life), *count)).collect();
    let clock = serde_json::to_string(&named).expect("plain data can be encoded");
    format!("{}\n{} {clock}\n", view.sentence(row).replace('\n', " "), host(view, life))
}

/// The column, without blanks; with the attempt where the column has had more lives than this.
fn host(view: &View, life: usize) -> String {
    let own = view.lanes.lives[life];
    let is_only = view.lanes.lives.iter().filter(|other| other.lane == own.lane).count() == 1;
    let name: String =
        view.lanes.all[own.lane].name.split_whitespace().collect::<Vec<_>>().join("_");
    if is_only { name } else { format!("{name}@{}", own.turn) }
}
