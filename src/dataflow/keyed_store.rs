//! Everything a stateful subtask keeps, and how it is frozen and restored.

use super::backend::{KeyEntry, KeyedBackend};
use super::collector::Collector;
use super::context::Context;
use super::data::{Bytes, Data};
use super::placement::Placement;
use super::processing_timers::{ProcessingTimer, ProcessingTimers};
use super::record::Outputs;
use super::router::Router;
use super::state::{StateDeclarations, StateShape};
use super::state_view::StateView;
use super::subtask_context::SubtaskContext;
use super::subtask_state::{KeyGroupContent, KeyGroupRef, RestoreError, SubtaskState};
use super::time::Notes;
use super::timers::Timers;
use crate::protocol::{Defect, DefectSet, KeyGroup, LineageId, SubtaskId};

/// Keyed state, timers and operator state of one subtask.
#[derive(Clone, Debug)]
pub(crate) struct KeyedStore {
    subtask: SubtaskId,
    index: u16,
    parallelism: u16,
    shapes: Vec<StateShape>,
    backend: KeyedBackend,
    timers: Timers,
    processing: ProcessingTimers,
    lists: Vec<Vec<Bytes>>,
    notes: Notes,
    /// What a defect keeps in snapshots.
    fired: Vec<(i64, Bytes)>,
    defects: DefectSet,
}

/// What a step is about: whose turn it is, when, and what its emissions descend from.
pub(crate) struct Step<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) timestamp: i64,
    pub(crate) watermark: i64,
    pub(crate) parent: LineageId,
    /// The index of the first emission.
    pub(crate) index: u32,
    /// The encoded record; nothing where a timer fires.
    pub(crate) payload: &'a [u8],
}

impl KeyedStore {
    /// An empty store with the declared state.
    pub(crate) fn new(
        placement: &Placement,
        states: &StateDeclarations,
        defects: DefectSet,
    ) -> Self {
        let (index, parallelism) = (placement.index, placement.parallelism);
        Self {
            subtask: placement.subtask,
            index,
            parallelism,
            shapes: states.shapes(),
            backend: KeyedBackend::new(states.keyed_count(), index, parallelism),
            timers: Timers::default(),
            processing: ProcessingTimers::default(),
            lists: vec![Vec::new(); states.operator_count()],
            notes: Notes::default(),
            fired: Vec::new(),
            defects,
        }
    }

    /// Runs one step of user code on the state of its key.
    #[inline]
    pub(crate) fn step<T: Data>(
        &mut self,
        step: &Step<'_>,
        router: &mut Router<T>,
        out: &mut Outputs,
        run: impl FnOnce(&mut Context<'_>, &mut Collector<'_, T>),
    ) {
        self.notes.observes = out.observes_time;
        let Step { parent, index, timestamp, .. } = *step;
        let mut collector = Collector { router, out: &mut *out, parent, index, timestamp };
        let mut run = Some(run);
        let now_ms = collector.out.now_ms;
        self.with_context(step, now_ms, &mut |context| {
            if let Some(run) = run.take() {
                run(context, &mut collector);
            }
        });
        self.notes.steps.drain(..).for_each(|step| out.note(|| step));
        out.wake_at_ms = self.processing.next();
    }

    /// What of a step is the same for all record types. Calls `run` once.
    fn with_context(
        &mut self,
        step: &Step<'_>,
        processing_time: i64,
        run: &mut dyn FnMut(&mut Context<'_>),
    ) {
        let Step { key, timestamp, watermark, parent, payload, .. } = *step;
        let Self { backend, timers, processing, lists, notes, .. } = self;
        let Self { index, parallelism, defects, .. } = self;
        let (subtask_index, parallelism, defects) = (*index, *parallelism, *defects);
        let run = &mut |entry: &mut KeyEntry| {
            let (timers, processing) = (&mut *timers, &mut *processing);
            let (lists, notes) = (&mut *lists, &mut *notes);
            run(&mut Context {
                timestamp,
                watermark,
                subtask_index,
                parallelism,
                defects,
                key,
                entry,
                timers,
                processing,
                processing_time,
                lists,
                notes,
                parent,
                payload,
            });
        };
        match key {
            Some(key) => backend.with_key(key, run),
            None => backend.without_key(run),
        }
    }

    /// What the subtask has whatever the key.
    pub(crate) fn subtask_context(&mut self) -> SubtaskContext<'_> {
        let (subtask_index, parallelism, defects) = (self.index, self.parallelism, self.defects);
        SubtaskContext { subtask_index, parallelism, lists: &mut self.lists, defects }
    }

    /// Takes out the first timer at or below `watermark`.
    pub(crate) fn pop_timer(&mut self, watermark: i64) -> Option<(i64, Bytes)> {
        let due = self.timers.pop_due(watermark);
        if self.defects.has(Defect::FiredTimerInSnapshot) {
            self.fired.extend(due.clone());
        }
        due
    }

