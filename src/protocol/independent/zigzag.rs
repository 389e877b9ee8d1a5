//! Useless checkpoints: those on a zigzag cycle, which no consistent cut has.
//!
//! Netzer and Xu, *Necessary and Sufficient Conditions for Consistent Global Snapshots* (1995): a zigzag path goes
//! from a checkpoint along messages, each sent by the receiver of the one before in the same interval or a later
//! one, maybe before that one came.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use super::line::{ChannelCounts, Edge};

/// By process, which of its checkpoints are useless, as places in `checkpoints`.
///
/// `checkpoints` are by process, oldest first, the initial state first; `now` is what each process has sent and
/// received in all.
///
/// The interval after checkpoint *x* of process *p* is a node; it leads to the next interval of *p*, and to each
/// interval in which a message that was sent in it was received. A checkpoint is useless if an earlier interval of
/// its own process can be reached from the interval that it begins.
///
/// # Panics
///
/// When an edge is of no process.
#[must_use]
pub fn useless(
    edges: &[Edge],
    checkpoints: &[Vec<ChannelCounts>],
    now: &[ChannelCounts],
) -> Vec<Vec<usize>> {
    let graph = Intervals::of(edges, checkpoints, now);
    let of_one = |process: usize| {
        let places = 1..checkpoints[process].len();
        places.filter(|place| graph.comes_back(process, *place)).collect()
    };
    (0..checkpoints.len()).map(of_one).collect()
}

/// The graph of intervals; each is a number, those of one process next to each other.
struct Intervals {
    /// By process, its first interval.
    first: Vec<usize>,
    next: Vec<Vec<usize>>,
}

impl Intervals {
    fn of(edges: &[Edge], checkpoints: &[Vec<ChannelCounts>], now: &[ChannelCounts]) -> Self {
        let mut first = Vec::new();
        let mut next = Vec::new();
        for own in checkpoints {
            first.push(next.len());
            let begin = next.len();
            let follow =
                |place| if place + 1 < own.len() { vec![begin + place + 1] } else { vec![] };
            next.extend((0..own.len()).map(follow));
        }
        let mut graph = Self { first, next };
        for (channel, edge) in edges.iter().enumerate() {
            let bounds = |process: usize, side: fn(&ChannelCounts) -> &Vec<u64>| -> Vec<u64> {
                let all = checkpoints[process].iter().chain([&now[process]]);
                all.map(|counts| side(counts)[channel]).collect()
            };
            let sent = bounds(edge.from, |counts| &counts.sent);
            let received = bounds(edge.to, |counts| &counts.received);
            graph.join(edge, &sent, &received);
        }
        graph
    }

    /// Both lists are bounds of intervals: two intervals that have a message in common are joined.
    fn join(&mut self, edge: &Edge, sent: &[u64], received: &[u64]) {
        let (mut from, mut to) = (0, 0);
        while from + 1 < sent.len() && to + 1 < received.len() {
            let begin = sent[from].max(received[to]);
            if begin < sent[from + 1].min(received[to + 1]) {
                let (from, to) = (self.first[edge.from] + from, self.first[edge.to] + to);
                self.next[from].push(to);
            }
            match sent[from + 1] <= received[to + 1] {
                true => from += 1,
                false => to += 1,
            }
        }
    }

    fn comes_back(&self, process: usize, place: usize) -> bool {
        let (first, own) = (self.first[process], self.first[process] + place);
        let mut seen = vec![false; self.next.len()];
        let mut queue = VecDeque::from([own]);
        while let Some(at) = queue.pop_front() {
            for next in self.next[at].iter().copied() {
                if (first..own).contains(&next) {
                    return true;
                }
                if !seen[next] {
                    seen[next] = true;
                    queue.push_back(next);
                }
            }
        }
        false
    }
}
