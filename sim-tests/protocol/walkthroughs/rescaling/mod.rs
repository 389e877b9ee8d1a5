//! Walk-throughs of rescaling: a job of real subtasks, a checkpoint of all of them, and what the subtasks of
//! another shape make of it.

mod jobs;
mod show;

use std::collections::BTreeMap;

use cutwater::dataflow::{Item, Job, Outputs, Part, Record, Share, Subtask, SubtaskState};
use cutwater::protocol::redistribute::joined;
use cutwater::protocol::{
    Attempt, ChannelId, CheckpointId, CompletedCheckpoint, DefectSet, Digest, KeyGroup, LineageId,
    ObjectKey, Protocol, RestorePlan, SnapshotHandle, SubtaskId, Succession,
};

/// What a subtask froze, with what was in flight to and from it.
#[derive(Clone, Debug)]
struct Frozen {
    state: SubtaskState,
    arrived: BTreeMap<ChannelId, Vec<Item>>,
    unsent: BTreeMap<ChannelId, Vec<Item>>,
}

/// A job that is rescaled.
#[derive(Debug)]
pub struct Rescaled {
    declared: Job,
    job: Job,
    protocol: Protocol,
    defects: DefectSet,
    subtasks: Vec<Subtask>,
    /// What barriers have overtaken, by channel: it had arrived; it had not been sent.
    in_flight: BTreeMap<ChannelId, [Vec<Item>; 2]>,
    /// By subtask, what a restore has put back, by input.
    put_back: BTreeMap<SubtaskId, Vec<(usize, Item)>>,
    checkpoint: u64,
    frozen: Vec<Frozen>,
    lines: Vec<String>,
}

impl Rescaled {
    /// Reads `counting 2 protocol=unaligned`.
    pub fn new(words: &[&str], defects: DefectSet) -> Result<Self, String> {
        let [name, parallelism, options @ ..] = words else {
            return Err("expected such as `rescalable counting 2`".to_owned());
        };
        let job = jobs::job(name, number(parallelism)?)?;
        let protocol = match options {
            [] => Protocol::Aligned,
            [option] => {
                let name = option.strip_prefix("protocol=").unwrap_or(option);
                name.parse().map_err(|_| format!("unknown protocol {name:?}"))?
            }
            _ => return Err("a job has one protocol".to_owned()),
        };
        let mut stage = Self {
            declared: job.clone(),
            job: job.clone(),
            protocol,
            defects,
            subtasks: Vec::new(),
            in_flight: BTreeMap::new(),
            put_back: BTreeMap::new(),
            checkpoint: 0,
            frozen: Vec::new(),
            lines: Vec::new(),
        };
        stage.subtasks = stage.fresh();
        Ok(stage)
    }

    /// Carries out one command; returns what it leads to.
    pub fn run(&mut self, words: &[&str]) -> Result<Vec<String>, String> {
        self.lines.push(format!("> {}", words.join(" ")));
        match words {
            ["deliver", channel, words @ ..] => self.deliver(channel, words)?,
            ["arrived", channel, items @ ..] => self.overtake(channel, items, 0)?,
            ["unsent", channel, items @ ..] => self.overtake(channel, items, 1)?,
            ["checkpoint"] => self.snapshot(),
            ["rescale", parallelism] => self.rescale(number(parallelism)?, false)?,
            ["rescale", parallelism, "checkpoint-first"] => {
                self.rescale(number(parallelism)?, true)?;
            }
            ["replay"] => self.replay(),
            _ => return Err(format!("unknown command {:?}", words.join(" "))),
        }
        Ok(std::mem::take(&mut self.lines))
    }

    fn fresh(&self) -> Vec<Subtask> {
        let ids = self.job.topology().subtask_ids();
        ids.map(|id| self.job.subtask(id, self.defects)).collect()
    }

    fn tell(&mut self, subtask: SubtaskId, text: impl std::fmt::Display) {
        let name = self.job.topology().name(subtask);
        self.lines.push(format!("  {name}: {text}"));
    }

    fn channel(&self, name: &str) -> Result<ChannelId, String> {
        let topology = self.job.topology();
        let found = topology.channel_ids().find(|channel| topology.channel_name(*channel) == name);
        found.ok_or_else(|| format!("unknown channel {name:?}"))
    }

