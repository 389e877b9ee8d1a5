//! Every workload gives its expected output, whatever the interleaving, the parallelism and the restores.
//!
//! The jobs run here without a cluster: a driver that knows nothing but channels hands records from
//! subtask to subtask, in an order drawn from a seed.

use std::collections::{BTreeMap, VecDeque};

use cutwater::dataflow::{Deal, Item, Outputs, Subtask, SubtaskState};
use cutwater::protocol::lineage::mix;
use cutwater::protocol::{ChannelId, DefectSet, SplitId, SubtaskId};
use cutwater::workload::{self, Experiment, Workload, WorkloadError, WorkloadSettings};

/// What a channel carries in this driver.
#[derive(Clone, Debug)]
enum Message {
    Item(Item),
    End,
}

/// One thing that can happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Read(SubtaskId, SplitId),
    Deliver(ChannelId),
    Answer(SubtaskId, u64),
}

/// All subtasks of an experiment, and what is between them.
struct Run<'a> {
    experiment: &'a Experiment,
    subtasks: Vec<Subtask>,
    channels: Vec<VecDeque<Message>>,
    ended_splits: Vec<bool>,
    /// Per channel, whether its end was delivered.
    ended_channels: Vec<bool>,
    /// Per subtask, how many of its inputs have not ended.
    open_inputs: Vec<usize>,
    written: Vec<Vec<u8>>,
    random: u64,
}

/// A consistent cut: all channels are empty.
struct Checkpoint {
    states: Vec<SubtaskState>,
    ended_splits: Vec<bool>,
    ended_channels: Vec<bool>,
    open_inputs: Vec<usize>,
    written: usize,
}

impl<'a> Run<'a> {
    fn new(experiment: &'a Experiment, seed: u64) -> Self {
        let topology = experiment.job.topology();
        Self {
            experiment,
            subtasks: fresh_subtasks(experiment),
            channels: topology.channel_ids().map(|_| VecDeque::new()).collect(),
            ended_splits: vec![false; usize::from(experiment.input.split_count())],
            ended_channels: topology.channel_ids().map(|_| false).collect(),
            open_inputs: topology.subtask_ids().map(|id| topology.inputs(id).count()).collect(),
            written: Vec::new(),
            random: seed,
        }
    }

    /// Takes at most `steps_max` steps; whether there may be more.
    fn run(&mut self, steps_max: u64) -> bool {
        for _ in 0..steps_max {
            let mut possible = self.reads();
            possible.extend(self.deliveries());
            possible.extend(self.answers());
            if !self.take_one(&possible) && !self.end_loops() {
                return false;
            }
        }
        true
    }

    /// Reads nothing, and delivers until all channels are empty. Requests are answered only where whoever made
    /// them can take no more.
    fn drain(&mut self) {
        while self.take_one(&self.deliveries()) || self.is_stuck() && self.take_one(&self.answers())
        {
        }
    }

    fn is_stuck(&self) -> bool {
        self.channels.iter().any(|held| !held.is_empty())
    }

    fn checkpoint(&mut self) -> Checkpoint {
        self.drain();
        Checkpoint {
            states: self.subtasks.iter().map(Subtask::freeze).collect(),
            ended_splits: self.ended_splits.clone(),
            ended_channels: self.ended_channels.clone(),
            open_inputs: self.open_inputs.clone(),
            written: self.written.len(),
        }
    }

    /// Forgets everything since `checkpoint`.
    fn restore(&mut self, checkpoint: &Checkpoint) {
        self.subtasks = fresh_subtasks(self.experiment);
        for (subtask, state) in self.subtasks.iter_mut().zip(&checkpoint.states) {
            let read_back = SubtaskState::decode(&state.encode()).expect("a whole snapshot");
            subtask.restore(&read_back).expect("a snapshot of the same subtask");
            subtask.open();
        }
        self.channels.iter_mut().for_each(VecDeque::clear);
        self.ended_splits.clone_from(&checkpoint.ended_splits);
        self.ended_channels.clone_from(&checkpoint.ended_channels);
        self.open_inputs.clone_from(&checkpoint.open_inputs);
        self.written.truncate(checkpoint.written);
    }

