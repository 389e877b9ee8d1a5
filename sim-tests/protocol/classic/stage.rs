//! The commands of a walk-through, on the real processes and channels.

use std::str::FromStr;

use cutwater::classic::event::{Event, Stamped};
use cutwater::classic::kernel::Item;
use cutwater::classic::oracle::{History, judge, permutation};
use cutwater::classic::workload::Command;
use cutwater::classic::{
    GlobalState, Kernel, LocalState, Message, ProcessGraph, ProcessIndex, Settings, System,
    Workload,
};
use cutwater::protocol::chandy_lamport::{MarkerDefect, MarkerDefectSet};
use cutwater::protocol::{ChannelId, SnapshotId};

/// A walk-through under way.
#[derive(Debug, Default)]
pub struct Stage {
    defects: MarkerDefectSet,
    workload: Workload,
    tokens: Vec<u64>,
    graph: ProcessGraph,
    kernel: Option<Kernel>,
    /// How many events were told.
    told: usize,
    lines: Vec<String>,
}

type Done = Result<(), String>;

impl Stage {
    /// A stage on which these defects are at work from the beginning.
    pub fn with_defects(defects: MarkerDefectSet) -> Self {
        Self { defects, ..Self::default() }
    }

    /// Carries out one command; returns what it leads to.
    pub fn run(&mut self, command: &str) -> Result<Vec<String>, String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["defect", name] => self.defect(name)?,
            ["processes", rest @ ..] => self.processes(rest)?,
            ["channels", channels @ ..] => self.channels(channels)?,
            ["send", from, to, amount] => self.send(from, to, amount)?,
            ["snapshot", initiators @ ..] if !initiators.is_empty() => self.snapshot(initiators)?,
            ["deliver", "all"] => self.deliver_all()?,
            ["deliver", channel] => self.deliver(channel, 1)?,
            ["deliver", channel, count] => self.deliver(channel, count_of(count)?)?,
            ["show"] => self.show()?,
            ["reorder", snapshot] => self.reorder(snapshot)?,
            ["judge"] => self.judge()?,
            _ => return Err(format!("unknown command {command:?}")),
        }
        Ok(std::mem::take(&mut self.lines))
    }

    fn defect(&mut self, name: &str) -> Done {
        let defect = MarkerDefect::from_str(name);
        let defect = defect.map_err(|_| format!("unknown defect {name:?}"))?;
        let known = MarkerDefect::all().filter(|known| self.defects.has(*known));
        self.defects = known.chain([defect]).collect();
        Ok(())
    }

    fn processes(&mut self, words: &[&str]) -> Done {
        for word in words {
            if let Ok(workload) = Workload::from_str(word) {
                self.workload = workload;
                continue;
            }
            let (name, tokens) = word.split_once('=').unwrap_or((word, "0"));
            self.graph.add_process(name).map_err(|error| error.to_string())?;
            self.tokens.push(tokens.parse().map_err(|_| format!("{word:?}: NAME=TOKENS"))?);
        }
        Ok(())
    }

    fn channels(&mut self, channels: &[&str]) -> Done {
        for channel in channels {
            let (from, to) =
                channel.split_once("->").ok_or_else(|| format!("{channel:?}: A->B"))?;
            self.graph.add_channel(from, to).map_err(|error| error.to_string())?;
        }
        let system = System::new(self.graph.clone(), self.workload, self.tokens.clone());
        let settings = Settings { defects: self.defects, ..Settings::of_seed(0) };
        let kernel = Kernel::new(system.map_err(|error| error.to_string())?, settings);
        self.told = kernel.trace().len();
        self.kernel = Some(kernel);
        Ok(())
    }

    fn send(&mut self, from: &str, to: &str, amount: &str) -> Done {
        let channel = self.channel(&format!("{from}->{to}"))?;
        let amount = amount.parse().map_err(|_| format!("{amount:?} is no number"))?;
        let process = self.graph.ends(channel).0;
        self.lines.push(format!("> {from}: send {amount} to {to}"));
        let sent = self.kernel()?.send(process, Command { channel, amount });
        sent.map_err(|refusal| refusal.to_string())?;
        self.tell()
    }

    fn snapshot(&mut self, names: &[&str]) -> Done {
        let initiators = names.iter().map(|name| self.process(name));
        let initiators = initiators.collect::<Result<Vec<_>, _>>()?;
        self.lines.push(format!("> {}: start a snapshot", names.join(", ")));
        self.kernel()?.snapshot(initiators.into_iter());
        self.tell()
    }

    fn deliver(&mut self, name: &str, count: usize) -> Done {
        let channel = self.channel(name)?;
        for _ in 0..count {
            let first = self.kernel()?.in_transit(channel).next();
            let item = first.ok_or_else(|| format!("{name} is empty"))?;
            self.lines.push(format!("> {name}: {}", shown(item)));
            self.kernel()?.deliver(channel);
            self.tell()?;
        }
        Ok(())
    }

    /// Round by round, one item of each channel that has any.
    fn deliver_all(&mut self) -> Done {
        loop {
            let mut is_quiet = true;
            for channel in self.graph.channels() {
                if self.kernel()?.in_transit(channel).next().is_some() {
                    is_quiet = false;
                    self.deliver(&self.graph.shown(channel).to_string(), 1)?;
                }
            }
            if is_quiet {
                return Ok(());
            }
        }
    }

    fn show(&mut self) -> Done {
        self.lines.push("> show".to_owned());
        let graph = self.graph.clone();
        let trace = self.kernel()?.trace().to_vec();
        let history = History::read(&trace).map_err(|violation| violation.to_string())?;
        let state = permutation::last_state(&history).ok_or("the trace goes nowhere")?;
        for process in graph.processes() {
            let state = words(&graph, &state.processes[process.index()]);
            self.lines.push(format!("  {}: {state}", graph.name(process)));
        }
        for channel in graph.channels() {
            let items: Vec<String> = self.kernel()?.in_transit(channel).map(shown).collect();
            self.lines.push(format!("  {}: [{}]", graph.shown(channel), items.join(", ")));
        }
        Ok(())
    }

    /// The events of the computation, those before the cut first, with the state between the halves.
    fn reorder(&mut self, name: &str) -> Done {
        let number = name.strip_prefix("snap-").and_then(|number| number.parse().ok());
        let snapshot = SnapshotId(number.ok_or_else(|| format!("{name:?} is no snapshot"))?);
        self.lines.push(format!("> reorder around {snapshot}"));
        let trace = self.kernel()?.trace().to_vec();
        let history = History::read(&trace).map_err(|violation| violation.to_string())?;
        let recorded = history.snapshots.get(&snapshot).ok_or("no such snapshot")?;
        let state = history.global_state(recorded).ok_or("the snapshot is not complete")?;
        let (before, after) = permutation::halves(&history, recorded);
        let told =
            |place: usize| told(&self.graph, &trace[place]).map(|it| format!("{place}. {it}"));
        let mut lines: Vec<String> = before.into_iter().filter_map(told).collect();
        lines.push(format!("-- {snapshot}: {}", global(&self.graph, &state)));
        lines.extend(after.into_iter().filter_map(told));
        self.lines.extend(lines.into_iter().map(|line| format!("  {line}")));
        Ok(())
    }

    fn judge(&mut self) -> Done {
        self.lines.push("> judge".to_owned());
        let violations = judge(self.kernel()?.trace());
        let lines = violations.iter().map(|violation| format!("  {violation}"));
        self.lines.extend(lines);
        if violations.is_empty() {
            self.lines.push("  held".to_owned());
        }
        Ok(())
    }

    fn tell(&mut self) -> Done {
        let (graph, told_before) = (self.graph.clone(), self.told);
        let new = &self.kernel()?.trace()[told_before..];
        let (count, lines) = (new.len(), new.iter().filter_map(|it| told(&graph, it)));
        let lines: Vec<String> = lines.map(|line| format!("  {line}")).collect();
        self.told += count;
        self.lines.extend(lines);
        Ok(())
    }

    fn kernel(&mut self) -> Result<&mut Kernel, String> {
        self.kernel.as_mut().ok_or_else(|| "`processes` and `channels` come first".to_owned())
    }

    fn process(&self, name: &str) -> Result<ProcessIndex, String> {
        self.graph.process(name).ok_or_else(|| format!("unknown process {name:?}"))
    }

    fn channel(&self, name: &str) -> Result<ChannelId, String> {
        let mut channels = self.graph.channels();
        let channel = channels.find(|channel| self.graph.shown(*channel).to_string() == name);
        channel.ok_or_else(|| format!("unknown channel {name:?}"))
    }
}

