//! What an oracle is, and how the list of them becomes one value.

use super::course::Fact;
use super::shape::Scene;
use crate::trace::{Event, Point};

/// Judges one property, by what it hears of a run.
///
/// What it hears of is the job as the [course](super::course) tells it: events that count, and what follows from them.
pub(super) trait Oracle: Default + Listens {
    /// The run begins.
    fn start(&mut self, scene: &Scene);

    /// Something follows for the job from the event at hand.
    fn learn(&mut self, scene: &mut Scene, fact: Fact);

    /// An event is [of the past](super::course::Hearing::Past). Most have nothing to judge by it.
    fn overhear(&mut self, _scene: &mut Scene, _event: &Event) {}
}

/// The events that an oracle wants to hear of; [`listens`] makes it.
pub(super) trait Listens {
    /// Which they are.
    const POINTS: &'static [Point];

    /// One of them happened, and counts.
    fn observe(&mut self, scene: &mut Scene, event: &Event);
}

/// Says which events an oracle hears of, and what it does then. One that is not named costs it nothing.
macro_rules! listens {
    ($oracle:ident($this:ident, $scene:ident, $event:ident) {
        $($(Event::$point:ident $fields:tt)|+ => $then:block)+
    }) => {
        impl $crate::oracle::oracles::Listens for $oracle {
            const POINTS: &'static [$crate::trace::Point] =
                &[$($($crate::trace::Point::$point,)+)+];

            #[allow(unused_variables, reason = "not every oracle needs all that it is given")]
            fn observe(&mut $this, $scene: &mut Scene, $event: &$crate::trace::Event) {
                match *$event {
                    $($($crate::trace::Event::$point $fields)|+ => $then)+
                    _ => {} // Nobody tells it of any other.
                }
            }
        }
    };
}
pub(super) use listens;

/// The list of oracles, in the order in which they hear of an event: it decides which of them is the first to find
/// what several find.
macro_rules! oracles {
    ($($name:ident: $oracle:ty,)+) => {
        /// All oracles.
        #[derive(Clone, Debug, Default)]
        struct Oracles {
            $($name: $oracle,)+
        }

        #[allow(non_upper_case_globals, reason = "named after the fields")]
        mod seats {
            #[allow(non_camel_case_types, reason = "named after the fields")]
            enum Seat {
                $($name,)+
            }
            $(pub const $name: u32 = Seat::$name as u32;)+
        }

        /// By kind of event, who hears of it: a bit for each.
        static HEARERS: [u32; Point::COUNT] = {
            let mut hearers = [0; Point::COUNT];
            $(oracles::seat::<$oracle>(&mut hearers, seats::$name);)+
            hearers
        };

        impl Oracles {
            /// The run begins.
            fn start(&mut self, scene: &Scene) {
                $(self.$name.start(scene);)+
            }

            /// An event counts.
            fn observe(&mut self, scene: &mut Scene, event: &Event) {
                let mut hearers = HEARERS[Point::from(event) as usize];
                while hearers != 0 {
                    match hearers.trailing_zeros() {
                        $(seats::$name => oracles::Listens::observe(&mut self.$name, scene, event),)+
                        _ => {}
                    }
                    hearers &= hearers - 1;
                }
            }

            /// Something follows from the event at hand.
            fn learn(&mut self, scene: &mut Scene, fact: Fact) {
                $(self.$name.learn(scene, fact);)+
            }

            /// An event is of the past.
            fn overhear(&mut self, scene: &mut Scene, event: &Event) {
                $(self.$name.overhear(scene, event);)+
            }
        }
    };
}
pub(super) use oracles;

/// Notes what the oracle in this seat wants to hear of.
pub(super) const fn seat<O: Listens>(hearers: &mut [u32], seat: u32) {
    let mut next = 0;
    while next < O::POINTS.len() {
        hearers[O::POINTS[next] as usize] |= 1 << seat;
        next += 1;
    }
}
