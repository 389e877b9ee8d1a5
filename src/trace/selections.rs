//! What several readers of a trace ask for by name, each once.
//!
//! A selection names what it is for, and everything else is none of its business, a new event included.
//! An arm for everything else stands here, and in the functions that the rules of the house list; all others
//! name every event, or ask [`Event::about`] and [`Point::family`].

use super::about::Family;
use super::event::{Event, Point};
use cutwater_protocol::{ProcessId, Topology};

/// How a process fares from an event on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is down.
    Down,
    /// It is up, and makes no progress.
    Paused,
    /// It is up.
    Up,
}

/// What becomes of messages between two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// They do not arrive.
    Lost,
    /// They arrive late, twice, or in another order.
    Hampered,
}

impl Event {
    /// The shape that the job has from here on, if the event tells one.
    #[must_use]
    pub fn shape(&self) -> Option<&Topology> {
        match self {
            Event::RunStarted(run) => Some(&run.topology),
            Event::Reshaped { topology, .. } => Some(topology),
            _ => None,
        }
    }

    /// The process whose standing changes, and how.
    #[must_use]
    pub fn standing(&self) -> Option<(ProcessId, Standing)> {
        match self {
            Event::Crashed { process } => Some((*process, Standing::Down)),
            Event::Paused { process } => Some((*process, Standing::Paused)),
            Event::Restarted { process, .. } | Event::Resumed { process } => {
                Some((*process, Standing::Up))
            }
            _ => None,
        }
    }

    /// From whom to whom a fault hinders messages from here on, or this one.
    #[must_use]
    pub fn hindrance(&self) -> Option<(ProcessId, ProcessId, Hindrance)> {
        match self {
            Event::MessageDropped { from, to, .. }
            | Event::Disconnected { from, to }
            | Event::HalfOpened { from, to } => Some((*from, *to, Hindrance::Lost)),
            Event::MessageDelayed { from, to, .. }
            | Event::MessageDuplicated { from, to, .. }
            | Event::MessageReordered { from, to, .. }
            | Event::Held { from, to } => Some((*from, *to, Hindrance::Hampered)),
            _ => None,
        }
    }
}

impl Point {
    /// Whether its events come with every record that moves.
    #[inline]
    #[must_use]
    pub const fn moves_record(self) -> bool {
        matches!(self, Self::Read | Self::Sent | Self::Received)
    }

    /// Whether a process in which it happens is about to take up what another left.
    #[must_use]
    pub const fn begins_recovery(self) -> bool {
        matches!(self, Self::LeadershipTaken | Self::AttemptStarted | Self::Restored)
    }

    /// Whether it tells that a fault strikes, and not that one ends.
    #[must_use]
    pub const fn strikes(self) -> bool {
        matches!(self.family(), Family::Fault) && !self.ends_fault()
    }

    const fn ends_fault(self) -> bool {
        matches!(
            self,
            Self::FaultsEnded
                | Self::Restarted
                | Self::Resumed
                | Self::Healed
                | Self::ZombieEnded
                | Self::Released
                | Self::StoreRecovered
                | Self::SinkRecovered
                | Self::SplitResumed
        )
    }
}
