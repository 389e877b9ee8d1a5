//! How walk-throughs of rescaling show state, records and watermarks.

use std::collections::BTreeMap;

use cutwater::dataflow::{Item, Outputs, Record, SubtaskState, TimeStep};
use cutwater::protocol::{ChannelId, Topology};

use super::group_of;

/// The words that walk-throughs use: a key group is shown with those that are in it.
const WORDS: [&str; 8] = ["apple", "banana", "cherry", "date", "fig", "kiwi", "nut", "plum"];

/// A word, or `@20`.
pub fn item(item: &Item) -> String {
    match item {
        Item::Record(record) => word_of(record),
        Item::Watermark(watermark) => format!("@{watermark}"),
    }
}

fn word_of(record: &Record) -> String {
    postcard::from_bytes(&record.payload).unwrap_or_else(|_| "?".to_owned())
}

/// What came of an item.
pub fn processed(shown: &str, out: &Outputs) -> String {
    let mut told = format!("process {shown}");
    for (_, step) in &out.time {
        if let TimeStep::Advanced { watermark } = step {
            told += &format!(", come to @{watermark}");
        }
    }
    for (_, item) in &out.items {
        let counted = match item {
            Item::Record(record) => postcard::from_bytes::<(String, u64)>(&record.payload).ok(),
            Item::Watermark(_) => None,
        };
        if let Some((word, count)) = counted {
            told += &format!(", {word}={count}");
        }
    }
    told
}

/// ` {kg-12 (fig)}`, the lists, and what inputs have come to; nothing where there is none of it.
pub fn state(state: &SubtaskState) -> String {
    let mut shown = String::new();
    if !state.key_groups.is_empty() {
        let group = |group| {
            let words = WORDS.iter().filter(|word| group_of(word) == group);
            format!("{group} ({})", words.copied().collect::<Vec<_>>().join(", "))
        };
        let groups: Vec<_> = state.key_groups.iter().map(|(id, _)| group(*id)).collect();
        shown += &format!(" {{{}}}", groups.join(", "));
    }
    let lists = state.shapes.iter().filter(|shape| shape.kind.is_operator_list());
    for (shape, elements) in lists.zip(&state.operator_lists) {
        let words: Vec<String> = elements
            .iter()
            .map(|bytes| postcard::from_bytes(bytes).unwrap_or_else(|_| "?".to_owned()))
            .collect();
        shown += &format!(" {}=[{}]", shape.name, words.join(", "));
    }
    if state.watermarks.iter().any(|watermark| *watermark != i64::MIN) {
        let time = |watermark: &i64| match *watermark {
            i64::MIN => "none".to_owned(),
            watermark => format!("@{watermark}"),
        };
        let known: Vec<_> = state.watermarks.iter().map(time).collect();
        shown += &format!(" inputs at [{}]", known.join(", "));
    }
    shown
}

/// ` in-flight={…}` by channel; nothing where there is none.
pub fn in_flight(
    topology: &Topology,
    arrived: &BTreeMap<ChannelId, Vec<Item>>,
    unsent: &BTreeMap<ChannelId, Vec<Item>>,
) -> String {
    let lane = |(channel, items): (&ChannelId, &Vec<Item>)| {
        let shown: Vec<_> = items.iter().map(item).collect();
        format!("{}: {}", topology.channel_name(*channel), shown.join(" "))
    };
    let lanes: Vec<_> = arrived.iter().chain(unsent).map(lane).collect();
    if lanes.is_empty() { String::new() } else { format!(" in-flight={{{}}}", lanes.join("; ")) }
}
