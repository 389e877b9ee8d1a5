//! Which channels a record goes to: one edge for each consumer, each with a partitioner.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::data::{Data, copy, decode, encode};
use super::placement::Placement;
use super::record::{Item, Outputs, Payload, Record};
use super::side_output::{Output, OutputTag};
use super::subtask_state::RestoreError;
use crate::protocol::{EdgeKind, KeyGroup, LineageId, OperatorId};

/// Appends the encoded key of a record.
pub(crate) type KeyFn<T> = Arc<dyn Fn(&T, &mut Payload) + Send + Sync>;

/// How an edge spreads records over the subtasks of its consumer; its record type is erased.
#[derive(Clone)]
pub(crate) enum Partition {
    /// To the subtask with the sender's index.
    Forward,
    /// To each in turn, from the first.
    Rebalance,
    /// To each in turn, from the one with the sender's index.
    Shift,
    /// To all.
    Broadcast,
    /// To the owner of the key group.
    Hash(HashKey),
}

/// Appends the encoded key of an encoded record.
type PayloadKeyFn = dyn Fn(&[u8], &mut Payload) + Send + Sync;

/// How an edge finds the key of a record.
#[derive(Clone)]
pub(crate) struct HashKey {
    /// The [`KeyFn`] of the producer's record type.
    of_record: Arc<dyn Any + Send + Sync>,
    /// The key of an encoded record.
    of_payload: Arc<PayloadKeyFn>,
}

impl HashKey {
    /// The key that `key_of` gives.
    pub(crate) fn new<T: Data>(key_of: &KeyFn<T>) -> Self {
        let of_record = Arc::new(Arc::clone(key_of));
        let key_of = Arc::clone(key_of);
        let of_payload = Arc::new(move |payload: &[u8], key: &mut Payload| {
            key_of(&decode(payload), key);
        });
        Self { of_record, of_payload }
    }

    /// The key group of an encoded record.
    pub(crate) fn group_of(&self, payload: &[u8]) -> KeyGroup {
        let mut key = Payload::new();
        self.write_key(payload, &mut key);
        KeyGroup::of(&key)
    }

    fn write_key(&self, payload: &[u8], key: &mut Payload) {
        (self.of_payload)(payload, key);
    }
}

impl Partition {
    /// What of it matters to who gets what.
    pub(crate) fn kind(&self) -> EdgeKind {
        match self {
            Partition::Forward => EdgeKind::Forward,
            Partition::Rebalance | Partition::Shift => EdgeKind::Turns,
            Partition::Broadcast => EdgeKind::Broadcast,
            Partition::Hash(_) => EdgeKind::Hash,
        }
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Partition::Forward => "Forward",
            Partition::Rebalance => "Rebalance",
            Partition::Shift => "Shift",
            Partition::Broadcast => "Broadcast",
            Partition::Hash(_) => "Hash",
        })
    }
}

/// How one consumer takes what an operator emits.
#[derive(Clone, Debug)]
pub(crate) struct Consumer {
    /// How its records are spread over its subtasks.
    pub(crate) partition: Partition,
    /// Which of the operator's outputs it consumes.
    pub(crate) output: Output,
}

/// The outgoing edges of one subtask.
pub(crate) struct Router<T> {
    edges: Edges,
    /// How each edge finds the key of a record; absent where its choice does not ask for one.
    keys: Vec<Option<KeyFn<T>>>,
}

/// What of a router is the same for all record types.
#[derive(Clone)]
pub(crate) struct Edges {
    operator: OperatorId,
    /// The output channels that do not lead back: watermarks do not go round.
    onward: Arc<[u16]>,
    edges: Vec<Edge>,
    /// Which of the edges carry the main output.
    main: Vec<usize>,
    /// Scratch for keys.
    key: Payload,
}

/// One consumer.
#[derive(Clone)]
struct Edge {
    output: Output,
    /// How it finds the key of a record of a side output; absent where its choice does not ask for one.
    side_key: Option<HashKey>,
    choice: Choice,
    /// The index of the output channel to each receiver.
    targets: Arc<[u16]>,
}

