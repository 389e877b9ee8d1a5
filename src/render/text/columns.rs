//! Which processes have a column, and where it is.

use super::moments::Moment;
use crate::protocol::ProcessId;
use crate::protocol::ordered::VecMap;

/// The columns of a diagram.
#[derive(Clone, Debug)]
pub struct Columns {
    /// From left to right.
    pub shown: Vec<ProcessId>,
    /// Those for which there is no room.
    pub left_out: Vec<ProcessId>,
    /// Characters from one lifeline to the next.
    spacing: usize,
}

const SPACING_MIN: usize = 7;

const SPACING_MAX: usize = 13;

impl Columns {
    /// Columns for all that these moments mention, as far as `width` characters reach. Where they do
    /// not, those that are mentioned least are left out.
    pub fn new<'m>(moments: impl Iterator<Item = &'m Moment>, width: usize) -> Self {
        let mut mentions: VecMap<ProcessId, usize> = VecMap::new();
        for moment in moments {
            let ends = moment.arrow.map(|arrow| [arrow.from, arrow.to]);
            let weight = if moment.is_violation { usize::MAX / 2 } else { 1 };
            *mentions.entry(moment.process).or_default() += weight;
            for end in ends.into_iter().flatten().filter(|end| *end != moment.process) {
                *mentions.entry(end).or_default() += 1;
            }
        }
        let mut by_weight: Vec<(usize, ProcessId)> =
            mentions.iter().map(|(process, weight)| (*weight, *process)).collect();
        by_weight.sort_by_key(|(weight, process)| (std::cmp::Reverse(*weight), place(*process)));
        let room = (width / SPACING_MIN).max(1).min(by_weight.len());
        let mut left_out: Vec<ProcessId> =
            by_weight.split_off(room).into_iter().map(|(_, process)| process).collect();
        let mut shown: Vec<ProcessId> = by_weight.into_iter().map(|(_, process)| process).collect();
        left_out.sort_by_key(|process| place(*process));
        shown.sort_by_key(|process| place(*process));
        let spacing = (width / shown.len().max(1)).clamp(SPACING_MIN, SPACING_MAX);
        Self { shown, left_out, spacing }
    }

    /// How many characters all columns take.
    pub fn width(&self) -> usize {
        self.shown.len() * self.spacing
    }

    /// Where the lifeline of a process is; none where it has no column.
    pub fn position(&self, process: ProcessId) -> Option<usize> {
        let column = self.shown.iter().position(|shown| *shown == process)?;
        Some(column * self.spacing + self.spacing / 2)
    }

    /// The names above the columns.
    pub fn header(&self) -> String {
        let fits = |process: &ProcessId| process.to_string().len() < self.spacing;
        let is_long = self.shown.iter().all(fits);
        let name = |process: &ProcessId| {
            if is_long { process.to_string() } else { short_name(*process) }
        };
        let cell = |process: &ProcessId| format!("{:^1$}", name(process), self.spacing);
        self.shown.iter().map(cell).collect()
    }
}

/// Who speaks to whom stands side by side.
fn place(process: ProcessId) -> (u8, u16) {
    match process {
        ProcessId::Coordinator => (0, 0),
        ProcessId::Worker(worker) => (1, worker),
        ProcessId::SinkTarget => (2, 0),
        ProcessId::ObjectStore => (3, 0),
        ProcessId::MetaStore => (4, 0),
        ProcessId::SourceLog => (5, 0),
    }
}

fn short_name(process: ProcessId) -> String {
    match process {
        ProcessId::Coordinator => "coord".to_owned(),
        ProcessId::ObjectStore => "store".to_owned(),
        ProcessId::MetaStore => "meta".to_owned(),
        ProcessId::SourceLog => "log".to_owned(),
        ProcessId::SinkTarget => "sink".to_owned(),
        ProcessId::Worker(worker) => format!("w-{worker}"),
    }
}
