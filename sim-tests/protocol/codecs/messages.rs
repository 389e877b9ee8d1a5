//! A message of any kind, made of loose numbers and bytes.

use std::sync::Arc;

use cutwater::cluster::buffers::BufferWriter;
use cutwater::cluster::message::{
    Answer, Deploy, DeployedShape, Fetched, Heartbeat, JobRecord, MetaOperation, ObjectOperation,
    ObjectResult, Redistribution, Request, RequestId, SavepointRecord, SinkOperation,
    ToCoordinator, ToSinkTarget, ToSourceLog, ToWorker,
};
use cutwater::cluster::{Buffer, Message, Parcel};
use cutwater::dataflow::{Item, Payload, Record};
use cutwater::external::Reply;
use cutwater::protocol::rescale::FormerName;
use cutwater::protocol::{
    Acknowledgement, Attempt, Barrier, ChannelId, CheckpointId, DeclineReason, Digest, Element,
    Incarnation, LineageId, Listing, ObjectKey, Passage, RequestNumber, Revision, SavepointMode,
    ShapeHistory, SnapshotHandle, SplitEvent, SplitId, SubtaskId, Term, TransactionId, VirtualTime,
};

/// Numbers for the fields of a message, taken in turn.
pub struct Numbers {
    numbers: Vec<u64>,
    next: usize,
}

impl Numbers {
    pub fn new(numbers: Vec<u64>) -> Self {
        Self { numbers, next: 0 }
    }

    fn wide(&mut self) -> u64 {
        self.next += 1;
        self.numbers[self.next % self.numbers.len()]
    }

    fn middle(&mut self) -> u32 {
        self.wide() as u32
    }

    fn short(&mut self) -> u16 {
        self.wide() as u16
    }

    fn attempt(&mut self) -> Attempt {
        Attempt(self.middle())
    }

    fn checkpoint(&mut self) -> CheckpointId {
        CheckpointId(self.wide())
    }

    fn subtask(&mut self) -> SubtaskId {
        SubtaskId(self.short())
    }

    fn request(&mut self) -> RequestId {
        RequestId(self.wide())
    }

    fn transaction(&mut self) -> TransactionId {
        let (sink, attempt) = (self.subtask(), self.attempt());
        TransactionId { sink, attempt, number: self.middle() }
    }

    fn key(&mut self) -> ObjectKey {
        let (checkpoint, attempt) = (self.checkpoint(), self.attempt());
        if self.wide().is_multiple_of(2) {
            ObjectKey::Metadata { checkpoint }
        } else {
            ObjectKey::Snapshot { checkpoint, attempt, subtask: self.subtask() }
        }
    }

    fn heartbeat(&mut self) -> Heartbeat {
        let attempt = self.wide().is_multiple_of(2).then(|| self.attempt());
        Heartbeat { incarnation: Incarnation(self.middle()), sequence: self.wide(), attempt }
    }

    fn buffer(&mut self, bytes: &[u8]) -> Buffer {
        let mut writer = BufferWriter::new(1 << 16);
        writer.write(&Item::Record(self.record(bytes)));
        writer.flush().expect("a record was written")
    }

    fn record(&mut self, bytes: &[u8]) -> Record {
        let (lineage, timestamp) = (LineageId(self.wide()), self.wide().cast_signed());
        Record { lineage, timestamp, payload: Payload::from_slice(bytes) }
    }

    fn handle(&mut self) -> SnapshotHandle {
        let (subtask, key) = (self.subtask(), self.key());
        SnapshotHandle { subtask, key, digest: Digest(self.wide()), bytes: self.wide() }
    }

    fn job_record(&mut self) -> JobRecord {
        JobRecord {
            term: Term(self.middle()),
            leader: Incarnation(self.middle()),
            attempt: self.attempt(),
            last_checkpoint: self.checkpoint(),
            retained: vec![self.checkpoint(), self.checkpoint()],
            finished: self.flag(),
            savepoints: Box::new(SavepointRecord {
                completed: vec![self.checkpoint()],
                requests: vec![RequestNumber(3)],
                stopped: Some(self.checkpoint()),
                is_drained: self.flag(),
                origin: Some(self.checkpoint()),
            }),
            revision: self.revision(),
            shapes: ShapeHistory::default(),
        }
    }

    fn revision(&mut self) -> Revision {
        Revision { version: self.short(), parallelism: self.flag().then_some(3) }
    }

    fn former_name(&mut self) -> FormerName {
        FormerName { sink: self.subtask(), from: self.attempt(), until: self.attempt() }
    }

    fn deployed_shape(&mut self) -> DeployedShape {
        let snapshots = vec![vec![self.handle()], Vec::new()];
        DeployedShape {
            revision: self.revision(),
            since: self.attempt(),
            former: vec![Vec::new(), vec![self.former_name()]],
            redistribution: Some(Redistribution {
                revision: self.revision(),
                senders: snapshots.clone(),
                snapshots,
            }),
        }
    }

    fn flag(&mut self) -> bool {
        self.wide().is_multiple_of(2)
    }
}

