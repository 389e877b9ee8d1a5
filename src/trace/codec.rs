//! Traces as JSON Lines: a header with the format's version, then one event a line.
//!
//! ```text
//! {"format":"cutwater-trace","version":1}
//! {"number":0,"at":0,"process":"coordinator","what":{"event":"leadership-taken","term":1}}
//! ```
//!
//! `at` is in nanoseconds of virtual time. A trace may come from anywhere: a reader trusts nothing, and
//! its errors name the line and, where it can be told, the field.

#![deny(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::event::{Event, Stamp};
use super::tagged::{Object, in_field};
use cutwater_protocol::{ProcessId, VirtualTime};

/// The name of the format, in the header.
pub const FORMAT: &str = "cutwater-trace";

/// The version of the format, in the header; grows with every change of the events.
pub const VERSION: u32 = 1;

/// No line is longer than this many bytes.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// What is wrong with a trace file.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The file cannot be read or written.
    #[error("line {line}: {source}")]
    Io {
        /// Counted from 1.
        line: u64,
        /// What the reader or writer below says.
        source: io::Error,
    },
    /// The file does not begin with a header.
    #[error("line 1: not the header of a trace: {reason}")]
    NoHeader {
        /// What is there instead.
        reason: String,
    },
    /// The file is of another version.
    #[error("line 1: field version: this is version {found} of the format, {VERSION} is supported")]
    Version {
        /// The version found.
        found: u32,
    },
    /// A line is too long.
    #[error("line {line}: longer than {LINE_BYTES_MAX} bytes")]
    LineTooLong {
        /// Counted from 1.
        line: u64,
    },
    /// A line holds no event.
    #[error("line {line}: {reason}")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// The field, where it can be told, and what is wrong.
        reason: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
}

/// A line before its fields are read: an error tells which of them is to blame.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    number: Value,
    at: Value,
    process: Value,
    what: Object,
}

#[derive(Serialize)]
struct LineRef<'a> {
    number: u64,
    at: VirtualTime,
    process: ProcessId,
    what: &'a Event,
}

/// Writes a trace.
#[derive(Debug)]
pub struct TraceWriter<W> {
    sink: W,
    line: u64,
    /// The line that is being written.
    buffer: Vec<u8>,
}

impl<W: Write> TraceWriter<W> {
    /// Begins a trace with its header.
    ///
    /// # Errors
    ///
    /// When `sink` cannot be written to.
    pub fn new(sink: W) -> Result<Self, TraceError> {
        let mut writer = Self { sink, line: 0, buffer: Vec::new() };
        writer.write_line(&Header { format: FORMAT.to_owned(), version: VERSION })?;
        Ok(writer)
    }

    /// Writes the next event.
    ///
    /// # Errors
    ///
    /// When the sink cannot be written to.
    pub fn write(&mut self, stamp: Stamp, event: &Event) -> Result<(), TraceError> {
        let Stamp { number, at, process } = stamp;
        self.write_line(&LineRef { number, at, process, what: event })
    }

    /// Flushes, and gives the sink back.
    ///
    /// # Errors
    ///
    /// When the sink cannot be flushed.
    pub fn finish(mut self) -> Result<W, TraceError> {
        let line = self.line;
        self.sink.flush().map_err(|source| TraceError::Io { line, source })?;
        Ok(self.sink)
    }

    fn write_line(&mut self, value: &impl Serialize) -> Result<(), TraceError> {
        self.line += 1;
        self.buffer.clear();
        serde_json::to_writer(&mut self.buffer, value)
            .map_err(io::Error::from)
            .and_then(|()| self.buffer.write_all(b"\n"))
            .and_then(|()| self.sink.write_all(&self.buffer))
            .map_err(|source| TraceError::Io { line: self.line, source })
    }
}

/// Reads a trace, event by event. Ends at the first error.
#[derive(Debug)]
pub struct TraceReader<R> {
    source: R,
    buffer: Vec<u8>,
    line: u64,
    is_over: bool,
}