fn count_of(text: &str) -> Result<usize, String> {
    let count = text.strip_prefix("n=").and_then(|count| count.parse().ok());
    count.ok_or_else(|| format!("{text:?}: n=COUNT"))
}

/// An event in words; none for what the stimulus says already.
fn told(graph: &ProcessGraph, stamped: &Stamped) -> Option<String> {
    let ends = |channel: &ChannelId| {
        let (from, to) = graph.ends(*channel);
        (graph.name(from), graph.name(to))
    };
    Some(match &stamped.event {
        Event::RunStarted(_)
        | Event::SnapshotStarted { .. }
        | Event::MarkerReceived { .. }
        | Event::RunEnded { .. } => return None,
        Event::Commanded { process, state } | Event::Stepped { process, state } => {
            format!("{}: go on, {}", graph.name(*process), words(graph, state))
        }
        Event::Received { channel, message, state } => {
            let (from, to) = ends(channel);
            format!("{to}: receive {message} from {from}, {}", words(graph, state))
        }
        Event::Sent { channel, message } => {
            let (from, to) = ends(channel);
            format!("{from}: send {message} to {to}")
        }
        Event::MarkerSent { channel, snapshot } => {
            let (from, to) = ends(channel);
            format!("{from}: send |{snapshot}| to {to}")
        }
        Event::MarkerRefused { channel, snapshot } => {
            format!("{}: refuse |{snapshot}|", ends(channel).1)
        }
        Event::StateRecorded { process, snapshot, state } => {
            format!("{}: record {} for {snapshot}", graph.name(*process), words(graph, state))
        }
        Event::ChannelRecorded { channel, snapshot, messages } => {
            let (to, channel) = (ends(channel).1, graph.shown(*channel));
            format!("{to}: record {channel} {} for {snapshot}", list(messages))
        }
        Event::Completed { process, snapshot } => {
            format!("{}: complete {snapshot}", graph.name(*process))
        }
    })
}

