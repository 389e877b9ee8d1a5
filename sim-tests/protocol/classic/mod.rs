//! Chandy and Lamport's snapshots on process graphs: files, walk-throughs, generated systems, brute force,
//! and the defects that the oracles must see.

mod brute_force;
mod defects;
mod files;
mod generated;
mod stage;
mod walkthroughs;