    fn take_one(&mut self, possible: &[Step]) -> bool {
        if possible.is_empty() {
            return false;
        }
        self.random = mix(self.random);
        match possible[(self.random % possible.len() as u64) as usize] {
            Step::Read(subtask, split) => self.read(subtask, split),
            Step::Deliver(channel) => self.deliver(channel),
            Step::Answer(subtask, request) => self.answer(subtask, request),
        }
        true
    }

    fn reads(&self) -> Vec<Step> {
        let mut reads = Vec::new();
        for subtask in &self.subtasks {
            let open = subtask.splits().iter().filter(|at| !self.ended_splits[at.split.index()]);
            reads.extend(open.map(|at| Step::Read(subtask.id(), at.split)));
        }
        reads
    }

    fn deliveries(&self) -> Vec<Step> {
        let topology = self.experiment.job.topology();
        let is_taken =
            |id: &ChannelId| !self.subtasks[topology.channels[id.index()].to.index()].is_full();
        let channels = (0..).map(ChannelId).zip(&self.channels);
        let held = channels.filter(|(_, held)| !held.is_empty()).map(|(id, _)| id);
        held.filter(is_taken).map(Step::Deliver).collect()
    }

    fn answers(&self) -> Vec<Step> {
        let of = |subtask: &Subtask| {
            let id = subtask.id();
            subtask.requests_under_way().into_iter().map(move |request| Step::Answer(id, request))
        };
        self.subtasks.iter().flat_map(of).collect()
    }

    fn answer(&mut self, id: SubtaskId, request: u64) {
        let mut out = Outputs::default();
        self.subtasks[id.index()].answer(request);
        self.subtasks[id.index()].emit_answered(&mut out);
        self.send(id, out);
        self.end_if(self.open_inputs[id.index()] == 0, id);
    }

    fn read(&mut self, id: SubtaskId, split: SplitId) {
        let subtask = &mut self.subtasks[id.index()];
        let position = subtask.splits().iter().find(|position| position.split == split);
        let offset = position.expect("a split of this subtask").offset;
        let mut out = Outputs::default();
        if let Some(entry) = self.experiment.input.entry(split, offset) {
            subtask.read(split, offset, entry, &mut out);
            self.send(id, out);
        } else {
            let all_ended = subtask.end_split(split, &mut out);
            self.ended_splits[split.index()] = true;
            self.send(id, out);
            self.end_if(all_ended, id);
        }
    }

    fn deliver(&mut self, channel: ChannelId) {
        let topology = self.experiment.job.topology();
        let to = topology.channels[channel.index()].to;
        let input = topology.inputs(to).position(|each| each == channel).expect("an input of it");
        let mut out = Outputs::default();
        match self.channels[channel.index()].pop_front().expect("a channel that holds something") {
            Message::Item(item) => {
                self.subtasks[to.index()].process(input, item, &mut out);
                self.send(to, out);
            }
            Message::End => {
                self.subtasks[to.index()].end_channel(input, &mut out);
                self.send(to, out);
                self.ended_channels[channel.index()] = true;
                self.open_inputs[to.index()] -= 1;
                self.end_if(self.open_inputs[to.index()] == 0, to);
            }
        }
    }

    fn send(&mut self, from: SubtaskId, out: Outputs) {
        let outputs: Vec<ChannelId> = self.experiment.job.topology().outputs(from).collect();
        for (index, item) in out.items {
            let channel = outputs[usize::from(index)];
            self.channels[channel.index()].push_back(Message::Item(item));
        }
        self.written.extend(out.written.iter().map(|record| record.payload.to_vec()));
    }

    fn end_if(&mut self, ended: bool, from: SubtaskId) {
        let job = &self.experiment.job;
        let has_ended = ended && self.subtasks[from.index()].requests_pending() == 0;
        let outputs = job.topology().outputs(from).filter(|_| has_ended);
        for channel in outputs.filter(|channel| !job.loops().leads_back(*channel)) {
            self.channels[channel.index()].push_back(Message::End);
        }
    }

    /// Nothing moves: loops that get no more from outside have ended. Whether there were any.
    fn end_loops(&mut self) -> bool {
        let (topology, loops) = (self.experiment.job.topology(), self.experiment.job.loops());
        let ended = |channel: ChannelId| self.ended_channels[channel.index()];
        let quiet = |id: &SubtaskId| {
            topology.inputs(*id).all(|each| !loops.enters(topology, each) || ended(each))
        };
        let quiet = topology.subtask_ids().filter(quiet).collect();
        let over = loops.quiet(topology, &quiet);
        let inputs = over.iter().flat_map(|id| topology.inputs(*id));
        let back: Vec<_> = inputs.filter(|each| loops.leads_back(*each) && !ended(*each)).collect();
        for channel in &back {
            self.channels[channel.index()].push_back(Message::End);
        }
        !back.is_empty()
    }

