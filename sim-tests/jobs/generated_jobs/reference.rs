//! What a job must give, worked out by plain loops over whole streams.
//!
//! Nothing here knows the engine: no channels, no subtasks but as a factor of broadcasts, no state.

use std::collections::{BTreeMap, BTreeSet};

use super::looping;
use super::spec::{Edge, JobSpec, Partitioner, Row, SinkSpec, SourceSpec, Step, StepKind};

/// All records that an operator emits in a whole run, in no particular order.
#[derive(Clone, Debug)]
pub struct Flow {
    pub rows: Vec<Timed>,
    /// Whether the times of the records are a matter of the input alone, and not of arrival.
    pub is_timed: bool,
}

/// A record with its event time.
pub type Timed = (Row, i64);

/// What all sinks together must write: each row with the number of its sink.
pub fn expected(spec: &JobSpec) -> Vec<(u8, Row)> {
    let mut flows: Vec<Flow> = spec.sources.iter().map(source).collect();
    for each in &spec.steps {
        let flow = step(each, &flows).expect("the job was kept because it has one");
        flows.push(flow);
    }
    let written = |(number, sink): (u8, &SinkSpec)| {
        let flow = spread(&flows, sink.input, sink.parallelism);
        flow.rows.into_iter().map(move |(row, _)| (number, row)).collect::<Vec<_>>()
    };
    (0..).zip(&spec.sinks).flat_map(written).collect()
}

/// What a source emits.
pub fn source(source: &SourceSpec) -> Flow {
    let mut rows = Vec::new();
    for split in &source.splits {
        for (offset, entry) in (0_u64..).zip(split) {
            for copy in 0..copies(entry.value) {
                let value = entry.value + 1_000 * offset + 500 * copy;
                rows.push((Row { key: entry.key, value }, offset.cast_signed()));
            }
        }
    }
    Flow { rows, is_timed: true }
}

/// What a step emits, of the streams before it; nothing if it takes too long.
pub fn step(step: &Step, flows: &[Flow]) -> Option<Flow> {
    let input = spread(flows, step.input, step.parallelism);
    let is_timed = input.is_timed;
    let rows = input.rows;
    Some(match step.kind {
        StepKind::Loop(spec) => {
            // What comes round is late, and event time does not tell what leaves.
            Flow { rows: looping::reference(&spec, &rows)?, is_timed: false }
        }
        StepKind::Map { add } => {
            let map = |(row, time): Timed| (Row { key: row.key + 1, value: row.value + add }, time);
            Flow { rows: rows.into_iter().map(map).collect(), is_timed }
        }
        StepKind::Filter { modulus } => {
            let keep = |timed: &Timed| !timed.0.value.is_multiple_of(modulus);
            Flow { rows: rows.into_iter().filter(keep).collect(), is_timed }
        }
        StepKind::FlatMap => {
            let several = |(row, time): Timed| {
                let copy = move |n| (Row { key: row.key, value: row.value + 7 * n }, time);
                (0..copies(row.value)).map(copy)
            };
            Flow { rows: rows.into_iter().flat_map(several).collect(), is_timed }
        }
        StepKind::Remember => Flow { rows, is_timed },
        StepKind::Count => Flow { rows: count(&rows), is_timed: false },
        StepKind::Distinct => Flow { rows: distinct(&rows), is_timed: false },
        StepKind::Total => Flow { rows: total(&rows), is_timed: false },
        StepKind::Window { width } => Flow { rows: window(&rows, width), is_timed: true },
        StepKind::Join => Flow { rows: join(&rows, &flows[step.second].rows), is_timed: false },
        StepKind::Merge => {
            let second = &flows[step.second];
            let mut both = rows;
            both.extend(&second.rows);
            Flow { rows: both, is_timed: is_timed && second.is_timed }
        }
    })
}

/// How many records come of one: 0, 1 or 2.
fn copies(value: u64) -> u64 {
    match value % 5 {
        0 => 2,
        1 => 0,
        _ => 1,
    }
}

fn spread(flows: &[Flow], edge: Edge, receivers: u16) -> Flow {
    let flow = &flows[edge.stream];
    let times = match edge.partitioner {
        Partitioner::Forward | Partitioner::Rebalance | Partitioner::Shift => 1,
        Partitioner::Broadcast => usize::from(receivers),
    };
    Flow { rows: flow.rows.repeat(times), is_timed: flow.is_timed }
}

fn count(rows: &[Timed]) -> Vec<Timed> {
    let mut of_key = BTreeMap::new();
    for (row, _) in rows {
        *of_key.entry(row.key).or_insert(0) += 1;
    }
    let up_to = |(key, last): (u16, u64)| (1..=last).map(move |value| (Row { key, value }, 0));
    of_key.into_iter().flat_map(up_to).collect()
}

fn distinct(rows: &[Timed]) -> Vec<Timed> {
    let rows: BTreeSet<Row> = rows.iter().map(|(row, _)| *row).collect();
    rows.into_iter().map(|row| (row, 0)).collect()
}

fn total(rows: &[Timed]) -> Vec<Timed> {
    let mut of_key = BTreeMap::new();
    for (row, _) in rows {
        *of_key.entry(row.key).or_insert(0) += row.value;
    }
    of_key.into_iter().map(|(key, value)| (Row { key, value }, 0)).collect()
}

fn window(rows: &[Timed], width: i64) -> Vec<Timed> {
    let mut of_window = BTreeMap::new();
    for (row, time) in rows {
        *of_window.entry((row.key, time.div_euclid(width))).or_insert(0) += 1;
    }
    let closed = |((key, number), count): ((u16, i64), u64)| {
        let value = number.cast_unsigned() * 1_000 + count;
        (Row { key, value }, number * width + width - 1)
    };
    of_window.into_iter().map(closed).collect()
}

fn join(left: &[Timed], right: &[Timed]) -> Vec<Timed> {
    let mut pairs = Vec::new();
    for (one, _) in left {
        for (other, _) in right.iter().filter(|(other, _)| other.key == one.key) {
            let value = one.value * 3 + other.value;
            pairs.push((Row { key: one.key, value }, 0));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_closes_at_its_last_moment() {
        let row = |key| Row { key, value: 9 };
        let counted = window(&[(row(1), 0), (row(1), 4), (row(1), 5), (row(2), 3)], 5);
        let found = |key, value, time| (Row { key, value }, time);
        assert_eq!(counted, [found(1, 2, 4), found(1, 1_001, 9), found(2, 1, 4)]);
    }
}