impl<R: BufRead> TraceReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not the header of a trace of this version.
    pub fn new(source: R) -> Result<Self, TraceError> {
        let mut reader = Self { source, buffer: Vec::new(), line: 0, is_over: false };
        if !reader.read_line()? {
            return Err(TraceError::NoHeader { reason: "the file is empty".to_owned() });
        }
        let header: Header = serde_json::from_slice(&reader.buffer)
            .map_err(|error| TraceError::NoHeader { reason: error.to_string() })?;
        if header.format != FORMAT {
            let reason = format!("field format: {:?} instead of {FORMAT:?}", header.format);
            return Err(TraceError::NoHeader { reason });
        }
        if header.version != VERSION {
            return Err(TraceError::Version { found: header.version });
        }
        Ok(reader)
    }

    /// How many bytes the newest line had.
    #[must_use]
    pub fn line_bytes(&self) -> usize {
        self.buffer.len()
    }

    fn read_event(&mut self) -> Result<Option<(Stamp, Event)>, TraceError> {
        if !self.read_line()? {
            return Ok(None);
        }
        let read = parse(&self.buffer);
        read.map(Some).map_err(|reason| TraceError::Malformed { line: self.line, reason })
    }

    /// Reads the next line that is not empty into the buffer. Whether there is one.
    fn read_line(&mut self) -> Result<bool, TraceError> {
        loop {
            self.line += 1;
            let line = self.line;
            self.buffer.clear();
            let limit = LINE_BYTES_MAX as u64 + 1;
            let read = io::Read::take(&mut self.source, limit).read_until(b'\n', &mut self.buffer);
            if read.map_err(|source| TraceError::Io { line, source })? == 0 {
                return Ok(false);
            }
            if self.buffer.len() > LINE_BYTES_MAX {
                return Err(TraceError::LineTooLong { line });
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }
}

impl<R: BufRead> Iterator for TraceReader<R> {
    type Item = Result<(Stamp, Event), TraceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let read = self.read_event();
        self.is_over = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

/// Reads a line; the complaint names the field, where one is to blame.
fn parse(line: &[u8]) -> Result<(Stamp, Event), String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let stamp = parse_stamp(&line).map_err(|error| error.to_string())?;
    let what = Value::Object(line.what.0);
    let event =
        serde_json::from_value(what).map_err(|error: serde_json::Error| match error.to_string() {
            told if told.starts_with("field ") => told.replacen("field ", "field what.", 1),
            told => format!("field what: {told}"),
        });
    Ok((stamp, event?))
}

fn parse_stamp(line: &Line) -> Result<Stamp, serde_json::Error> {
    let number = u64::deserialize(&line.number).map_err(|error| in_field("number", &error))?;
    let at = VirtualTime::deserialize(&line.at).map_err(|error| in_field("at", &error))?;
    let process = ProcessId::deserialize(&line.process);
    Ok(Stamp { number, at, process: process.map_err(|error| in_field("process", &error))? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelCut, OutputRecord, RunStarted, SnapshotTaken, SplitPosition};
    use cutwater_protocol::Protocol;
    use cutwater_protocol::{
        Attempt, ChannelId, CheckpointId, Digest, LineageId, OperatorRole, OperatorShape, SplitId,
        SubtaskId, SubtaskShape, Topology, TransactionId,
    };

    fn snapshot() -> SnapshotTaken {
        let transaction =
            TransactionId { sink: SubtaskId(2), attempt: Attempt(1), number: u32::MAX };
        SnapshotTaken {
            subtask: SubtaskId(2),
            attempt: Attempt(1),
            checkpoint: CheckpointId(u64::MAX),
            received: vec![ChannelCut {
                channel: ChannelId(1),
                records: 3,
                digest: Digest(u64::MAX),
            }],
            sent: Vec::new(),
            positions: vec![SplitPosition { split: SplitId(0), offset: 7 }],
            state: Digest(1 << 63),
            tokens: Some(i64::MIN),
            transactions: vec![(CheckpointId(3), transaction)],
            ended: true,
            ownership: crate::Ownership::default(),
        }
    }

    fn run() -> RunStarted {
        RunStarted {
            topology: Topology {
                operators: vec![OperatorShape::new("lines", OperatorRole::Source, 1)],
                subtasks: vec![SubtaskShape {
                    operator: cutwater_protocol::OperatorId(0),
                    index: 0,
                }],
                channels: Vec::new(),
            },
            split_lengths: vec![10],
            retained: 1,
            liveness_bound_ms: 1000,
            concurrent_max: 1,
            protocol: Protocol::Aligned,
        }
    }

    fn events() -> Vec<(Stamp, Event)> {
        let lineage = LineageId(u64::MAX);
        let transaction = snapshot().transactions[0].1;
        let record = OutputRecord { lineage, digest: Digest(u64::MAX - 1) };
        let key = cutwater_protocol::ObjectKey::Metadata { checkpoint: CheckpointId(1) };
        let (channel, attempt) = (ChannelId(0), Attempt(1));
        [
            Event::RunStarted(Box::new(run())),
            Event::Sent { channel, attempt, sequence: u64::MAX, lineage, bytes: Some(u32::MAX) },
            Event::SnapshotTaken(Box::new(snapshot())),
            Event::ObjectStored { key, digest: Digest(u64::MAX), bytes: u64::MAX },
            Event::Assembled { checkpoint: CheckpointId(1), snapshots: vec![(SubtaskId(0), key)] },
            Event::TransactionCommitted { transaction, records: vec![record] },
            Event::FaultsEnded,
        ]
        .into_iter()
        .zip(0..)
        .map(|(event, number)| {
            let process = ProcessId::Worker(u16::try_from(number).unwrap_or(0));
            (Stamp { number, at: VirtualTime::from_ms(number), process }, event)
        })
        .collect()
    }

    fn written(events: &[(Stamp, Event)]) -> Vec<u8> {
        let mut writer = TraceWriter::new(Vec::new()).expect("memory takes everything");
        for (stamp, event) in events {
            writer.write(*stamp, event).expect("memory takes everything");
        }
        writer.finish().expect("memory takes everything")
    }

    fn error_of(text: &str) -> String {
        let read =
            TraceReader::new(text.as_bytes()).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        read.expect_err("the trace is wrong").to_string()
    }

    const HEADER: &str = "{\"format\":\"cutwater-trace\",\"version\":1}\n";

    fn error_of_event(what: &str) -> String {
        error_of(&format!(
            "{HEADER}{{\"number\":0,\"at\":0,\"process\":\"coordinator\",\"what\":{what}}}\n"
        ))
    }

    #[test]
    fn what_was_written_is_read_back() {
        let written = written(&events());
        let read: Vec<_> = TraceReader::new(written.as_slice())
            .expect("the header is there")
            .collect::<Result<_, _>>()
            .expect("all lines are events");
        assert_eq!(read, events());
    }

    #[test]
    fn errors_name_the_line_and_the_field() {
        let sent = |fields: &str| error_of_event(&format!("{{\"event\":\"sent\",{fields}}}"));
        let wrong = sent(r#""channel":0,"attempt":1,"sequence":"x","lineage":5"#);
        assert!(wrong.starts_with("line 2: field what.sequence: invalid type"), "{wrong}");
        let missing = sent(r#""channel":0,"attempt":1,"lineage":5"#);
        assert!(missing.contains("missing field `sequence`"), "{missing}");
        let surplus = sent(r#""channel":0,"attempt":1,"sequence":1,"lineage":5,"colour":1"#);
        assert!(surplus.contains("unknown field `colour`"), "{surplus}");
        let twice = sent(r#""channel":0,"channel":1,"attempt":1,"sequence":1,"lineage":5"#);
        assert!(twice.contains("duplicate field `channel`"), "{twice}");
        let kind = error_of_event(r#"{"event":"snet"}"#);
        assert!(kind.contains("line 2") && kind.contains("unknown variant `snet`"), "{kind}");
        let place = error_of(&format!(
            "{HEADER}\n{{\"number\":-1,\"at\":0,\"process\":\"coordinator\",\"what\":{{\"event\":\"faults-ended\"}}}}"
        ));
        assert!(place.starts_with("line 3: field number"), "{place}");
    }

    #[test]
    fn a_file_that_is_no_trace_is_refused() {
        assert_eq!(error_of(""), "line 1: not the header of a trace: the file is empty");
        assert!(error_of("{\"format\":\"other\",\"version\":1}").contains("field format"));
        assert!(error_of("{\"format\":\"cutwater-trace\",\"version\":2}").contains("version 2"));
        assert!(error_of("not json").starts_with("line 1: not the header"));
        assert!(error_of(&format!("{HEADER}{{\"number\":0")).starts_with("line 2: EOF"));
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let text = [HEADER.as_bytes(), &vec![b' '; LINE_BYTES_MAX + 1]].concat();
        let read = TraceReader::new(text.as_slice()).expect("the header is there").next();
        assert!(matches!(read, Some(Err(TraceError::LineTooLong { line: 2 }))), "{read:?}");
    }
}
