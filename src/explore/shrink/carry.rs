//! Carrying a plan over to a job or a cluster of another shape: what it names must exist there.

use super::runner::Shape;
use crate::plan::{Fault, Plan, When};
use crate::protocol::{ChannelId, ProcessId, SplitId, SubtaskId, Topology};

/// The plan for a job of shape `new`, on as many workers and splits as it says itself. Subtasks and
/// channels are found by their names; what does not exist any more is replaced by the nearest that does.
pub fn carried(mut plan: Plan, old: &Topology, new: &Shape) -> Plan {
    let topology = &new.topology;
    let workers = plan.cluster.workers.max(1);
    let splits = plan.job.splits.max(1);
    for planned in &mut plan.faults {
        if let When::Point { subtask: Some(subtask), .. } = &mut planned.when {
            *subtask = same_subtask(*subtask, old, topology);
        }
        carry_fault(&mut planned.fault, workers, splits, |channel| {
            same_channel(channel, old, topology)
        });
    }
    for slow in &mut plan.links.slow {
        slow.channel = same_channel(slow.channel, old, topology);
    }
    for link in &mut plan.links.slow_control {
        [&mut link.from, &mut link.to].into_iter().for_each(|end| carry_process(end, workers));
    }
    plan.lost.retain(|process| !matches!(process, ProcessId::Worker(worker) if *worker >= workers));
    plan.lost.truncate(usize::from(workers) - 1);
    let healthy = usize::from(workers) - plan.lost.len();
    let slots = topology.subtasks.len().div_ceil(healthy.max(1));
    plan.cluster.slots = u16::try_from(slots).unwrap_or(u16::MAX);
    plan
}

fn carry_fault(
    fault: &mut Fault,
    workers: u16,
    splits: u16,
    same: impl Fn(ChannelId) -> ChannelId,
) {
    let carry = |process: &mut ProcessId| carry_process(process, workers);
    match fault {
        Fault::Crash { process, .. }
        | Fault::Zombie { process, .. }
        | Fault::Pause { process, .. }
        | Fault::Isolate { process, .. }
        | Fault::Clock { process, .. } => process.iter_mut().for_each(carry),
        Fault::Disconnect { from, to, .. }
        | Fault::Hold { from, to, .. }
        | Fault::HalfOpen { from, to, .. } => [from, to].into_iter().for_each(carry),
        Fault::Message { to, .. } => to.iter_mut().for_each(carry),
        Fault::Lose { channel, .. } => *channel = same(*channel),
        Fault::Idle { split, .. } => *split = SplitId(split.0 % splits),
        Fault::Store { .. } | Fault::Sink { .. } => {}
    }
}

fn carry_process(process: &mut ProcessId, workers: u16) {
    if let ProcessId::Worker(worker) = process {
        *worker %= workers;
    }
}

/// The subtask of the same operator with the same number, or with the highest there is.
fn same_subtask(subtask: SubtaskId, old: &Topology, new: &Topology) -> SubtaskId {
    let Some(shape) = old.subtasks.get(subtask.index()) else { return SubtaskId(0) };
    let mut of_operator = new.subtask_ids().filter(|id| {
        let other = new.subtasks[id.index()];
        other.operator == shape.operator && other.index <= shape.index
    });
    of_operator.next_back().unwrap_or(SubtaskId(0))
}

/// The channel between the same subtasks, or the first.
fn same_channel(channel: ChannelId, old: &Topology, new: &Topology) -> ChannelId {
    let Some(shape) = old.channels.get(channel.index()) else { return ChannelId(0) };
    let from = same_subtask(shape.from, old, new);
    let to = same_subtask(shape.to, old, new);
    let between = new.channel_ids().find(|id| {
        let other = new.channels[id.index()];
        (other.from, other.to, other.edge) == (from, to, shape.edge)
    });
    between.unwrap_or(ChannelId(0))
}
