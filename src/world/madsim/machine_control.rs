//! Control over the simulated machines: it pauses them, and cuts what connects them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use madsim::net::NetSim;
use madsim::runtime::Handle;
use madsim::task::NodeId;

use super::driver::{Machine, lock};
use super::run::Machines;
use crate::protocol::ProcessId;

/// The machines, and which processes are cut off from each other.
#[derive(Default)]
pub struct MachineControl(Mutex<State>);

#[derive(Default)]
struct State {
    nodes: BTreeMap<Machine, (ProcessId, NodeId)>,
    /// From whom to whom: also of machines that are yet to be set up.
    cuts: BTreeSet<(ProcessId, ProcessId)>,
}

impl MachineControl {
    /// A machine was set up, for lives of a process: it is where its process is, also where that is cut
    /// off from others.
    pub fn add(&self, process: ProcessId, machine: Machine, node: NodeId) {
        let state = &mut *lock(&self.0);
        state.nodes.insert(machine, (process, node));
        let concerned = state.cuts.iter().filter(|(from, to)| [from, to].contains(&&process));
        for (from, to) in concerned {
            state.between(*from, *to, |net, from, to| net.clog_link(from, to));
        }
    }

    /// What madsim calls a machine, if it was set up.
    pub fn node(&self, machine: Machine) -> Option<NodeId> {
        lock(&self.0).nodes.get(&machine).map(|(_, node)| *node)
    }

    /// All of them.
    pub fn nodes(&self) -> Vec<NodeId> {
        lock(&self.0).nodes.values().map(|(_, node)| *node).collect()
    }
}

impl State {
    /// Does something to the links from all machines of a process to all machines of another.
    fn between(&self, from: ProcessId, to: ProcessId, act: impl Fn(&NetSim, NodeId, NodeId)) {
        let net = NetSim::current();
        let of = |process| {
            self.nodes.values().filter(move |(owner, _)| *owner == process).map(|(_, node)| *node)
        };
        for from in of(from) {
            of(to).for_each(|to| act(&net, from, to));
        }
    }
}

impl Machines for Arc<MachineControl> {
    fn pause(&self, machine: Machine) {
        if let Some(node) = self.node(machine) {
            Handle::current().pause(node);
        }
    }

    fn resume(&self, machine: Machine) {
        if let Some(node) = self.node(machine) {
            Handle::current().resume(node);
        }
    }

    fn cut(&self, from: ProcessId, to: ProcessId) {
        let state = &mut *lock(&self.0);
        state.cuts.insert((from, to));
        state.between(from, to, |net, from, to| net.clog_link(from, to));
    }

    fn heal(&self, from: ProcessId, to: ProcessId) {
        let state = &mut *lock(&self.0);
        state.cuts.remove(&(from, to));
        state.between(from, to, |net, from, to| net.unclog_link(from, to));
    }
}