fn words(graph: &ProcessGraph, state: &LocalState) -> String {
    match state {
        LocalState::Lock(lock) => {
            let others = lock.waits_for.iter().map(|channel| graph.name(graph.ends(*channel).1));
            let others: Vec<&str> = others.collect();
            let asked = lock.asked_by.iter().map(|channel| graph.name(graph.ends(*channel).0));
            let asked: Vec<&str> = asked.collect();
            format!("waits-for=[{}] asked-by=[{}]", others.join(", "), asked.join(", "))
        }
        LocalState::Tokens(tokens) => format!("tokens={tokens}"),
        LocalState::Account { balance, .. } => format!("balance={balance}"),
        LocalState::Work { left, .. } => format!("left={left}"),
    }
}

fn global(graph: &ProcessGraph, state: &GlobalState) -> String {
    let processes = graph.processes().zip(&state.processes);
    let processes =
        processes.map(|(it, state)| format!("{} {}", graph.name(it), words(graph, state)));
    let channels = graph.channels().zip(&state.channels);
    let channels = channels.map(|(it, messages)| format!("{} {}", graph.shown(it), list(messages)));
    processes.chain(channels).collect::<Vec<_>>().join(", ")
}

fn list(messages: &[Message]) -> String {
    let messages: Vec<String> = messages.iter().map(Message::to_string).collect();
    format!("[{}]", messages.join(", "))
}

fn shown(item: Item) -> String {
    match item {
        Item::Message(message) => message.to_string(),
        Item::Marker(snapshot) => format!("|{snapshot}|"),
    }
}
