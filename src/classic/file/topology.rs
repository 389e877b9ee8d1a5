//! `.top`: how many processes, each with its tokens, then the channels.

use super::{FileProblem, number, spoken};
use crate::classic::graph::{ProcessGraph, SIZE_MAX};
use crate::classic::system::{System, TOKENS_MAX};
use crate::classic::workload::Workload;

/// Reads a topology.
///
/// # Errors
///
/// At the first line that is not what it should be.
pub fn topology(text: &str, workload: Workload) -> Result<System, FileProblem> {
    let mut lines = spoken(text);
    let expected = "expected the number of processes";
    let (at, words) = lines.next().ok_or_else(|| FileProblem::new(1, expected))?;
    let [count] = words.as_slice() else {
        return Err(FileProblem::new(at, format!("{:?}: {expected}", words.join(" "))));
    };
    let count = number(at, count, "processes", SIZE_MAX as u64)? as usize;
    if count == 0 {
        return Err(FileProblem::new(at, "no processes: expected at least one"));
    }
    let (mut graph, mut tokens, mut last) = (ProcessGraph::default(), Vec::new(), at);
    for (at, words) in lines {
        last = at;
        if tokens.len() < count {
            tokens.push(process(&mut graph, at, &words)?);
        } else {
            channel(&mut graph, at, &words)?;
        }
    }
    if tokens.len() < count {
        let problem = format!("{} processes: expected {count}, as said at the top", tokens.len());
        return Err(FileProblem::new(last, problem));
    }
    System::new(graph, workload, tokens).map_err(|error| FileProblem::new(at, error.to_string()))
}

/// `N1 10`
fn process(graph: &mut ProcessGraph, at: usize, words: &[&str]) -> Result<u64, FileProblem> {
    let [name, tokens] = words else {
        let problem = format!("{:?}: expected a process and its tokens", words.join(" "));
        return Err(FileProblem::new(at, problem));
    };
    let tokens = number(at, tokens, "tokens", TOKENS_MAX)?;
    graph.add_process(name).map_err(|error| FileProblem::new(at, error.to_string()))?;
    Ok(tokens)
}

/// `N1 N2`
fn channel(graph: &mut ProcessGraph, at: usize, words: &[&str]) -> Result<(), FileProblem> {
    let [from, to] = words else {
        let problem = format!("{:?}: expected two processes, from and to", words.join(" "));
        return Err(FileProblem::new(at, problem));
    };
    let added = graph.add_channel(from, to);
    added.map(drop).map_err(|error| FileProblem::new(at, error.to_string()))
}
