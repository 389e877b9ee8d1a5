//! The beginning of a task in another shape than its snapshots were taken in: it takes its share of the state,
//! and of what was in flight.

use super::super::buffers::{Parcel, items_of};
use super::super::message::Deploy;
use super::channel_state::{ChannelState, in_flight};
use super::restoring::Committables;
use super::{Env, Task};
use crate::dataflow::{Item, Job, Part, Share};
use crate::protocol::ordered::VecMap;
use crate::protocol::redistribute::joined;
use crate::protocol::{ChannelId, CheckpointId, Defect, DefectSet, Digest};
use crate::trace::{ChannelStateDealt, ChannelStateRestored, Dealt, Event};

/// What was found of one old channel.
#[derive(Default)]
struct Found {
    /// In the snapshot of its receiver: it had arrived.
    arrived: Vec<Parcel>,
    /// In the snapshot of its sender: it had been emitted, and not sent.
    unsent: Vec<Parcel>,
}

/// The items in each old channel, both of whose ends were read. With buffers, an item may begin in what had arrived
/// and end in what had not been sent: only joined are the two parts items again.
fn joined_items(
    found: impl Iterator<Item = (ChannelId, Found)>,
    defects: DefectSet,
) -> Result<VecMap<ChannelId, Vec<Item>>, String> {
    let join = |(channel, Found { arrived, unsent }): (ChannelId, Found)| {
        let items = items_of(&joined(arrived, unsent, defects));
        items.map(|items| (channel, items)).map_err(|error| format!("{channel}: {error}"))
    };
    found.map(join).collect()
}

impl Task {
    /// All that it starts from has been read: it takes over its share.
    ///
    /// # Errors
    ///
    /// When what was read is not of one operator, or cannot be divided.
    pub(super) fn restore_divided(
        &mut self,
        deploy: &Deploy,
        now: &Job,
        before: &Job,
        env: &mut Env<'_>,
    ) -> Result<(), String> {
        let (parts, transactions, found) = self.take_read(deploy);
        let is_own = |channel: ChannelId| {
            let receiver = before.topology().channels[channel.index()].to;
            parts.iter().any(|part| part.subtask == receiver)
        };
        let found = found.into_iter().filter(|(channel, _)| is_own(*channel));
        let found = joined_items(found, self.defects)?;
        let problem = |error: &dyn std::fmt::Display| error.to_string();
        let state = now.redistribute(self.id, before, &parts, self.defects);
        let mut state = state.map_err(|error| problem(&error))?;
        let all = (&parts[..], &mut state);
        let shares = now.share_in_flight(self.id, before, all, found, self.defects);
        let shares = shares.map_err(|error| problem(&error))?;
        self.subtask.restore(&state).map_err(|error| problem(&error))?;
        if let Some(checkpoint) = deploy.checkpoint {
            self.put_back_shares(checkpoint, shares, env)?;
        }
        self.restored(deploy, Digest::default(), transactions, env);
        Ok(())
    }

    /// What was read: the snapshots of its own operator, and what was in flight, old channel by old channel.
    fn take_read(
        &mut self,
        deploy: &Deploy,
    ) -> (Vec<Part>, Committables, VecMap<ChannelId, Found>) {
        let own = deploy.snapshots_of(self.id);
        let (mut parts, mut transactions) = (Vec::new(), Vec::new());
        let mut found = VecMap::<ChannelId, Found>::new();
        let mut read = std::mem::take(&mut self.read).into_values();
        for (handle, (stored, ChannelState { inputs, .. }, _)) in own.iter().zip(read.by_ref()) {
            parts.push(Part { subtask: handle.subtask, state: stored.state });
            transactions.extend(stored.transactions);
            for (channel, parcels) in inputs {
                found.entry(channel).or_default().arrived = parcels;
            }
        }
        for (channel, parcels) in read.flat_map(|(_, ChannelState { outputs, .. }, _)| outputs) {
            found.entry(channel).or_default().unsent = parcels;
        }
        (parts, transactions, found)
    }

    /// Its share of what was in flight goes into the gate, ahead of everything that arrives.
    fn put_back_shares(
        &mut self,
        checkpoint: CheckpointId,
        shares: Vec<Share>,
        env: &mut Env<'_>,
    ) -> Result<(), String> {
        if shares.is_empty() {
            let refuses = self.defects.has(Defect::EmptyChannelStateRefused);
            return if refuses { Err("no channel state falls to it".to_owned()) } else { Ok(()) };
        }
        let (subtask, attempt) = (self.id, self.attempt);
        let dealt = shares.iter().map(|share| self.dealt(share)).collect();
        let dealt = ChannelStateDealt { subtask, attempt, checkpoint, dealt };
        env.outbox.event(Event::ChannelStateDealt(Box::new(dealt)));
        let mut lanes = VecMap::<usize, Vec<Parcel>>::new();
        for Share { input, items, .. } in shares {
            lanes.entry(input).or_default().extend(items.into_iter().map(Parcel::Item));
        }
        let mut inputs = Vec::new();
        for (input, parcels) in lanes {
            self.side.input(input).restore(&parcels);
            let lane = (self.side.input(input).id(), parcels);
            inputs.push(in_flight(&lane, 0));
            self.protocol.restore(input, lane.1).map_err(|error| error.to_string())?;
        }
        let outputs = Vec::new();
        let restored = ChannelStateRestored { subtask, attempt, checkpoint, inputs, outputs };
        env.outbox.event(Event::ChannelStateRestored(Box::new(restored)));
        Ok(())
    }

    fn dealt(&self, share: &Share) -> Dealt {
        let into = self.side.inputs()[share.input].id();
        let records = share.items.iter().filter_map(Item::lineage).collect();
        Dealt { from: share.from, into, records, key_groups: share.groups.clone() }
    }
}
