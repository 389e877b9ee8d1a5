//! `.snap`: what a snapshot recorded. The id, then each process with its tokens, then what was in channels.

use std::fmt::{self, Write as _};

use super::{FileProblem, number, spoken};
use crate::classic::global_state::GlobalState;
use crate::classic::graph::ProcessGraph;
use crate::classic::message::Message;
use crate::classic::system::TOKENS_MAX;
use crate::protocol::SnapshotId;

/// A snapshot as its file holds it, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapFile {
    /// The snapshot that the line is about.
    pub snapshot: SnapshotId,
    /// The processes, each with what its state shows.
    pub processes: Vec<(String, String)>,
    /// From, to and the message; those of a channel in order.
    pub messages: Vec<(String, String, Message)>,
}

impl SnapFile {
    /// The file of a global state.
    #[must_use]
    pub fn new(snapshot: SnapshotId, state: &GlobalState, graph: &ProcessGraph) -> Self {
        let shown = |(process, state): (_, &crate::classic::LocalState)| {
            (graph.name(process).to_owned(), state.to_string())
        };
        let processes = graph.processes().zip(&state.processes).map(shown).collect();
        let mut messages = Vec::new();
        for (channel, in_it) in graph.channels().zip(&state.channels) {
            let (from, to) = graph.ends(channel);
            let ends = (graph.name(from).to_owned(), graph.name(to).to_owned());
            messages.extend(in_it.iter().map(|it| (ends.0.clone(), ends.1.clone(), *it)));
        }
        Self { snapshot, processes, messages }
    }
}

impl fmt::Display for SnapFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{}\n", self.snapshot.0);
        for (process, state) in &self.processes {
            writeln!(text, "{process} {state}")?;
        }
        for (from, to, message) in &self.messages {
            writeln!(text, "{from} {to} {message}")?;
        }
        f.write_str(&text)
    }
}

/// Reads a snapshot of tokens.
///
/// # Errors
///
/// At the first line that is not what it should be.
pub fn snap(text: &str) -> Result<SnapFile, FileProblem> {
    let (mut snapshot, mut processes, mut messages) = (None, Vec::new(), Vec::new());
    for (at, words) in spoken(text) {
        match (words.as_slice(), snapshot) {
            ([id], None) => {
                let id = number(at, id, "the snapshot", u64::from(u32::MAX))?;
                snapshot = Some(SnapshotId(u32::try_from(id).unwrap_or(u32::MAX)));
            }
            ([process, tokens], Some(_)) => {
                number(at, tokens, "tokens", TOKENS_MAX)?;
                processes.push(((*process).to_owned(), (*tokens).to_owned()));
            }
            ([from, to, message], Some(_)) => {
                let message = message.parse().map_err(|problem| FileProblem::new(at, problem))?;
                messages.push(((*from).to_owned(), (*to).to_owned(), message));
            }
            (words, _) => {
                let expected = "expected an id, then PROCESS TOKENS, then FROM TO token(N)";
                return Err(FileProblem::new(at, format!("{:?}: {expected}", words.join(" "))));
            }
        }
    }
    let snapshot = snapshot.ok_or_else(|| FileProblem::new(1, "expected the id of a snapshot"))?;
    Ok(SnapFile { snapshot, processes, messages })
}