/// How many kinds of messages [`message`] makes.
pub const MESSAGES: usize = 46;

/// A message of kind `kind`.
pub fn message(kind: usize, n: &mut Numbers, bytes: &[u8]) -> Message {
    match kind {
        0..10 => of_channels(kind, n, bytes),
        10..19 => of_attempts(kind, n, bytes),
        19..23 => of_transactions(kind, n),
        35 => Message::Worker(ToWorker::Tally {
            attempt: n.attempt(),
            channel: ChannelId(n.short()),
            elements: n.middle(),
        }),
        36..39 => of_enumerators(kind, n),
        39..43 => of_savepoints(kind, n),
        43..46 => of_systems(kind, n, bytes),
        _ => of_services(kind, n, bytes),
    }
}

fn of_enumerators(kind: usize, n: &mut Numbers) -> Message {
    let (attempt, subtask, number) = (n.attempt(), n.subtask(), n.middle());
    match kind {
        36 => Message::Coordinator(ToCoordinator::RequestSplit { attempt, subtask, taken: number }),
        37 => Message::Coordinator(ToCoordinator::SplitTaken { attempt, subtask, taken: number }),
        _ if n.flag() => Message::Worker(ToWorker::TellReader {
            attempt,
            subtask,
            number,
            event: SplitEvent::NoMore,
        }),
        _ => {
            let event = SplitEvent::Assign(SplitId(n.short()));
            Message::Worker(ToWorker::TellReader { attempt, subtask, number, event })
        }
    }
}

fn of_channels(kind: usize, n: &mut Numbers, bytes: &[u8]) -> Message {
    let (attempt, channel) = (n.attempt(), ChannelId(n.short()));
    let element = match kind {
        0 if n.flag() => Element::Item(Parcel::Buffer(n.buffer(bytes))),
        0 => Element::Item(Parcel::Item(Item::Record(n.record(bytes)))),
        1 => Element::Item(Parcel::Item(Item::Watermark(n.wide().cast_signed()))),
        2 => Element::Barrier(Barrier::in_order(n.checkpoint())),
        3 => Element::Cancel(n.checkpoint()),
        4 => Element::End,
        5 => return Message::Worker(ToWorker::Credit { attempt, channel, credits: n.middle() }),
        6 => return Message::Coordinator(ToCoordinator::Heartbeat(n.heartbeat())),
        7 => return Message::Worker(ToWorker::HeartbeatSeen { term: Term(n.middle()) }),
        8 => return Message::Coordinator(ToCoordinator::Ready(n.heartbeat())),
        _ => return Message::Coordinator(ToCoordinator::Running(n.heartbeat())),
    };
    Message::Worker(ToWorker::Data { attempt, channel, sequence: n.middle(), element })
}

fn of_attempts(kind: usize, n: &mut Numbers, bytes: &[u8]) -> Message {
    let (attempt, checkpoint) = (n.attempt(), n.checkpoint());
    match kind {
        10 => Message::Worker(ToWorker::Deploy {
            to: Incarnation(n.middle()),
            deploy: Arc::new(Deploy {
                attempt,
                term: Term(n.middle()),
                checkpoint: n.flag().then_some(checkpoint),
                placement: bytes.iter().map(|byte| u16::from(*byte)).collect(),
                snapshots: vec![n.handle(), n.handle()],
                unions: vec![Vec::new(), vec![n.handle()]],
                shape: n.flag().then(|| Box::new(n.deployed_shape())),
            }),
        }),
        11 => Message::Worker(ToWorker::Run { attempt }),
        12 => Message::Worker(ToWorker::Cancel { attempt }),
        13 => Message::Worker(ToWorker::Trigger {
            attempt,
            barrier: Barrier {
                passage: Passage::InOrderUntil(VirtualTime(7)),
                ..Barrier::in_order(checkpoint)
            },
        }),
        14 => Message::Coordinator(ToCoordinator::Acknowledge(Box::new(Acknowledgement {
            attempt,
            checkpoint,
            handle: n.handle(),
            terminal: n.flag(),
            quiet: n.flag(),
        }))),
        15 => Message::Coordinator(ToCoordinator::Decline {
            attempt,
            subtask: n.subtask(),
            checkpoint,
            reason: DeclineReason::Superseded,
        }),
        16 if n.flag() => {
            Message::Worker(ToWorker::LoopsOver { attempt, over: vec![n.subtask(), n.subtask()] })
        }
        16 => Message::Worker(ToWorker::NotifyComplete { attempt, checkpoint }),
        17 => Message::Worker(ToWorker::NotifyAborted { attempt, checkpoint }),
        18 => {
            let reason = String::from_utf8_lossy(bytes).into_owned();
            Message::Coordinator(ToCoordinator::SubtaskFailed {
                attempt,
                subtask: n.subtask(),
                reason,
            })
        }
        kind => unreachable!("{kind} is no message about an attempt"),
    }
}