    /// The conserved quantity over all subtasks, where the job declares one.
    fn tokens(&self) -> Option<i64> {
        self.subtasks.iter().filter_map(Subtask::tokens).reduce(|sum, tokens| sum + tokens)
    }
}

fn fresh_subtasks(experiment: &Experiment) -> Vec<Subtask> {
    let job = &experiment.job;
    let defects = DefectSet::default();
    job.topology().subtask_ids().map(|id| job.subtask(id, defects)).collect()
}

/// How often each payload occurs.
fn multiset(payloads: &[Vec<u8>]) -> BTreeMap<&[u8], usize> {
    let mut counts = BTreeMap::new();
    for payload in payloads {
        *counts.entry(payload.as_slice()).or_default() += 1;
    }
    counts
}

fn assert_as_expected(run: &Run<'_>, context: &str) {
    let (written, expected) = (multiset(&run.written), multiset(&run.experiment.expected));
    let missing = expected.iter().filter(|(payload, count)| written.get(*payload) != Some(count));
    let extra = written.iter().filter(|(payload, count)| expected.get(*payload) != Some(count));
    let (missing, extra) = (missing.count(), extra.count());
    assert!(missing == 0 && extra == 0, "{context}: {missing} payloads missing, {extra} extra");
}

/// A size that runs in a moment.
fn small(workload: &Workload, parallelism: u16, splits: u16, seed: u64) -> Experiment {
    dealt(workload, parallelism, splits, Deal::Even, seed)
}

/// The same, with another shape of input.
fn dealt(workload: &Workload, parallelism: u16, splits: u16, deal: Deal, seed: u64) -> Experiment {
    let splits = if workload.single_split { 1 } else { splits };
    let records = Some(1_500);
    let usual = workload.usual_settings(parallelism, seed);
    let settings = WorkloadSettings { records, splits, deal, ..usual };
    workload.experiment(&settings).expect("settings within every workload's bounds")
}

/// Workloads that a test can run by hand: an external system shows rows when it likes, and is run by worlds alone.
fn run_in_turn() -> impl Iterator<Item = &'static Workload> {
    let has_system = |workload: &Workload| small(workload, 1, 1, 1).job.external_system().is_some();
    workload::all().iter().filter(move |workload| !has_system(workload))
}

#[test]
fn every_workload_gives_what_is_expected_in_every_interleaving() {
    for workload in run_in_turn() {
        for (parallelism, splits, seed) in [(1, 1, 1), (2, 2, 2), (2, 5, 3), (3, 4, 4)] {
            let experiment = small(workload, parallelism, splits, seed);
            for order in 0..3 {
                let mut run = Run::new(&experiment, order);
                while run.run(10_000) {}
                let name = &workload.name;
                assert_as_expected(&run, &format!("{name} x{parallelism}, order {order}"));
            }
        }
    }
}

#[test]
fn every_workload_gives_what_is_expected_however_its_input_is_dealt() {
    for workload in run_in_turn() {
        for deal in [Deal::Uneven, Deal::Empty { splits: 1 }, Deal::Empty { splits: 3 }] {
            if workload.single_split && deal != Deal::Uneven {
                continue;
            }
            let (name, experiment) = (&workload.name, dealt(workload, 2, 4, deal, 6));
            let is_same = experiment.expected == small(workload, 2, 4, 6).expected;
            assert!(is_same || name == "sequence", "{name}: {deal:?} changes what is expected");
            for order in 0..3 {
                let mut run = Run::new(&experiment, order);
                while run.run(10_000) {}
                assert_as_expected(&run, &format!("{name}, {deal:?}, order {order}"));
            }
        }
    }
}

#[test]
fn every_workload_gives_what_is_expected_after_restores() {
    for workload in run_in_turn() {
        let experiment = small(workload, 2, 3, 7);
        for order in 0..4 {
            let mut run = Run::new(&experiment, order);
            for steps in [700, 1_300, 2_900] {
                run.run(steps);
                let checkpoint = run.checkpoint();
                run.run(steps);
                run.restore(&checkpoint);
            }
            while run.run(10_000) {}
            assert_as_expected(&run, &format!("{}, order {order}", workload.name));
        }
    }
}

