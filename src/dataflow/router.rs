//! Which channels a record goes to: one edge for each consumer, each with a partitioner.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::data::{Data, copy, decode, encode};
use super::placement::Placement;
use super::record::{Item, Outputs, Payload, Record};
use crate::protocol::{EdgeKind, KeyGroup, LineageId, OperatorId};

/// Appends the encoded key of a record.
pub(crate) type KeyFn<T> = Arc<dyn Fn(&T, &mut Payload) + Send + Sync>;

/// The emission index of the `n`-th copy that a broadcast makes of a record is this plus *n*.
const COPY_INDEX: u32 = 1 << 31;

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

/// Gives the key group of an encoded record.
type GroupFn = dyn Fn(&[u8]) -> KeyGroup + Send + Sync;

/// How an edge finds the key of a record.
#[derive(Clone)]
pub(crate) struct HashKey {
    /// The [`KeyFn`] of the producer's record type.
    of_record: Arc<dyn Any + Send + Sync>,
    /// The key group of an encoded record.
    of_payload: Arc<GroupFn>,
}

impl HashKey {
    /// The key that `key_of` gives.
    pub(crate) fn new<T: Data>(key_of: &KeyFn<T>) -> Self {
        let of_record = Arc::new(Arc::clone(key_of));
        let key_of = Arc::clone(key_of);
        let of_payload = Arc::new(move |payload: &[u8]| {
            let mut key = Payload::new();
            key_of(&decode(payload), &mut key);
            KeyGroup::of(&key)
        });
        Self { of_record, of_payload }
    }

    /// The key group of an encoded record.
    pub(crate) fn group_of(&self, payload: &[u8]) -> KeyGroup {
        (self.of_payload)(payload)
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

/// The outgoing edges of one subtask.
pub(crate) struct Router<T> {
    operator: OperatorId,
    /// The output channels that do not lead back: watermarks do not go round.
    onward: Arc<[u16]>,
    edges: Vec<Edge<T>>,
    /// Scratch for keys.
    key: Payload,
}

/// One consumer.
struct Edge<T> {
    choice: Choice<T>,
    /// The index of the output channel to each receiver.
    targets: Arc<[u16]>,
}

/// How an edge chooses receivers.
enum Choice<T> {
    /// There is only one.
    Only,
    /// Each in turn.
    Turn { next: u64, offset: u64 },
    /// All of them.
    All,
    /// By key.
    Key(KeyFn<T>),
}

impl<T: Data> Router<T> {
    /// The router of the subtask at `placement`, whose consumers partition as `partitions` say.
    pub(crate) fn new(placement: &Placement, partitions: &[Partition]) -> Self {
        let edges = partitions.iter().zip(&placement.routes);
        Self {
            operator: placement.operator,
            onward: Arc::clone(&placement.onward),
            edges: edges.map(|(how, to)| Edge::new(how, to, placement.index)).collect(),
            key: Payload::new(),
        }
    }

    /// The operator that emits here.
    #[inline]
    pub(crate) fn operator(&self) -> OperatorId {
        self.operator
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
        let Some((last, others)) = self.edges.split_last_mut() else { return };
        let record = Record { lineage, timestamp, payload: encode(value) };
        for edge in others {
            edge.send(value, copy_of(&record), self.operator, &mut self.key, out);
        }
        last.send(value, record, self.operator, &mut self.key, out);
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
    pub(crate) fn restore(&mut self, counters: &[u64]) {
        for (edge, counter) in self.edges.iter_mut().zip(counters) {
            edge.restore(*counter);
        }
    }
}

impl<T: Data> Edge<T> {
    fn new(partition: &Partition, targets: &Arc<[u16]>, sender: u16) -> Self {
        let choice = match partition {
            _ if targets.len() == 1 => Choice::Only,
            Partition::Forward => Choice::Only,
            Partition::Rebalance => Choice::Turn { next: 0, offset: 0 },
            Partition::Shift => Choice::Turn { next: 0, offset: u64::from(sender) },
            Partition::Broadcast => Choice::All,
            Partition::Hash(key) => Choice::Key(
                key.of_record
                    .downcast_ref::<KeyFn<T>>()
                    .expect("key_by keeps the key of the stream's own record type")
                    .clone(),
            ),
        };
        Self { choice, targets: Arc::clone(targets) }
    }

    #[inline]
    fn send(
        &mut self,
        value: &T,
        record: Record,
        operator: OperatorId,
        key: &mut Payload,
        out: &mut Outputs,
    ) {
        let receiver = match &mut self.choice {
            Choice::Only => 0,
            Choice::Turn { next, offset } => {
                let turn = next.wrapping_add(*offset) % self.targets.len() as u64;
                *next = next.wrapping_add(1);
                turn as usize
            }
            Choice::Key(key_of) => {
                key.clear();
                key_of(value, key);
                usize::from(KeyGroup::of(key).owner(self.targets.len() as u16))
            }
            Choice::All => return self.send_to_all(&record, operator, out),
        };
        out.items.push((self.targets[receiver], Item::Record(record)));
    }

    /// Each copy is a record of its own: what is made of one is told from what is made of another.
    fn send_to_all(&self, record: &Record, operator: OperatorId, out: &mut Outputs) {
        for (copy, target) in (0..).zip(self.targets.iter()) {
            let mut record = copy_of(record);
            record.lineage = record.lineage.child(operator, COPY_INDEX | copy);
            out.items.push((*target, Item::Record(record)));
        }
    }

    fn counter(&self) -> u64 {
        match &self.choice {
            Choice::Turn { next, .. } => *next,
            Choice::Only | Choice::All | Choice::Key(_) => 0,
        }
    }

    fn restore(&mut self, counter: u64) {
        match &mut self.choice {
            Choice::Turn { next, .. } => *next = counter,
            Choice::Only | Choice::All | Choice::Key(_) => {}
        }
    }
}

fn copy_of(record: &Record) -> Record {
    Record { payload: copy(&record.payload), ..*record }
}

// Derived impls would ask the record type for more than it needs.
impl<T> Clone for Router<T> {
    fn clone(&self) -> Self {
        Self {
            operator: self.operator,
            onward: Arc::clone(&self.onward),
            edges: self.edges.clone(),
            key: Payload::new(),
        }
    }
}

impl<T> Clone for Edge<T> {
    fn clone(&self) -> Self {
        Self { choice: self.choice.clone(), targets: Arc::clone(&self.targets) }
    }
}

impl<T> Clone for Choice<T> {
    fn clone(&self) -> Self {
        match self {
            Choice::Only => Choice::Only,
            Choice::Turn { next, offset } => Choice::Turn { next: *next, offset: *offset },
            Choice::All => Choice::All,
            Choice::Key(key_of) => Choice::Key(Arc::clone(key_of)),
        }
    }
}
