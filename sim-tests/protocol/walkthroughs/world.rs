//! What surrounds the protocol in a walk-through: channels, messages, stores; and the pump.
//!
//! Nothing happens by itself but the consequences of a stimulus: control messages arrive at once
//! unless a command decided otherwise, uploads and store writes wait for their command.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Display;

use cutwater::protocol::{
    Attempt, CheckpointCoordinator, CheckpointId, CompletedCheckpoint, CoordinatorTimer, DefectSet,
    Element, ObjectKey, SubtaskId, VirtualTime,
};

use super::in_flight::InFlight;
use super::job::Job;
use super::message::{Content, Fate, Message};
use super::node::{Node, State};
use super::target::Target;

/// A frozen state on its way to the object store.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Whose.
    pub subtask: usize,
    /// For which checkpoint.
    pub checkpoint: CheckpointId,
    /// What.
    pub state: State,
    /// Whether nothing is left to do after it.
    pub terminal: bool,
    /// Whether nothing entered the subtask's loop any more.
    pub quiet: bool,
    /// Whether it may be written: its channel state is known.
    pub whole: bool,
    /// What was on its way.
    pub in_flight: InFlight,
}

/// What the coordinator asked its stores for.
#[derive(Clone, Debug)]
pub enum StoreRequest {
    /// Write the metadata object.
    Metadata(CheckpointId),
    /// Add it to the completed ones.
    Add(CheckpointId),
}

/// A job, its cluster, and what they have said since the last stimulus.
#[derive(Debug)]
pub struct World {
    /// The shape.
    pub job: Job,
    /// Seeded bugs.
    pub defects: DefectSet,
    /// Moves only when a timer is made to fire.
    pub now: VirtualTime,
    /// The latest attempt.
    pub attempt: Attempt,
    /// The subtasks of the running attempt; none after a crash.
    pub nodes: Vec<Node>,
    /// Per channel, what was sent and not delivered.
    pub channels: Vec<VecDeque<Element<i64>>>,
    /// Per channel, how much was delivered to the gate and has not left it.
    pub in_gate: Vec<usize>,
    /// Per channel, how much of that was in the gate before the present stimulus.
    pub kept: Vec<usize>,
    /// Per source, everything it can ever read; others have none.
    pub logs: Vec<Vec<i64>>,
    /// Decides.
    pub coordinator: CheckpointCoordinator,
    /// How many requests were made.
    pub requests: u16,
    /// Asked for and not fired.
    pub timers: Vec<(VirtualTime, CoordinatorTimer)>,
    /// On their way, arriving at once.
    pub messages: VecDeque<Message>,
    /// On their way until a command lets them arrive.
    pub delayed: Vec<Message>,
    /// What befalls the next message of a kind, from or to a subtask.
    pub fates: BTreeMap<(String, usize), Fate>,
    /// Under way.
    pub uploads: Vec<Upload>,
    /// The object store.
    pub objects: BTreeMap<ObjectKey, (State, InFlight)>,
    /// Which durable snapshots leave nothing to do.
    pub terminal: BTreeMap<ObjectKey, bool>,
    /// Which durable snapshots are of subtasks on whose loops nothing was.
    pub quiet: BTreeMap<ObjectKey, bool>,
    /// Under way, oldest first.
    pub store_requests: VecDeque<StoreRequest>,
    /// Acknowledgements counted per checkpoint.
    pub counted: BTreeMap<CheckpointId, usize>,
    /// The sink target.
    pub target: Target,
    lines: Vec<String>,
    trouble: Option<String>,
}

impl World {
    /// A job whose first attempt runs.
    pub fn new(job: Job, defects: DefectSet) -> Self {
        let settings = job.settings.clone();
        let coordinator =
            CheckpointCoordinator::new(settings, CheckpointId(0), Vec::new(), defects);
        let (links, members) = (job.links.len(), job.members.len());
        let mut world = Self {
            job,
            defects,
            now: VirtualTime::ZERO,
            attempt: Attempt(0),
            nodes: Vec::new(),
            channels: vec![VecDeque::new(); links],
            in_gate: vec![0; links],
            kept: vec![0; links],
            logs: vec![Vec::new(); members],
            coordinator,
            requests: 0,
            timers: Vec::new(),
            messages: VecDeque::new(),
            delayed: Vec::new(),
            fates: BTreeMap::new(),
            uploads: Vec::new(),
            objects: BTreeMap::new(),
            terminal: BTreeMap::new(),
            quiet: BTreeMap::new(),
            store_requests: VecDeque::new(),
            counted: BTreeMap::new(),
            target: Target::default(),
            lines: Vec::new(),
            trouble: None,
        };
        world.start_attempt();
        world.settle();
        world.lines.clear();
        world
    }

    /// Starts the next attempt from what recovery would use.
    pub fn start_attempt(&mut self) {
        self.attempt = self.attempt.next();
        let latest = self.coordinator.latest().cloned();
        for subtask in 0..self.job.members.len() {
            let (node, in_flight) = self.restored(subtask, latest.as_ref());
            self.nodes.push(node);
            self.restore_in_flight(subtask, &in_flight);
            self.fence(subtask);
            self.nodes[subtask].protocol.handle_fenced();
        }
        let subtasks = (0..self.nodes.len()).map(id_of).collect();
        self.coordinator.start_attempt(self.now, self.attempt, subtasks);
    }

