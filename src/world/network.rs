//! What faults do to the ways between processes: cut, held, vanishing, lossy. Every world asks here
//! before it delivers.

use crate::protocol::ordered::VecSet;
use crate::protocol::{ChannelId, ProcessId};
use crate::trace::Event;

use super::faults::Cuts;

/// The troubles of a network.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Channels hold what they carry, all else is lost.
    cuts: Cuts,
    /// Everything waits.
    holds: Cuts,
    /// Everything is lost, and nobody is told before the connection is reset.
    vanishing: Cuts,
    /// Reconnects that lose elements.
    losses: Vec<Loss>,
}

/// A reconnect that will lose the next elements of a channel.
#[derive(Clone, Copy, Debug)]
struct Loss {
    /// Which fault; none once it has taken effect.
    fault: Option<usize>,
    channel: ChannelId,
    left: u32,
}

/// What becomes of something that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It arrives.
    Open,
    /// It waits until the way is open again.
    Waits,
    /// It is gone.
    Lost,
}

/// What happens to a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// See [`Fault::Disconnect`](crate::plan::Fault::Disconnect).
    Cut,
    /// See [`Fault::Hold`](crate::plan::Fault::Hold).
    Hold,
    /// See [`Fault::HalfOpen`](crate::plan::Fault::HalfOpen).
    HalfOpen,
}

impl Obstacle {
    /// What a trace says when it begins.
    #[must_use]
    pub fn begins(self, from: ProcessId, to: ProcessId) -> Event {
        match self {
            Obstacle::Cut => Event::Disconnected { from, to },
            Obstacle::Hold => Event::Held { from, to },
            Obstacle::HalfOpen => Event::HalfOpened { from, to },
        }
    }

    /// What a trace says when it is over.
    #[must_use]
    pub fn ends(self, from: ProcessId, to: ProcessId) -> Event {
        match self {
            Obstacle::Cut => Event::Healed { from, to },
            Obstacle::Hold => Event::Released { from, to },
            Obstacle::HalfOpen => Event::ConnectionReset { from, to },
        }
    }
}

/// A direction that is open again, and what had been in the way.
pub type Cleared = (Obstacle, ProcessId, ProcessId);

impl Network {
    /// Whether nothing is wrong: then everything passes.
    #[must_use]
    #[inline]
    pub fn is_clear(&self) -> bool {
        self.cuts.is_empty()
            && self.holds.is_empty()
            && self.vanishing.is_empty()
            && self.losses.is_empty()
    }

    /// What becomes of a message of an ordered link that arrives now.
    #[must_use]
    pub fn ordered(&self, from: ProcessId, to: ProcessId) -> Delivery {
        if self.holds.is_cut(from, to) || self.cuts.is_cut(from, to) {
            Delivery::Waits
        } else if self.vanishing.is_cut(from, to) {
            Delivery::Lost
        } else {
            Delivery::Open
        }
    }

    /// What becomes of a message that travels alone and arrives now.
    #[must_use]
    pub fn alone(&self, from: ProcessId, to: ProcessId) -> Delivery {
        if self.cuts.is_cut(from, to) || self.vanishing.is_cut(from, to) {
            Delivery::Lost
        } else if self.holds.is_cut(from, to) {
            Delivery::Waits
        } else {
            Delivery::Open
        }
    }

    /// Whether an element of a channel between two processes is lost in a reconnect; with the fault, if
    /// it takes effect only now.
    pub fn loses(&mut self, channel: ChannelId) -> Option<Option<usize>> {
        let loss = self.losses.iter_mut().find(|loss| loss.channel == channel)?;
        loss.left -= 1;
        let fault = loss.fault.take();
        self.losses.retain(|loss| loss.left > 0);
        Some(fault)
    }

    /// From here on, the next elements of a channel are lost.
    pub fn arm_loss(&mut self, fault: usize, channel: ChannelId, count: u32) {
        if count > 0 {
            self.losses.push(Loss { fault: Some(fault), channel, left: count });
        }
    }

    /// Something gets into the way; false if it was there already.
    pub fn obstruct(
        &mut self,
        obstacle: Obstacle,
        from: ProcessId,
        to: ProcessId,
        by: usize,
    ) -> bool {
        self.directions(obstacle).cut(from, to, by)
    }

    /// A fault is over: the directions that are open again.
    pub fn clear(&mut self, by: usize) -> Vec<Cleared> {
        let mut cleared = Vec::new();
        for obstacle in [Obstacle::Cut, Obstacle::Hold, Obstacle::HalfOpen] {
            let healed = self.directions(obstacle).heal_by(by);
            cleared.extend(healed.into_iter().map(|(from, to)| (obstacle, from, to)));
        }
        cleared
    }

    /// All faults are over: the directions that are open again.
    pub fn clear_all(&mut self) -> Vec<Cleared> {
        self.losses.clear();
        let mut cleared = Vec::new();
        for obstacle in [Obstacle::Cut, Obstacle::Hold, Obstacle::HalfOpen] {
            let healed: VecSet<_> = self.directions(obstacle).heal_all();
            cleared.extend(healed.into_iter().map(|(from, to)| (obstacle, from, to)));
        }
        cleared
    }

    fn directions(&mut self, obstacle: Obstacle) -> &mut Cuts {
        match obstacle {
            Obstacle::Cut => &mut self.cuts,
            Obstacle::Hold => &mut self.holds,
            Obstacle::HalfOpen => &mut self.vanishing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ProcessId = ProcessId::Worker(0);
    const B: ProcessId = ProcessId::Worker(1);

    #[test]
    fn obstacles_overlap_and_each_is_cleared_on_its_own() {
        let mut network = Network::default();
        assert!(network.is_clear());
        assert!(network.obstruct(Obstacle::Hold, A, B, 1));
        assert!(!network.obstruct(Obstacle::Hold, A, B, 2), "it was held already");
        assert_eq!(network.alone(A, B), Delivery::Waits);
        assert_eq!(network.alone(B, A), Delivery::Open);
        assert!(network.obstruct(Obstacle::Cut, A, B, 3));
        assert_eq!(network.alone(A, B), Delivery::Lost, "a cut loses what it holds back");
        assert_eq!(network.ordered(A, B), Delivery::Waits);
        assert_eq!(network.clear(1), []);
        assert_eq!(network.clear(2), [(Obstacle::Hold, A, B)]);
        assert_eq!(network.clear_all(), [(Obstacle::Cut, A, B)]);
        assert!(network.is_clear());
    }

    #[test]
    fn a_lossy_reconnect_loses_so_many_elements_of_its_channel_and_strikes_once() {
        let mut network = Network::default();
        network.arm_loss(7, ChannelId(2), 2);
        network.arm_loss(8, ChannelId(3), 0);
        assert!(!network.is_clear());
        assert_eq!(network.loses(ChannelId(1)), None);
        assert_eq!(network.loses(ChannelId(2)), Some(Some(7)));
        assert_eq!(network.loses(ChannelId(2)), Some(None));
        assert_eq!(network.loses(ChannelId(2)), None);
        assert!(network.is_clear());
    }
}