fn of_transactions(kind: usize, n: &mut Numbers) -> Message {
    let operation = match kind {
        19 => SinkOperation::Fence {
            sink: n.subtask(),
            attempt: n.attempt(),
            keep: vec![n.transaction(), n.transaction()],
            since: n.attempt(),
            former: vec![n.former_name()],
        },
        20 => {
            let (sink, attempt) = (n.subtask(), n.attempt());
            SinkOperation::Flush { sink, attempt, records: n.wide() }
        }
        21 => SinkOperation::Prepare { transaction: n.transaction(), records: n.wide() },
        _ => SinkOperation::Commit { transaction: n.transaction() },
    };
    Message::SinkTarget(ToSinkTarget::Operation { request: n.request(), operation })
}

fn of_savepoints(kind: usize, n: &mut Numbers) -> Message {
    let (attempt, checkpoint, mode) = (n.attempt(), n.checkpoint(), SavepointMode::Drain);
    match kind {
        39 => {
            let barrier = Barrier::of_savepoint(checkpoint, mode);
            Message::Worker(ToWorker::Trigger { attempt, barrier })
        }
        40 => Message::Worker(ToWorker::Stop { attempt, checkpoint }),
        41 if n.flag() => Message::Coordinator(ToCoordinator::Ended(n.heartbeat())),
        41 => Message::Coordinator(ToCoordinator::Finished(n.heartbeat())),
        _ => {
            let request = match n.short() % 4 {
                0 => Request::Resume,
                1 => Request::ResumeAt { parallelism: n.short() },
                2 => Request::ResumeAs { version: n.short(), parallelism: n.flag().then_some(2) },
                _ => Request::Savepoint { mode },
            };
            Message::Coordinator(ToCoordinator::Request {
                number: RequestNumber(n.short()),
                request,
            })
        }
    }
}

fn of_systems(kind: usize, n: &mut Numbers, bytes: &[u8]) -> Message {
    let (request, bytes) = (n.request(), bytes.to_vec());
    match kind {
        43 => Message::SinkTarget(ToSinkTarget::Ask { request, in_order: n.flag(), bytes }),
        44 => Message::SinkTarget(ToSinkTarget::Tell { bytes }),
        _ => {
            let reply = match n.short() % 3 {
                0 => Reply::Answer(bytes),
                1 => Reply::Unavailable,
                _ => Reply::Malformed("no request of a log".to_owned()),
            };
            Message::Answer(Answer::System { request, reply })
        }
    }
}

fn of_services(kind: usize, n: &mut Numbers, bytes: &[u8]) -> Message {
    let (request, content) = (n.request(), Arc::from(bytes));
    let object = |operation| Message::ObjectStore { request, operation };
    let answer = |result| Message::Answer(Answer::Object { request, result });
    match kind {
        23 => object(ObjectOperation::Put { key: n.key(), bytes: content }),
        24 => object(ObjectOperation::Get { key: n.key() }),
        25 if n.flag() => object(ObjectOperation::List),
        25 => object(ObjectOperation::Delete { key: n.key() }),
        26 if n.flag() => answer(ObjectResult::Listed(vec![n.key(), n.key()])),
        26 => answer(ObjectResult::Read(content)),
        27 => answer(if n.flag() { ObjectResult::Missing } else { ObjectResult::Failed }),
        28 => {
            let (expected_version, record) = (n.wide(), n.job_record());
            let operation = MetaOperation::Write { expected_version, record };
            Message::MetaStore { request, operation }
        }
        29 => {
            let (written, version, record) = (n.flag(), n.wide(), n.job_record());
            Message::Answer(Answer::Meta { request, written, version, record })
        }
        30 => {
            let (split, offset, entries_max) = (SplitId(n.short()), n.wide(), n.middle());
            let attempt = Attempt(n.middle());
            Message::SourceLog(ToSourceLog::Fetch { request, attempt, split, offset, entries_max })
        }
        31 => Message::Answer(Answer::Fetched(Box::new(Fetched {
            request,
            split: SplitId(n.short()),
            requested: n.wide(),
            offset: n.wide(),
            bytes: bytes.to_vec(),
            ends: vec![n.middle(), n.middle()],
            split_end: n.wide(),
        }))),
        32 if n.flag() && n.flag() => Message::SourceLog(ToSourceLog::ListSplits { request }),
        32 if n.flag() => {
            let (there, removed) = (vec![SplitId(n.short())], vec![SplitId(n.short())]);
            let listing = Listing { there, removed, is_complete: n.flag() };
            Message::Answer(Answer::SplitsListed { request, listing: Box::new(listing) })
        }
        32 => Message::SourceLog(ToSourceLog::CommitOffset {
            split: SplitId(n.short()),
            offset: n.wide(),
        }),
        33 => {
            let records = vec![n.record(bytes), n.record(&[])];
            Message::SinkTarget(ToSinkTarget::Write {
                transaction: n.transaction(),
                transactional: n.flag(),
                first: n.wide(),
                records,
            })
        }
        _ => Message::Answer(Answer::Sink { request, accepted: n.flag() }),
    }
}