#[test]
fn the_expected_output_does_not_depend_on_parallelism() {
    for workload in workload::all() {
        let one = small(workload, 1, 4, 5);
        let three = small(workload, 3, 4, 5);
        assert_eq!(one.expected, three.expected, "{}", workload.name);
        assert_eq!(one.input, three.input, "{}", workload.name);
    }
}

#[test]
fn the_output_is_never_empty() {
    for workload in workload::all() {
        for seed in 0..20 {
            let settings = WorkloadSettings { records: None, ..workload.usual_settings(2, seed) };
            let experiment = workload.experiment(&settings).expect("usual settings are possible");
            assert!(!experiment.expected.is_empty(), "{}, seed {seed}", workload.name);
        }
    }
}

#[test]
fn the_balances_of_every_cut_add_up_to_nothing() {
    let bank = workload::named("bank").expect("a workload of this name");
    let experiment = small(bank, 3, 4, 1);
    let mut run = Run::new(&experiment, 1);
    let mut cuts = 0;
    while run.run(500) {
        run.drain();
        assert_eq!(run.tokens(), Some(0), "cut {cuts}");
        cuts += 1;
    }
    assert!(cuts > 5, "only {cuts} cuts");
}

#[test]
fn a_whole_novel_is_counted() {
    let word_count = workload::named("word-count").expect("a workload of this name");
    let experiment = word_count.experiment(&word_count.usual_settings(2, 0)).expect("possible");
    assert_eq!(experiment.expected.len(), 160_994);
    let mut run = Run::new(&experiment, 0);
    while run.run(100_000) {}
    assert_as_expected(&run, "the whole text");
}

#[test]
fn some_flights_are_late_and_most_are_not() {
    let flights = workload::named("flights").expect("a workload of this name");
    let experiment = flights.experiment(&flights.usual_settings(2, 0)).expect("possible");
    assert!((1..2_000).contains(&experiment.late.len()), "{} are late", experiment.late.len());
    let mut run = Run::new(&experiment, 0);
    while run.run(100_000) {}
    assert_as_expected(&run, "all flights");
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    let error = workload::named("wordcount").expect_err("no such workload");
    let message = error.to_string();
    assert!(message.starts_with("unknown workload \"wordcount\", expected one of word-count, "));
    assert!(workload::all().iter().all(|workload| message.contains(&*workload.name)), "{message}");
}

fn refusal(name: &str, settings: WorkloadSettings) -> String {
    match workload::experiment(name, &settings) {
        Err(error @ WorkloadError::Setting { .. }) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn impossible_settings_are_refused_with_what_is_possible() {
    let good =
        WorkloadSettings { records: Some(10), parallelism: 2, splits: 2, ..Default::default() };
    let cases = [
        (
            "bank",
            WorkloadSettings { parallelism: 0, ..good.clone() },
            "workload bank: parallelism is 0, expected 1 to 128, the number of key groups",
        ),
        (
            "bank",
            WorkloadSettings { splits: 1, ..good.clone() },
            "workload bank: splits is 1, expected at least 2, one for each source",
        ),
        (
            "flights",
            good.clone(),
            "workload flights: splits is 2, expected 1, since a single source reads everything in one order",
        ),
        (
            "bank",
            WorkloadSettings { records: Some(0), ..good.clone() },
            "workload bank: records is 0, expected 1 to 10000000 transfers",
        ),
        (
            "bank",
            WorkloadSettings { deal: Deal::Empty { splits: 2 }, ..good.clone() },
            "workload bank: deal of empty splits is 2, expected less than 2, so that one split holds something",
        ),
        (
            "word-count",
            WorkloadSettings { records: Some(160_995), ..good },
            "workload word-count: records is 160995, expected 1 to 160994 words",
        ),
    ];
    for (name, settings, expected) in cases {
        assert_eq!(refusal(name, settings), expected);
    }
}

#[test]
fn every_workload_can_do_its_widest_parallelism() {
    for workload in workload::all() {
        let experiment = small(workload, 128, 128, 0);
        assert!(experiment.job.topology().channels.len() >= 128, "{}", workload.name);
    }
}
