//! Which workers live, as far as the coordinator can know.

use std::time::Duration;

use super::super::message::Heartbeat;
use crate::protocol::ordered::VecMap;
use crate::protocol::{Attempt, Incarnation, VirtualTime};

/// The workers that have been heard of.
#[derive(Clone, Debug, Default)]
pub struct Workers {
    known: VecMap<u16, Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    incarnation: Incarnation,
    sequence: u64,
    heard: VirtualTime,
}

/// What a sign of life tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It was overtaken by a later sign.
    Stale,
    /// The worker is new, or back with empty memory.
    Started,
    /// It goes on, and runs this.
    Alive(Option<Attempt>),
}

impl Workers {
    /// A worker gave a sign of life.
    pub fn handle_sign(&mut self, now: VirtualTime, worker: u16, sign: Heartbeat) -> News {
        let known = Known { incarnation: sign.incarnation, sequence: sign.sequence, heard: now };
        let before = self.known.insert(worker, known);
        match before {
            Some(before)
                if (sign.incarnation, sign.sequence) < (before.incarnation, before.sequence) =>
            {
                self.known.insert(worker, before);
                News::Stale
            }
            Some(before) if before.incarnation == sign.incarnation => News::Alive(sign.attempt),
            Some(_) | None => News::Started,
        }
    }

    /// Forgets those not heard of for `timeout`, and names them.
    pub fn forget_silent(&mut self, now: VirtualTime, timeout: Duration) -> Vec<u16> {
        // A clock that was set back must not hide a silence until it has caught up.
        self.known.values_mut().for_each(|known| known.heard = known.heard.min(now));
        let silent = |known: &Known| now - known.heard > timeout;
        let gone =
            self.known.iter().filter(|(_, known)| silent(known)).map(|(id, _)| *id).collect();
        self.known.retain(|_, known| !silent(known));
        gone
    }

    /// Which life of a worker was heard of last.
    pub fn incarnation(&self, worker: u16) -> Option<Incarnation> {
        self.known.get(&worker).map(|known| known.incarnation)
    }

    /// Those that live, in order.
    pub fn alive(&self) -> impl Iterator<Item = u16> + '_ {
        self.known.keys().copied()
    }
}