/// How an edge chooses receivers.
#[derive(Clone, Copy)]
enum Choice {
    /// There is only one.
    Only,
    /// Each in turn.
    Turn { next: u64, offset: u64 },
    /// All of them.
    All,
    /// To the subtask that owns the key group of the record.
    Key,
}

impl<T: Data> Router<T> {
    /// The router of the subtask at `placement`, which has these consumers.
    pub(crate) fn new(placement: &Placement, consumers: &[Consumer]) -> Self {
        let key_of = |consumer: &Consumer| match &consumer.partition {
            Partition::Hash(_) if consumer.output != Output::Main => None,
            Partition::Hash(key) => Some(
                key.of_record
                    .downcast_ref::<KeyFn<T>>()
                    .expect("key_by keeps the key of the stream's own record type")
                    .clone(),
            ),
            Partition::Forward | Partition::Rebalance | Partition::Shift | Partition::Broadcast => {
                None
            }
        };
        let keys = consumers.iter().map(key_of).collect();
        Self { edges: Edges::new(placement, consumers), keys }
    }

    /// The operator that emits here.
    #[inline]
    pub(crate) fn operator(&self) -> OperatorId {
        self.edges.operator
    }

    /// Sends a record along every edge.
    #[inline]
    pub(crate) fn emit(
        &mut self,
        value: &T,
        lineage: LineageId,
        timestamp: i64,
        out: &mut Outputs,
    ) {
        let Self { edges, keys } = self;
        if edges.main.is_empty() {
            return;
        }
        let record = Record { lineage, timestamp, payload: encode(value) };
        let key_of = &mut |edge: usize, key: &mut Payload| {
            if let Some(Some(key_of)) = keys.get(edge) {
                key_of(value, key);
            }
        };
        edges.emit(record, key_of, out);
    }

    /// Sends a record along every edge that carries this side output.
    pub(crate) fn emit_to<S: Data>(
        &mut self,
        tag: OutputTag<S>,
        value: &S,
        lineage: LineageId,
        timestamp: i64,
        out: &mut Outputs,
    ) {
        let record = Record { lineage, timestamp, payload: encode(value) };
        self.edges.emit_to(tag.output(), &record, out);
    }

    /// The edges themselves.
    #[inline]
    pub(crate) fn edges(&self) -> &Edges {
        &self.edges
    }

    /// The edges themselves.
    #[inline]
    pub(crate) fn edges_mut(&mut self) -> &mut Edges {
        &mut self.edges
    }
}

/// Writes the key of the record that is being sent, for the edge of this number.
type WriteKey<'a> = dyn FnMut(usize, &mut Payload) + 'a;

impl Edges {
    fn new(placement: &Placement, consumers: &[Consumer]) -> Self {
        let edges = consumers.iter().zip(&placement.routes);
        let is_main = |(_, consumer): &(usize, &Consumer)| consumer.output == Output::Main;
        Self {
            operator: placement.operator,
            onward: Arc::clone(&placement.onward),
            edges: edges.map(|(how, to)| Edge::new(how, to, placement.index)).collect(),
            main: consumers.iter().enumerate().filter(is_main).map(|(edge, _)| edge).collect(),
            key: Payload::new(),
        }
    }

    /// Sends a watermark along every channel that does not lead back.
    pub(crate) fn broadcast_watermark(&self, watermark: i64, out: &mut Outputs) {
        let mark = |channel: &u16| (*channel, Item::Watermark(watermark));
        out.items.extend(self.onward.iter().map(mark));
    }

    /// How far each edge has come in taking turns.
    pub(crate) fn counters(&self) -> Vec<u64> {
        self.edges.iter().map(Edge::counter).collect()
    }

