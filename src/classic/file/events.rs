//! `.events`: what happens, line by line.

use super::{FileProblem, number, spoken};
use crate::classic::graph::{ProcessGraph, ProcessIndex};
use crate::classic::script::{Act, Script};
use crate::classic::system::TOKENS_MAX;
use crate::classic::workload::Command;
use crate::protocol::ordered::VecSet;

/// More ticks in a row than this are refused.
const TICKS_MAX: u64 = 1_000_000;

/// Reads the events of a system with this graph.
///
/// # Errors
///
/// At the first line that is not what it should be, and for a snapshot that could never be complete.
pub fn events(text: &str, graph: &ProcessGraph) -> Result<Script, FileProblem> {
    let act = |(at, words): (usize, Vec<&str>)| Ok((at, act(graph, at, &words)?));
    let acts = spoken(text).map(act).collect::<Result<_, FileProblem>>()?;
    Ok(Script { acts })
}

fn act(graph: &ProcessGraph, at: usize, words: &[&str]) -> Result<Act, FileProblem> {
    match words {
        ["send", from, to, amount] => send(graph, at, [from, to, amount]),
        ["snapshot", initiators @ ..] if !initiators.is_empty() => snapshot(graph, at, initiators),
        ["tick"] => Ok(Act::Tick { ticks: 1 }),
        ["tick", ticks] => Ok(Act::Tick { ticks: number(at, ticks, "ticks", TICKS_MAX)? }),
        _ => {
            let found = words.join(" ");
            let expected = "expected send FROM TO N, snapshot PROCESS…, tick, or tick N";
            Err(FileProblem::new(at, format!("{found:?}: {expected}")))
        }
    }
}

fn send(graph: &ProcessGraph, at: usize, words: [&str; 3]) -> Result<Act, FileProblem> {
    let [from, to, amount] = words;
    let (process, receiver) = (known(graph, at, from)?, known(graph, at, to)?);
    let channel = graph.channel_between(process, receiver).ok_or_else(|| {
        let problem = format!("no channel leads from {from} to {to}: expected one of the topology");
        FileProblem::new(at, problem)
    })?;
    let amount = number(at, amount, "tokens", TOKENS_MAX)?;
    Ok(Act::Send { process, command: Command { channel, amount } })
}

/// A process that no way leads to from an initiator would never record its state.
fn snapshot(graph: &ProcessGraph, at: usize, names: &[&str]) -> Result<Act, FileProblem> {
    let initiators = names.iter().map(|name| known(graph, at, name));
    let initiators: VecSet<ProcessIndex> = initiators.collect::<Result<_, _>>()?;
    let reached = graph.reached_from(&initiators);
    if let Some(missed) = graph.processes().find(|process| !reached.contains(process)) {
        let problem = format!(
            "a snapshot of {} cannot be complete, no way leads to {}: expected initiators that \
             reach every process",
            names.join(" "),
            graph.name(missed)
        );
        return Err(FileProblem::new(at, problem));
    }
    Ok(Act::Snapshot { initiators })
}

fn known(graph: &ProcessGraph, at: usize, name: &str) -> Result<ProcessIndex, FileProblem> {
    graph.process(name).ok_or_else(|| {
        let problem = format!("unknown process {name:?}: expected one of the topology");
        FileProblem::new(at, problem)
    })
}
