//! An enumerator and its readers, moved one command at a time.

use std::collections::BTreeMap;

use cutwater::protocol::{
    CheckpointId, Defect, DefectSet, EnumeratorOutput, EnumeratorState, Listing, SplitEnumerator,
    SplitEvent, SplitId, SubtaskId,
};

/// What a reader has, and what is on its way to it.
#[derive(Default)]
struct Reader {
    taken: u32,
    splits: Vec<SplitId>,
    under_way: Vec<(u32, SplitEvent)>,
}

/// One source.
pub struct Stage {
    defects: DefectSet,
    names: Vec<String>,
    enumerator: SplitEnumerator,
    readers: BTreeMap<SubtaskId, Reader>,
    /// What the readers had at the cut of each checkpoint, and what the newest completed one is.
    cuts: BTreeMap<CheckpointId, BTreeMap<SubtaskId, Vec<SplitId>>>,
    completed: Option<CheckpointId>,
    /// The enumerator's part of each checkpoint.
    parts: BTreeMap<CheckpointId, EnumeratorState>,
    told: Vec<String>,
}

impl Stage {
    pub fn new(defects: DefectSet) -> Self {
        Self {
            defects,
            names: Vec::new(),
            enumerator: SplitEnumerator::new(&[], &[], defects),
            readers: BTreeMap::new(),
            cuts: BTreeMap::new(),
            completed: None,
            parts: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// What happened since it was last asked.
    pub fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// Carries a command out.
    pub fn run(&mut self, command: &str) -> Result<(), String> {
        self.told.push(format!("> {command}"));
        let words: Vec<_> = command.split_whitespace().collect();
        match words.as_slice() {
            ["defect", name] => self.defects = self.with_defect(name)?,
            ["source", names @ .., "discovering"] => self.discovering(names),
            ["list", listed @ ..] => {
                let listing = listing(listed)?;
                self.enumerator.handle_listing(&listing);
                self.enumerator.serve_waiting();
            }
            ["source", names @ .., splits] => self.source(names, splits)?,
            ["ask", reader] => {
                let reader = self.reader(reader)?;
                let taken = self.readers[&reader].taken;
                self.enumerator.handle_request(reader, taken);
            }
            ["deliver", reader] => self.deliver(reader, true)?,
            ["deliver", reader, "unconfirmed"] => self.deliver(reader, false)?,
            ["lose", reader] => {
                let reader = self.reader(reader)?;
                self.readers.entry(reader).or_default().under_way.clear();
            }
            ["repeat"] => self.repeat(),
            ["trigger", checkpoint] => {
                self.enumerator.handle_checkpoint(checkpoint_named(checkpoint)?);
            }
            ["snapshot", reader, checkpoint] => self.snapshot(reader, checkpoint)?,
            ["acknowledge", reader, checkpoint] => {
                let (reader, checkpoint) = (self.reader(reader)?, checkpoint_named(checkpoint)?);
                self.enumerator.handle_acknowledged(reader, checkpoint);
            }
            ["abort", checkpoint] => self.enumerator.handle_aborted(checkpoint_named(checkpoint)?),
            ["complete", checkpoint] => {
                let checkpoint = checkpoint_named(checkpoint)?;
                self.completed = Some(checkpoint);
                self.enumerator.handle_completed(checkpoint);
            }
            ["restart"] => self.restart(),
            ["restore", checkpoint] => self.restore(checkpoint_named(checkpoint)?)?,
            ["show"] => self.show(),
            ["ready", checkpoint] => {
                let drained = self.enumerator.is_drained(checkpoint_named(checkpoint)?);
                let word = if drained { "are asked" } else { "are not asked yet" };
                self.told.push(format!("  sources: {word} for {checkpoint}"));
            }
            _ => return Err(format!("unknown command {command:?}")),
        }
        self.settle();
        Ok(())
    }

    fn with_defect(&self, name: &str) -> Result<DefectSet, String> {
        let defect: Defect = name.parse().map_err(|_| format!("unknown defect {name:?}"))?;
        Ok(self.defects.iter().chain([defect]).collect())
    }

    fn source(&mut self, names: &[&str], splits: &str) -> Result<(), String> {
        let count = splits.strip_prefix("splits=").and_then(|count| count.parse::<u16>().ok());
        let count = count.ok_or_else(|| format!("{splits:?} is not a count, such as splits=2"))?;
        self.names = names.iter().map(|name| (*name).to_owned()).collect();
        let readers: Vec<_> = (0..).map(SubtaskId).take(names.len()).collect();
        let splits: Vec<_> = (0..count).map(SplitId).collect();
        self.enumerator = SplitEnumerator::new(&readers, &splits, self.defects);
        self.readers = readers.into_iter().map(|reader| (reader, Reader::default())).collect();
        Ok(())
    }

    /// A source whose splits are discovered.
    fn discovering(&mut self, names: &[&str]) {
        self.names = names.iter().map(|name| (*name).to_owned()).collect();
        let readers: Vec<_> = (0..).map(SubtaskId).take(names.len()).collect();
        self.enumerator = SplitEnumerator::discovering(&readers, None, self.defects);
        self.readers = readers.into_iter().map(|reader| (reader, Reader::default())).collect();
    }

    /// Another coordinator takes over, and starts from a checkpoint.
    fn restore(&mut self, checkpoint: CheckpointId) -> Result<(), String> {
        let part = self.parts.get(&checkpoint);
        let part = part.ok_or_else(|| format!("{checkpoint} has no part of the enumerator"))?;
        let readers: Vec<_> = self.readers.keys().copied().collect();
        self.enumerator = SplitEnumerator::discovering(&readers, Some(part), self.defects);
        self.give_back(Some(checkpoint));
        Ok(())
    }

    fn deliver(&mut self, name: &str, confirms: bool) -> Result<(), String> {
        let id = self.reader(name)?;
        let reader = self.readers.entry(id).or_default();
        if reader.under_way.is_empty() {
            return Err(format!("nothing is under way to {name}"));
        }
        let (number, event) = reader.under_way.remove(0);
        let is_next = number == reader.taken;
        if is_next {
            reader.taken += 1;
            if let SplitEvent::Assign(split) = event {
                reader.splits.push(split);
            }
        }
        let taken = reader.taken;
        let does = if is_next { "takes" } else { "has had" };
        self.told.push(format!("  {name}: {does} event {number}, {}", shown(event)));
        if confirms {
            self.enumerator.handle_taken(id, taken);
        }
        Ok(())
    }

    fn repeat(&mut self) {
        if let Err(reader) = self.enumerator.handle_repeat_due(2) {
            let name = self.name(reader);
            self.told.push(format!("  enumerator: {name} cannot be told: the attempt is over"));
        }
    }

    fn snapshot(&mut self, name: &str, checkpoint: &str) -> Result<(), String> {
        let (id, checkpoint) = (self.reader(name)?, checkpoint_named(checkpoint)?);
        let splits = self.readers[&id].splits.clone();
        self.told.push(format!("  {name}: snapshots {} for {checkpoint}", listed(&splits)));
        self.cuts.entry(checkpoint).or_default().insert(id, splits);
        Ok(())
    }

    fn restart(&mut self) {
        self.give_back(self.completed);
        self.enumerator.handle_restart();
    }

    /// Readers have what they had at the cut.
    fn give_back(&mut self, checkpoint: Option<CheckpointId>) {
        let cut = checkpoint.and_then(|checkpoint| self.cuts.get(&checkpoint));
        let cut = cut.cloned().unwrap_or_default();
        for (id, reader) in &mut self.readers {
            let splits = cut.get(id).cloned().unwrap_or_default();
            *reader = Reader { splits, ..Reader::default() };
        }
    }

    fn show(&mut self) {
        let unassigned = self.enumerator.state().unassigned;
        self.told.push(format!("  enumerator: {}", listed(&unassigned)));
        let known = self.enumerator.state().known;
        if !known.is_empty() {
            self.told.push(format!("  enumerator: knows {}", listed(&known)));
        }
        for (id, reader) in &self.readers {
            self.told.push(format!("  {}: {}", self.name(*id), listed(&reader.splits)));
        }
    }

    fn settle(&mut self) {
        while let Some(output) = self.enumerator.poll_output() {
            let line = match output {
                EnumeratorOutput::Discovered { split } => format!("discover {split}"),
                EnumeratorOutput::Assigned { reader, split } => {
                    format!("assign {split} to {}", self.name(reader))
                }
                EnumeratorOutput::Exhausted { reader } => {
                    format!("nothing is left for {}", self.name(reader))
                }
                EnumeratorOutput::Send { reader, number, event } => {
                    let receiver = self.readers.entry(reader).or_default();
                    receiver.under_way.push((number, event));
                    format!("tell {} event {number}, {}", self.name(reader), shown(event))
                }
                EnumeratorOutput::Snapshot { checkpoint, state } => {
                    let line = snapshot_line(checkpoint, &state);
                    self.parts.insert(checkpoint, state);
                    line
                }
                EnumeratorOutput::Closed { reader, checkpoint } => {
                    format!("close the gateway to {} for {checkpoint}", self.name(reader))
                }
                EnumeratorOutput::Reopened { reader, checkpoint } => {
                    format!("open the gateway to {}, {checkpoint} is past", self.name(reader))
                }
                EnumeratorOutput::Returned { reader, splits } => {
                    format!("take {} back from {}", listed(&splits), self.name(reader))
                }
            };
            self.told.push(format!("  enumerator: {line}"));
        }
    }

    fn name(&self, reader: SubtaskId) -> &str {
        &self.names[reader.index()]
    }

    fn reader(&self, name: &str) -> Result<SubtaskId, String> {
        let found = self.names.iter().position(|known| known == name);
        let index = found.ok_or_else(|| format!("unknown reader {name:?}"))?;
        Ok(SubtaskId(u16::try_from(index).unwrap_or(u16::MAX)))
    }
}

fn snapshot_line(checkpoint: CheckpointId, state: &EnumeratorState) -> String {
    let EnumeratorState { unassigned, known } = state;
    match known.is_empty() {
        true => format!("snapshot {} for {checkpoint}", listed(unassigned)),
        false => format!("snapshot {} of {} for {checkpoint}", listed(unassigned), listed(known)),
    }
}

/// What the source log lists: `split-0 split-2`, `removed:split-1`, `complete`.
fn listing(words: &[&str]) -> Result<Listing, String> {
    let mut listing = Listing::default();
    for word in words {
        match word.strip_prefix("removed:") {
            Some(split) => listing.removed.push(split_named(split)?),
            None if *word == "complete" => listing.is_complete = true,
            None => listing.there.push(split_named(word)?),
        }
    }
    Ok(listing)
}

fn split_named(word: &str) -> Result<SplitId, String> {
    let id = word.strip_prefix("split-").and_then(|id| id.parse().ok());
    id.map(SplitId).ok_or_else(|| format!("{word:?} is not a split, such as split-1"))
}

fn shown(event: SplitEvent) -> String {
    match event {
        SplitEvent::Assign(split) => split.to_string(),
        SplitEvent::NoMore => "no more".to_owned(),
    }
}

fn listed(splits: &[SplitId]) -> String {
    let names: Vec<_> = splits.iter().map(ToString::to_string).collect();
    format!("[{}]", names.join(", "))
}

fn checkpoint_named(word: &str) -> Result<CheckpointId, String> {
    let id = word.strip_prefix("ckpt-").and_then(|id| id.parse().ok());
    id.map(CheckpointId).ok_or_else(|| format!("{word:?} is not a checkpoint, such as ckpt-1"))
}