    /// A channel delivers: what it leads to shows the state of the subtask.
    fn deliver(&mut self, channel: &str, words: &[&str]) -> Result<(), String> {
        let id = self.channel(channel)?;
        let to = self.job.topology().channels[id.index()].to;
        let input = self.job.topology().inputs(to).position(|other| other == id).unwrap_or(0);
        words.iter().for_each(|word| self.process(to, input, item(word)));
        Ok(())
    }

    fn process(&mut self, subtask: SubtaskId, input: usize, item: Item) {
        let mut out = Outputs { observes_time: true, ..Outputs::default() };
        let shown = show::item(&item);
        self.subtasks[subtask.index()].process(input, item, &mut out);
        self.tell(subtask, show::processed(&shown, &out));
    }

    /// A barrier overtook these: they are channel state of the next checkpoint.
    fn overtake(&mut self, channel: &str, items: &[&str], part: usize) -> Result<(), String> {
        let id = self.channel(channel)?;
        let items = items.iter().map(|word| item(word));
        self.in_flight.entry(id).or_default()[part].extend(items);
        Ok(())
    }

    /// All subtasks freeze their state, and what was overtaken is captured.
    fn snapshot(&mut self) {
        self.checkpoint += 1;
        self.frozen.clear();
        let topology = self.job.topology().clone();
        for id in topology.subtask_ids() {
            let state = self.subtasks[id.index()].freeze();
            let part = |channels: Vec<ChannelId>, part: usize| -> BTreeMap<ChannelId, Vec<Item>> {
                let of = |channel| Some((channel, self.in_flight.get(&channel)?[part].clone()));
                channels.into_iter().filter_map(of).filter(|(_, items)| !items.is_empty()).collect()
            };
            let arrived = part(topology.inputs(id).collect(), 0);
            let unsent = part(topology.outputs(id).collect(), 1);
            let shown = show::state(&state) + &show::in_flight(&topology, &arrived, &unsent);
            self.frozen.push(Frozen { state, arrived, unsent });
            if !shown.is_empty() {
                self.tell(id, format!("snapshot ckpt-{}{shown}", self.checkpoint));
            }
        }
        self.in_flight.clear();
    }

    /// The job goes on with other numbers of subtasks, from the last checkpoint; or it does not.
    fn rescale(&mut self, parallelism: u16, checkpoint_first: bool) -> Result<(), String> {
        let job = match self.judge(parallelism, checkpoint_first) {
            Ok(job) => job,
            Err(reason) => {
                self.lines.push(format!("  coordinator: refuse: {reason}"));
                return Ok(());
            }
        };
        if self.frozen.is_empty() {
            return Err("there is no checkpoint to start from".to_owned());
        }
        let before = std::mem::replace(&mut self.job, job);
        let plan = self.plan(&before)?;
        self.subtasks = self.fresh();
        for id in self.job.topology().subtask_ids() {
            self.restore(id, &before, &plan)?;
        }
        self.frozen.clear();
        Ok(())
    }

    /// As the coordinator judges a request.
    fn judge(&self, parallelism: u16, checkpoint_first: bool) -> Result<Job, String> {
        let job = self.declared.at(parallelism).map_err(|error| error.to_string())?;
        match self.job.can_deal_in_flight(&job, self.protocol) {
            Err(_) if self.protocol.may_overtake() && checkpoint_first => Ok(job),
            Err(refusal) if self.protocol.may_overtake() => {
                Err(format!("{refusal}: an aligned checkpoint must come first"))
            }
            Err(refusal) if self.protocol == Protocol::Cyclic => Err(refusal.to_string()),
            Ok(()) | Err(_) => Ok(job),
        }
    }

    fn plan(&self, before: &Job) -> Result<RestorePlan, String> {
        let checkpoint = CheckpointId(self.checkpoint);
        let handle = |subtask| SnapshotHandle {
            subtask,
            key: ObjectKey::Snapshot { checkpoint, attempt: Attempt(1), subtask },
            digest: Digest::default(),
            bytes: 0,
        };
        let snapshots = before.topology().subtask_ids().map(handle).collect();
        let attempt = Attempt(1);
        let quiet = Vec::new();
        let completed =
            CompletedCheckpoint { checkpoint, attempt, snapshots, terminal: false, quiet };
        let (old, new) = (before.topology(), self.job.topology());
        let (ranges, left) = (self.job.snapshot_ranges(), &[][..]);
        let succession = Succession { old, new, ranges: &ranges, left };
        let plan = RestorePlan::rescaled(&completed, succession, self.defects);
        let plan = plan.map_err(|error| error.to_string())?;
        let reads_senders = self.protocol.may_overtake();
        Ok(if reads_senders { plan.with_senders(&completed, old, new) } else { plan })
    }

