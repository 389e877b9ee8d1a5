//! Faults in words, as they strike and as they end.

use super::{Clause, Names};
use crate::trace::Event;

impl Names<'_> {
    pub(super) fn of_fault(&self, event: &Event) -> Option<Clause> {
        Some(Clause::act(match event {
            Event::FaultsEnded => "faults end, everything is healed".to_owned(),
            Event::Crashed { process } => format!("{process} crashes"),
            Event::Restarted { process, .. } => format!("{process} is back, with empty memory"),
            Event::Paused { process } => format!("{process} stalls"),
            Event::Resumed { process } => format!("{process} goes on"),
            Event::Disconnected { from, to } => format!("{from} no longer reaches {to}"),
            Event::Healed { from, to } => format!("{from} reaches {to} again"),
            Event::MessageDropped { from, to, message } => {
                format!("{from}'s {message} to {to} is lost")
            }
            Event::MessageDelayed { from, to, message } => {
                format!("{from}'s {message} to {to} is held back")
            }
            Event::MessageDuplicated { from, to, message } => {
                format!("{from}'s {message} to {to} will come twice")
            }
            Event::MessageReordered { from, to, message } => {
                format!("{from}'s {message} to {to} waits for what comes after it")
            }
            Event::Zombified { process, incarnation } => {
                format!("{process} is replaced, and its {incarnation} goes on as a zombie")
            }
            Event::ZombieEnded { process, incarnation } => {
                format!("the zombie {incarnation} of {process} ends")
            }
            Event::Held { from, to } => format!("what {from} sends to {to} is held"),
            Event::Released { from, to } => format!("what {from} sent to {to} is let go"),
            Event::HalfOpened { from, to } => {
                format!("what {from} sends to {to} vanishes, and nobody is told")
            }
            Event::ConnectionReset { from, to } => {
                format!("{from} and {to} learn that their connection was lost")
            }
            Event::ElementLost { channel } => {
                format!("a reconnect loses an element of {}", self.channel(*channel))
            }
            Event::ClockChanged { process, ahead_us } => {
                format!("the clock of {process} is {ahead_us} µs ahead")
            }
            Event::StoreTroubled { process, trouble } => {
                format!("{process} is in trouble: {trouble}")
            }
            Event::StoreRecovered { process } => format!("{process} works normally"),
            Event::ObjectDestroyed { key } => format!("{key} is gone for good"),
            Event::SinkTroubled { trouble } => format!("sink-target is in trouble: {trouble}"),
            Event::SinkRecovered => "sink-target works normally".to_owned(),
            Event::SplitIdle { split } => format!("{split} has nothing new for a while"),
            Event::SplitResumed { split } => format!("{split} goes on"),
            _ => return None,
        }))
    }
}