    /// Takes over the counters of a snapshot, one per edge.
    pub(crate) fn restore(&mut self, counters: &[u64]) -> Result<(), RestoreError> {
        let (found, expected) = (counters.len(), self.edges.len());
        if found != expected {
            return Err(RestoreError::OtherEdges { found, expected });
        }
        for (edge, counter) in self.edges.iter_mut().zip(counters) {
            edge.restore(*counter);
        }
        Ok(())
    }

    fn emit(&mut self, record: Record, key_of: &mut WriteKey<'_>, out: &mut Outputs) {
        let Some(last) = self.main.len().checked_sub(1) else { return };
        for place in 0..last {
            self.send(self.main[place], copy_of(&record), key_of, out);
        }
        self.send(self.main[last], record, key_of, out);
    }

    fn emit_to(&mut self, output: Output, record: &Record, out: &mut Outputs) {
        for edge in 0..self.edges.len() {
            if self.edges[edge].output == output {
                let side_key = self.edges[edge].side_key.clone();
                let key_of = &mut |_: usize, key: &mut Payload| {
                    if let Some(side_key) = &side_key {
                        side_key.write_key(&record.payload, key);
                    }
                };
                self.send(edge, copy_of(record), key_of, out);
            }
        }
    }

    fn send(&mut self, edge: usize, record: Record, key_of: &mut WriteKey<'_>, out: &mut Outputs) {
        let Self { operator, edges, key, .. } = self;
        let Edge { choice, targets, .. } = &mut edges[edge];
        let receiver = match choice {
            Choice::Only => 0,
            Choice::Turn { next, offset } => {
                let turn = next.wrapping_add(*offset) % targets.len() as u64;
                *next = next.wrapping_add(1);
                turn as usize
            }
            Choice::Key => {
                key.clear();
                key_of(edge, key);
                usize::from(KeyGroup::of(key).owner(targets.len() as u16))
            }
            Choice::All => return edges[edge].send_to_all(&record, *operator, out),
        };
        out.items.push((targets[receiver], Item::Record(record)));
    }
}

impl Edge {
    fn new(consumer: &Consumer, targets: &Arc<[u16]>, sender: u16) -> Self {
        let choice = match &consumer.partition {
            _ if targets.len() == 1 => Choice::Only,
            Partition::Forward => Choice::Only,
            Partition::Rebalance => Choice::Turn { next: 0, offset: 0 },
            Partition::Shift => Choice::Turn { next: 0, offset: u64::from(sender) },
            Partition::Broadcast => Choice::All,
            Partition::Hash(_) => Choice::Key,
        };
        let side_key = match (consumer.output, &consumer.partition) {
            (Output::Side { .. }, Partition::Hash(key)) => Some(key.clone()),
            (
                Output::Main | Output::Side { .. },
                Partition::Forward
                | Partition::Rebalance
                | Partition::Shift
                | Partition::Broadcast
                | Partition::Hash(_),
            ) => None,
        };
        Self { output: consumer.output, side_key, choice, targets: Arc::clone(targets) }
    }

    /// Each copy is a record of its own: what is made of one is told from what is made of another.
    fn send_to_all(&self, record: &Record, operator: OperatorId, out: &mut Outputs) {
        for (copy, target) in (0..).zip(self.targets.iter()) {
            let mut record = copy_of(record);
            record.lineage = record.lineage.child(operator, LineageId::COPY | copy);
            out.items.push((*target, Item::Record(record)));
        }
    }

    fn counter(&self) -> u64 {
        match &self.choice {
            Choice::Turn { next, .. } => *next,
            Choice::Only | Choice::All | Choice::Key => 0,
        }
    }

    fn restore(&mut self, counter: u64) {
        match &mut self.choice {
            Choice::Turn { next, .. } => *next = counter,
            Choice::Only | Choice::All | Choice::Key => {}
        }
    }
}

fn copy_of(record: &Record) -> Record {
    Record { payload: copy(&record.payload), ..*record }
}

// A derived impl would ask the record type for more than it needs.
impl<T> Clone for Router<T> {
    fn clone(&self) -> Self {
        Self { edges: self.edges.clone(), keys: self.keys.clone() }
    }
}