    fn restore(&mut self, id: SubtaskId, before: &Job, plan: &RestorePlan) -> Result<(), String> {
        let parts: Vec<Part> = plan
            .snapshots_of(id)
            .iter()
            .map(|handle| Part {
                subtask: handle.subtask,
                state: self.frozen[handle.subtask.index()].state.clone(),
            })
            .collect();
        let mut found = BTreeMap::<ChannelId, [Vec<Item>; 2]>::new();
        for handle in plan.snapshots_of(id) {
            for (channel, items) in self.frozen[handle.subtask.index()].arrived.clone() {
                found.entry(channel).or_default()[0] = items;
            }
        }
        for handle in plan.senders_of(id) {
            for (channel, items) in self.frozen[handle.subtask.index()].unsent.clone() {
                found.entry(channel).or_default()[1] = items;
            }
        }
        let join = |[arrived, unsent]: [Vec<Item>; 2]| joined(arrived, unsent, self.defects);
        let found = found.into_iter().map(|(channel, parts)| (channel, join(parts))).collect();
        let job = self.job.clone();
        let state = job.redistribute(id, before, &parts, self.defects);
        let mut state = state.map_err(|error| error.to_string())?;
        let all = (&parts[..], &mut state);
        let shares = job.share_in_flight(id, before, all, found, self.defects);
        let shares = shares.map_err(|error| error.to_string())?;
        self.subtasks[id.index()].restore(&state).map_err(|error| error.to_string())?;
        self.tell_restored(id, &state, plan, before);
        self.keep(id, shares, before);
        Ok(())
    }

    fn tell_restored(
        &mut self,
        id: SubtaskId,
        state: &SubtaskState,
        plan: &RestorePlan,
        before: &Job,
    ) {
        let shown = show::state(state);
        if shown.is_empty() {
            return;
        }
        let names = |handles: &[SnapshotHandle]| -> String {
            let name = |handle: &SnapshotHandle| before.topology().name(handle.subtask);
            handles.iter().map(name).collect::<Vec<_>>().join(", ")
        };
        self.tell(id, format!("read the snapshots of {}", names(plan.snapshots_of(id))));
        self.tell(id, format!("restore{shown}"));
    }

    fn keep(&mut self, id: SubtaskId, shares: Vec<Share>, before: &Job) {
        for Share { from, input, items, .. } in shares {
            let old = before.topology().channel_name(from);
            let into = self.job.topology().inputs(id).nth(input);
            let into = into.map(|channel| self.job.topology().channel_name(channel));
            let into = into.unwrap_or_default();
            let shown: Vec<_> = items.iter().map(show::item).collect();
            self.tell(id, format!("put {} of the old {old} into {into}", shown.join(" ")));
            let kept = self.put_back.entry(id).or_default();
            kept.extend(items.into_iter().map(|item| (input, item)));
        }
    }

    /// What was put back is processed, before anything new.
    fn replay(&mut self) {
        for (subtask, items) in std::mem::take(&mut self.put_back) {
            for (input, item) in items {
                self.process(subtask, input, item);
            }
        }
    }
}

fn number(word: &str) -> Result<u16, String> {
    word.parse().map_err(|_| format!("{word:?} is not a number"))
}

/// A word, or a watermark such as `@20`.
fn item(word: &str) -> Item {
    match word.strip_prefix('@').and_then(|time| time.parse().ok()) {
        Some(time) => Item::Watermark(time),
        None => Item::Record(Record {
            lineage: LineageId(0),
            timestamp: 0,
            payload: postcard::to_stdvec(word).expect("plain data").as_slice().into(),
        }),
    }
}

/// The key group of a word.
pub fn group_of(word: &str) -> KeyGroup {
    KeyGroup::of(&postcard::to_stdvec(word).expect("plain data"))
}