    /// All subtasks lose their memory, all channels what they carry.
    pub fn crash(&mut self) {
        self.nodes.clear();
        self.channels.iter_mut().for_each(VecDeque::clear);
        self.in_gate.fill(0);
        self.uploads.clear();
        self.coordinator.stop_attempt(self.now);
    }

    /// Everything that follows from the last stimulus, without another one.
    pub fn settle(&mut self) {
        while self.trouble.is_none() && (self.step_subtasks() || self.step_coordinator()) {}
        self.kept.clone_from(&self.in_gate);
    }

    /// What was said since the last call.
    pub fn take_lines(&mut self) -> Result<Vec<String>, String> {
        match self.trouble.take() {
            Some(trouble) => Err(trouble),
            None => Ok(std::mem::take(&mut self.lines)),
        }
    }

    /// A stimulus.
    pub fn stimulus(&mut self, text: impl Display) {
        self.lines.push(format!("> {text}"));
    }

    /// A consequence: `subject: verb object`.
    pub fn say(&mut self, subject: &str, text: impl Display) {
        self.lines.push(format!("  {subject}: {text}"));
    }

    /// A consequence of a subtask.
    pub fn tell(&mut self, subtask: usize, text: impl Display) {
        let name = self.job.members[subtask].name.clone();
        self.say(&name, text);
    }

    /// Something that no walk-through may lead to.
    pub fn fail(&mut self, trouble: String) {
        self.trouble.get_or_insert(trouble);
    }

    /// Sends a control message; a fate set for it strikes once.
    pub fn send(&mut self, subtask: usize, content: Content) {
        let message = Message { attempt: self.attempt, subtask, content };
        let kind = message.content.kind();
        match self.fates.remove(&(kind.to_owned(), subtask)) {
            None => self.messages.push_back(message),
            Some(Fate::Drop) => {
                self.say("network", format_args!("drop {}", self.describe(&message)))
            }
            Some(Fate::Delay) => {
                self.say("network", format_args!("delay {}", self.describe(&message)));
                self.delayed.push(message);
            }
        }
    }

    /// Sends on every channel out of a subtask; nothing follows the end of input.
    pub fn broadcast(&mut self, subtask: usize, element: &Element<i64>) {
        for link in self.job.members[subtask].outputs.clone() {
            self.channels[link].push_back(element.clone());
        }
    }

    /// `trigger ckpt-1 to a`, `commit txn-3.1.0 from sink`: for people.
    pub fn describe(&self, message: &Message) -> String {
        let name = &self.job.members[message.subtask].name;
        match &message.content {
            Content::Trigger(barrier, _) => format!("trigger {} to {name}", barrier.checkpoint),
            Content::Acknowledge(it) => format!("acknowledge {} from {name}", it.checkpoint),
            Content::Decline(checkpoint, _) => format!("decline {checkpoint} from {name}"),
            Content::Complete(checkpoint) => format!("complete {checkpoint} to {name}"),
            Content::Abort(checkpoint) => format!("abort {checkpoint} to {name}"),
            Content::Commit(transaction) => format!("commit {transaction} from {name}"),
            Content::Confirm(transaction) => format!("confirm {transaction} to {name}"),
            Content::LoopOver => format!("loop-over to {name}"),
        }
    }

    fn restored(
        &mut self,
        subtask: usize,
        latest: Option<&CompletedCheckpoint>,
    ) -> (Node, InFlight) {
        let member = &self.job.members[subtask];
        let (role, place) = (member.role, self.job.loop_place(subtask, self.defects));
        let inputs = member.inputs.len();
        let checkpoint = latest.map(|completed| completed.checkpoint);
        let mut stored = (State::initial(role), InFlight::default());
        if let Some(completed) = latest {
            stored = self.read_snapshot(subtask, completed).unwrap_or(stored);
        }
        let (state, in_flight) = stored;
        let protocol = self.job.settings.protocol;
        let id = id_of(subtask);
        let (name, kind) = ((id, self.attempt), (protocol, place));
        let node = Node::new(name, inputs, kind, checkpoint, state, self.defects);
        (node, in_flight)
    }

    fn read_snapshot(
        &mut self,
        subtask: usize,
        completed: &CompletedCheckpoint,
    ) -> Option<(State, InFlight)> {
        let of_subtask =
            |handle: &&cutwater::protocol::SnapshotHandle| handle.subtask == id_of(subtask);
        let handle = completed.snapshots.iter().find(of_subtask);
        let state = handle.and_then(|handle| self.objects.get(&handle.key)).cloned();
        let checkpoint = completed.checkpoint;
        match &state {
            Some((found, in_flight)) => {
                let shown = self.show_in_flight(in_flight);
                self.tell(subtask, format!("restore {checkpoint} {}{shown}", found.show()));
            }
            None => self.tell(subtask, format!("find no snapshot for {checkpoint}")),
        }
        state
    }
}

/// A subtask's id.
pub fn id_of(subtask: usize) -> SubtaskId {
    SubtaskId(u16::try_from(subtask).unwrap_or(u16::MAX))
}