    /// Takes out the first timer in processing time that is due.
    pub(crate) fn pop_processing_timer(&mut self, now_ms: i64) -> Option<ProcessingTimer> {
        self.processing.pop_due(now_ms)
    }

    /// When the first timer in processing time is due.
    pub(crate) fn next_processing_timer(&self) -> Option<i64> {
        self.processing.next()
    }

    /// How many timers in processing time are pending.
    pub(crate) fn processing_pending(&self) -> usize {
        self.processing.len()
    }

    /// How many timers are pending.
    pub(crate) fn timers_pending(&self) -> usize {
        self.timers.len()
    }

    /// All state, read only.
    pub(crate) fn view(&self) -> StateView<'_> {
        StateView { backend: &self.backend, lists: &self.lists }
    }

    /// Writes the state into a snapshot.
    pub(crate) fn freeze(&self, state: &mut SubtaskState) {
        state.shapes.clone_from(&self.shapes);
        state.operator_lists.clone_from(&self.lists);
        state.key_groups = self.freeze_groups();
    }

    /// Takes over what a snapshot holds, and forgets what was there.
    pub(crate) fn restore(&mut self, state: &SubtaskState) -> Result<(), RestoreError> {
        state.check_shapes(&self.shapes)?;
        self.backend.clear();
        self.timers.clear();
        self.processing.clear();
        self.lists.clone_from(&state.operator_lists);
        state.key_groups.iter().try_for_each(|(group, bytes)| self.restore_group(*group, bytes))
    }

    fn freeze_groups(&self) -> Vec<(KeyGroup, Bytes)> {
        let timers = by_group(self.timers.iter().chain(&self.fired), |(_, key)| key);
        let processing = by_group(self.processing.iter(), |timer| &timer.key);
        let filled = self.backend.groups().filter_map(|(group, entries)| {
            let place = usize::from(group.0);
            let (timers, processing) = (&timers[place], &processing[place]);
            let empty = entries.is_empty() && timers.is_empty() && processing.is_empty();
            let content = KeyGroupRef { entries, timers };
            (!empty).then(|| (group, encode_group(&content, processing)))
        });
        let mut frozen: Vec<_> = filled.collect();
        if self.defects.has(Defect::KeyGroupsCollide) && frozen.len() > 1 {
            frozen.remove(0);
        }
        frozen
    }

    fn restore_group(&mut self, group: KeyGroup, bytes: &[u8]) -> Result<(), RestoreError> {
        if !self.backend.owns(group) {
            return Err(RestoreError::ForeignKeyGroup { group, subtask: self.subtask });
        }
        let content =
            decode_group(bytes).filter(|(content, timers)| self.belongs(group, content, timers));
        let (content, processing) = content.ok_or(RestoreError::Corrupt { what: "key group" })?;
        self.backend.replace(group, content.entries);
        if self.defects.has(Defect::TimersNotRestored) {
            return Ok(());
        }
        for (timestamp, key) in &content.timers {
            self.timers.register(*timestamp, key);
        }
        for ProcessingTimer { at_ms, key, registered_by } in &processing {
            self.processing.register(*at_ms, key, *registered_by);
        }
        Ok(())
    }

    fn belongs(
        &self,
        group: KeyGroup,
        content: &KeyGroupContent,
        processing: &[ProcessingTimer],
    ) -> bool {
        let timers = content.timers.iter().map(|(_, key)| key);
        let timers = timers.chain(processing.iter().map(|timer| &timer.key));
        self.backend.fits(&content.entries)
            && content.entries.keys().chain(timers).all(|key| KeyGroup::of(key) == group)
    }
}

/// Timers, in the order in which they fire, by key group.
fn by_group<T: Clone>(timers: impl Iterator<Item = T>, key: impl Fn(&T) -> &Bytes) -> Vec<Vec<T>> {
    let mut groups = vec![Vec::new(); usize::from(KeyGroup::COUNT)];
    for timer in timers {
        groups[usize::from(KeyGroup::of(key(&timer)).0)].push(timer);
    }
    groups
}

/// Timers in processing time are behind all else, and only where there are any: a key group without them has
/// the bytes it always had.
fn encode_group(content: &KeyGroupRef<'_>, processing: &[ProcessingTimer]) -> Bytes {
    let mut bytes = postcard::to_stdvec(content).expect("plain data is encodable");
    if !processing.is_empty() {
        bytes.extend(postcard::to_stdvec(processing).expect("plain data is encodable"));
    }
    Bytes::from(bytes)
}

fn decode_group(bytes: &[u8]) -> Option<(KeyGroupContent, Vec<ProcessingTimer>)> {
    let (content, rest) = postcard::take_from_bytes(bytes).ok()?;
    if rest.is_empty() {
        return Some((content, Vec::new()));
    }
    match postcard::take_from_bytes(rest) {
        Ok((processing, [])) => Some((content, processing)),
        Ok(_) | Err(_) => None,
    }
}
