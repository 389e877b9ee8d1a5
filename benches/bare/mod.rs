//! The bare kernel: what the relay scenario costs at the least, and so the denominator of every figure of speed.
//!
//! The same job on the same network: a coordinator, a source, two maps and a sink; 2,000 records at one a
//! millisecond; first-in-first-out links of 1 to 10 ms; a checkpoint every 100 ms; one worker killed and back
//! 50 ms later. And nothing else: no trace, no stores, no credits, no bytes, no oracles, one assertion at the end.

mod job;
mod queue;

use self::job::{COORDINATOR, Input, NODES, Node, Output};
use self::queue::Queue;

/// How many records a run reads.
pub const RECORDS: u64 = 2_000;

/// What is due.
#[derive(Debug)]
enum Due {
    /// An input of a node, if it still lives that life.
    Input {
        to: usize,
        life: u32,
        input: Input,
    },
    Kill(usize),
    Restart(usize),
}

/// A run.
#[derive(Debug)]
pub struct Bare {
    now: u64,
    queue: Queue<Due>,
    nodes: Vec<Option<Node>>,
    lives: [u32; NODES],
    /// By sender and receiver, when the last message arrives: none overtakes another.
    last: [[u64; NODES]; NODES],
    draws: Draws,
    outputs: Vec<Output>,
}

impl Bare {
    /// A run in which one worker is killed, at a time that the seed draws.
    pub fn new(seed: u64) -> Self {
        let mut bare = Self {
            now: 0,
            queue: Queue::default(),
            nodes: (0..NODES).map(|_| None).collect(),
            lives: [0; NODES],
            last: [[0; NODES]; NODES],
            draws: Draws(seed),
            outputs: Vec::new(),
        };
        (0..NODES).for_each(|node| bare.start(node));
        let at = bare.draws.between(700_000, 1_300_000);
        let victim = usize::try_from(bare.draws.between(1, NODES as u64)).unwrap_or(1);
        bare.queue.push(at, Due::Kill(victim));
        bare.queue.push(at + 50_000, Due::Restart(victim));
        bare
    }

    /// Runs it to its end: how many inputs the nodes took.
    ///
    /// # Panics
    ///
    /// When a record is missing or counted twice, or the job does not finish.
    pub fn run(mut self) -> u64 {
        let mut inputs = 0;
        while let Some((at, due)) = self.queue.pop() {
            self.now = at;
            match due {
                Due::Input { to, life, input } if self.lives[to] == life => {
                    inputs += 1;
                    if self.handle(to, input) {
                        return inputs;
                    }
                }
                Due::Input { .. } => {}
                Due::Kill(node) => {
                    self.nodes[node] = None;
                    self.lives[node] += 1;
                }
                Due::Restart(node) => self.start(node),
            }
            assert!(self.now < 60_000_000, "the job does not finish");
        }
        panic!("nothing is left to happen");
    }

    fn start(&mut self, node: usize) {
        (0..NODES).for_each(|other| (self.last[node][other], self.last[other][node]) = (0, 0));
        self.nodes[node] = Some(Node::new(node, RECORDS));
        self.handle(node, Input::Start);
    }

    /// Whether the job has finished.
    fn handle(&mut self, node: usize, input: Input) -> bool {
        let Some(handler) = &mut self.nodes[node] else { return false };
        let mut outputs = std::mem::take(&mut self.outputs);
        handler.handle(input, &mut outputs);
        let mut has_finished = false;
        for output in outputs.drain(..) {
            match output {
                Output::Send(to, message) => {
                    let at = self.now + self.draws.between(1_000, 10_000);
                    let at = at.max(self.last[node][to]);
                    self.last[node][to] = at;
                    let input = Input::Message { from: node, message };
                    self.queue.push(at, Due::Input { to, life: self.lives[to], input });
                }
                Output::Timer { us, attempt } => {
                    let (life, input) = (self.lives[node], Input::Timer { attempt });
                    self.queue.push(self.now + us, Due::Input { to: node, life, input });
                }
                Output::Finished { count, sum } => {
                    let expected = (0..RECORDS).map(job::mapped).fold(0, u64::wrapping_add);
                    assert_eq!(
                        (node, count, sum),
                        (COORDINATOR, RECORDS, expected),
                        "exactly once"
                    );
                    has_finished = true;
                }
            }
        }
        self.outputs = outputs;
        has_finished
    }
}

/// Numbers that look random: splitmix64.
#[derive(Debug)]
struct Draws(u64);

impl Draws {
    fn between(&mut self, least: u64, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        least + (mixed ^ (mixed >> 31)) % (below - least)
    }
}
