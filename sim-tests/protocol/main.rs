//! The protocol and its data: walk-throughs, codecs, brute force, and the rules of the house.

mod classic;
mod codecs;
mod enumerator;
mod event_time;
mod oracle_brute_force;
mod script;
mod tidy;
mod walkthroughs;
