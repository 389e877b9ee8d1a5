//! Loops: how they are built, and what comes of a record in one.

use std::collections::BTreeSet;

use cutwater::dataflow::{JobBuilder, Stream};

use super::operators::{Distinct, Remember, multiplicity};
use super::reference::Timed;
use super::spec::{Body, LoopSpec, Row};
use super::wiring::spread_by;

/// Builds a loop, and gives what leaves it.
pub fn declare(
    builder: &JobBuilder,
    spec: &LoopSpec,
    name: &str,
    wide: u16,
    input: &Stream<Row>,
) -> Stream<Row> {
    let LoopSpec { limit, .. } = *spec;
    let part = |part: &str| format!("{name}-{part}");
    let again = builder.feedback::<Row>(&part("again"));
    let mut stream = input.merge(&part("head"), wide, &spread_by(spec.back, &again.stream()));
    let shortcut = spec.shortcut.then(|| builder.feedback::<Row>(&part("shortcut")));
    if let Some(shortcut) = &shortcut {
        stream = stream.merge(&part("joined"), wide, &shortcut.stream().rebalance());
    }
    stream = body(spec.body, &part("body"), wide, &stream);
    if spec.inner {
        let odd = builder.feedback::<Row>(&part("odd"));
        stream = stream.merge(&part("inner"), wide, &odd.stream());
        let lessen = move |row: Row| goes_round_inner(row, limit).then(|| lessened(row));
        odd.close(&stream.flat_map(&part("lessen"), wide, lessen));
        let goes_on = move |row: &Row| !goes_round_inner(*row, limit);
        stream = stream.filter(&part("even"), wide, goes_on);
    }
    if let Some(shortcut) = shortcut {
        let short = move |row: Row| takes_shortcut(row, limit).then(|| halved(row));
        shortcut.close(&stream.flat_map(&part("short"), wide, short));
        stream = stream.filter(&part("long"), wide, move |row| !takes_shortcut(*row, limit));
    }
    let stream = stream.map(&part("halve"), wide, halved);
    again.close(&stream.filter(&part("more"), wide, move |row| row.value > limit));
    if spec.every_time {
        stream
    } else {
        stream.filter(&part("left"), wide, move |row| row.value <= limit)
    }
}

fn body(body: Body, name: &str, wide: u16, stream: &Stream<Row>) -> Stream<Row> {
    match body {
        Body::Nothing => stream.clone(),
        Body::FlatMap => stream.rebalance().flat_map(name, wide, |row: Row| {
            let copy = move |n| Row { key: row.key, value: row.value + n };
            (0..multiplicity(row.value)).map(copy)
        }),
        Body::Remember => stream.shift().process(name, wide, Remember::new).into_stream(),
        Body::Distinct => {
            stream.key_by(|row: &Row| row.key).process(name, wide, Distinct::new).into_stream()
        }
    }
}

fn halved(row: Row) -> Row {
    Row { value: row.value / 2, ..row }
}

fn lessened(row: Row) -> Row {
    Row { value: row.value - row.value / 3, ..row }
}

fn goes_round_inner(row: Row, limit: u64) -> bool {
    row.value % 2 == 1 && row.value > limit
}

fn takes_shortcut(row: Row, limit: u64) -> bool {
    row.value % 7 == 3 && row.value > limit
}

/// How many times round a reference is worked out; a job with more is not built.
pub const ROUNDS_MAX: usize = 1_200;

/// What leaves a loop, one record after the other, each to its end; nothing if it takes too long.
pub fn reference(spec: &LoopSpec, rows: &[Timed]) -> Option<Vec<Timed>> {
    let mut left = Vec::new();
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<Row> = rows.iter().map(|(row, _)| *row).collect();
    let mut rounds = 0;
    while let Some(row) = waiting.pop() {
        rounds += 1;
        if rounds > ROUNDS_MAX {
            return None;
        }
        for mut row in through_body(spec.body, row, &mut seen) {
            while spec.inner && row.value % 2 == 1 && row.value > spec.limit {
                row.value -= row.value / 3;
            }
            let goes_back = spec.shortcut && row.value % 7 == 3 && row.value > spec.limit;
            row.value /= 2;
            if goes_back {
                waiting.push(row);
                continue;
            }
            if row.value > spec.limit {
                waiting.push(row);
            }
            if spec.every_time || row.value <= spec.limit {
                left.push((row, 0));
            }
        }
    }
    Some(left)
}

fn through_body(body: Body, row: Row, seen: &mut BTreeSet<Row>) -> Vec<Row> {
    match body {
        Body::Nothing | Body::Remember => vec![row],
        Body::FlatMap if row.value.is_multiple_of(5) => {
            vec![row, Row { key: row.key, value: row.value + 1 }]
        }
        Body::FlatMap if row.value % 5 == 1 => Vec::new(),
        Body::FlatMap => vec![row],
        Body::Distinct if seen.insert(row) => vec![row],
        Body::Distinct => Vec::new(),
    }
}
